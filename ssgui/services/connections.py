"""What every connection does and did: the engine's journal and snapshots, put together.

`Connections.pull` is called a few times a second by whoever looks. It reads what is new in the journal, samples
the live handlers, and keeps a bounded number of those that ended.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import msgspec

from ssgui.engine.events import Closed, Event, Opened, StageChanged
from ssgui.engine.handler import HandlerView
from ssgui.engine.journal import Journal
from ssgui.engine.stages import Reason, Stage, StreamStatus

MOST_CLOSED = 2000
_DESTROYED = Stage.DESTROYED  # to look it up in the enum takes longer than to compare it


class Engine(Protocol):
    """What of an engine is looked at."""

    journal: Journal

    def snapshot(self) -> list[HandlerView]:
        """How every connection stands now."""


class Connection(msgspec.Struct):
    """One connection as a row shows it. Times are monotonic seconds, bytes payload, rates bytes per second."""

    id: int
    conn: int
    inbound: str
    client: str
    opened: float
    stage: Stage = Stage.INIT
    timeline: list[tuple[Stage, float]] = msgspec.field(default_factory=list)
    target: str = ""
    route: str = ""
    rule: str = ""
    server: str = ""
    up_status: StreamStatus = StreamStatus.NONE
    down_status: StreamStatus = StreamStatus.NONE
    up: int = 0
    down: int = 0
    held_up: int = 0
    held_down: int = 0
    up_rate: float = 0.0
    down_rate: float = 0.0
    first_up: float | None = None
    first_down: float | None = None
    reason: Reason | None = None
    detail: str = ""
    ended: float | None = None

    @property
    def live(self) -> bool:
        """Whether it has not ended."""
        return self.ended is None

    def age(self, now: float) -> float:
        """Seconds since it was accepted, up to its end."""
        return (now if self.ended is None else self.ended) - self.opened


class Listener(Protocol):
    """Who wants to know what happens to connections."""

    def opened(self, one: Connection) -> None: ...
    def moved(self, one: Connection) -> None: ...
    def received(self, one: Connection, up: int, down: int, now: float) -> None: ...
    def closed(self, one: Connection) -> None: ...


class Connections:
    """The live connections and the last that ended, by id. `version` grows with every change of membership."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._clock = engine, clock
        self._next = engine.journal.sequence
        self.live: dict[int, Connection] = {}
        self.ended: OrderedDict[int, Connection] = OrderedDict()
        self.listeners: list[Listener] = []
        self.version = 0
        self._sampled = clock()

    def pull(self) -> None:
        """Take in what is new."""
        now = self._clock()
        events, self._next, dropped = self._engine.journal.read_since(self._next)
        for event in events:
            self._take(event)
        self._sample(self._engine.snapshot(), now, resync=bool(dropped))

    def close_ended(self) -> None:
        """Forget those that ended."""
        self.ended.clear()
        self.version += 1

    # ---- the journal

    def _take(self, event: Event) -> None:
        if isinstance(event, StageChanged):  # five of seven
            self._move(event)
        elif isinstance(event, Opened):
            self._open(Connection(event.id, event.conn, event.inbound, event.client, event.t))
        else:
            self._end(event)

    def _open(self, one: Connection) -> None:
        one.timeline.append((Stage.INIT, one.opened))
        self.live[one.id] = one
        self.version += 1
        for listener in self.listeners:
            listener.opened(one)

    def _move(self, event: StageChanged) -> None:
        one = self.live.get(event.id)
        if one is None:
            return
        one.stage = event.stage
        one.timeline.append((event.stage, event.t))
        one.target = event.target or one.target
        one.route, one.rule = event.route or one.route, event.rule or one.rule
        one.server = event.server or one.server
        if event.stage is not _DESTROYED:
            for listener in self.listeners:
                listener.moved(one)

    def _end(self, event: Closed) -> None:
        one = self.live.pop(event.id, None)
        if one is None:
            return
        self._count(one, event.up, event.down, event.t)
        one.stage, one.reason, one.detail, one.ended = Stage.DESTROYED, event.reason, event.detail, event.t
        one.up_status = one.down_status = StreamStatus.NONE
        one.held_up = one.held_down = 0
        one.up_rate = one.down_rate = 0.0
        self.ended[one.id] = one
        while len(self.ended) > MOST_CLOSED:
            self.ended.popitem(last=False)
        self.version += 1
        for listener in self.listeners:
            listener.closed(one)

    # ---- the snapshot

    def _sample(self, views: Sequence[HandlerView], now: float, *, resync: bool) -> None:
        elapsed = max(1e-3, now - self._sampled)
        self._sampled = now
        for view in views:
            one = self.live.get(view.id)
            if one is None:
                if not resync:
                    continue  # its `opened` comes with the next pull
                one = Connection(view.id, view.conn, view.inbound, view.client, view.timeline[0][1])
                self._open(one)
            self._refresh(one, view, now, elapsed)
        if resync:
            self._drop_missing({view.id for view in views}, now)

    def _refresh(self, one: Connection, view: HandlerView, now: float, elapsed: float) -> None:
        up, down = view.up - one.up, view.down - one.down
        one.up_rate, one.down_rate = max(0.0, up / elapsed), max(0.0, down / elapsed)
        one.stage, one.timeline = view.stage, list(view.timeline)
        one.target, one.route, one.rule, one.server = view.target, str(view.route), view.rule, view.server
        one.up_status, one.down_status = view.up_status, view.down_status
        one.held_up, one.held_down = view.held_up, view.held_down
        one.first_up, one.first_down = view.first_up, view.first_down
        self._count(one, view.up, view.down, now)

    def _count(self, one: Connection, up: int, down: int, now: float) -> None:
        more_up, more_down = up - one.up, down - one.down
        one.up, one.down = up, down
        if more_up > 0 or more_down > 0:
            for listener in self.listeners:
                listener.received(one, max(0, more_up), max(0, more_down), now)

    def _drop_missing(self, known: Iterable[int], now: float) -> None:
        """The journal was read too late: what is gone has ended, nobody knows why."""
        for number in self.live.keys() - set(known):
            one = self.live.pop(number)
            one.stage, one.ended = Stage.DESTROYED, now
            self.ended[number] = one
            self.version += 1
