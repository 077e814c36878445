"""Short numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.gui.units import age, amount, rate, span


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1.00 KB"), (9994, "9.99 KB"), (9996, "10.0 KB"), (99_940, "99.9 KB"),
        (99_960, "100 KB"), (999_499, "999 KB"), (999_500, "1.00 MB"), (3_420_000, "3.42 MB"), (1.24e9, "1.24 GB"),
        (5e15, "5000 TB"),
    ],
)  # fmt: skip
def test_amounts(count: float, shown: str) -> None:
    assert " ".join(amount(count)) == shown


@given(st.floats(0, 1e14))
def test_amounts_are_at_most_four_characters(count: float) -> None:
    digits, unit = amount(count)
    assert len(digits) <= 4
    scale = 1000 ** ("B", "KB", "MB", "GB", "TB").index(unit)
    assert float(digits) * scale == pytest.approx(count, rel=0.006, abs=0.51)


def test_rates_and_times() -> None:
    assert rate(0.4) == ("0", "B/s")
    assert rate(128_000) == ("128", "KB/s")
    assert [" ".join(span(value)) for value in (0.0004, 0.058, 0.9999, 9.2, 61, 7200)] == [
        "0.4 ms", "58 ms", "1.0 s", "9.2 s", "1 min", "2.0 h",
    ]  # fmt: skip
    assert [" ".join(age(value)) for value in (0.3, 9.94, 9.96, 59.4, 59.6, 3600)] == [
        "0.3 s", "9.9 s", "10 s", "59 s", "1 min", "1 h",
    ]  # fmt: skip
