"""Connections: which are open, in which stage, and how they ended."""

import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QApplication, QMenu, QStackedLayout, QVBoxLayout, QWidget

from ssgui.gui.connections.column_state import read_state, write_state
from ssgui.gui.connections.inspector import Inspector
from ssgui.gui.connections.model import ConnectionsModel, Scope
from ssgui.gui.connections.picture import Picture
from ssgui.gui.connections.row_menu import RowDeeds, row_menu, same_host
from ssgui.gui.connections.table import ConnectionsTable
from ssgui.gui.connections.toolbar import Toolbar
from ssgui.gui.frame.empty import Empty
from ssgui.gui.frame.painting import harmless
from ssgui.gui.texts import tr
from ssgui.gui.window import NARROW_BELOW
from ssgui.rules.acl import Route
from ssgui.services.connections.filtering import Filter, FilterError
from ssgui.services.connections.records import Connection, Connections


class ConnectionsPage(QWidget):
    """What the parts of the page are to each other; what is asked of others leaves by signals.

    `closed` carries the ids of the connections that a person wants closed; `test` asks for a test request. `ruled`
    asks for a rule that sends a host by a route from now on, `explained` why an address goes where it goes. `exporting`
    carries a format and the rows as they are now, `curl` a connection to be copied as a command, `acted` the action of
    a finding and the connection's id.
    """

    closed = Signal(list)
    test = Signal()
    ruled = Signal(str, Route)
    explained = Signal(str)
    exporting = Signal(str, list)
    curl = Signal(Connection)
    acted = Signal(str, int)

    def __init__(
        self, connections: Connections, clock: Callable[[], float], parent: QWidget | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._connections = connections
        self.model = ConnectionsModel(connections, clock, self, wall)
        self.table, self._empty = ConnectionsTable(self.model, clock, self), Empty("connections", self)
        self.toolbar = Toolbar(self.table.head, self)
        self.scope, self.filter, self.pause = self.toolbar.scope, self.toolbar.filter, self.toolbar.pause
        self.close_filtered = self.toolbar.close_filtered
        self.offers_files = False
        self.picture = Picture(connections, self.table, self)
        self.model.aim = self.picture.window
        upper = QWidget(self)
        self._body = QStackedLayout(upper)
        self.inspector = Inspector(connections, self.table, upper, self)
        self._lay_out()
        self._connect()
        self.look()

    def _lay_out(self) -> None:
        self._body.addWidget(self.table)
        self._body.addWidget(self._empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (self.toolbar, self.picture.health, self.picture.strip):
            column.addWidget(widget)
        column.addWidget(self.inspector, 1)

    def _connect(self) -> None:
        self.toolbar.scope_chosen.connect(self._scope_chosen)
        self.filter.filtered.connect(self._filtered)
        self.filter.left.connect(self.table.setFocus)
        self.model.refused.connect(self._refused)
        self.pause.toggled.connect(self._paused)
        self.toolbar.close_asked.connect(lambda: self._close(self.model.rows))
        self.toolbar.export_asked.connect(self._export)
        self.table.customContextMenuRequested.connect(self._ask)
        self.table.close_asked.connect(lambda: self._close(self.selected()))
        self.table.pause_asked.connect(self.pause.toggle)
        self.table.copy_asked.connect(lambda: _copy(self.selected()))
        self.table.curl_asked.connect(self._curl_selected)
        self.filter.textChanged.connect(self.picture.health.show_filter)
        self.picture.health.asked.connect(self._ask_for)
        self.picture.windowed.connect(self._windowed)
        detail = self.inspector.detail
        detail.ruled.connect(self.ruled)
        detail.acted.connect(self.acted)
        detail.closing.connect(lambda number: self.closed.emit([number]))
        detail.copied.connect(self._curl_shown)
        find = QShortcut(QKeySequence.StandardKey.Find, self)
        find.activated.connect(self._find)

    def panes(self) -> list[QWidget]:
        """What F6 goes to, one after the other."""
        shown = self.table if self.model.rows else self._empty
        return [self.toolbar, shown, *([self.inspector.detail] if self.inspector.is_open else [])]

    def resizeEvent(self, event: QResizeEvent) -> None:
        narrow = self.window().width() < NARROW_BELOW
        self.table.head.set_narrow(narrow)
        self.toolbar.set_narrow(narrow)
        super().resizeEvent(event)

    # ---- what is kept from one start to the next

    def restore(self, state: object) -> None:
        """Put the columns as a person left them."""
        found = read_state(state)
        self.table.head.restore(found)
        self.table.set_order(found.sort)

    def state(self, before: object) -> dict[str, Any]:
        """What to keep; what of `before` is others' stays."""
        return write_state(self.table.head.state_of_columns, before)

    # ---- looking

    @property
    def paused(self) -> bool:
        """Whether the picture stands still."""
        return self.pause.isChecked()

    def look(self) -> None:
        """Show what is now. While paused the picture stays, and only says how much it misses."""
        if self.paused:
            self.toolbar.show_paused(True, self.model.newer())
            return
        self.table.look()
        self.picture.look()
        self.inspector.look()
        self._show_around()

    def set_window(self, start: float | None, end: float | None) -> None:
        """Show only what lived in this part of time (monotonic seconds, None for without end)."""
        self.model.set_window(start, end)
        self._show_around()

    def _show_around(self) -> None:
        """The counts, and what stands in place of an empty table."""
        self.toolbar.show_counts(*self.model.counts(), self.model.scope)
        self.toolbar.offer_close(any(one.live for one in self.model.rows))
        self.picture.show_some(any(self.model.counts()))
        if self.model.rows:
            self._body.setCurrentWidget(self.table)
            return
        if self.model.hidden:
            fact = tr("Nothing matches this filter.")
            hidden = tr("{count} are hidden.", count=self.model.hidden)
            self._empty.say(fact, hidden, tr("Clear filter"), self._clear)
        else:
            sentence = tr("Open any website that goes through the proxy.")
            self._empty.say(tr("No connections yet."), sentence, tr("Send a test request"), self.test.emit)
        self._body.setCurrentWidget(self._empty)

    def _clear(self) -> None:
        self.filter.clear()
        self.picture.clear()

    def _windowed(self) -> None:
        self.set_window(*self.picture.window(self.model.now))

    def _ask_for(self, text: str) -> None:
        """A part of the line of health was pressed: show what it counts, or again all."""
        if self.filter.text().strip() == text:
            self.filter.clear()
            return
        hiding = Scope.ACTIVE if text.startswith("reason:") else Scope.CLOSED
        if self.model.scope is hiding:
            self.model.set_scope(Scope.ALL)
        self.filter.setText(text)

    # ---- doing

    def selected(self) -> list[Connection]:
        """The records of the selected rows, from the top."""
        return self.table.selected()

    def select(self, number: int) -> None:
        """Select the row of the connection with this id."""
        self.table.select(number)

    def _ask(self, at: QPoint) -> None:
        index = self.table.indexAt(at)
        index = index if index.isValid() else self.table.currentIndex()
        if index.isValid() and index.row() < len(self.model.rows):
            self.row_menu(self.model.rows[index.row()], self.table.viewport().mapToGlobal(at))

    def row_menu(self, one: Connection, at: QPoint) -> QMenu:
        """Where it goes from now on, why it goes there now, and its end."""
        deeds = RowDeeds(
            rule=self.ruled.emit,
            explain=self.explained.emit,
            close=lambda: self._close([one]),
            reset_host=lambda: self._close(same_host(one, self._connections.live.values())),
            copy=lambda: _copy([one]),
            curl=(lambda: self.curl.emit(one)) if self.offers_files else None,
        )
        menu = row_menu(self, one, deeds)
        menu.popup(at)
        return menu

    def offer_files(self) -> None:
        """Somebody listens to `exporting` and `curl`."""
        self.offers_files = True
        self.inspector.detail.offer_curl()
        self.toolbar.offer_export(True)

    def _close(self, these: list[Connection]) -> None:
        if ids := [one.id for one in these if one.live]:
            self.closed.emit(ids)

    def _export(self, form: str) -> None:
        self.exporting.emit(form, [one.still() for one in self.model.rows])

    def _curl_selected(self) -> None:
        if self.offers_files and (chosen := self.selected()):
            self.curl.emit(chosen[0])

    def _curl_shown(self) -> None:
        if self.offers_files and (one := self.inspector.detail.one) is not None:
            self.curl.emit(one)

    def _find(self) -> None:
        self.filter.setFocus()
        self.filter.selectAll()

    def _scope_chosen(self, scope: int) -> None:
        self.model.set_scope(Scope(scope))
        self.table.show_choice()
        self._show_around()

    def _filtered(self, wanted: Filter) -> None:
        self.model.set_filter(wanted)
        self.table.show_choice()
        self._show_around()

    def _refused(self, error: FilterError) -> None:
        self.filter.refuse(error)

    def _paused(self, paused: bool) -> None:
        self.model.pause(paused)
        self.toolbar.show_paused(paused, 0)
        self.look()


def _copy(these: list[Connection]) -> None:
    """Names come from strangers: what is pasted into a terminal must be one line each."""
    if targets := [harmless(one.target) for one in these if one.target]:
        QApplication.clipboard().setText("\n".join(targets))
