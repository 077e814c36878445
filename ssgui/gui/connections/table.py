"""The table of connections: what can be done with its rows by mouse and keys, and how it holds still."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter, QPaintEvent, QResizeEvent, QShortcut, QSinglePointEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from ssgui.gui.connections.columns import NUMBERS, Column
from ssgui.gui.connections.delegate import ROW_HEIGHT, ConnectionDelegate, Place
from ssgui.gui.connections.head import Head
from ssgui.gui.connections.model import ConnectionsModel
from ssgui.gui.connections.timescale import TimeScale
from ssgui.gui.texts import tr
from ssgui.services.connections import Connection

RESTS_AFTER = 2.0  # seconds without a hand on it, until its order is made again


class ConnectionsTable(QTableView):
    """`close_asked`, `pause_asked`, `copy_asked` and `curl_asked` tell of keys; Enter is `activated`."""

    close_asked = Signal()
    pause_asked = Signal()
    copy_asked = Signal()
    curl_asked = Signal()

    def __init__(self, rows: ConnectionsModel, clock: Callable[[], float], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows, self._clock = rows, clock
        self.head = Head(self)
        self._touched = self._ordered = clock()
        self.setHorizontalHeader(self.head)
        self.setModel(rows)
        self._painter, self._hovered = ConnectionDelegate(self), -1
        self.setItemDelegate(self._painter)
        self.setAccessibleName(tr("Connections"))
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.verticalHeader().hide()
        self.head.begin()
        self.head.asked.connect(self._sort)
        keys = (
            (QKeySequence("Del"), self.close_asked), (QKeySequence("Space"), self.pause_asked),
            (QKeySequence(QKeySequence.StandardKey.Copy), self.copy_asked),
            (QKeySequence("Ctrl+Shift+C"), self.curl_asked),
        )  # fmt: skip
        for key, signal in keys:
            shortcut = QShortcut(key, self)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(signal)

    # ---- holding still

    def look(self) -> None:
        """Show what is now. The rows that are looked at stay where they are, unless those are the newest."""
        bar = self.verticalScrollBar()
        anchor, offset = self._anchor()
        if again := self.rows.order is not None and self._rests():
            self._ordered, anchor = self._clock(), []
        self.rows.look(again=again)
        for number in anchor:
            if (row := self.rows.row_of(number)) >= 0:
                if (wanted := row * ROW_HEIGHT + offset) != bar.value():
                    self.updateGeometries()
                    bar.setValue(wanted)
                break
        self.viewport().update()

    # ---- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """All visible rows in one go."""
        head, rows = self.head, self.rows.rows
        places = [
            Place(column, head.sectionViewportPosition(column), head.sectionSize(column))
            for column in Column
            if not head.isSectionHidden(column)
        ]
        exposed = event.rect()
        places = [
            place for place in places if place.left <= exposed.right() and place.left + place.width > exposed.left()
        ]
        scrolled = self.verticalScrollBar().value()
        first = max(0, (scrolled + exposed.top()) // ROW_HEIGHT)
        last = min(len(rows) - 1, (scrolled + exposed.bottom()) // ROW_HEIGHT)
        chosen = self.selectionModel()
        with QPainter(self.viewport()) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for row in range(first, last + 1):
                selected = chosen.isSelected(self.rows.index(row, 0))
                self._painter.paint_row(
                    painter, row * ROW_HEIGHT - scrolled, rows[row], self.rows, places,
                    selected=selected, hovered=row == self._hovered,
                )  # fmt: skip

    def _hover(self, row: int) -> None:
        if row != self._hovered:
            self._hovered = row
            self.viewport().update()

    def show_scale(self, scale: TimeScale) -> None:
        """Draw the bars on this scale from now on."""
        if scale != self._painter.scale:
            self._painter.scale = scale
            self.viewport().update()
        self.head.show_scale(scale, self.rows.now)

    def _anchor(self) -> tuple[list[int], int]:
        """The connections that are seen, from the top, and how far the first is cut off; none at the very top."""
        value = self.verticalScrollBar().value()
        if not value:
            return [], 0
        first, offset = divmod(value, ROW_HEIGHT)
        seen = self.viewport().height() // ROW_HEIGHT + 1
        return [one.id for one in self.rows.rows[first : first + seen]], offset

    def _rests(self) -> bool:
        """Whether nobody has had a hand on it for a while, nor is the order fresh."""
        now = self._clock()
        if self.viewport().underMouse():
            self._touched = now
        return now - max(self._touched, self._ordered) >= RESTS_AFTER

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.MouseMove, QEvent.Type.Leave, QEvent.Type.Wheel):
            self._touched = self._clock()
            self._hover(self.rowAt(event.position().toPoint().y()) if isinstance(event, QSinglePointEvent) else -1)
        return super().viewportEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._touched = self._clock()
        super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """The filter is there for that; this would read every row."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.head.fit()

    # ---- order

    def _sort(self, column: int) -> None:
        """The second click turns it round, the third goes back to the newest on top. Numbers begin with the most."""
        first = Column(column) in NUMBERS
        order: tuple[Column, bool] | None = (Column(column), first)
        if self.rows.order == order:
            order = (Column(column), not first)
        elif self.rows.order == (column, not first):
            order = None
        self.set_order(order)

    def set_order(self, order: tuple[Column, bool] | None) -> None:
        """Order by a column, descending or not, or by age."""
        self.head.state_of_columns.sort = order
        self.head.setSortIndicatorShown(order is not None)
        self._ordered = self._clock()
        if order is None:
            self.rows.sort(-1)
            return
        direction = Qt.SortOrder.DescendingOrder if order[1] else Qt.SortOrder.AscendingOrder
        self.head.setSortIndicator(order[0], direction)
        self.rows.sort(order[0], direction)

    # ---- selection

    def selected(self) -> list[Connection]:
        """The records of the selected rows, from the top."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [self.rows.rows[row] for row in rows]

    def select(self, number: int) -> None:
        """Select the row of the connection with this id."""
        row = self.rows.row_of(number)
        if row >= 0:
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.selectionModel().setCurrentIndex(self.rows.index(row, 0), flags)
