"""What is known of servers, and what follows from it: pure, so that it can be played through without waiting."""

import math
from collections import OrderedDict, deque
from statistics import median_low
from typing import Final, Generic, TypeVar

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
SAMPLES: Final = 3
CLEARLY_BETTER: Final = 0.8
IN_A_ROW: Final = 3
KEPT_UNUSED: Final = 600.0
KEPT_AT_MOST: Final = 3600.0
_MOST_KEPT: Final = 1024

_Server = TypeVar("_Server")


class ServerHealth:
    """Whether one server can be reached. Dead from its first failure on, until something succeeds.

    A dead one is tried again after 1, 2, 4 ... 60 seconds, by one trial at a time.
    """

    __slots__ = ("_pause", "_retry_at", "_trying", "dead_since", "failed_at", "failures")

    def __init__(self) -> None:
        self.dead_since: float | None = None
        self.failures = 0  # since it died, those of connections that failed together counted once
        self.failed_at = -math.inf
        self._retry_at = self._pause = 0.0
        self._trying = False

    @property
    def alive(self) -> bool:
        return self.dead_since is None

    def failed(self, now: float) -> None:
        """A connection to it failed."""
        self.failed_at = now
        if self.dead_since is None:
            self.dead_since, self._pause = now, FIRST_PAUSE
        elif self._trying or now >= self._retry_at:
            self._pause = min(LONGEST_PAUSE, self._pause * 2)
        else:
            return  # begun before it was known to be dead, or for want of any other
        self._trying = False
        self.failures += 1
        self._retry_at = now + self._pause

    def succeeded(self) -> None:
        """A connection to it was made."""
        self.dead_since, self.failures, self._trying = None, 0, False

    def hope(self) -> None:
        """The network changed: a dead one may be tried at once, and often again."""
        self._retry_at, self._pause = 0.0, FIRST_PAUSE

    def begin_trial(self, now: float) -> bool:
        """Whether it is time to try a dead one again; then that is taken to happen now."""
        if self.alive or self._trying or now < self._retry_at:
            return False
        self._trying = True
        return True


class Ranking(Generic[_Server]):
    """Which server is the fastest, from a few measurements of each, without jumping to and fro.

    A server's speed is the median of its last three measurements; a failed one is infinitely slow. The best
    one is left for another only when that was better by a fifth three times in a row, or when it fails.
    """

    def __init__(self) -> None:
        self.best: _Server | None = None
        self._samples: dict[_Server, deque[float]] = {}
        self._rival: _Server | None = None
        self._streak = 0

    def estimate(self, server: _Server) -> float:
        """Seconds; infinity for what failed, or was never measured."""
        samples = self._samples.get(server)
        return median_low(samples) if samples else math.inf

    def settle(self, measured: dict[_Server, list[float]]) -> None:
        """Take the measurements of one round. One in which nothing answered says nothing about servers."""
        if not any(math.isfinite(one) for samples in measured.values() for one in samples):
            return
        for server, samples in measured.items():
            self._samples.setdefault(server, deque(maxlen=SAMPLES)).extend(samples)
        fastest = min(self._samples, key=self.estimate)
        if self.best is None or math.isinf(self.estimate(self.best)):
            self._follow(fastest)
        elif self.estimate(fastest) > CLEARLY_BETTER * self.estimate(self.best):
            self._rival, self._streak = None, 0
        else:
            self._streak = self._streak + 1 if fastest == self._rival else 1
            self._rival = fastest
            if self._streak >= IN_A_ROW:
                self._follow(fastest)

    def _follow(self, server: _Server) -> None:
        self.best, self._rival, self._streak = server, None, 0


class StickyTargets(Generic[_Server]):
    """Which server a target was reached through, so that a site does not see one's address jump.

    Kept until it was not asked for during ten minutes, for an hour in all.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[_Server, float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, host: str, now: float) -> _Server | None:
        """The server that `host` is to be reached through, if that was not too long ago."""
        kept = self._kept.get(host)
        if kept is None:
            return None
        server, since, used = kept
        if now - used >= KEPT_UNUSED or now - since >= KEPT_AT_MOST:
            del self._kept[host]
            return None
        self._kept[host] = server, since, now
        self._kept.move_to_end(host)
        return server

    def keep(self, host: str, server: _Server, now: float) -> None:
        """`host` goes through `server` from now on."""
        self._kept[host] = server, now, now
        self._kept.move_to_end(host)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
