"""The last ten minutes at a glance: how much flowed when, and when something failed."""

from collections import deque
from typing import NamedTuple

from ssgui.services.connections.health import is_failure
from ssgui.services.connections.records import Connection, Listener

SECONDS = 600.0
BUCKET = 0.25  # seconds
MOST_FAILURES = 4096
_BUCKETS = int(SECONDS / BUCKET)
_LONGEST_LOOK = 1.5  # seconds: whoever looks does so at least once a second, so bytes are not older than that


class Flow(NamedTuple):
    """Bytes per second each way, around a moment (monotonic seconds)."""

    t: float
    up: float
    down: float


class Overview(Listener):
    """Listens to connections. The bytes of one look are spread evenly over the time since the look before."""

    def __init__(self) -> None:
        self._up, self._down = [0.0] * _BUCKETS, [0.0] * _BUCKETS
        self._newest = 0  # number of the newest bucket, counted from the clock's beginning
        self._since = self._at = 0.0  # what is pending came between these
        self._more_up = self._more_down = 0
        self.failures: deque[float] = deque(maxlen=MOST_FAILURES)  # when each happened

    # ---- what happens to connections

    def flowed(self, server: str, up: int, down: int, now: float) -> None:
        if now > self._at:
            self._spread()
            self._since, self._at = max(self._at, now - _LONGEST_LOOK), now
        self._more_up += up
        self._more_down += down

    def closed(self, one: Connection) -> None:
        if is_failure(one.reason) and one.ended is not None:
            self.failures.append(one.ended)

    # ---- what is shown

    def flows(self, start: float, end: float, now: float, most: int) -> list[Flow]:
        """How it flowed between `start` and `end`, oldest first, in `most` steps or fewer.

        Steps begin at fixed moments, so that a picture of them slides and does not wobble. The step that `now` is in
        is left out while more may come.
        """
        self._spread()
        known = self._at if now - self._at < _LONGEST_LOOK else now
        size = max(1, -int(-(end - start) / BUCKET // max(1, most)))
        first, last = int(start / BUCKET) // size, int(min(end, known) / BUCKET) // size
        width = size * BUCKET
        return [
            Flow((step + 0.5) * width, *self._sums(step * size, size, width))
            for step in range(max(first, (self._newest - _BUCKETS) // size + 1), last)
        ]

    def _sums(self, first: int, size: int, seconds: float) -> tuple[float, float]:
        numbers = [at % _BUCKETS for at in range(first, first + size) if self._newest - _BUCKETS < at <= self._newest]
        up, down = self._up, self._down
        return sum(up[at] for at in numbers) / seconds, sum(down[at] for at in numbers) / seconds

    # ---- buckets

    def _spread(self) -> None:
        """Put what is pending into the buckets of its time."""
        up, down = self._more_up, self._more_down
        if not up and not down:
            return
        self._more_up = self._more_down = 0
        first, last = int(self._since / BUCKET), int(self._at / BUCKET)
        self._reach(last)
        length = self._at - self._since
        for number in range(first, last + 1):
            begin, end = max(self._since, number * BUCKET), min(self._at, (number + 1) * BUCKET)
            share = (end - begin) / length if length > 0 else 1 / (last + 1 - first)
            self._up[number % _BUCKETS] += up * share
            self._down[number % _BUCKETS] += down * share

    def _reach(self, number: int) -> None:
        """Make `number` the newest bucket: those that it passes are empty."""
        for at in range(max(self._newest + 1, number - _BUCKETS + 1), number + 1):
            self._up[at % _BUCKETS] = self._down[at % _BUCKETS] = 0.0
        self._newest = max(self._newest, number)
