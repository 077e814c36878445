"""Lines at nice moments."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.gui.connections.timescale import TimeScale


def texts(scale: TimeScale, now: float, width: float) -> list[str]:
    return [tick.text.replace("\N{MINUS SIGN}", "-") for tick in scale.ticks(now, width)]


@pytest.mark.parametrize(
    ("scale", "now", "width", "wanted"),
    [
        (TimeScale(88.0, 100.0), 100.0, 240, ["-10 s", "-5 s", "now"]),
        (TimeScale(88.0, 100.0), 100.0, 500, ["-12 s", "-10 s", "-8 s", "-6 s", "-4 s", "-2 s", "now"]),
        (TimeScale(40.0, 100.0), 100.0, 400, ["-60 s", "-50 s", "-40 s", "-30 s", "-20 s", "-10 s", "now"]),
        (TimeScale(400.0, 1000.0), 1000.0, 300, ["-10 min", "-8 min", "-6 min", "-4 min", "-2 min", "now"]),
        (TimeScale(400.0, 1000.0), 1000.0, 700, [f"-{at} min" for at in range(10, 0, -1)] + ["now"]),
        (TimeScale(60.0, 75.0), 100.0, 240, ["-40 s", "-35 s", "-30 s", "-25 s"]),
        (TimeScale(99.5, 100.0), 100.0, 300, ["-0.5 s", "-0.4 s", "-0.3 s", "-0.2 s", "-0.1 s", "now"]),
        (TimeScale(99.95, 100.0), 100.0, 300, ["-50 ms", "-40 ms", "-30 ms", "-20 ms", "-10 ms", "now"]),
        (TimeScale(0.0, 12.0, aligned=True), 5.0, 240, ["0", "5 s", "10 s"]),
        (TimeScale(0.0, 7200.0, aligned=True), 5.0, 150, ["0", "1 h", "2 h"]),
    ],
)
def test_labels(scale: TimeScale, now: float, width: float, wanted: list[str]) -> None:
    assert texts(scale, now, width) == wanted


def test_lines_stand_where_their_time_is() -> None:
    scale = TimeScale(60.0, 75.0)
    for tick, t in zip(scale.ticks(100.0, 240), (60.0, 65.0, 70.0, 75.0), strict=True):
        assert scale.x(t, 10.0, 240) == pytest.approx(10 + tick.at * 240)


@given(st.floats(0, 1e5), st.floats(0.001, 1e5), st.floats(0, 1e4), st.floats(1, 3000), st.booleans())
def test_lines_are_inside_and_apart(start: float, length: float, behind: float, width: float, aligned: bool) -> None:
    scale = TimeScale(0.0, length, aligned=True) if aligned else TimeScale(start, start + length)
    ticks = scale.ticks(scale.end + behind, width)
    places = [tick.at for tick in ticks]
    assert all(-1e-6 <= at <= 1 + 1e-6 for at in places)
    for before, after in pairwise(places):
        assert (after - before) * width >= 55 or length > 36000
