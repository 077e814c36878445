"""The table of connections: what can be done with its rows by mouse and keys, and how it holds still."""

import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QItemSelectionModel, Qt, Signal
from PySide6.QtGui import (
    QCursor,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import QAbstractItemView, QApplication, QHeaderView, QTableView, QWidget

from ssgui.gui.connections.columns import NUMBERS, Column
from ssgui.gui.connections.delegate import ROW_HEIGHT, ConnectionDelegate, Place
from ssgui.gui.connections.head import Head
from ssgui.gui.connections.model import ConnectionsModel
from ssgui.gui.connections.newer import Newer
from ssgui.gui.connections.timescale import TimeScale
from ssgui.gui.texts import tr
from ssgui.services.connections.records import Connection

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
        self._touched, self._ordered = clock() - RESTS_AFTER, clock()
        self._follows, self._scrolling = True, False  # whether somebody looks at the top; whether we scroll
        self.setHorizontalHeader(self.head)
        self.setModel(rows)
        self._painter = ConnectionDelegate(self)
        self.painting = 0.0  # seconds of this thread that the last one took
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
        self.newer = Newer(self)
        self.newer.clicked.connect(self.to_top)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
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
        """Show what is now.

        New rows come in on top. Who looks at the top sees them, unless a hand is on the table or a selected row is to
        be seen: then, and further down, what is looked at stays where it is, and a button says how much is new.
        """
        bar, still = self.verticalScrollBar(), self._in_hand()
        places = self._places() if not self._follows or still or self._selection_is_seen() else []
        if again := self.rows.order is not None and self._rests():
            self._ordered, places = self._clock(), []
        self._scrolling = True  # with fewer rows there is less to scroll
        self.rows.look(again=again)
        self.executeDelayedItemsLayout()  # later it would paint everything once more
        value = 0 if self._follows else bar.value()
        for number, top in places:
            if (row := self.rows.row_of(number)) >= 0:
                value = row * ROW_HEIGHT - top
                break
        self._scroll(value)
        self.newer.say(-(-bar.value() // ROW_HEIGHT) if self._follows else 0)
        self.viewport().update()

    def to_top(self) -> None:
        """Show the newest, and go on showing them."""
        self._follows = True
        self._scroll(0)
        self.newer.say(0)

    def show_choice(self) -> None:
        """Other rows were chosen: begin at the top of them, or where the selection is."""
        self.executeDelayedItemsLayout()
        if (chosen := self._chosen()) >= 0:
            self.scrollTo(self.rows.index(chosen, Column.TARGET))
        else:
            self.to_top()

    def _scroll(self, value: int) -> None:
        """It is we who scroll."""
        bar, self._scrolling = self.verticalScrollBar(), True
        if value != bar.value():
            bar.setValue(value)
        self._scrolling = False
        self._follows = self._follows or bar.value() == 0

    def _scrolled(self, value: int) -> None:
        if not self._scrolling:
            self._follows = value == 0
            self.newer.say(0)

    def _places(self) -> list[tuple[int, int]]:
        """The connections that are to stay where they are, as far as they are there then, and where their rows begin:
        the one under the pointer, then the one that is selected, then all that are seen.
        """
        value, rows = self.verticalScrollBar().value(), self.rows.rows
        seen = range(value // ROW_HEIGHT, min(len(rows), (value + self.viewport().height()) // ROW_HEIGHT + 1))
        first = [row for row in (self._pointed(), self._chosen()) if row in seen]
        return [(rows[row].id, row * ROW_HEIGHT - value) for row in (*first, *seen)]

    def _chosen(self) -> int:
        """The row that was selected last; -1 for none."""
        current = self.selectionModel().currentIndex()
        return current.row() if self.selectionModel().isSelected(current) else -1

    def _selection_is_seen(self) -> bool:
        top, chosen = self.verticalScrollBar().value(), self._chosen() * ROW_HEIGHT
        return chosen >= 0 and top - ROW_HEIGHT < chosen < top + self.viewport().height()

    def _in_hand(self) -> bool:
        """Whether somebody has a hand on it, or had until a moment ago."""
        if self.viewport().underMouse() or QApplication.activePopupWidget() is not None:
            self._touched = self._clock()
        return self._clock() - self._touched < RESTS_AFTER

    def _rests(self) -> bool:
        """Whether nobody has had a hand on it for a while, nor is the order fresh."""
        return not self._in_hand() and self._clock() - self._ordered >= RESTS_AFTER

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.MouseMove, QEvent.Type.Leave, QEvent.Type.Wheel):
            self._touched = self._clock()
        return super().viewportEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._touched = self._clock()
        super().keyPressEvent(event)

    def _pointed(self) -> int:
        """The row under the pointer; -1 for none."""
        viewport = self.viewport()
        return self.rowAt(viewport.mapFromGlobal(QCursor.pos()).y()) if viewport.underMouse() else -1

    # ---- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """All visible rows in one go."""
        begun = time.thread_time()
        self._paint_rows(event)
        self.painting = time.thread_time() - begun

    def _paint_rows(self, event: QPaintEvent) -> None:
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
        chosen, pointed = self.selectionModel(), self._pointed()
        with QPainter(self.viewport()) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for row in range(first, last + 1):
                selected = chosen.isSelected(self.rows.index(row, 0))
                self._painter.paint_row(
                    painter, row * ROW_HEIGHT - scrolled, rows[row], self.rows, places,
                    selected=selected, hovered=row == pointed,
                )  # fmt: skip

    def show_scale(self, scale: TimeScale) -> None:
        """Draw the bars on this scale from now on."""
        if scale != self._painter.scale:
            self._painter.scale = scale
            self.viewport().update()
        self.head.show_scale(scale, self.rows.now)

    def keyboardSearch(self, search: str) -> None:
        """The filter is there for that; this would read every row."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.newer.place()

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
