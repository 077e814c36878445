"""`--events`: what the engine's journal tells, as JSON lines for programs.

    {"event":"start","t":1.5,"time":"2026-01-31T12:00:00.000Z","pid":7,"version":"0.1.0","role":"local"}
    {"event":"opened","id":1,"conn":1,"t":2.0,"role":"local","inbound":"socks5","client":"127.0.0.1:5000"}
    {"event":"stage","id":1,"t":2.1,"stage":"DNS","target":"example.com:443","route":"proxy"}
    {"event":"closed","id":1,"t":3.0,"stage":"DESTROYED","reason":"finished","up":9,"down":9,"stages":{"INIT":0.1}}
    {"event":"dropped","n":12}

`t` is monotonic seconds, `up` and `down` are payload bytes, `stages` the seconds spent in each stage. Every
stage has a line of its own, from INIT, which comes with `opened`, to DESTROYED, which comes before `closed`.
With workers each line also has `"worker":2`, and each of them a line `start`: ids are its own.
`dropped` says how many events were lost because this reader fell behind. Names come from strangers: lines are
ASCII, everything else is escaped.
"""

import contextlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Protocol

from ssgui.engine.events import Closed, Event, Opened, StageChanged
from ssgui.engine.journal import Journal
from ssgui.engine.stages import Stage

Line = dict[str, object]
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode
_MICROSECONDS = 6
_log = logging.getLogger(__name__)


class Stream(Protocol):
    """Where lines go."""

    def write(self, text: str, /) -> int:
        """Add `text`."""

    def flush(self) -> None:
        """Let others see it."""

    def close(self) -> None:
        """Nothing comes after."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class EventLog:
    """A reader of `journal` that writes to `stream`. The owner calls `start`, then `pump` often, then `close`.

    A stream that can no longer be written to is closed and told once in the log; the proxy goes on without it.
    Every line of a `worker` says its number.
    """

    def __init__(
        self,
        journal: Journal,
        stream: Stream,
        *,
        version: str,
        role: str,
        worker: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._journal, self._stream = journal, stream
        self._version, self._role = version, role
        self._worker: Line = {} if worker is None else {"worker": worker}
        self._clock, self._wall = clock, wall
        self._next = 0
        self._broken = False

    def start(self) -> None:
        """Write the first line. Call it when the ports are open: who reads it may connect."""
        now = self._wall().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line: Line = {"event": "start", "t": _rounded(self._clock()), "time": now, "pid": os.getpid()}
        self._write([{**line, "version": self._version, "role": self._role}])

    def pump(self) -> None:
        """Write what is new."""
        if self._journal.sequence == self._next:
            return
        events, self._next, dropped = self._journal.read_since(self._next)
        lines: list[Line] = [{"event": "dropped", "n": dropped}] if dropped else []
        for event in events:
            lines.extend(_lines(event))
        self._write(lines)

    def close(self) -> None:
        """Write what is new; nothing comes after. The stream is the caller's to close."""
        self.pump()

    def _write(self, lines: list[Line]) -> None:
        if self._broken:
            return
        try:
            self._stream.write("".join(_encode({**line, **self._worker}) + "\n" for line in lines))
            self._stream.flush()
        except OSError as error:
            self._broken = True
            with contextlib.suppress(OSError):  # what could not be written must not be tried again when it is closed
                self._stream.close()
            _log.warning("events can no longer be written: %s", error.strerror or error)


def _rounded(seconds: float) -> float:
    return round(seconds, _MICROSECONDS)


def _lines(event: Event) -> Iterator[Line]:
    match event:
        case Opened():
            yield {
                "event": "opened", "id": event.id, "conn": event.conn, "t": _rounded(event.t),
                "role": str(event.role), "inbound": event.inbound, "client": event.client,
            }  # fmt: skip
            yield _stage(StageChanged(event.id, event.t, Stage.INIT, "", ""))
        case StageChanged():
            yield _stage(event)
        case Closed():
            yield {
                "event": "closed", "id": event.id, "t": _rounded(event.t), "stage": Stage.DESTROYED.name,
                "reason": str(event.reason), "up": event.up, "down": event.down,
                "stages": {name: _rounded(spent) for name, spent in event.stages.items()},
                **_said(detail=event.detail, user=event.user),
            }  # fmt: skip


def _stage(event: StageChanged) -> Line:
    return {
        "event": "stage", "id": event.id, "t": _rounded(event.t), "stage": event.stage.name, "target": event.target,
        "route": event.route, **_said(rule=event.rule, server=event.server),
    }  # fmt: skip


def _said(**fields: str) -> Line:
    """What there is to say; nothing is left out that the contract names."""
    return {key: value for key, value in fields.items() if value}
