"""Any JSON, for fuzzing what reads it."""

from hypothesis import strategies as st

_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_shallow = _scalars | st.lists(_scalars, max_size=3) | st.dictionaries(st.text(max_size=6), _scalars, max_size=3)
json_values = (
    _shallow | st.lists(_shallow, max_size=3) | st.dictionaries(st.text(max_size=6), _shallow, max_size=3)
)  # fmt: skip
