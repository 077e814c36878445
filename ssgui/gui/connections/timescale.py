"""Which time is where in a picture: a window on the clock, or every connection from its own zero."""

from functools import lru_cache
from typing import NamedTuple

from ssgui.gui.texts import tr

# 1-2-5, in seconds and then in minutes and hours
_STEPS = (
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0, 600.0, 1200.0,
    3600.0, 7200.0, 18000.0, 36000.0,
)  # fmt: skip
_MINUTE, _HOUR = 60.0, 3600.0
_MINUS = "\N{MINUS SIGN}"


class Tick(NamedTuple):
    """A line at `at` (0 to 1 of the width) and its label."""

    at: float
    text: str


class TimeScale(NamedTuple):
    """From `start` to `end`, monotonic seconds; `aligned`: seconds since each connection's own beginning."""

    start: float
    end: float
    aligned: bool = False

    @property
    def length(self) -> float:
        """Seconds; never 0."""
        return max(1e-6, self.end - self.start)

    def x(self, t: float, left: float, width: float) -> float:
        """Where `t` is; outside of the picture, if it is outside of the time."""
        return left + (t - self.start) / self.length * width

    def ticks(self, now: float, width: float, apart: float = 56.0) -> list[Tick]:
        """Lines at nice moments, at least `apart` pixels from each other: "-8 s", "now", or durations."""
        if self.aligned:
            return _durations(round(self.length, 6), int(width), apart)
        return _ages(round(now - self.end, 3), round(self.length, 6), int(width), apart, tr("now"))


def step_for(length: float, width: float, apart: float) -> float:
    """The smallest step that keeps lines `apart` pixels from each other."""
    least = length * apart / max(1.0, width)
    return next((step for step in _STEPS if step >= least), _STEPS[-1])


@lru_cache(maxsize=64)
def _durations(length: float, width: int, apart: float) -> list[Tick]:
    step = step_for(length, width, apart)
    return [Tick(at * step / length, duration(at * step, step)) for at in range(int(length / step + 1e-9) + 1)]


@lru_cache(maxsize=64)
def _ages(behind: float, length: float, width: int, apart: float, now: str) -> list[Tick]:
    """Lines of a window that ended `behind` seconds ago, from the left; `now` is how that is called."""
    step = step_for(length, width, apart)
    first, last = int(-(-(behind - 1e-9) // step)), int((behind + length) / step + 1e-9)
    return [
        Tick(1 - (at * step - behind) / length, f"{_MINUS}{duration(at * step, step)}" if at else now)
        for at in range(last, first - 1, -1)
    ]


def duration(seconds: float, step: float = 1.0) -> str:
    """A duration in the largest unit in which every line has a whole number; tenths and less below a second."""
    if not seconds:
        return "0"
    if step >= _HOUR:
        return f"{seconds / _HOUR:g} h"
    if step >= _MINUTE:
        return f"{seconds / _MINUTE:g} min"
    return f"{seconds:g} s" if step >= 0.1 else f"{seconds * 1000:g} ms"
