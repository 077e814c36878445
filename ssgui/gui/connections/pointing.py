"""When the popover of a bar is shown: where the pointer rests on it, or by a key for the current row."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QKeySequence, QMouseEvent, QShortcut
from PySide6.QtWidgets import QTableView

from ssgui.gui.connections.popover import TimingPopover
from ssgui.services.connections.records import Connection

REST_MS = 300
_GOES = (QEvent.Type.Leave, QEvent.Type.Wheel, QEvent.Type.MouseButtonPress, QEvent.Type.Hide)


class Pointing(QObject):
    """Of one table: `column` is that of the bars, `record` what a row shows, `now` the time of the picture."""

    def __init__(
        self, table: QTableView, column: int, record: Callable[[int], Connection | None], now: Callable[[], float]
    ) -> None:  # fmt: skip
        super().__init__(table)
        self._table, self._column, self._record, self._now = table, column, record, now
        self.popover = TimingPopover(table)
        self._asked = False  # by a key: it then follows the current row
        self._at = QPoint()
        self._resting = QTimer(self)
        self._resting.setSingleShot(True)
        self._resting.setInterval(REST_MS)
        self._resting.timeout.connect(self._rested)
        table.viewport().setMouseTracking(True)
        table.viewport().installEventFilter(self)
        table.installEventFilter(self)
        key = QShortcut(QKeySequence("I"), table)
        key.setContext(Qt.ShortcutContext.WidgetShortcut)
        key.activated.connect(self.toggle)

    def look(self) -> None:
        """Time went on: say how it is now, of the row that is there now."""
        if self.popover.isHidden():
            return
        row = self._table.currentIndex().row() if self._asked else self._row_at(self._at)
        one = self._record(row) if row >= 0 else None
        if one is None or (not self._asked and one is not self.popover.one):
            self.hide()
        elif one is self.popover.one:
            self.popover.take(one, self._now())
        else:
            self._show(row)

    def toggle(self) -> None:
        """Show that of the current row, or hide it."""
        if self._asked and not self.popover.isHidden():
            self.hide()
            return
        row = self._table.currentIndex().row()
        if row >= 0:
            self._asked = True
            self._show(row)

    def hide(self) -> None:
        """Show none."""
        self._resting.stop()
        self._asked = False
        self.popover.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if watched is self._table:
            if kind in (QEvent.Type.FocusOut, QEvent.Type.Hide):
                self.hide()
            elif kind is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
                return self._escape(event)
            elif kind is QEvent.Type.KeyRelease and self._asked:
                self.look()
        elif kind is QEvent.Type.MouseMove and isinstance(event, QMouseEvent):
            self._moved(event.position().toPoint())
        elif kind in _GOES:
            self.hide()
        return False

    def _escape(self, event: QKeyEvent) -> bool:
        """Esc takes the popover away, and nothing else while there is one."""
        if self.popover.isHidden() or event.key() != Qt.Key.Key_Escape:
            return False
        self.hide()
        event.accept()
        return True

    def _moved(self, at: QPoint) -> None:
        self._at = at
        row = self._row_at(at)
        if row < 0:
            if not self._asked:
                self.hide()
            return
        if not self.popover.isHidden() and self._record(row) is self.popover.one:
            return
        if self._asked or self.popover.isHidden():
            self._resting.start()
        else:
            self._show(row)  # one is being read: the next needs no rest

    def _rested(self) -> None:
        row = self._row_at(self._at)
        if row >= 0 and self._table.viewport().isVisible():
            self._asked = False
            self._show(row)

    def _row_at(self, at: QPoint) -> int:
        index = self._table.indexAt(at)
        return index.row() if index.isValid() and index.column() == self._column else -1

    def _show(self, row: int) -> None:
        one = self._record(row)
        if one is None:
            self.hide()
            return
        self.popover.show_times(one, self._now(), self._cell(row))

    def _cell(self, row: int) -> QRect:
        """Where the bar is on the screen; the whole row, while its column is hidden."""
        model, table = self._table.model(), self._table
        column = self._column if not table.isColumnHidden(self._column) else 0
        index: QModelIndex = model.index(row, column)
        place = table.visualRect(index).intersected(table.viewport().rect())
        return QRect(table.viewport().mapToGlobal(place.topLeft()), place.size())
