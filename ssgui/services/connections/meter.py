"""How much flows: rates of the last minute, and totals by server and day."""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

from ssgui.services.connections.records import Listener

SECONDS = 60
MINUTES = 120


@dataclass(slots=True)
class Traffic:
    """Payload bytes."""

    up: int = 0
    down: int = 0


class Meter(Listener):
    """Listens to connections. `tick`, about once a second, closes a sample; `today` is the date of totals."""

    def __init__(self, today: Callable[[], str]) -> None:
        self._today = today
        self._now = Traffic()
        self._at: float | None = None
        self.up: deque[float] = deque([0.0] * SECONDS, maxlen=SECONDS)
        self.down: deque[float] = deque([0.0] * SECONDS, maxlen=SECONDS)
        self.day = today()
        self.servers: defaultdict[str, Traffic] = defaultdict(Traffic)
        self.courses: defaultdict[str, deque[int]] = defaultdict(lambda: deque([0], maxlen=MINUTES))  # totals by minute
        self._seconds = 0

    def tick(self, now: float) -> None:
        """Turn what came since the last tick into a rate: that of every second since then."""
        if self._at is not None and now > self._at:
            elapsed = now - self._at
            seconds = max(1, round(elapsed))
            self.up.extend([self._now.up / elapsed] * min(seconds, SECONDS))
            self.down.extend([self._now.down / elapsed] * min(seconds, SECONDS))
            minute, self._seconds = self._seconds // 60, self._seconds + seconds
            if self._seconds // 60 > minute:
                for name, total in self.servers.items():
                    self.courses[name].append(total.up + total.down)
        self._now, self._at = Traffic(), now
        if (day := self._today()) != self.day:
            self.day = day
            self.servers.clear()
            self.courses.clear()

    def restore(self, day: str, servers: dict[str, tuple[int, int]]) -> None:
        """Go on from totals that were kept, if they are of today."""
        if day == self.day:
            for name, (up, down) in servers.items():
                self.servers[name].up += up
                self.servers[name].down += down

    # ---- what happens to connections

    def flowed(self, server: str, up: int, down: int, now: float) -> None:
        self._now.up += up
        self._now.down += down
        if server:
            total = self.servers[server]
            total.up += up
            total.down += down
