"""All connections in a line or two: how many are at which stage, what is stuck, what failed."""

from collections import Counter
from typing import NamedTuple

from ssgui.engine.stages import Reason, Stage
from ssgui.services.connections import Connection, is_waiting
from ssgui.services.mirror import Mirror
from ssgui.services.segments import SegmentKind, phase

STUCK_SECONDS = 5.0
RECENT_SECONDS = 600.0
_QUIET = frozenset({Reason.FINISHED, Reason.CLOSED_BY_USER, Reason.SHUTDOWN, None})
_ROUTINE = frozenset({Reason.IDLE_TIMEOUT, Reason.CLIENT_RESET})


class Summary(NamedTuple):
    """Counts; `stuck` are on their way, or wait for a first byte, for longer than STUCK_SECONDS."""

    phases: Counter[SegmentKind]
    stuck: Counter[SegmentKind]
    reasons: Counter[Reason]
    up: float
    down: float
    clients: int
    users: int


def summary_of(mirror: Mirror) -> Summary:
    """Of what `mirror` knows now."""
    now = mirror.now()
    phases: Counter[SegmentKind] = Counter()
    stuck: Counter[SegmentKind] = Counter()
    up = down = 0.0
    clients, users = set(), set()
    for one in mirror.live.values():
        kind = phase(one)
        kind = SegmentKind.STREAM if kind is SegmentKind.IDLE else kind  # nobody waits for anything
        phases[kind] += 1
        if (since := _since(one)) is not None and now - since > STUCK_SECONDS:
            stuck[kind] += 1
        up += one.up_rate
        down += one.down_rate
        clients.add(one.client.rpartition(":")[0])
        users.add(one.user)
    return Summary(phases, stuck, _failures(mirror, now), up, down, len(clients), len(users - {""}))


def _since(one: Connection) -> float | None:
    """Since when it waits for somebody else; None when it does not."""
    if one.stage in (Stage.DNS, Stage.CONNECTING):
        return one.timeline[-1][1] if one.timeline else one.opened
    return one.first_up if is_waiting(one) else None


def _failures(mirror: Mirror, now: float) -> Counter[Reason]:
    found: Counter[Reason] = Counter()
    for one in reversed(mirror.ended.values()):
        if one.ended is not None and now - one.ended > RECENT_SECONDS:
            break
        if one.reason not in _QUIET and one.reason not in _ROUTINE and one.reason is not None:
            found[one.reason] += 1
    return found
