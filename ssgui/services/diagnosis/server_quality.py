"""How good each server is, from what real connections met: success, latency and throughput, since the start.

Bounded: the last connections of the servers that were used last. What is kept over days is in the history.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec

from ssgui.engine.stages import Stage
from ssgui.services.connections.records import Connection, Listener
from ssgui.services.diagnosis.outcomes import worked

MOST_SERVERS: Final = 256
MOST_CONNECTIONS: Final = 200  # of each
MINUTES: Final = 60
_SHOWN: Final = 60  # values of a course
_AROUND: Final = 10  # connections that a share of the course is of
_BIN: Final = 5.0  # seconds that a rate is measured over: looks come once a second at the least
_CONNECTING, _STREAM = Stage.CONNECTING, Stage.STREAM


class Spread(NamedTuple):
    """Of some durations, in seconds: the one in the middle, and the one that 5 of 100 are above."""

    p50: float
    p95: float


class Quality(msgspec.Struct, frozen=True):
    """Of one server. Durations in seconds, rates in bytes per second, shares 0 to 1; None for what is not known.

    `connections` counts those that told something. `throughput` is the fastest 5 s of the last hour. Courses are
    oldest first: of connections, and of `rates` the fastest 5 s of each minute up to now.
    """

    connections: int = 0
    succeeded: float | None = None
    connect: Spread | None = None
    first_byte: Spread | None = None
    throughput: float | None = None
    successes: tuple[float, ...] = ()
    connects: tuple[float, ...] = ()
    first_bytes: tuple[float, ...] = ()
    rates: tuple[float, ...] = ()


class _Server:
    """What is kept of one."""

    __slots__ = ("amount", "bin", "connects", "first_bytes", "minutes", "worked")

    def __init__(self) -> None:
        self.worked: deque[bool] = deque(maxlen=MOST_CONNECTIONS)
        self.connects: deque[float] = deque(maxlen=MOST_CONNECTIONS)
        self.first_bytes: deque[float] = deque(maxlen=MOST_CONNECTIONS)
        self.bin, self.amount = 0, 0
        self.minutes: dict[int, float] = {}  # the fastest bin of each, at most MINUTES of them

    def add(self, amount: int, now: float) -> None:
        """Payload bytes came, or went."""
        at = int(now // _BIN)
        if at != self.bin:
            self.settle()
            self.bin, self.amount = at, 0
        self.amount += amount

    def settle(self) -> None:
        """The bin is full: keep it if it is the fastest of its minute."""
        minute = int(self.bin * _BIN // 60)
        self.minutes[minute] = max(self.minutes.get(minute, 0.0), self.amount / _BIN)
        if len(self.minutes) > MINUTES:
            del self.minutes[min(self.minutes)]


class ServerQuality(Listener):
    """Listens to connections; servers have the names that events give them."""

    def __init__(self) -> None:
        self._servers: OrderedDict[str, _Server] = OrderedDict()

    def of(self, name: str, now: float) -> Quality:
        """What is known of one; `now` is monotonic seconds."""
        server = self._servers.get(name)
        if server is None:
            return Quality()
        good = list(server.worked)
        parts = [good[max(0, end - _AROUND) : end] for end in range(1, len(good) + 1)]
        shares = [part.count(True) / len(part) for part in parts]
        rates = _rates(server, now)
        return Quality(
            len(good), good.count(True) / len(good) if good else None, spread(server.connects),
            spread(server.first_bytes), max(rates, default=0.0) or None, _last(shares), _last(server.connects),
            _last(server.first_bytes), rates,
        )  # fmt: skip

    def forget(self, name: str) -> None:
        """Its settings changed: what was known is about another server."""
        self._servers.pop(name, None)

    def _of(self, name: str) -> _Server:
        server = self._servers.get(name)
        if server is None:
            server = self._servers[name] = _Server()
            if len(self._servers) > MOST_SERVERS:
                self._servers.popitem(last=False)
        return server

    # ---- what happens to connections

    def flowed(self, server: str, up: int, down: int, now: float) -> None:
        if server:
            self._of(server).add(up + down, now)

    def closed(self, one: Connection) -> None:
        if one.route != "proxy" or not one.server:
            return
        server = self._of(one.server)
        self._servers.move_to_end(one.server)
        if (good := worked(one)) is not None:
            server.worked.append(good)
        if (seconds := connect_time(one)) is not None:
            server.connects.append(seconds)
        if (seconds := first_byte_time(one)) is not None:
            server.first_bytes.append(seconds)


def connect_time(one: Connection) -> float | None:
    """How long it took to reach the server, or a direct target, that took it: CONNECTING up to STREAM."""
    for (stage, start), (following, end) in pairwise(one.timeline):
        if stage is _CONNECTING and following is _STREAM:
            return max(0.0, end - start)
    return None


def first_byte_time(one: Connection) -> float | None:
    """How long the first payload waited for the first byte back (WAIT), in which the target has its share."""
    if one.first_up is None or one.first_down is None or one.first_down < one.first_up:
        return None
    return one.first_down - one.first_up


def spread(values: Iterable[float]) -> Spread | None:
    """Of any number of durations, None of none."""
    found = sorted(values)
    if not found:
        return None
    return Spread(_at(found, 0.5), _at(found, 0.95))


def _at(ordered: Sequence[float], share: float) -> float:
    """The value that `share` of all are not above, between two where it falls between two."""
    place = (len(ordered) - 1) * share
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _rates(server: _Server, now: float) -> tuple[float, ...]:
    """Of each minute from the first that is known, or an hour ago, up to now; 0 where nothing flowed."""
    server.settle()
    last = int(now // 60)
    known = [minute for minute in server.minutes if last - MINUTES < minute <= last and server.minutes[minute]]
    if not known:
        return ()
    return tuple(server.minutes.get(minute, 0.0) for minute in range(min(known), last + 1))


def _last(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(values)[-_SHOWN:]
