"""The connections of another process, as it tells them over the control channel."""

import time
from collections import OrderedDict
from collections.abc import Callable

from ssgui.services.connections.records import Connection
from ssgui.services.control.client import PROTOCOL, ControlError, Json
from ssgui.services.control.watch_wire import Told, connection_of, told_by
from ssgui.services.diagnosis.evidence import Verdict

MOST_LIVE = 200_000  # more than any process of ours can have
MOST_ENDED = 2000


class Mirror:
    """What is known of one process. `about` is the first line of its answer; ControlError if it speaks otherwise."""

    def __init__(self, about: Json, clock: Callable[[], float] = time.monotonic) -> None:
        protocol = about.get("protocol")
        if protocol != PROTOCOL:
            raise ControlError(f"it speaks protocol {protocol!r}, this version {PROTOCOL}: they are too far apart")
        self.role, self.version = str(about.get("role", "")), str(about.get("version", ""))
        self.pid = pid if isinstance(pid := about.get("pid"), int) else 0
        listens = about.get("listens")
        self.listens = [str(one) for one in listens] if isinstance(listens, list) else []
        self._clock = clock
        self._ahead = float("inf")  # of their clock, as far as any line was fast enough to show
        self.heard = clock()
        self.live: dict[int, Connection] = {}
        self.ended: OrderedDict[int, Connection] = OrderedDict()
        self.verdict: Verdict | None = None
        self.judged = 0.0  # their time
        self.dropped = 0
        self.left = False  # it said that it ends

    def take(self, line: bytes) -> Told:
        """Take in what a line tells. ControlError when nothing."""
        told = told_by(line)
        self.heard = self._clock()
        self._ahead = min(self._ahead, self.heard - told.t)
        if told.sync:
            self.live.clear()
        for row in told.rows:
            self._put(connection_of(row))
        for number in told.gone:
            self.live.pop(number, None)
        if told.verdict is not None:
            self.verdict, self.judged = told.verdict, told.t
        self.dropped += told.dropped
        self.left = self.left or told.bye
        return told

    def _put(self, one: Connection) -> None:
        if one.live:
            if len(self.live) >= MOST_LIVE:
                raise ControlError("it tells of more connections than there can be")
            self.live[one.id] = one
            return
        self.live.pop(one.id, None)
        self.ended[one.id] = one
        while len(self.ended) > MOST_ENDED:
            self.ended.popitem(last=False)

    def now(self) -> float:
        """What time it is there (monotonic seconds)."""
        return self._clock() - (self._ahead if self._ahead != float("inf") else 0.0)

    def silent(self) -> float:
        """Seconds since it was heard."""
        return self._clock() - self.heard

    def find(self, number: int) -> Connection | None:
        """A connection that is known."""
        return self.live.get(number) or self.ended.get(number)
