"""The rows of one answer of the history as a table model; records in, no queries here."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from ssgui.gui.frame.painting import harmless
from ssgui.gui.history.columns import Column, columns, hint, key_of, sentence
from ssgui.services.history.queries import AnyRow, View

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()
_USUAL = {
    View.DAYS: ("day", True), View.HOSTS: ("down", True), View.PROGRAMS: ("down", True),
    View.SERVERS: ("connections", True), View.CONNECTIONS: ("ended", True),
}  # fmt: skip


class HistoryModel(QAbstractTableModel):
    """`ordered` when a person wants another order: whoever asks the history asks it anew."""

    ordered = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.view = View.HOSTS
        self.columns: tuple[Column, ...] = columns(self.view)
        self.rows: Sequence[AnyRow] = ()
        self.order, self.descending = _USUAL[self.view]

    def set_view(self, view: View) -> None:
        """Another table, empty until it is filled."""
        self.beginResetModel()
        self.view, self.columns, self.rows = view, columns(view), ()
        self.order, self.descending = _USUAL[view]
        self.endResetModel()

    def show(self, rows: Sequence[AnyRow]) -> None:
        """Show these; where they are the same, in the same order, nothing moves."""
        same = [key_of(one) for one in rows] == [key_of(one) for one in self.rows]
        if not same:
            self.beginResetModel()
        self.rows = rows
        if not same:
            self.endResetModel()
        elif rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(self.columns) - 1))

    def row_of(self, key: object) -> int:
        """Where the row with this key is, -1 if it is not there."""
        return next((at for at, one in enumerate(self.rows) if key_of(one) == key), -1)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Have it in another order."""
        if 0 <= column < len(self.columns):
            self.order, self.descending = self.columns[column].key, order is Qt.SortOrder.DescendingOrder
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self.columns) - 1)
            self.ordered.emit()

    # ---- Qt's side

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.head
        if role == Qt.ItemDataRole.DisplayRole:  # Qt's own arrow would lie on a word that ends at the right
            arrow = "\N{DOWNWARDS ARROW}" if self.descending else "\N{UPWARDS ARROW}"
            return f"{column.head} {arrow}" if column.key == self.order else column.head
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.rows) or index.column() >= len(self.columns):
            return None
        row, column = self.rows[index.row()], self.columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            cell = column.cell(row)
            return harmless(f"{cell.text} {cell.unit}".strip())
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == 0:
            return harmless(sentence(self.view, row))
        if role == Qt.ItemDataRole.ToolTipRole:
            return harmless(hint(row, column)) or None
        return None
