"""Connections as a table model: plain records, changed in one batch per look, and never told of one by one.

What a cell shows changes all the time, and nobody is told: who shows the table paints what is visible after a look.
"""

import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from ssgui.gui.connections.cells import cell_text, hint, sentence
from ssgui.gui.connections.columns import NUMBERS, Column, heads, names
from ssgui.gui.connections.rows import Rows, Scope
from ssgui.gui.connections.waterfall import sentence as times_sentence
from ssgui.gui.frame.hints import plain_hint
from ssgui.services.connections.filtering import NO_FILTER, Filter, FilterError
from ssgui.services.connections.records import Connection, Connections

__all__ = ["Column", "ConnectionsModel", "Scope"]

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()
_COLUMNS = tuple(Column)
_MANY = 200  # runs of rows that come or go; with more of them moving all at once is quicker


class ConnectionsModel(QAbstractTableModel):
    """`rows` is what a delegate paints from; `now` the time of the last look (monotonic seconds).

    `wall` is Unix time minus that clock. `aim` says which part of time is shown, now that it is so late. `refused`
    carries the FilterError of a filter that turned out too slow.
    """

    refused = Signal(object)

    def __init__(
        self, connections: Connections, clock: Callable[[], float], parent: QObject | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._clock, self._wall_clock = clock, wall
        self._choice = Rows(connections)
        self._filter_before = NO_FILTER
        self.rows: list[Connection] = []
        self.now = clock()
        self.moving = False  # rows come and go
        self.aim: Callable[[float], tuple[float | None, float | None]] = lambda _: self._choice.window
        self.wall = wall() - self.now
        self._heads, self._names = heads(), names()

    # ---- what is shown

    @property
    def scope(self) -> Scope:
        """Active, closed or all."""
        return self._choice.scope

    @property
    def filter(self) -> Filter:
        """The filter that is in force."""
        return self._choice.filter

    @property
    def hidden(self) -> int:
        """How many of the scope the filter and the window of time leave out."""
        return self._choice.hidden

    @property
    def order(self) -> tuple[Column, bool] | None:
        """The column of the order, and whether it is descending; None for the newest on top."""
        return self._choice.order

    def counts(self) -> tuple[int, int]:
        """How many live and have ended, in the picture that is shown."""
        return self._choice.counts()

    def newer(self) -> int:
        """How many have come since the pause."""
        return self._choice.newer()

    def set_scope(self, scope: Scope) -> None:
        """Show these."""
        self._choice.scope = scope
        self._show()

    def set_filter(self, wanted: Filter) -> None:
        """Show what passes; `refused` tells if that takes too long, and the filter before stays."""
        self._filter_before, self._choice.filter = self._choice.filter, wanted
        self._show()

    def set_window(self, start: float | None, end: float | None) -> None:
        """Show those that lived in this part of time, monotonic seconds; None for without end."""
        if self._choice.window != (start, end):
            self._choice.window = (start, end)
            self._show()

    @property
    def paused(self) -> bool:
        """Whether the picture stands still."""
        return self._choice.paused

    def pause(self, on: bool) -> None:
        """Show the picture of now until it is let go on: no row and no figure moves."""
        if on:
            self.look()
        self._choice.pause(on)
        self.look()

    def look(self, *, again: bool = False) -> None:
        """Show what the connections are now; `again` makes the order that there is anew."""
        if not self._choice.paused:
            self.now = self._clock()
            wall = self._wall_clock() - self.now
            if abs(wall - self.wall) > 1:  # somebody set the clock
                self.wall = wall
            self._choice.window = self.aim(self.now)
        self._show(again=again)

    def _show(self, *, again: bool = False) -> None:
        try:
            wanted = self._choice.wanted(self.rows, self.now, again=again)
        except FilterError as error:
            self._choice.filter, self._filter_before = self._filter_before, NO_FILTER
            self.refused.emit(error)
            self._show(again=again)
            return
        if wanted is not None:
            self.moving = True
            self._change_to(wanted)
            self.moving = False

    def _change_to(self, wanted: list[Connection]) -> None:
        """Take out what has gone, put the rest in order, put in what is new: in as few steps as there are gaps."""
        keep = {one.id for one in wanted}
        runs = _runs([at for at, one in enumerate(self.rows) if one.id not in keep])
        if len(runs) > _MANY:
            gone = [one for one in self.rows if one.id not in keep]
            self._reorder([one for one in self.rows if one.id in keep] + gone)
            runs = [(len(self.rows) - len(gone), len(self.rows) - 1)]
        for first, last in reversed(runs):
            self.beginRemoveRows(_NO_PARENT, first, last)
            del self.rows[first : last + 1]
            self.endRemoveRows()
        known = {one.id for one in self.rows}
        self._reorder([one for one in wanted if one.id in known])
        runs = _runs([at for at, one in enumerate(wanted) if one.id not in known])
        if len(runs) > _MANY:
            self._insert(len(self.rows), [one for one in wanted if one.id not in known])
            self._reorder(wanted)
        else:
            for first, last in runs:
                self._insert(first, wanted[first : last + 1])
        self.rows[:] = wanted  # after a pause other records stand for the same connections

    def _insert(self, at: int, new: list[Connection]) -> None:
        self.beginInsertRows(_NO_PARENT, at, at + len(new) - 1)
        self.rows[at:at] = new
        self.endInsertRows()

    def _reorder(self, wanted: list[Connection]) -> None:
        """Show the same connections in another order."""
        if [one.id for one in wanted] == [one.id for one in self.rows]:
            return
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        place = {one.id: at for at, one in enumerate(wanted)} if before else {}
        after = [self.index(place[self.rows[one.row()].id], one.column()) for one in before]
        self.rows[:] = wanted
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    # ---- order

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Make an order; -1 goes back to the newest on top."""
        descending = order is Qt.SortOrder.DescendingOrder
        self._choice.order = None if column < 0 else (Column(column), descending)
        self._show(again=True)

    # ---- Qt's side

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(_COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(_COLUMNS):
            return None
        column = _COLUMNS[section]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._heads[column]
            case Qt.ItemDataRole.ToolTipRole | Qt.ItemDataRole.AccessibleTextRole:
                return self._names[column]
            case Qt.ItemDataRole.TextAlignmentRole:
                side = Qt.AlignmentFlag.AlignRight if column in NUMBERS else Qt.AlignmentFlag.AlignLeft
                return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or not 0 <= index.row() < len(self.rows):
            return None
        one, column = self.rows[index.row()], _COLUMNS[index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return cell_text(one, column, self.now, self.wall)
            case Qt.ItemDataRole.AccessibleTextRole if column is Column.STAGE:
                return sentence(one, self.now)
            case Qt.ItemDataRole.AccessibleTextRole if column is Column.WATERFALL:
                return times_sentence(one, self.now)
            case Qt.ItemDataRole.ToolTipRole:
                return plain_hint(hint(one, column, self.now, self.wall) or "") or None
        return None

    def row_of(self, number: int) -> int:
        """Where the connection with this id is shown; -1 if it is not."""
        return next((row for row, one in enumerate(self.rows) if one.id == number), -1)


def _runs(places: list[int]) -> list[tuple[int, int]]:
    """First and last of each run of neighbours; `places` grow."""
    runs: list[tuple[int, int]] = []
    for at in places:
        if runs and runs[-1][1] == at - 1:
            runs[-1] = (runs[-1][0], at)
        else:
            runs.append((at, at))
    return runs
