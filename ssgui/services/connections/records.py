"""What every connection does and did: the engine's journal and snapshots, put together.

`Connections.pull` is called a few times a second by whoever looks. It reads what is new in the journal, samples
the live handlers, and keeps a bounded number of those that ended.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from copy import copy
from enum import StrEnum
from typing import Protocol

import msgspec

from ssgui.engine.events import Closed, Event, Opened, StageChanged
from ssgui.engine.handler_base import NO_PULSE, HandlerView, Pulse
from ssgui.engine.journal import Journal
from ssgui.engine.stages import Reason, Role, Stage, StreamStatus
from ssgui.services.connections.changes import Changes
from ssgui.services.connections.course import Course

MOST_CLOSED = 2000
MOST_MOMENTS = 32
_AT_LEAST = 0.2  # seconds; of a first sample, with history
_LOOK_AGAIN = 1.0  # seconds; how much of what was sent has been acknowledged
# To look it up in the enum takes longer than to compare it.
_STREAM, _DESTROYED, _NONE = Stage.STREAM, Stage.DESTROYED, StreamStatus.NONE


class Handler(Protocol):
    """What of a live connection is looked at."""

    def pulse(self) -> Pulse:
        """What changes all the time, cheap."""

    def view(self) -> HandlerView:
        """Everything."""


class Engine(Protocol):
    """What of an engine is looked at."""

    journal: Journal

    @property
    def handlers(self) -> Mapping[int, Handler]:
        """The live connections."""


class Moment(StrEnum):
    """What may happen to a connection between its stages."""

    FIRST_UP = "first-up"  # the first payload left
    FIRST_DOWN = "first-down"  # the first came back
    UP_BLOCKED = "up-blocked"  # the server, or a direct target, takes no more
    UP_FLOWS = "up-flows"
    DOWN_BLOCKED = "down-blocked"  # the program does not read
    DOWN_FLOWS = "down-flows"


_MOMENTS = {
    (True, True): Moment.UP_BLOCKED, (True, False): Moment.UP_FLOWS,
    (False, True): Moment.DOWN_BLOCKED, (False, False): Moment.DOWN_FLOWS,
}  # fmt: skip


class Connection(msgspec.Struct, gc=False):
    """One connection as a row shows it. Times are monotonic seconds, bytes payload, rates bytes per second.

    `program` and `pid` are "" and 0 while nobody knows whose it is. `up_blocked` and `down_blocked` say since when
    bytes have been held for a sink (WRITING is lit), as far as somebody looked. `acked` is as in `events.Closed`.
    """

    id: int
    conn: int
    inbound: str
    client: str
    opened: float
    role: Role = Role.LOCAL
    program: str = ""
    pid: int = 0
    user: str = ""
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
    up_blocked: float | None = None
    down_blocked: float | None = None
    acked: int | None = None
    looked: float = 0.0
    pulse: Pulse = NO_PULSE
    course: Course = msgspec.field(default_factory=Course)
    moments: list[tuple[float, Moment]] = msgspec.field(default_factory=list)  # at most MOST_MOMENTS
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

    def wait(self, now: float) -> float | None:
        """Seconds from the first payload up to the first byte down, or so far; None where nothing was waited for."""
        if self.first_up is None or (self.first_down is not None and self.first_down < self.first_up):
            return None
        end = self.first_down if self.first_down is not None else now if self.ended is None else self.ended
        return max(0.0, end - self.first_up)

    def still(self) -> "Connection":
        """A copy that stays as it is now."""
        one = copy(self)
        one.timeline, one.moments = list(self.timeline), list(self.moments)
        one.course = self.course.copy()
        return one


class Listener(Protocol):
    """Who wants to know what happens to connections. Who derives from this hears only what they define."""

    def opened(self, one: Connection) -> None:
        """It was accepted; where it goes is not known yet."""
        return

    def moved(self, one: Connection) -> None:
        """It is in another stage, and lives."""
        return

    def received(self, one: Connection, up: int, down: int, now: float) -> None:
        """So many bytes of payload came since the last time."""
        return

    def flowed(self, server: str, up: int, down: int, now: float) -> None:
        """So many came through `server`, or past any (""), since the last time: all connections together."""
        return

    def closed(self, one: Connection) -> None:
        """It has ended."""
        return


class Connections:
    """The live connections and the last that ended, by id. `version` grows with every change of membership.

    With `history` what the journal still knows is taken in first.
    """

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic, *, history: bool = False) -> None:
        self._engine, self._clock = engine, clock
        self._next = 0 if history else engine.journal.sequence
        self.live: dict[int, Connection] = {}
        self.ended: OrderedDict[int, Connection] = OrderedDict()
        self.listeners: list[Listener] = []
        self.changes: list[Changes] = []
        self.version = 0
        self._sampled = 0.0 if history else clock()
        self._flows: dict[str, list[int]] = {}  # by server, since it was told
        self._hear()

    def pull(self, *, closely: bool = True) -> tuple[list[Event], int]:
        """Take in what is new: the events, and how many were lost.

        Without `closely` only what was told is taken in, and bytes wait for the next time.
        """
        self._hear()
        now = self._clock()
        events, self._next, dropped = self._engine.journal.read_since(self._next)
        for event in events:
            self._take(event)
        if closely or dropped:
            self._sample(now, resync=bool(dropped))
            self._tell_flows(now)
        return events, dropped

    def close_ended(self) -> None:
        """Forget those that ended."""
        self.ended.clear()
        self.version += 1

    def touch(self, one: Connection) -> None:
        """Something about it has changed: whoever wants to hear of that will."""
        for changes in self.changes:
            changes.add(one.id)

    def _hear(self) -> None:
        """Whom to tell of what: thousands of times a second, and most want to know of one thing or two."""
        ears = self.listeners
        self._opened = [one.opened for one in ears if type(one).opened is not Listener.opened]
        self._moved = [one.moved for one in ears if type(one).moved is not Listener.moved]
        self._received = [one.received for one in ears if type(one).received is not Listener.received]
        self._flowed = [one.flowed for one in ears if type(one).flowed is not Listener.flowed]
        self._closed = [one.closed for one in ears if type(one).closed is not Listener.closed]

    # ---- the journal

    def _take(self, event: Event) -> None:
        if isinstance(event, StageChanged):  # five of seven
            self._move(event)
        elif isinstance(event, Opened):
            self._open(Connection(event.id, event.conn, event.inbound, event.client, event.t, event.role))
        else:
            self._end(event)

    def _open(self, one: Connection) -> None:
        one.timeline.append((Stage.INIT, one.opened))
        self.live[one.id] = one
        self.version += 1
        self.touch(one)
        for tell in self._opened:
            tell(one)

    def _move(self, event: StageChanged) -> None:
        one = self.live.get(event.id)
        if one is None:
            return
        one.stage = event.stage
        one.timeline.append((event.stage, event.t))
        one.target = event.target or one.target
        one.route, one.rule = event.route or one.route, event.rule or one.rule
        one.server = event.server or one.server
        self.touch(one)
        if event.stage is not _DESTROYED:
            for tell in self._moved:
                tell(one)

    def _end(self, event: Closed) -> None:
        one = self.live.get(event.id)
        if one is None:  # the journal was read too late for its beginning
            one = Connection(event.id, event.conn, event.inbound, event.client, event.timeline[0][1], event.role)
            self._open(one)
        del self.live[event.id]
        one.timeline = list(event.timeline)
        one.target, one.route, one.rule = event.target, event.route, event.rule
        one.server, one.user, one.acked = event.server, event.user, event.acked
        self._first(one, event.first_up, event.first_down)
        more_up, more_down = max(0, event.up - one.up), max(0, event.down - one.down)
        one.up, one.down, one.reason, one.detail, one.ended = event.up, event.down, event.reason, event.detail, event.t
        if more_up or more_down:
            one.course.add(max(min(self._sampled, event.t), one.opened), event.t, more_up, more_down)
            self._add_flow(one, more_up, more_down)
            for count in self._received:
                count(one, more_up, more_down, event.t)
        self._keep(one)
        for tell in self._closed:
            tell(one)

    def _keep(self, one: Connection) -> None:
        """It has ended, and is kept for a while."""
        one.stage = _DESTROYED
        one.up_status = one.down_status = _NONE
        one.held_up = one.held_down = 0
        one.up_rate = one.down_rate = 0.0
        one.up_blocked = one.down_blocked = None
        self.ended[one.id] = one
        self.touch(one)
        while len(self.ended) > MOST_CLOSED:
            self.ended.popitem(last=False)
        self.version += 1

    # ---- the live handlers

    def _sample(self, now: float, *, resync: bool) -> None:
        """Look at every live connection, and closer at those of which something has changed."""
        begun, live, changes = self._sampled, self.live, self.changes
        elapsed, self._sampled = max(1e-3, now - begun), now
        counted, add_flow = self._received, self._add_flow
        for number, handler in self._engine.handlers.items():
            one = live.get(number)
            if one is None:
                if not resync:
                    continue  # its `opened` comes with the next pull
                one = self._missed(handler.view())
            pulse, before = handler.pulse(), one.pulse
            if pulse != before:
                up, down, held_up, held_down, bits = pulse
                more_up, more_down = up - one.up, down - one.down
                # What else a view has to tell of a stream changes with the bits, or is asked for while it waits.
                if bits != before[4] or one.stage is not _STREAM or (one.first_down is None and self._is_due(one, now)):
                    self._refresh(one, handler.view(), now)
                one.pulse = pulse
                one.up, one.down, one.held_up, one.held_down = up, down, held_up, held_down
                seconds = elapsed if begun else max(_AT_LEAST, now - one.opened)
                one.up_rate, one.down_rate = more_up / seconds, more_down / seconds
                if more_up > 0 or more_down > 0:
                    one.course.add(begun if begun > one.opened else one.opened, now, more_up, more_down)
                    add_flow(one, more_up, more_down)
                    for count in counted:
                        count(one, more_up, more_down, now)
            elif one.up_rate or one.down_rate:
                one.up_rate = one.down_rate = 0.0
            elif one.first_down is None and self._is_due(one, now):
                one.acked, one.looked = handler.view().acked, now
            else:
                continue
            if changes:
                self.touch(one)
        if resync:
            self._drop_missing(now)

    def _add_flow(self, one: Connection, up: int, down: int) -> None:
        server = one.server if one.route == "proxy" else ""
        flow = self._flows.get(server)
        if flow is None:
            self._flows[server] = [up, down]
        else:
            flow[0] += up
            flow[1] += down

    def _tell_flows(self, now: float) -> None:
        for server, (up, down) in self._flows.items():
            for tell in self._flowed:
                tell(server, up, down, now)
        self._flows.clear()

    @staticmethod
    def _is_due(one: Connection, now: float) -> bool:
        """Whether to ask again how much of what was sent has been acknowledged."""
        return is_waiting(one) and now - one.looked >= _LOOK_AGAIN

    def _missed(self, view: HandlerView) -> Connection:
        """One whose beginning was not heard."""
        one = Connection(view.id, view.conn, view.inbound, view.client, view.timeline[0][1], view.role)
        self._open(one)
        one.stage, one.timeline = view.stage, list(view.timeline)
        one.target, one.route, one.rule, one.server = view.target, str(view.route), view.rule, view.server
        return one

    def _refresh(self, one: Connection, view: HandlerView, now: float) -> None:
        one.looked, one.acked = now, view.acked
        one.target, one.server, one.user = view.target, view.server, view.user  # of an association they change
        one.route, one.rule = str(view.route), view.rule
        waited = one.up_blocked is not None and one.first_up is None  # an address did, or what was read early
        self._first(one, view.first_up, view.first_down)
        if one.up_status is not view.up_status:
            one.up_blocked = _blocked(one, one.up_blocked, view.up_status, now, up=True, quiet=waited)
            one.up_status = view.up_status
        if waited and one.first_up is not None and one.up_blocked is not None:
            _note(one, now, Moment.UP_BLOCKED)
        if one.down_status is not view.down_status:
            one.down_blocked = _blocked(one, one.down_blocked, view.down_status, now, up=False)
            one.down_status = view.down_status

    def _first(self, one: Connection, first_up: float | None, first_down: float | None) -> None:
        if first_up is not None and one.first_up is None:
            one.first_up = first_up
            _note(one, first_up, Moment.FIRST_UP)
        if first_down is not None and one.first_down is None:
            one.first_down = first_down
            _note(one, first_down, Moment.FIRST_DOWN)

    def _drop_missing(self, now: float) -> None:
        """The journal was read too late: what is gone has ended, nobody knows why."""
        for number in self.live.keys() - self._engine.handlers.keys():
            one = self.live.pop(number)
            one.ended = now
            self._keep(one)


def is_waiting(one: Connection) -> bool:
    """Payload was sent, and nothing has come back yet."""
    return one.stage is _STREAM and one.first_up is not None and one.first_down is None


def _blocked(
    one: Connection, since: float | None, status: StreamStatus, now: float, *, up: bool, quiet: bool = False
) -> float | None:
    """Since when bytes are held for a sink, now that it is `status`; the change is noted, unless `quiet`."""
    held = bool(status & StreamStatus.WRITING)
    if held == (since is not None):
        return since
    waits = up and one.first_up is None  # only an address, for the first payload
    if one.stage is Stage.STREAM and not waits and not quiet:
        _note(one, now, _MOMENTS[up, held])
    return now if held else None


def _note(one: Connection, t: float, moment: Moment) -> None:
    if len(one.moments) < MOST_MOMENTS:
        one.moments.append((t, moment))
