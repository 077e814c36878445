"""What the tables of the history show: columns for each view, and the words and figures of a row in them."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import QDate, QDateTime, QLocale

from ssgui.engine.stages import Reason
from ssgui.gui.texts import tr
from ssgui.gui.units import amount, day, rate, span
from ssgui.gui.words import reason_word
from ssgui.protocol.address import join_host_port
from ssgui.services.diagnosis.server_quality import Spread
from ssgui.services.history.queries import AnyRow, DayTotal, Past, ServerTotal, Total, View, midnight

_NONE = "\N{EM DASH}"
_GOOD = frozenset({Reason.FINISHED, Reason.SHUTDOWN, Reason.CLOSED_BY_USER})


class Cell(NamedTuple):
    """A word, or digits with a unit, and perhaps the course that led there; `tint` is the colour."""

    text: str
    unit: str = ""
    course: Sequence[float] = ()
    tint: str = "text"


class Column(NamedTuple):
    """`key` is a field to order by, `width` pixels, 0 for what is left. `cell` says what of a row is shown.

    Where there is little room those that are `extra` give it up.
    """

    key: str
    head: str
    width: int
    cell: Callable[[Any], Cell]
    right: bool = False
    extra: bool = False


def columns(view: View) -> tuple[Column, ...]:
    """Those of a view, from the left."""
    count = Column("connections", tr("Connections"), 124, lambda one: _count(one.connections), True)
    failed = Column("failed", tr("Failed"), 84, _failed, True)
    down = Column("down", tr("Down"), 96, lambda one: Cell(*amount(one.down)), True)
    up = Column("up", tr("Up"), 96, lambda one: Cell(*amount(one.up)), True)
    match view:
        case View.DAYS:
            return Column("day", tr("Day"), 0, lambda one: Cell(day_words(one.day))), count, failed, down, up
        case View.SERVERS:
            return (
                Column("name", tr("Server"), 0, lambda one: Cell(one.name)), count,
                Column("succeeded", tr("Succeeded"), 148, _succeeded, True),
                Column("connect", tr("Time to connect"), 148, lambda one: _latency(one, "connect"), True),
                Column("first_byte", tr("First byte"), 148, lambda one: _latency(one, "first_byte"), True),
                Column("throughput", tr("Throughput"), 160, _throughput, True),
            )  # fmt: skip
        case View.CONNECTIONS:
            return (
                Column("ended", tr("Ended"), 144, lambda one: Cell(moment(one.ended), tint="text2")),
                Column("host", tr("Site"), 0, lambda one: Cell(target_of(one), tint="text" if one.host else "text3")),
                Column("program", tr("Program"), 120, lambda one: Cell(one.program or one.client or _NONE)),
                Column("server", tr("Server"), 140, lambda one: Cell(one.server or tr("direct"), tint="text2"),
                       extra=True),
                Column("reason", tr("End"), 116, _reason),
                Column("seconds", tr("Lasted"), 80, lambda one: Cell(*span(one.seconds)), True, extra=True),
                down, up,
            )  # fmt: skip
    heads = {View.HOSTS: tr("Site"), View.PROGRAMS: tr("Program")}
    last = Column("last", tr("Last"), 144, lambda one: Cell(moment(one.last), tint="text2"), True)
    return Column("name", heads[view], 0, _name), count, failed, down, up, last


def key_of(row: AnyRow) -> object:
    """What tells this row from the others of its table."""
    match row:
        case DayTotal():
            return row.day
        case Past():
            return row.ended, row.host, row.port, row.program, row.up, row.down
    return row.name


def sentence(view: View, row: AnyRow) -> str:
    """A row in words, for who listens to the screen."""
    parts = []
    for column in columns(view):
        cell = column.cell(row)
        parts.append(f"{column.head} {cell.text} {cell.unit}".strip())
    return ", ".join(parts)


def hint(row: AnyRow, column: Column) -> str:
    """What a cell stands for, where it does not say all of it."""
    if isinstance(row, ServerTotal) and column.key in ("connect", "first_byte"):
        found: Spread | None = getattr(row, column.key)
        if found is None:
            return ""
        middle, most = " ".join(span(found.p50)), " ".join(span(found.p95))
        return tr("Real connections: half took up to {middle}, 95 % up to {most}.", middle=middle, most=most)
    if isinstance(row, ServerTotal) and column.key == "throughput":
        return tr("Of connections that brought 256 KiB or more, while bytes came.")
    if isinstance(row, Total) and column.key == "name" and row.hashed:
        return tr("A code that stands for one site. Search for the whole name of a site to find it.")
    if isinstance(row, Past) and column.key == "reason" and row.wait is not None:
        return tr("First byte after {time}", time=" ".join(span(row.wait)))
    return column.cell(row).text


def target_of(one: Past) -> str:
    """Where it went, as far as it was kept."""
    if not one.host:
        return tr("port {port}", port=one.port)
    return join_host_port(code(one.host) if one.hashed else one.host, one.port)


def code(hashed: str) -> str:
    """What is shown for a site of which only the hash is there."""
    return f"#{hashed[:12]}"


def moment(unix: float) -> str:
    """The time of today, or a day and its minute."""
    at = QDateTime.fromSecsSinceEpoch(int(unix))
    if at.date() == QDate.currentDate():
        return QLocale.c().toString(at.time(), "HH:mm:ss")
    return f"{day(unix)} {QLocale.c().toString(at.time(), 'HH:mm')}"


def day_words(ordinal: int) -> str:
    """A day as people say it."""
    return day(midnight(ordinal) + 43_200)


def _name(one: Total) -> Cell:
    if not one.name:
        return Cell(tr("not known"), tint="text3")
    return Cell(code(one.name) if one.hashed else one.name)


def _count(number: int) -> Cell:
    return Cell(f"{number:,}")


def _failed(one: Total | DayTotal | ServerTotal) -> Cell:
    return Cell(f"{one.failed:,}", tint="err" if one.failed else "text3")


def _succeeded(one: ServerTotal) -> Cell:
    course = [point.succeeded for point in one.points if point.succeeded is not None]
    if one.succeeded is None:
        return Cell(_NONE, tint="text3")
    percent = one.succeeded * 100
    return Cell(f"{percent:.0f}" if percent in (0, 100) else f"{percent:.1f}", "%", course)


def _latency(one: ServerTotal, field: str) -> Cell:
    found: Spread | None = getattr(one, field)
    course = [spread.p50 for point in one.points if (spread := getattr(point, field)) is not None]
    return Cell(*span(found.p50), course) if found is not None else Cell(_NONE, tint="text3")


def _throughput(one: ServerTotal) -> Cell:
    course = [point.throughput for point in one.points if point.throughput is not None]
    return Cell(*rate(one.throughput), course) if one.throughput is not None else Cell(_NONE, tint="text3")


def _reason(one: Past) -> Cell:
    reason = Reason(one.reason) if one.reason in set(Reason) else None
    bad = reason is not None and reason not in _GOOD
    return Cell(reason_word(reason), tint="err" if bad and not one.down else "text2")
