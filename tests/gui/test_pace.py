"""How often the window looks."""

import pytest

from ssgui.gui.pace import LOOK_MS, SLOWEST_MS, UNFOCUSED_MS, Pace


def after(*costs: float) -> Pace:
    pace = Pace()
    for cost in costs:
        pace.spent(cost)
    return pace


@pytest.mark.parametrize(
    ("cost", "interval"),
    [(0.0, 200), (0.001, 200), (0.0059, 200), (0.0069, 250), (0.0134, 450), (0.0299, 1000), (0.03, 1000), (3.0, 1000)],
)
def test_a_look_takes_a_small_share_of_the_time(cost: float, interval: int) -> None:
    pace = after(*[cost] * 40)
    assert pace.interval(seen=True) == interval
    assert pace.interval(seen=False) == UNFOCUSED_MS


def test_one_costly_look_changes_little_and_is_forgotten() -> None:
    assert after(*[0.002] * 20, 0.01).interval(seen=True) == LOOK_MS
    assert after(*[1.0] * 20).interval(seen=True) == SLOWEST_MS
    assert after(*[1.0] * 20, *[0.002] * 20).interval(seen=True) == LOOK_MS
