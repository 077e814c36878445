"""What happens to connections as lines of JSON, for `--events` and for who follows them over the control channel.

`output.py` says what the lines are.
"""

import json
from collections.abc import Callable, Iterator
from time import monotonic

from ssgui.engine.events import Closed, Event, Opened, StageChanged
from ssgui.engine.stages import Stage
from ssgui.services.connections.changes import Changes
from ssgui.services.connections.programs import Programs
from ssgui.services.connections.records import Connection, Connections, Engine, Moment
from ssgui.system.processes.lookup import new_process_lookup

Line = dict[str, object]
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode
_MICROSECONDS = 6


def text_of(lines: list[Line]) -> str:
    """Lines of ASCII: names come from strangers, and everything else is escaped."""
    return "".join(_encode(line) + "\n" for line in lines)


def rounded(seconds: float) -> float:
    """Microseconds are enough."""
    return round(seconds, _MICROSECONDS)


class EventLines:
    """Turns the journal of `engine` into lines; what happens between stages it sees when it looks.

    Without `history` only what happens from now on is told. `port` is that of ours which programs come to, 0 for
    none: then nobody is asked whose connections they are.
    """

    def __init__(
        self, engine: Engine, *, history: bool = True, port: Callable[[], int] | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:  # fmt: skip
        self._connections = Connections(engine, clock, history=history)
        self._changes = Changes()
        self._connections.changes.append(self._changes)
        self._told: dict[int, int] = {}  # how many moments, of those that live
        self._named: set[int] = set()  # whose program was told
        self._programs: Programs | None = None
        if port is not None:
            self._programs = Programs(new_process_lookup(), port, self._connections.touch)
            self._connections.listeners.append(self._programs)

    def look(self) -> list[Line]:
        """What is new."""
        events, dropped = self._connections.pull()
        lines: list[Line] = [{"event": "dropped", "n": dropped}] if dropped else []
        for event in events:
            lines.extend(self._of(event))
        live = self._connections.live
        for number in sorted(self._changes.take()[0] & live.keys()):
            lines.extend(self._between(live[number]))
        if dropped:
            self._told = {number: count for number, count in self._told.items() if number in live}
            self._named &= live.keys()
        self._connections.close_ended()
        if self._programs is not None:
            self._programs.look()
        return lines

    def _of(self, event: Event) -> Iterator[Line]:
        match event:
            case Opened():
                yield {
                    "event": "opened", "id": event.id, "conn": event.conn, "t": rounded(event.t),
                    "role": str(event.role), "inbound": event.inbound, "client": event.client,
                }  # fmt: skip
                yield _stage(StageChanged(event.id, event.t, Stage.INIT, "", ""))
            case StageChanged(stage=Stage.DESTROYED):
                if (one := self._connections.ended.get(event.id)) is not None:
                    yield from self._between(one)
                yield _stage(event)
            case StageChanged():
                yield _stage(event)
            case Closed():
                if (one := self._connections.ended.get(event.id)) is not None:
                    yield from self._between(one)
                yield _closed(event, one)
                self._told.pop(event.id, None)
                self._named.discard(event.id)

    def _between(self, one: Connection) -> Iterator[Line]:
        """What was not told yet of what happened between stages, and whose it is."""
        number, told = one.id, self._told.get(one.id, 0)
        for t, moment in one.moments[told:]:
            yield {"event": "moment", "id": number, "t": rounded(t), "moment": str(moment), **_held(one, moment)}
        if len(one.moments) > told:
            self._told[number] = len(one.moments)
        if one.program and number not in self._named:
            self._named.add(number)
            yield {"event": "program", "id": number, **_program(one)}


def _held(one: Connection, moment: Moment) -> Line:
    """How much a sink did not take, as far as it is still so."""
    if moment is Moment.UP_BLOCKED and one.held_up:
        return {"held": one.held_up}
    return {"held": one.held_down} if moment is Moment.DOWN_BLOCKED and one.held_down else {}


def _stage(event: StageChanged) -> Line:
    return {
        "event": "stage", "id": event.id, "t": rounded(event.t), "stage": event.stage.name, "target": event.target,
        "route": event.route, **_said(rule=event.rule, server=event.server),
    }  # fmt: skip


def _closed(event: Closed, one: Connection | None) -> Line:
    times = {"first_up": event.first_up, "first_down": event.first_down}
    return {
        "event": "closed", "id": event.id, "t": rounded(event.t), "stage": Stage.DESTROYED.name,
        "reason": str(event.reason), "up": event.up, "down": event.down,
        "stages": {name: rounded(spent) for name, spent in event.stages.items()},
        **_said(detail=event.detail, user=event.user),
        "conn": event.conn, "role": str(event.role), "inbound": event.inbound, "client": event.client,
        "target": event.target, "route": event.route, **_said(rule=event.rule, server=event.server),
        "timeline": [[stage.name, rounded(t)] for stage, t in event.timeline],
        **{name: rounded(t) for name, t in times.items() if t is not None},
        **({} if event.acked is None else {"acked": event.acked}),
        **(_program(one) if one is not None and one.program else {}),
    }  # fmt: skip


def _program(one: Connection) -> Line:
    return {"program": one.program, **({"pid": one.pid} if one.pid else {})}


def _said(**fields: str) -> Line:
    """What there is to say; nothing is left out that the contract names."""
    return {key: value for key, value in fields.items() if value}
