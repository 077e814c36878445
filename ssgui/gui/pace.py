"""How often the window looks: as often as a person can follow, unless that takes too much from the relay."""

LOOK_MS = 200  # while somebody looks
SLOWEST_MS = 1000  # and however much there is to show
UNFOCUSED_MS = 1000
_STEP_MS = 50
_SHARE = 0.03  # of the time, at most, is spent on looks: a relay in the same thread waits meanwhile
_WEIGHT = 0.3  # of the newest look in the mean


class Pace:
    """Keeps the mean cost of a look, and tells how long to wait for the next."""

    def __init__(self) -> None:
        self._cost = 0.0  # seconds of the thread

    def spent(self, seconds: float) -> None:
        """A look took that many `seconds` of the thread, its painting included."""
        self._cost += (seconds - self._cost) * _WEIGHT

    def interval(self, *, seen: bool) -> int:
        """Milliseconds from one look to the next, in coarse steps: who sets a timer anew starts it anew."""
        if not seen:
            return UNFOCUSED_MS
        wanted = self._cost * 1000 / _SHARE
        return min(SLOWEST_MS, max(LOOK_MS, -int(-wanted // _STEP_MS) * _STEP_MS))
