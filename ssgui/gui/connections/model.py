"""Connections as a table model: plain records, filtered and sorted here, changed in one batch per look.

New rows come in on top or where the order puts them; nothing moves by itself: an order is made when a person
clicks a head, and kept until the next click.
"""

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from ssgui.engine.stages import StreamStatus
from ssgui.gui import words
from ssgui.gui.texts import tr
from ssgui.gui.units import age, amount, rate
from ssgui.services.connections import Connection, Connections, is_waiting

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()


class Column(IntEnum):
    """The columns, from the left."""

    STAGE = 0
    UP_FLAGS = 1
    DOWN_FLAGS = 2
    TARGET = 3
    RULE = 4
    SERVER = 5
    DOWN = 6
    UP = 7
    AGE = 8


class Scope(IntEnum):
    """Which connections are shown."""

    ACTIVE = 0
    CLOSED = 1
    ALL = 2


_RIGHT = frozenset({Column.DOWN, Column.UP, Column.AGE})


class ConnectionsModel(QAbstractTableModel):
    """`rows` is what a delegate paints from; `now` the time of the last look (monotonic seconds)."""

    def __init__(self, connections: Connections, clock: Callable[[], float], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._connections, self._clock = connections, clock
        self.rows: list[Connection] = []
        self.now = clock()
        self.scope = Scope.ALL
        self.hidden = 0  # by the filter
        self._words: tuple[str, ...] = ()
        self._sorted_by: tuple[int, bool] | None = None
        self._heads = (
            tr("Stage"), "\N{UPWARDS ARROW}", "\N{DOWNWARDS ARROW}", tr("Target"), tr("Rule"), tr("Server"),
            tr("Down"), tr("Up"), tr("Age"),
        )  # fmt: skip

    # ---- what is shown

    def set_scope(self, scope: Scope) -> None:
        """Active, closed or all."""
        self.scope = scope
        self.look()

    def set_filter(self, text: str) -> None:
        """Show rows that contain every word, and none of those with a minus."""
        self._words = tuple(text.casefold().split())
        self.look()

    def look(self) -> None:
        """Show what the connections are now."""
        self.now = self._clock()
        wanted = self._wanted()
        if self._sorted_by is not None:
            kept = {one.id for one in wanted}
            order = {one.id: at for at, one in enumerate(self.rows) if one.id in kept}
            wanted.sort(key=lambda one: order.get(one.id, -1))
        self._change_to(wanted)

    def _wanted(self) -> list[Connection]:
        found: list[Connection] = []
        if self.scope is not Scope.CLOSED:
            found += self._connections.live.values()
        if self.scope is not Scope.ACTIVE:
            found += self._connections.ended.values()
        shown = [one for one in found if self._matches(one)] if self._words else found
        self.hidden = len(found) - len(shown)
        shown.sort(key=lambda one: one.id, reverse=True)
        return shown

    def _matches(self, one: Connection) -> bool:
        text = " ".join((one.target, one.rule, one.server, one.client, one.inbound, stage_text(one))).casefold()
        return all(
            (word[1:] not in text) if word[:1] == "-" and len(word) > 1 else (word in text) for word in self._words
        )

    def _change_to(self, wanted: list[Connection]) -> None:
        """Take out what has gone, put in what is new, in as few steps as there are gaps."""
        keep = {one.id for one in wanted}
        for first, last in _ranges_to_remove([one.id in keep for one in self.rows]):
            self.beginRemoveRows(_NO_PARENT, first, last)
            del self.rows[first : last + 1]
            self.endRemoveRows()
        at = 0
        while at < len(wanted):
            if at < len(self.rows) and self.rows[at].id == wanted[at].id:
                self.rows[at] = wanted[at]
                at += 1
                continue
            known = {one.id for one in self.rows[at:]}
            end = at
            while end < len(wanted) and wanted[end].id not in known:
                end += 1
            if end == at:  # an order that differs: only sorting makes one
                self._reorder(wanted)
                return
            self.beginInsertRows(_NO_PARENT, at, end - 1)
            self.rows[at:at] = wanted[at:end]
            self.endInsertRows()
            at = end

    def _reorder(self, wanted: list[Connection]) -> None:
        self.layoutAboutToBeChanged.emit()
        place = {one.id: at for at, one in enumerate(wanted)}
        before = self.persistentIndexList()
        after = [self.index(place[self.rows[one.row()].id], one.column()) for one in before]
        self.rows[:] = wanted
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    # ---- order

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Make an order; -1 goes back to the newest on top."""
        descending = order is Qt.SortOrder.DescendingOrder
        self._sorted_by = None if column < 0 else (column, descending)
        if column < 0:
            self._reorder(sorted(self.rows, key=lambda one: one.id, reverse=True))
        else:
            key = self._sort_key(Column(column))
            self._reorder(sorted(self.rows, key=key, reverse=descending))

    def _sort_key(self, column: Column) -> Callable[[Connection], Any]:
        now = self.now
        keys: dict[Column, Callable[[Connection], Any]] = {
            Column.STAGE: lambda one: (not one.live, int(one.stage), str(one.reason or "")),
            Column.UP_FLAGS: lambda one: int(one.up_status),
            Column.DOWN_FLAGS: lambda one: int(one.down_status),
            Column.TARGET: lambda one: one.target.casefold(),
            Column.RULE: lambda one: (one.rule or one.route).casefold(),
            Column.SERVER: lambda one: one.server.casefold(),
            Column.DOWN: lambda one: one.down_rate if one.live else one.down,
            Column.UP: lambda one: one.up_rate if one.live else one.up,
            Column.AGE: lambda one: one.age(now),
        }
        return keys[column]

    # ---- Qt's side

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(Column)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self._heads):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._heads[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section in _RIGHT else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or not 0 <= index.row() < len(self.rows):
            return None
        one = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(one, Column(index.column()))
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == Column.STAGE:
            return self.sentence(one)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._hint(one, Column(index.column()))
        return None

    def _text(self, one: Connection, column: Column) -> str:
        match column:
            case Column.STAGE:
                return stage_text(one)
            case Column.UP_FLAGS:
                return flags_text(one.up_status)
            case Column.DOWN_FLAGS:
                return flags_text(one.down_status)
            case Column.TARGET:
                return one.target or "\N{EM DASH}"
            case Column.RULE:
                return rule_text(one)
            case Column.SERVER:
                return one.server
            case Column.DOWN | Column.UP:
                return " ".join(flow(one, down=column is Column.DOWN))
            case Column.AGE:
                return " ".join(age(one.age(self.now)))

    def _hint(self, one: Connection, column: Column) -> str | None:
        match column:
            case Column.STAGE:
                return " · ".join(part for part in (one.stage.name, str(one.reason or ""), one.detail) if part)
            case Column.TARGET | Column.SERVER:
                return self._text(one, column)
            case Column.RULE:
                return one.rule or one.route
        return None

    def sentence(self, one: Connection) -> str:
        """A row in words, for who listens to the screen."""
        host, _, port = one.target.rpartition(":")
        parts = [stage_text(one)]
        if host:
            parts.append(tr("{host} port {port}", host=host.strip("[]"), port=port))
        parts.append(tr("rule {rule}", rule=rule_text(one)))
        if one.down_status & StreamStatus.WRITING:
            parts.append(tr("down blocked"))
        if one.up_status & StreamStatus.WRITING:
            parts.append(tr("up blocked"))
        parts.append(" ".join(age(one.age(self.now))))
        return ", ".join(parts)


def stage_text(one: Connection) -> str:
    """The word in the first column: a stage, or why it ended."""
    return words.stage_word(one.stage, waiting=is_waiting(one)) if one.live else words.reason_word(one.reason)


def rule_text(one: Connection) -> str:
    """Why it goes where it goes."""
    if one.rule:
        return one.rule
    routes = {"proxy": tr("everything else"), "direct": tr("direct"), "reject": tr("rejected")}
    return routes.get(one.route, "\N{EM DASH}")


def flags_text(status: StreamStatus) -> str:
    """R, W, RW or nothing."""
    return ("R" if status & StreamStatus.READING else "") + ("W" if status & StreamStatus.WRITING else "")


def flow(one: Connection, *, down: bool) -> tuple[str, str]:
    """Digits and unit: a rate while it lives, a total afterwards."""
    if one.live:
        return rate(one.down_rate if down else one.up_rate)
    return amount(one.down if down else one.up)


def _ranges_to_remove(kept: Iterable[bool]) -> list[tuple[int, int]]:
    """First and last of each run that is not kept, the last run first."""
    runs: list[tuple[int, int]] = []
    for at, keep in enumerate(kept):
        if keep:
            continue
        if runs and runs[-1][1] == at - 1:
            runs[-1] = (runs[-1][0], at)
        else:
            runs.append((at, at))
    runs.reverse()
    return runs
