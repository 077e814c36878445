"""What one direction of a connection does, in words."""

from typing import NamedTuple

from ssgui.engine.reactor import READ_FIRST, READ_MOST
from ssgui.engine.stages import Role, Stage, StreamStatus
from ssgui.gui.connections.cells import is_blocked
from ssgui.gui.texts import tr
from ssgui.gui.units import amount, rate
from ssgui.services.connections.records import Connection

_KIB = 1024
_BEGUN = (Stage.STREAM, Stage.UDP_ASSOC)


class Direction(NamedTuple):
    """Up or down, now. `held` is 0 to 1 of what may be held."""

    status: StreamStatus
    total: str
    note: str
    right: str
    held: float = 0.0
    stuck: bool = False


def direction(one: Connection, now: float, *, up: bool) -> Direction:
    """What the stream up (from the program to the target) or down does."""
    total = " ".join(amount(one.up if up else one.down))
    if not one.live:
        return Direction(StreamStatus.NONE, total, _past(one, up=up), "")
    status = one.up_status if up else one.down_status
    held = one.held_up if up else one.held_down
    since = one.up_blocked if up else one.down_blocked
    most = READ_MOST if one.stage in _BEGUN else READ_FIRST
    stuck = one.stage in _BEGUN and is_blocked(since, now)
    return Direction(
        status, total, _note(one, status, held, stuck, up=up), buffer_text(held, most), min(1.0, held / most), stuck
    )


def buffer_text(held: int, most: int) -> str:
    """How much of a buffer is full."""
    if not held:
        return tr("buffer empty")
    if held < _KIB:
        return f"{held} B / {most // _KIB} KiB"
    return f"{held / _KIB:.0f} / {most // _KIB} KiB"


def _note(one: Connection, status: StreamStatus, held: int, stuck: bool, *, up: bool) -> str:
    if one.stage not in _BEGUN:
        return _before(one, held, up=up)
    if status & StreamStatus.WRITING:
        if up and one.first_up is None and not stuck:
            return tr("The address waits for the first bytes")
        return _blocked(one, up=up)
    if status & StreamStatus.READING:
        return _reading(one, up=up)
    return _finished(one, up=up)


def _before(one: Connection, held: int, *, up: bool) -> str:
    if not up:
        return tr("Not begun")
    if held:
        return tr("{size} waits for the connection", size=" ".join(amount(held)))
    return _reading(one, up=True)


def _target(one: Connection) -> bool:
    """Whether the other side is the target itself."""
    return one.role is Role.SERVER or one.route != "proxy"


def _reading(one: Connection, *, up: bool) -> str:
    if up:
        return tr("Reading the client") if one.role is Role.SERVER else tr("Reading the program")
    return tr("Reading the target") if _target(one) else tr("Reading the server")


def _blocked(one: Connection, *, up: bool) -> str:
    if up:
        return tr("Target takes no more") if _target(one) else tr("Server takes no more")
    return tr("Client not reading") if one.role is Role.SERVER else tr("Program not reading")


def _finished(one: Connection, *, up: bool) -> str:
    if up:
        return tr("The client has said all") if one.role is Role.SERVER else tr("The program has said all")
    return tr("The target has said all") if _target(one) else tr("The server has said all")


def _past(one: Connection, *, up: bool) -> str:
    count, first = (one.up, one.first_up) if up else (one.down, one.first_down)
    if not count:
        return tr("Nothing sent") if up else tr("Nothing received")
    if up and first is None:
        return tr("{size} never sent", size=" ".join(amount(count)))
    begun = one.opened if first is None else first
    average = count / max(1e-3, (one.ended or begun) - begun)
    return tr("{rate} on average", rate=" ".join(rate(average)))
