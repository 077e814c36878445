"""Connections: which are open, in which stage, and how they ended."""

from collections.abc import Callable

from PySide6.QtCore import QItemSelectionModel, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QMenu,
    QPushButton,
    QStackedLayout,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ssgui.gui import icons, theme
from ssgui.gui.connections.delegate import ROW_HEIGHT, ConnectionDelegate
from ssgui.gui.connections.model import Column, ConnectionsModel, Scope
from ssgui.gui.connections.row_menu import row_menu
from ssgui.gui.frame.empty import Empty
from ssgui.gui.frame.mode_switch import ModeSwitch
from ssgui.gui.texts import tr
from ssgui.rules.acl import Route
from ssgui.services.connections import Connection, Connections

_WIDTHS = {
    Column.STAGE: 132, Column.UP_FLAGS: 50, Column.DOWN_FLAGS: 50, Column.TARGET: 300, Column.RULE: 128,
    Column.SERVER: 128, Column.DOWN: 92, Column.UP: 92, Column.AGE: 72,
}  # fmt: skip


_NARROW_BELOW = 1000


class ConnectionsPage(QWidget):
    """`closed` carries the ids of the connections that a person wants closed; `test` asks for a test request.

    `ruled` asks for a rule that sends a host by a route from now on, `explained` why an address goes where it goes.
    """

    closed = Signal(list)
    test = Signal()
    ruled = Signal(str, Route)
    explained = Signal(str)

    def __init__(
        self, connections: Connections, clock: Callable[[], float], parent: QWidget | None = None
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.model = ConnectionsModel(connections, clock, self)
        self._connections = connections
        self.paused = False
        self._newer = 0
        self.scope, self.filter = ModeSwitch(self), QLineEdit(self)
        self.pause = self._icon_button("pause", tr("Pause the picture"))
        self.close_filtered = QPushButton(tr("Close filtered"), self)
        self.table, self._empty = self._make_table(), Empty("connections", self)
        self._lay_out()
        self._connect()
        self._show_scopes()
        self.look()

    # ---- making

    def _icon_button(self, name: str, text: str) -> QToolButton:
        button = QToolButton(self)
        button.setProperty("kind", "icon")
        button.setIcon(icons.icon(name))
        button.setIconSize(QSize(18, 18))
        button.setToolTip(text)
        button.setAccessibleName(text)
        return button

    def _make_table(self) -> QTableView:
        table = QTableView(self)
        table.setModel(self.model)
        table.setItemDelegate(ConnectionDelegate(table))
        table.setAccessibleName(tr("Connections"))
        table.setShowGrid(False)
        table.setMouseTracking(True)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        rows = table.verticalHeader()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(ROW_HEIGHT)
        rows.hide()
        head = table.horizontalHeader()
        head.setFixedHeight(29)
        head.setFont(theme.font(12, theme.MEDIUM))
        head.setHighlightSections(False)
        head.setSectionsClickable(True)
        head.setSectionsMovable(True)
        for column, width in _WIDTHS.items():
            head.resizeSection(column, width)
        head.setSectionResizeMode(Column.TARGET, QHeaderView.ResizeMode.Stretch)
        head.setMinimumSectionSize(40)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        table.customContextMenuRequested.connect(self._ask)
        return table

    def _lay_out(self) -> None:
        self.filter.setPlaceholderText(tr("Filter: host, stage, rule, server, -without"))
        self.filter.setAccessibleName(tr("Filter"))
        self.filter.setClearButtonEnabled(True)
        self.filter.addAction(icons.icon("filter", "text3"), QLineEdit.ActionPosition.LeadingPosition)
        self.pause.setCheckable(True)
        tools = QHBoxLayout()
        tools.setContentsMargins(16, 12, 16, 12)
        tools.setSpacing(8)
        tools.addWidget(self.scope)
        tools.addWidget(self.filter, 1)
        tools.addWidget(self.pause)
        tools.addWidget(self.close_filtered)
        self._body = QStackedLayout()
        self._body.addWidget(self.table)
        self._body.addWidget(self._empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(tools)
        column.addLayout(self._body, 1)

    def _connect(self) -> None:
        self.scope.chosen.connect(self._scope_chosen)
        self.filter.textChanged.connect(self._filtered)
        self.pause.toggled.connect(self._paused)
        self.close_filtered.clicked.connect(lambda: self.closed.emit([one.id for one in self.model.rows if one.live]))
        head = self.table.horizontalHeader()
        head.sectionClicked.connect(self._sort)
        self._order: tuple[int, Qt.SortOrder] | None = None
        for keys, act in (("Del", self._close_selected), ("Space", self.pause.toggle)):
            shortcut = QShortcut(QKeySequence(keys), self.table)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(act)
        find = QShortcut(QKeySequence.StandardKey.Find, self)
        find.activated.connect(self.filter.setFocus)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow window the target keeps its place."""
        self.table.setColumnHidden(Column.SERVER, event.size().width() < _NARROW_BELOW)
        super().resizeEvent(event)

    # ---- looking

    def look(self) -> None:
        """Show what is now. While paused the picture stays, and only says how much it misses."""
        if self.paused:
            newest = max(self._connections.live, default=0)
            shown = max((one.id for one in self.model.rows), default=0)
            self._newer = sum(number > shown for number in self._connections.live) if newest > shown else 0
            self.pause.setToolTip(tr("Paused · {count} newer", count=self._newer))
            return
        self.model.look()
        self.table.viewport().update()
        self._show_scopes()
        self.close_filtered.setEnabled(any(one.live for one in self.model.rows))
        self._show_emptiness()

    def _show_scopes(self) -> None:
        live, ended = len(self._connections.live), len(self._connections.ended)
        texts = (tr("Active {count}", count=live), tr("Closed {count}", count=ended), tr("All"))
        if texts != getattr(self, "_scopes", None):
            self._scopes = texts
            keys = ("active", "closed", "all")
            self.scope.set_modes([(key, text, "") for key, text in zip(keys, texts, strict=True)])
            self.scope.set_mode(keys[self.model.scope])

    def _show_emptiness(self) -> None:
        if self.model.rows:
            self._body.setCurrentWidget(self.table)
            return
        if self.model.hidden:
            fact = tr("Nothing matches this filter.")
            hidden = tr("{count} are hidden.", count=self.model.hidden)
            self._empty.say(fact, hidden, tr("Clear filter"), self.filter.clear)
        else:
            sentence = tr("Open any website that goes through the proxy.")
            self._empty.say(tr("No connections yet."), sentence, tr("Send a test request"), self.test.emit)
        self._body.setCurrentWidget(self._empty)

    # ---- doing

    def selected(self) -> list[Connection]:
        """The records of the selected rows."""
        rows = self.table.selectionModel().selectedRows()
        return [self.model.rows[index.row()] for index in rows]

    def _ask(self, at: QPoint) -> None:
        index = self.table.indexAt(at)
        index = index if index.isValid() else self.table.currentIndex()
        if index.isValid() and index.row() < len(self.model.rows):
            self.row_menu(self.model.rows[index.row()], self.table.viewport().mapToGlobal(at))

    def row_menu(self, one: Connection, at: QPoint) -> QMenu:
        """Where it goes from now on, why it goes there now, and its end."""
        menu = row_menu(self, one, self.ruled.emit, self.explained.emit, lambda: self.closed.emit([one.id]))
        menu.popup(at)
        return menu

    def _close_selected(self) -> None:
        if ids := [one.id for one in self.selected() if one.live]:
            self.closed.emit(ids)

    def _scope_chosen(self, key: str) -> None:
        self.model.set_scope({"active": Scope.ACTIVE, "closed": Scope.CLOSED, "all": Scope.ALL}[key])
        self._show_emptiness()

    def _filtered(self, text: str) -> None:
        self.model.set_filter(text)
        self._show_emptiness()

    def _paused(self, paused: bool) -> None:
        self.paused = paused
        self.pause.setIcon(icons.icon("play" if paused else "pause"))
        text = tr("Go on") if paused else tr("Pause the picture")
        self.pause.setToolTip(text)
        self.pause.setAccessibleName(text)
        self.look()

    def _sort(self, column: int) -> None:
        """First click ascending, second descending, third back to the newest on top."""
        head = self.table.horizontalHeader()
        ascending, descending = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder
        if self._order == (column, ascending):
            self._order = (column, descending)
        elif self._order == (column, descending):
            self._order = None
        else:
            self._order = (column, ascending)
        head.setSortIndicatorShown(self._order is not None)
        if self._order is None:
            self.model.sort(-1)
        else:
            head.setSortIndicator(*self._order)
            self.model.sort(*self._order)

    def select(self, number: int) -> None:
        """Select the row of the connection with this id."""
        for row, one in enumerate(self.model.rows):
            if one.id == number:
                flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
                self.table.selectionModel().setCurrentIndex(self.model.index(row, 0), flags)
                return
