"""The columns of the table: what is in them, how wide they are, and which of them a narrow terminal leaves out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ssgui.app.monitor.bar import own_bar, timed_bar
from ssgui.app.monitor.cells import Cell, Line, fitted, fitted_target
from ssgui.app.monitor.glyphs import FAILED, Glyphs, mark_of
from ssgui.engine.stages import Reason, Role, StreamStatus
from ssgui.services.connections.records import Connection
from ssgui.services.units import age, amount, rate, span
from ssgui.services.wording import state_word

_QUIET = "bright_black"
_BLOCKED = "bold yellow"
_TARGET, _MOST_TARGET, _BAR, _MOST_BAR = 20, 60, 8, 48


class Look(NamedTuple):
    """How rows are shown: what time it is there, with which characters, and the last how many seconds a bar has.

    With 0 seconds each bar is its connection's whole life.
    """

    now: float
    glyphs: Glyphs
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Column:
    """`rank` says how soon it is left out; `cell` gives text and style, `order` what rows are sorted by."""

    key: str
    head: str
    width: int
    rank: int
    cell: Callable[[Connection, Look], tuple[str, str]]
    order: Callable[[Connection, float], Any]
    right: bool = False


def route_text(one: Connection) -> str:
    """Why it goes where it goes."""
    return one.rule or one.route


def _quiet(one: Connection) -> str:
    return "" if one.live else _QUIET


def _stage(one: Connection, look: Look) -> tuple[str, str]:
    mark, style = mark_of(one, look.glyphs)
    failed = not one.live and one.reason is not Reason.FINISHED
    return f"{mark} {state_word(one)}", FAILED if failed else style


def _flags(status: StreamStatus) -> tuple[str, str]:
    writing = bool(status & StreamStatus.WRITING)
    text = ("R" if status & StreamStatus.READING else " ") + ("W" if writing else " ")
    return text, _BLOCKED if writing else ""


def _figure(figure: tuple[str, str], one: Connection) -> tuple[str, str]:
    digits, unit = figure
    return f"{digits} {unit}", _QUIET if digits == "0" or not one.live else ""


def _flow(one: Connection, *, down: bool) -> tuple[str, str]:
    """A rate while it lives, then the total."""
    if one.live:
        return _figure(rate(one.down_rate if down else one.up_rate), one)
    return _figure(amount(one.down if down else one.up), one)


def _wait(one: Connection, look: Look) -> tuple[str, str]:
    seconds = one.wait(look.now)
    if seconds is None:
        return "", ""
    return " ".join(span(seconds)), "yellow" if seconds >= 1 and one.live and one.first_down is None else _quiet(one)


COLUMNS = (
    Column("stage", "Stage", 16, 0, _stage, lambda one, now: (not one.live, int(one.stage), str(one.reason or ""))),
    Column("up-flags", "up", 2, 3, lambda one, look: _flags(one.up_status), lambda one, now: int(one.up_status)),
    Column("down-flags", "dn", 2, 3, lambda one, look: _flags(one.down_status), lambda one, now: int(one.down_status)),
    Column("target", "Target", _TARGET, 0, lambda one, look: (one.target or look.glyphs.none, _quiet(one)),
           lambda one, now: one.target.casefold()),
    Column("rule", "Rule", 12, 7, lambda one, look: (route_text(one), _QUIET), lambda one, now: route_text(one)),
    Column("server", "Server", 16, 8, lambda one, look: (one.server, _QUIET), lambda one, now: one.server.casefold()),
    Column("program", "Program", 12, 6, lambda one, look: (one.program, _quiet(one)),
           lambda one, now: one.program.casefold()),
    Column("user", "User", 10, 6, lambda one, look: (one.user, _quiet(one)), lambda one, now: one.user.casefold()),
    Column("client", "Client", 21, 7, lambda one, look: (one.client, _QUIET), lambda one, now: one.client),
    Column("down", "Down", 9, 1, lambda one, look: _flow(one, down=True),
           lambda one, now: one.down_rate if one.live else one.down, right=True),
    Column("up", "Up", 9, 2, lambda one, look: _flow(one, down=False),
           lambda one, now: one.up_rate if one.live else one.up, right=True),
    Column("all-down", "All down", 8, 9, lambda one, look: _figure(amount(one.down), one), lambda one, now: one.down,
           right=True),
    Column("all-up", "All up", 8, 9, lambda one, look: _figure(amount(one.up), one), lambda one, now: one.up,
           right=True),
    Column("wait", "Wait", 7, 5, _wait, lambda one, now: one.wait(now) or 0.0, right=True),
    Column("age", "Age", 6, 1, lambda one, look: (" ".join(age(one.age(look.now))), _quiet(one)),
           lambda one, now: one.age(now), right=True),
    Column("bar", "Time", _BAR, 4, lambda one, look: ("", ""), lambda one, now: one.opened),
)  # fmt: skip
BY_KEY = {column.key: column for column in COLUMNS}
_NOT_OF = {Role.LOCAL: frozenset({"user", "client"}), Role.SERVER: frozenset({"rule", "server", "program"})}
Chosen = list[tuple[Column, int]]


def choose(width: int, role: Role) -> Chosen:
    """The columns that fit into `width` cells, from the left, with their widths; what is left over goes to some."""
    left_out = _NOT_OF[role]
    chosen: list[Column] = []
    used = 0
    for column in sorted(COLUMNS, key=lambda one: one.rank):  # stable: of equal rank the left one first
        if column.key not in left_out and used + column.width + bool(chosen) <= width:
            used += column.width + bool(chosen)
            chosen.append(column)
    widths = {column.key: column.width for column in chosen}
    spare = width - used
    for key, most, part in (("target", _MOST_TARGET, 2), ("bar", _MOST_BAR, 1)):
        if key in widths and spare > 0:
            more = min(most - widths[key], (spare + part - 1) // part)
            widths[key] += more
            spare -= more
    if "target" in widths:
        widths["target"] += max(0, spare)
    return [(column, widths[column.key]) for column in COLUMNS if column.key in widths]


def head_line(chosen: Chosen, glyphs: Glyphs, sorted_by: tuple[str, bool] | None) -> Line:
    """The heads; the one that rows are sorted by shows in which direction."""
    line: Line = []
    for column, width in chosen:
        arrow = ""
        if sorted_by is not None and sorted_by[0] == column.key:
            arrow = glyphs.down if sorted_by[1] else glyphs.up
        head = {"up-flags": glyphs.up, "down-flags": glyphs.down}.get(column.key, column.head)
        line += [*_GAP[: len(line)], Cell(fitted(head + arrow, width, "", right=column.right), "bold")]
    return line


def row_line(one: Connection, chosen: Chosen, look: Look) -> Line:
    """A connection as a line."""
    line: Line = []
    for column, width in chosen:
        line += _GAP[: len(line)]
        if column.key == "bar":
            line += _bar(one, width, look)
        else:
            text, style = column.cell(one, look)
            line.append(Cell(_cut(column, text, width, look.glyphs.more), style))
    return line


_GAP = [Cell(" ")]


def _cut(column: Column, text: str, width: int, more: str) -> str:
    return fitted_target(text, width, more) if column.key == "target" else fitted(text, width, more, right=column.right)


def _bar(one: Connection, width: int, look: Look) -> Line:
    if look.seconds:
        return [Cell(*run) for run in timed_bar(one, look.now, width, look.glyphs, look.seconds)]
    return [Cell(*run) for run in own_bar(one, look.now, width, look.glyphs)]
