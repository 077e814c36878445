"""The table of connections, and below it the details of the one that a person looks at."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QModelIndex, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QKeySequence, QPainter, QPaintEvent, QResizeEvent, QShortcut
from PySide6.QtWidgets import QApplication, QSplitter, QSplitterHandle, QWidget

from ssgui.gui import theme
from ssgui.gui.connections.delegate import ROW_HEIGHT
from ssgui.gui.connections.detail import Detail
from ssgui.gui.connections.head import HEAD_HEIGHT
from ssgui.gui.connections.table import ConnectionsTable
from ssgui.services.connections.records import Connection, Connections

_ROWS_KEPT = 5
_GRIP = 7


class _Handle(QSplitterHandle):
    """A hairline that is easier to take hold of than it looks."""

    def sizeHint(self) -> QSize:
        return QSize(_GRIP, _GRIP)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(QRectF(0, 0, self.width(), 1), theme.color(theme.current().line))


class Inspector(QSplitter):
    """`upper` has the table in it. Details open by a click or Enter, follow the current row, and close by Esc.

    They stay with their connection when its row goes: it ended, or a filter does not want it any more.
    """

    def __init__(
        self, connections: Connections, table: ConnectionsTable, upper: QWidget, parent: QWidget | None = None
    ) -> None:  # fmt: skip
        super().__init__(Qt.Orientation.Vertical, parent)
        self._connections, self._table = connections, table
        self._height = 0  # that a person gave it
        self.finding: Callable[[Connection], Any] = lambda _: None
        self.wording: Callable[[Any], tuple[str, str, str]] = lambda _: ("", "", "")
        self.detail = Detail(lambda one: self.finding(one), lambda found: self.wording(found), self)
        around = HEAD_HEIGHT + table.horizontalScrollBar().sizeHint().height() + 2 * table.frameWidth()
        table.setMinimumHeight(around + _ROWS_KEPT * ROW_HEIGHT)
        self.setHandleWidth(_GRIP)
        self.setChildrenCollapsible(False)
        self.addWidget(upper)
        self.addWidget(self.detail)
        self.setStretchFactor(0, 1)
        self.setStretchFactor(1, 0)
        self.detail.hide()
        self.splitterMoved.connect(lambda *_: setattr(self, "_height", self.sizes()[1]))
        table.activated.connect(self._activated)
        table.clicked.connect(self._clicked)
        table.selectionModel().currentRowChanged.connect(self._moved)
        self.detail.left.connect(self.shut)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), table)
        escape.setContext(Qt.ShortcutContext.WidgetShortcut)
        escape.activated.connect(self._leave)

    def createHandle(self) -> QSplitterHandle:
        return _Handle(self.orientation(), self)

    @property
    def is_open(self) -> bool:
        """Whether details are shown."""
        return not self.detail.isHidden()

    def open(self, one: Connection) -> None:
        """Show the details of this one."""
        opening = not self.is_open
        self.detail.show_connection(one, self._table.rows.now)
        if opening:
            self.detail.show()
            self._share()
            QTimer.singleShot(0, self._table, self._bring_back)

    def _bring_back(self) -> None:
        """The table has become smaller: its current row may be out of sight."""
        self._table.scrollTo(self._table.currentIndex())

    def _leave(self) -> None:
        """Esc in the table: first no details, then no selection, which would hold the rows where they are."""
        if self.is_open:
            self.shut()
        else:
            self._table.selectionModel().clear()

    def shut(self) -> None:
        """Show no details."""
        if self.is_open:
            self.detail.hide()
            self._table.setFocus()

    def look(self) -> None:
        """Show how it is doing now."""
        if self.is_open and self.detail.one is not None:
            self.detail.show_connection(self._as_it_is(self.detail.one), self._table.rows.now)

    def _as_it_is(self, one: Connection) -> Connection:
        """The record of the same connection that the table shows; without a row, the last that is known."""
        rows, row = self._table.rows.rows, self._table.currentIndex().row()
        if 0 <= row < len(rows) and rows[row].id == one.id:
            return rows[row]
        if self._table.rows.paused:
            return one
        return self._connections.live.get(one.id) or self._connections.ended.get(one.id) or one

    def _share(self) -> None:
        height = self._height or self.detail.sizeHint().height()
        self.setSizes([max(0, self.height() - height - self.handleWidth()), height])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.is_open and not self._height:
            self._share()

    # ---- what a person does with the table

    def _one(self, index: QModelIndex) -> Connection | None:
        rows = self._table.rows.rows
        return rows[index.row()] if 0 <= index.row() < len(rows) else None

    def _activated(self, index: QModelIndex) -> None:
        if (one := self._one(index)) is not None:
            self.open(one)

    def _clicked(self, index: QModelIndex) -> None:
        if QApplication.keyboardModifiers() == Qt.KeyboardModifier.NoModifier:
            self._activated(index)

    def _moved(self, current: QModelIndex, _before: QModelIndex) -> None:
        """Not when the row went away and another became the current one by itself."""
        if self.is_open and not self._table.rows.moving and (one := self._one(current)) is not None:
            self.detail.show_connection(one, self._table.rows.now)
