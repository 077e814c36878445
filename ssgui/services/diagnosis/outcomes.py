"""What a connection that has ended says about the server that it went through."""

from enum import StrEnum

from ssgui.engine.errors import PROXY_WORDS
from ssgui.engine.stages import Reason, Stage
from ssgui.services.connections.records import Connection

ANSWER_SECONDS = 10.0  # a first byte that takes longer counts as none
UNREACHED = frozenset({
    Reason.CONNECT_REFUSED, Reason.CONNECT_TIMEOUT, Reason.UNREACHABLE, Reason.DNS_FAILED, Reason.PLUGIN_FAILED,
})  # fmt: skip


class How(StrEnum):
    """In which way a server gave no answer to what it took."""

    SILENT = "silent"
    CLOSED = "closed"
    RESET = "reset"
    UNREADABLE = "unreadable"  # something came back, and the key does not open it
    CLOCK = "clock"  # the key opens it, and it is of another time


def by_way(one: Connection) -> bool:
    """Whether `one` ended because of a proxy on the way to the server, of which nothing is known then."""
    by_dial = one.reason in UNREACHED or one.reason is Reason.DENIED
    return by_dial and one.route == "proxy" and one.detail.startswith(PROXY_WORDS)


def dialled_for(one: Connection) -> float:
    """Seconds from the last time that its way was looked for up to its end, for one that never had it."""
    begun = next((t for stage, t in reversed(one.timeline) if stage is Stage.DNS), one.opened)
    return (one.ended if one.ended is not None else one.timeline[-1][1]) - begun


def is_udp(one: Connection) -> bool:
    """Whether `one` carried datagrams: that none came back proves nothing."""
    return any(stage is Stage.UDP_ASSOC for stage, _ in one.timeline)


def unanswered(one: Connection) -> How | None:
    """In which way `one`, which has ended, got no answer; None if it did, or if that says nothing about the server."""
    if one.down or not one.up or one.acked == 0 or one.ended is None or is_udp(one):
        return None
    waited = one.ended - one.first_up if one.first_up is not None else 0.0
    if one.reason is Reason.SERVER_RESET:
        return How.RESET
    if one.reason is Reason.AUTH_FAILED:
        return How.UNREADABLE
    if one.reason is Reason.CLOCK_SKEW:
        return How.CLOCK
    if one.reason is Reason.NO_ANSWER:
        return How.SILENT if waited >= ANSWER_SECONDS else How.CLOSED
    gave_up = one.reason in (Reason.CLIENT_RESET, Reason.IDLE_TIMEOUT, Reason.CLOSED_BY_USER)
    return How.SILENT if gave_up and waited >= ANSWER_SECONDS else None


def worked(one: Connection) -> bool | None:
    """Whether `one`, which has ended, got anything back; None where its end says nothing about the other side."""
    if by_way(one):
        return None
    if one.reason in UNREACHED:
        return False
    if one.down:
        return True
    failed = one.reason is Reason.NO_ANSWER or (one.up and one.reason is Reason.SERVER_RESET)
    return False if failed or unanswered(one) is not None else None
