"""JSON with comments: what is JSON stays what it is, and what is around it does not matter."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ssgui.config.json_text import parse_json

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["// x", "/*", "*/", ",]", '",}', "\\"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)
_between = st.sampled_from(["", " ", "// a comment, ]}\n", '/* "quoted */', "/* // */", "\n", "/**/"])


def _written(value: Any, draw: Any) -> str:
    """`value` with comments between its tokens, and commas where there should be none."""
    if isinstance(value, list) and value:
        inner = ",".join(_around(_written(item, draw), draw) for item in value)
        return f"[{inner}{draw(st.sampled_from(['', ',']))}{draw(_between)}]"
    if isinstance(value, dict) and value:
        inner = ",".join(
            f"{_around(json.dumps(key), draw)}:{_around(_written(one, draw), draw)}" for key, one in value.items()
        )
        return f"{{{inner}{draw(st.sampled_from(['', ',']))}{draw(_between)}}}"
    return json.dumps(value)


def _around(text: str, draw: Any) -> str:
    return f"{draw(_between)}{text}{draw(_between)}"


@given(_values, st.data())
def test_comments_change_nothing(value: Any, data: st.DataObject) -> None:
    assert parse_json(_around(_written(value, data.draw), data.draw).encode()) == value


@given(_values)
def test_plain_json_is_what_it_is(value: Any) -> None:
    assert parse_json(json.dumps(value).encode()) == value
