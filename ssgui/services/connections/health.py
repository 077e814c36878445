"""How all connections are doing: how many are at what, which of them for too long, and what went wrong lately."""

from collections import Counter, deque
from collections.abc import Iterable
from typing import NamedTuple

from ssgui.engine.stages import Reason, Stage
from ssgui.services.connections.filtering import FAILURES
from ssgui.services.connections.records import Connection, Listener
from ssgui.services.connections.segments import SegmentKind

SLOW = 5.0  # seconds on the way to a first byte, from which on somebody should know
LATELY = 600.0  # seconds
_MOST = 20_000  # failures that are kept

_FAILURES = frozenset(FAILURES)
_INIT, _ADDR, _DNS, _CONNECTING, _STREAM = Stage.INIT, Stage.ADDR, Stage.DNS, Stage.CONNECTING, Stage.STREAM


def is_failure(reason: Reason | None) -> bool:
    """Whether somebody did not get what they wanted; None (nobody knows) is none."""
    return reason in _FAILURES


class Standing(NamedTuple):
    """How many connections are at what. IDLE counts as STREAM: nobody waits for anything."""

    counts: dict[SegmentKind, int]
    slow: dict[SegmentKind, int]  # for more than SLOW seconds; only of DNS, CONNECTING and WAIT


def standing(live: Iterable[Connection], now: float) -> Standing:
    """Count them: a loop of comparisons, since nothing tells when a first byte comes (5,000 rows: half a ms)."""
    handshakes = udp = waiting = streaming = slow_waiting = 0
    dialled = {_DNS: [0, 0], _CONNECTING: [0, 0]}
    for one in live:
        stage = one.stage
        if stage is _STREAM:
            if one.first_down is None and one.first_up is not None:
                waiting += 1
                slow_waiting += now - one.first_up > SLOW
            else:
                streaming += 1
        elif stage is _DNS or stage is _CONNECTING:
            tally = dialled[stage]
            tally[0] += 1
            tally[1] += now - one.timeline[-1][1] > SLOW
        elif stage is _INIT or stage is _ADDR:
            handshakes += 1
        else:
            udp += 1
    dns, connecting = dialled[_DNS], dialled[_CONNECTING]
    kind = SegmentKind
    return Standing(
        {kind.HANDSHAKE: handshakes, kind.DNS: dns[0], kind.CONNECTING: connecting[0], kind.WAIT: waiting,
         kind.STREAM: streaming, kind.UDP: udp},
        {kind.DNS: dns[1], kind.CONNECTING: connecting[1], kind.WAIT: slow_waiting},
    )  # fmt: skip


class Failures(Listener):
    """Listens to connections: how those of the last ten minutes failed."""

    def __init__(self) -> None:
        self._ended: deque[tuple[float, Reason]] = deque()
        self._counts: Counter[Reason] = Counter()

    def lately(self, now: float) -> list[tuple[Reason, int]]:
        """Reasons and how often, the most frequent first."""
        while self._ended and now - self._ended[0][0] > LATELY:
            self._forget()
        return [(reason, count) for reason, count in self._counts.most_common() if count]

    def _forget(self) -> None:
        _, reason = self._ended.popleft()
        self._counts[reason] -= 1

    # ---- what happens to connections

    def closed(self, one: Connection) -> None:
        if is_failure(one.reason) and one.reason is not None and one.ended is not None:
            self._ended.append((one.ended, one.reason))
            self._counts[one.reason] += 1
            if len(self._ended) > _MOST:
                self._forget()
