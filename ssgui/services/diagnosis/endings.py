"""Why a connection ended, if not as it should: a client's, or a server's."""

from collections.abc import Callable, Mapping
from typing import Final

from ssgui.engine.stages import Reason, Role, Stage
from ssgui.services.connections.records import Connection
from ssgui.services.diagnosis.clock import Clock
from ssgui.services.diagnosis.finding import Finding, FindingKind
from ssgui.services.diagnosis.outcomes import UNREACHED, How, by_way, dialled_for, is_udp, unanswered
from ssgui.services.diagnosis.rows import AROUND_SECONDS, RowCase, about, dial_failed, last_moved, no_answer
from ssgui.services.diagnosis.servers import key_finding
from ssgui.services.diagnosis.strangers import host_of_client, is_stranger

_Rule = Callable[[RowCase], Finding | None]


def of_ended(case: RowCase) -> Finding | None:
    """What a connection that has ended suffered from."""
    one = case.one
    if one.reason is None:
        return None
    if is_stranger(one):
        return _stranger(case)
    if one.reason in UNREACHED or by_way(one):
        return dial_failed(case, one.reason, dialled_for(one))
    how = unanswered(one) if one.role is Role.LOCAL else None
    if how is not None and how not in (How.CLOCK, How.UNREADABLE) and one.reason is not Reason.CLOSED_BY_USER:
        return no_answer(case, how, (one.ended or case.now) - (one.first_up or one.opened))
    rule = _RULES.get(one.reason)
    return rule(case) if rule is not None else None


def _streamed(one: Connection) -> bool:
    return any(stage is Stage.STREAM for stage, _ in one.timeline)


def _who(one: Connection) -> str:
    return (one.user or one.client) if one.role is Role.SERVER else one.program


def _reset(case: RowCase) -> Finding:
    one, server = case.one, case.server
    end = (one.ended or case.now) + AROUND_SECONDS
    others = server.evidence.others(one.target, one.opened, end) if server is not None else 0
    return about(case, FindingKind.RESET, "info", seconds=one.age(case.now), size=one.down, others=others)


def _unreadable(case: RowCase) -> Finding:
    """What came does not open: never did, or was changed on the way."""
    one, server = case.one, case.server
    if server is not None and not one.down and not server.evidence.proven and one.opened >= server.evidence.since:
        return key_finding(server)
    return about(case, FindingKind.CUT_SHORT, "warn", "test-server" if server else "", size=one.down, words=one.detail)


def _cut_short(case: RowCase) -> Finding:
    if not _streamed(case.one):
        return _not_asked(case)
    return about(case, FindingKind.CUT_SHORT, "warn", "test-server" if case.server else "", size=case.one.down)


def _clock(case: RowCase) -> Finding:
    one, server = case.one, case.server
    if server is None:
        return about(case, FindingKind.CLIENT_CLOCK, "warn", name=_who(one), words=one.detail)
    state = server.clock
    ahead = state.ahead if state.clock is Clock.OFF else None  # it may have been set since
    return about(
        case, FindingKind.CLOCK_OFF, "err", "check-clock",
        ahead=ahead, source=state.source, synchronised=state.synchronised, words=one.detail,
    )  # fmt: skip


def _replayed(case: RowCase) -> Finding:
    return about(case, FindingKind.REPLAY, "err", name=_who(case.one), words=case.one.detail)


def _bad_request(case: RowCase) -> Finding:
    """Of the program; or, once it streams, of who answers: then it is no answer to what was asked."""
    one = case.one
    by_program = not _streamed(one) or one.inbound == "http" or case.server is None
    return _not_asked(case) if by_program else _replayed(case)


def _not_asked(case: RowCase) -> Finding:
    one = case.one
    return about(case, FindingKind.NOT_A_REQUEST, "info", name=_who(one), words=one.detail)


def _said_nothing(case: RowCase) -> Finding:
    one = case.one
    return about(case, FindingKind.PROGRAM_SILENT, "info", name=_who(one), seconds=one.age(case.now))


def _denied(case: RowCase) -> Finding:
    one = case.one
    return about(case, FindingKind.DENIED, "info", name=one.rule, words=one.detail)


def _network_lost(case: RowCase) -> Finding:
    return about(case, FindingKind.NETWORK_LOST, "info", words=case.one.detail)


def _idled(case: RowCase) -> Finding | None:
    one = case.one
    if is_udp(one):
        return None
    quiet = (one.ended or case.now) - max(last_moved(one, up=True), last_moved(one, up=False))
    return about(case, FindingKind.IDLE, "info", seconds=quiet)


def _stranger(case: RowCase) -> Finding:
    """A server sent somebody away, without a word."""
    one = case.one
    if one.reason is Reason.CLOCK_SKEW:
        return _clock(case)
    if one.reason is Reason.REPLAY:
        return _replayed(case)
    host = host_of_client(one)
    count, others = case.strangers.count(host, case.now) if case.strangers is not None else (1, 0)
    words = str(one.reason)
    return about(case, FindingKind.STRANGER, "warn", name=host, count=max(1, count), others=others, words=words)


_RULES: Final[Mapping[Reason, _Rule]] = {
    Reason.SERVER_RESET: _reset,
    Reason.AUTH_FAILED: _unreadable,
    Reason.TRUNCATED: _cut_short,
    Reason.CLOCK_SKEW: _clock,
    Reason.REPLAY: _replayed,
    Reason.NETWORK_LOST: _network_lost,
    Reason.HANDSHAKE_TIMEOUT: _said_nothing,
    Reason.BAD_REQUEST: _bad_request,
    Reason.DENIED: _denied,
    Reason.IDLE_TIMEOUT: _idled,
}
