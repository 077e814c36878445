"""How much flows: rates of the last minute, and totals by server and day."""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

from ssgui.services.connections import Connection

SECONDS = 60
MINUTES = 120


@dataclass(slots=True)
class Traffic:
    """Payload bytes."""

    up: int = 0
    down: int = 0


class Meter:
    """Listens to connections. `tick` once a second closes a sample; `today` gives the date that totals go under."""

    def __init__(self, today: Callable[[], str]) -> None:
        self._today = today
        self._now = Traffic()
        self._at: float | None = None
        self.up: deque[float] = deque([0.0] * SECONDS, maxlen=SECONDS)
        self.down: deque[float] = deque([0.0] * SECONDS, maxlen=SECONDS)
        self.day = today()
        self.servers: defaultdict[str, Traffic] = defaultdict(Traffic)
        self.courses: defaultdict[str, deque[int]] = defaultdict(lambda: deque([0], maxlen=MINUTES))  # totals by minute
        self._ticks = 0

    def tick(self, now: float) -> None:
        """Turn what came since the last tick into a rate."""
        if self._at is not None and now > self._at:
            self.up.append(self._now.up / (now - self._at))
            self.down.append(self._now.down / (now - self._at))
        self._now, self._at = Traffic(), now
        self._ticks += 1
        if self._ticks % 60 == 0:
            for name, total in self.servers.items():
                self.courses[name].append(total.up + total.down)
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

    def opened(self, one: Connection) -> None:
        """Nothing flowed yet."""

    def moved(self, one: Connection) -> None:
        """Stages do not count."""

    def closed(self, one: Connection) -> None:
        """Its bytes were counted as they came."""

    def received(self, one: Connection, up: int, down: int, now: float) -> None:
        self._now.up += up
        self._now.down += down
        if one.route == "proxy":
            total = self.servers[one.server]
            total.up += up
            total.down += down
