"""`--events`: what happens to connections, as JSON lines for programs.

    {"event":"start","t":1.5,"time":"2026-01-31T12:00:00.000Z","pid":7,"version":"0.1.0","role":"local"}
    {"event":"opened","id":1,"conn":1,"t":2.0,"role":"local","inbound":"socks5","client":"127.0.0.1:5000"}
    {"event":"stage","id":1,"t":2.1,"stage":"DNS","target":"example.com:443","route":"proxy","server":"Tokyo 1"}
    {"event":"moment","id":1,"t":2.4,"moment":"first-up"}
    {"event":"moment","id":1,"t":2.9,"moment":"down-blocked","held":65536}
    {"event":"program","id":1,"program":"curl","pid":4711}
    {"event":"closed","id":1,"t":3.0,"stage":"DESTROYED","reason":"finished","up":9,"down":9,"stages":{"INIT":0.1},
     "conn":1,"role":"local","inbound":"socks5","client":"127.0.0.1:5000","target":"example.com:443","route":"proxy",
     "server":"Tokyo 1","timeline":[["INIT",2.0],["DNS",2.1],["DESTROYED",3.0]],"first_up":2.4,"first_down":2.6,
     "program":"curl","pid":4711}
    {"event":"dropped","n":12}

`t`, `first_up`, `first_down` and the times of `timeline` are monotonic seconds, `up` and `down` are payload bytes,
`stages` the seconds spent in each stage. Every stage has a line of its own, from INIT, which comes with `opened`, to
DESTROYED, which comes before `closed`; `rule`, `server`, `user` and `detail` are there where they say something.

Moments are what happens between the stages: `first-up` and `first-down` are the first payload each way, `up-blocked`
and `down-blocked` that the server (or a direct target), or the program, took no more, with the bytes `held` for it,
`up-flows` and `down-flows` that it does again. They are seen ten times a second, so their lines may come a little late
and shorter blockades not at all; a connection has at most 32. `program` is a client's, where the system tells.

`acked` is in `closed` when nobody answered: how many of our bytes the server's kernel took. `dropped` says how many
lines were lost because their reader fell behind: nothing waits for it. Names come from strangers: lines are ASCII,
everything else is escaped. With workers each line also has `"worker":2`, and each of them a line `start`: ids are its
own.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

from ssgui.app.events.line_writer import LineWriter
from ssgui.app.events.lines import EventLines, Line, rounded, text_of
from ssgui.services.connections.records import Engine


def _utc_now() -> datetime:
    return datetime.now(UTC)


class EventLog:
    """A reader of the journal of `engine` that writes to `stream`. The owner calls `start`, `pump` often, `close`.

    A stream that can no longer be written to is closed and told once in the log, and a reader that stalls loses lines;
    the proxy goes on either way. `port` as in `EventLines`. Every line of a `worker` says its number.
    """

    def __init__(
        self, engine: Engine, stream: TextIO, *, version: str, role: str, port: Callable[[], int] | None = None,
        worker: int | None = None, clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = _utc_now,
    ) -> None:  # fmt: skip
        self._lines = EventLines(engine, port=port, clock=clock)
        self._writer = LineWriter(stream, "events")
        self._version, self._role = version, role
        self._worker: Line = {} if worker is None else {"worker": worker}
        self._clock, self._wall = clock, wall
        self._lost = 0

    def start(self) -> None:
        """Write the first line. Call it when the ports are open: who reads it may connect."""
        now = self._wall().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line: Line = {"event": "start", "t": rounded(self._clock()), "time": now, "pid": os.getpid()}
        self._write([{**line, "version": self._version, "role": self._role}])

    def pump(self) -> None:
        """Write what is new."""
        if lines := self._lines.look():
            self._write(lines)

    def close(self) -> None:
        """Write what is new, as far as it is taken; nothing comes after. The stream is the caller's to close."""
        self.pump()
        self._writer.close()

    def _write(self, lines: list[Line]) -> None:
        before: list[Line] = [{"event": "dropped", "n": self._lost}] if self._lost else []
        if self._writer.write(text_of([{**line, **self._worker} for line in before + lines])):
            self._lost = 0
        else:
            self._lost += len(lines)
