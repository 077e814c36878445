"""What happened to a connection, one thing after the other, as a list says it."""

from typing import NamedTuple

from ssgui.engine.stages import Role, Stage
from ssgui.gui import words
from ssgui.gui.connections.cells import inbound_text
from ssgui.gui.reasons import reason
from ssgui.gui.texts import tr
from ssgui.gui.units import span
from ssgui.services.connections.health import is_failure
from ssgui.services.connections.records import Connection, Moment


class Happening(NamedTuple):
    """When (monotonic seconds; None: it says more about the one before), what, and the name of its colour."""

    t: float | None
    text: str
    tint: str


def happenings(one: Connection) -> list[Happening]:
    """Everything that is known, in the order in which it happened."""
    found = [Happening(one.opened, tr("Accepted"), "s_init")]
    tried = False
    for stage, t in one.timeline:
        if stage is Stage.DNS and tried:
            found.append(Happening(t, tr("Another server tried"), "warn"))
        elif (entered := _entered(one, stage)) is not None:
            found.append(Happening(t, *entered))
        tried = tried or stage is Stage.DNS
    found += [Happening(t, *_moment(one, moment)) for t, moment in one.moments]
    found.sort(key=lambda happening: happening.t or 0.0)  # stable: a stage comes before what happens in it
    if one.ended is not None:
        failed = is_failure(one.reason)
        found.append(Happening(one.ended, words.reason_word(one.reason), "s_cap" if failed else "s_init"))
        if one.detail:
            found.append(Happening(None, reason(one.detail), "s_cap" if failed else "s_init"))
    return found


def deltas(rows: list[Happening]) -> list[str]:
    """How long after the one before each happened."""
    befores = [None, *(row.t for row in rows)]
    return [_delta(before, row.t) for before, row in zip(befores, rows, strict=False)]


def _delta(before: float | None, t: float | None) -> str:
    if t is None:
        return ""
    return "0" if before is None else f"+{' '.join(span(max(0.0, t - before)))}"


def _entered(one: Connection, stage: Stage) -> tuple[str, str] | None:
    target = one.route != "proxy" or one.role is Role.SERVER
    match stage:
        case Stage.ADDR:
            return inbound_text(one), "s_init"
        case Stage.DNS:
            return (tr("Resolve target") if target else tr("Resolve server")), "s_dns"
        case Stage.CONNECTING:
            return (tr("Connect to target") if target else tr("Connect to server")), "s_conn"
        case Stage.STREAM:
            return tr("Connected"), "s_stream"
        case Stage.UDP_ASSOC:
            return tr("Ready for datagrams"), "s_udp"
    return None


def _moment(one: Connection, moment: Moment) -> tuple[str, str]:
    return {
        Moment.FIRST_UP: (tr("First bytes sent"), "s_wait"),
        Moment.FIRST_DOWN: (tr("First byte back"), "s_stream"),
        Moment.UP_BLOCKED: (tr("Up blocked"), "warn"),
        Moment.UP_FLOWS: (tr("Up flows again"), "s_stream"),
        Moment.DOWN_BLOCKED: (tr("Down blocked"), "warn"),
        Moment.DOWN_FLOWS: (tr("Down flows again"), "s_stream"),
    }[moment]
