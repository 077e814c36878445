"""What is wrong with a connection that lives, by its stage and its streams. How one ended is `endings.py`."""

from dataclasses import dataclass
from typing import Final

from ssgui.engine.stages import Reason, Role, Stage, StreamStatus
from ssgui.services.connections.records import Connection, is_waiting
from ssgui.services.diagnosis.finding import Finding, FindingKind
from ssgui.services.diagnosis.outcomes import ANSWER_SECONDS, How, by_way
from ssgui.services.diagnosis.servers import ServerCase, not_answering, unreached
from ssgui.services.diagnosis.strangers import Strangers

RESOLVING_SECONDS = 2.0
CONNECTING_SECONDS = 3.0  # two SYNs were lost, or it is slow enough to be said
STALL_SECONDS = 2.0  # in which nothing moved, though bytes wait
DELIVERY_SECONDS = 3.0  # in which not one byte was acknowledged
FULL_SECONDS, FULL_RATE = 5.0, 32 * 1024  # bytes wait all the time, and fewer go than that a second
HALF_CLOSED_SECONDS = 20.0
AROUND_SECONDS = 5.0  # after an end; what happened then belongs to it
IDLE_SECONDS = 180.0
_TARGETS: Final = {
    Reason.DNS_FAILED: FindingKind.TARGET_DNS,
    Reason.CONNECT_REFUSED: FindingKind.TARGET_REFUSED,
    Reason.CONNECT_TIMEOUT: FindingKind.TARGET_TIMEOUT,
    Reason.UNREACHABLE: FindingKind.TARGET_UNREACHABLE,
}


@dataclass(frozen=True, slots=True)
class RowCase:
    """A connection that is looked at now, and the server it goes through: None where it goes to its target directly,
    as all do on a server.
    """

    one: Connection
    now: float
    server: ServerCase | None
    online: bool = True
    strangers: Strangers | None = None

    @property
    def direct(self) -> bool:
        """Whether the other end is the target itself."""
        return self.server is None


def no_network(server: str = "") -> Finding:
    """This computer has no way out."""
    return Finding(FindingKind.NO_NETWORK, "warn", server=server)


def about(case: RowCase, kind: FindingKind, severity: str = "warn", action: str = "", **numbers: object) -> Finding:
    """A finding about this one connection."""
    place = case.server.place if case.server is not None else ""
    made: Finding = Finding(
        kind, severity, action, case.one.server, place, case.one.target,  # type: ignore[arg-type]
        direct=case.direct, **numbers,  # type: ignore[arg-type]
    )  # fmt: skip
    return made


# ---- while it lives


def of_live(case: RowCase) -> Finding | None:
    """What a connection that has not ended suffers from."""
    match case.one.stage:
        case Stage.DNS:
            return _on_the_way(case, Reason.DNS_FAILED, RESOLVING_SECONDS)
        case Stage.CONNECTING:
            return _on_the_way(case, Reason.CONNECT_TIMEOUT, CONNECTING_SECONDS)
        case Stage.STREAM:
            return _not_read(case) or _not_taken(case) or _without_answer(case) or _left_over(case)
    return None


def _on_the_way(case: RowCase, reason: Reason, limit: float) -> Finding | None:
    seconds = case.now - case.one.timeline[-1][1]
    return dial_failed(case, reason, seconds, ongoing=True) if seconds >= limit else None


def dial_failed(case: RowCase, reason: Reason, seconds: float, *, ongoing: bool = False) -> Finding:
    """The way to the server, or to the target, was not found, or is looked for too long."""
    one = case.one
    if not case.online and reason is not Reason.CONNECT_REFUSED:  # which somebody has said
        return no_network(one.server)
    if case.server is not None:
        way = by_way(one)
        return unreached(
            case.server, reason, seconds=seconds, by_way=way, words=one.detail if way else "", ongoing=ongoing
        )
    action = "always-proxy" if one.role is Role.LOCAL and one.route == "direct" else ""
    return about(case, _TARGETS[reason], "warn", action, seconds=seconds, ongoing=ongoing)


def last_moved(one: Connection, *, up: bool) -> float:
    """When bytes came last from the program (`up`) or from the other end, as far as somebody looked."""
    for (_, end), amounts in zip(reversed(one.course.spans), reversed(one.course.amounts), strict=True):
        if amounts[0 if up else 1]:
            return end
    return one.opened


def _stalled(one: Connection, now: float, *, up: bool) -> float:
    """Seconds for which bytes have waited for a sink, and none moved."""
    since = one.up_blocked if up else one.down_blocked
    if since is None:
        return 0.0
    return now - max(since, one.timeline[-1][1], last_moved(one, up=up))


def _not_read(case: RowCase) -> Finding | None:
    """The program does not read what is there for it."""
    one, seconds = case.one, _stalled(case.one, case.now, up=False)
    if seconds < STALL_SECONDS:
        return None
    kind = FindingKind.CLIENT_STALLED if one.role is Role.SERVER else FindingKind.PROGRAM_STALLED
    action = "show-program" if one.program else "close"
    name = (one.user or one.client) if one.role is Role.SERVER else one.program
    return about(case, kind, "warn", action, seconds=seconds, size=one.held_down, name=name, ongoing=True)


def _not_taken(case: RowCase) -> Finding | None:
    """The other end takes no more of what the program sends."""
    one, now, seconds = case.one, case.now, _stalled(case.one, case.now, up=True)
    blocked, server = one.up_blocked, case.server
    if blocked is None:
        return None
    if seconds >= STALL_SECONDS:
        if not case.online:
            return no_network(one.server)
        others = server.evidence.others(one.target, now - seconds) if server is not None else 0
        kind = FindingKind.TARGET_STUCK if server is None or others else FindingKind.PATH_FULL
        if kind is FindingKind.PATH_FULL and _is_undelivered(case):
            kind = FindingKind.UNDELIVERED
        action = "close" if kind is FindingKind.TARGET_STUCK else "test-server"
        return about(case, kind, "warn", action, seconds=seconds, size=one.held_up, others=others, ongoing=True)
    since = max(blocked, one.timeline[-1][1])
    if server is None or now - since < FULL_SECONDS:
        return None
    rate = one.course.between(since, now)[0] / (now - since)
    if rate >= FULL_RATE:
        return None
    return about(
        case, FindingKind.PATH_FULL, "warn", "test-server",
        seconds=now - since, size=one.held_up, rate=rate, ongoing=True,
    )  # fmt: skip


def _is_undelivered(case: RowCase) -> bool:
    """Whether the server's kernel has acknowledged nothing, though there was time. A plugin's kernel says nothing."""
    one, server = case.one, case.server
    if one.acked != 0 or one.first_up is None or (server is not None and server.facts and server.facts.hidden):
        return False
    return one.looked - one.first_up >= DELIVERY_SECONDS


def _without_answer(case: RowCase) -> Finding | None:
    """It has sent something, and heard nothing yet."""
    one = case.one
    if not is_waiting(one) or one.first_up is None:
        return None
    seconds = case.now - one.first_up
    if _is_undelivered(case):
        size = max(0, one.up - one.held_up)
        return about(case, FindingKind.UNDELIVERED, "err", "test-server", seconds=seconds, size=size, ongoing=True)
    if seconds < ANSWER_SECONDS and not _is_of_a_bad_key(case):
        return None
    return no_answer(case, How.SILENT, seconds, ongoing=True)


def no_answer(case: RowCase, how: How, seconds: float, *, ongoing: bool = False) -> Finding:
    """Not a byte came back for what was sent: because of the key, the server, or this target?"""
    one, server = case.one, case.server
    if not case.online:
        return no_network(one.server)
    severity, close = ("info", "close") if ongoing else ("warn", "")
    numbers = {"seconds": seconds, "size": one.up, "ongoing": ongoing, "words": str(how)}
    if server is None:
        return about(case, FindingKind.TARGET_SILENT, severity, close, **numbers)
    evidence, end = server.evidence, one.ended if one.ended is not None else case.now
    if one.opened >= evidence.since:  # otherwise it had another key
        others = evidence.others(one.target, one.first_up or one.opened, end + AROUND_SECONDS)
        if others:
            action = close or "always-direct"
            return about(case, FindingKind.TARGET_SILENT, severity, action, others=others, **numbers)
        still = evidence.last_byte is None or end >= evidence.last_byte  # of what is so now it was a part
        if still and (found := not_answering(server)) is not None:
            return found
    return about(case, FindingKind.UNANSWERED, "info", "test-server", **numbers)


def _is_of_a_bad_key(case: RowCase) -> bool:
    server = case.server
    finding = not_answering(server) if server is not None and not server.evidence.proven else None
    return finding is not None and case.one.first_up is not None and case.now - case.one.first_up >= 1.0


def _left_over(case: RowCase) -> Finding | None:
    """Nothing moves any more, and one side may have gone."""
    one, now = case.one, case.now
    if one.held_up or one.held_down:
        return None
    moved = max(last_moved(one, up=True), last_moved(one, up=False), one.timeline[-1][1])
    open_up = bool(one.up_status & StreamStatus.READING)
    open_down = bool(one.down_status & StreamStatus.READING)
    if open_up != open_down and now - moved >= HALF_CLOSED_SECONDS:
        side = "program" if open_down else "target"
        return about(case, FindingKind.HALF_CLOSED, "info", "close", seconds=now - moved, name=side, ongoing=True)
    if open_up and open_down and now - moved >= IDLE_SECONDS:
        return about(case, FindingKind.IDLE, "info", "close", seconds=now - moved, ongoing=True)
    return None
