"""Everything about one connection: whose it is, what is the matter with it, its way, its streams, its events."""

from collections.abc import Callable
from typing import Any, Protocol

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ssgui.engine.stages import Role
from ssgui.gui.connections.detail_body import DetailBody, columns_for
from ssgui.gui.connections.heading import Heading
from ssgui.gui.connections.verdict import VerdictBanner
from ssgui.gui.frame.buttons import icon_button
from ssgui.gui.frame.menus import rounded
from ssgui.gui.texts import tr
from ssgui.protocol.address import split_host_port
from ssgui.rules.acl import Route
from ssgui.rules.address_forms import stays_here
from ssgui.services.connections.records import Connection

HEIGHTS = {3: 286, 2: 300, 1: 320}  # pixels, by the number of columns
_LEAST_HEIGHT, _LEAST_HEADING = 96, 300


class Finding(Protocol):
    """What a diagnosis says of a connection, as far as this panel looks at it."""

    @property
    def severity(self) -> str:
        """info, warn or err."""

    @property
    def action(self) -> str:
        """A key, "" for none."""


Diagnose = Callable[[Connection], Any]  # a Finding, or None
Wording = Callable[[Any], tuple[str, str, str]]  # of a Finding: fact, numbers, what its action is called


class Detail(QWidget):
    """`acted` carries the action of a finding and the id; `ruled` a host and its route from now on; `copied` and
    `closing` the id; `left` when the panel is to be hidden.
    """

    acted = Signal(str, int)
    ruled = Signal(str, Route)
    copied = Signal(int)
    closing = Signal(int)
    left = Signal()

    def __init__(self, finding: Diagnose, wording: Wording, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._finding, self._wording = finding, wording
        self.one: Connection | None = None
        self._offers_curl = False
        self._action = ""
        self.heading, self.banner, self.body = Heading(self), VerdictBanner(self), DetailBody(self)
        self.rule = QPushButton(self)
        self.copy = QPushButton(tr("Copy as curl"), self)
        self.end = QPushButton(tr("Close connection"), self)
        self.more = icon_button("more", tr("More"), self)
        self.close_panel = icon_button("close", tr("Hide details"), self)
        self.menu: QMenu | None = None
        self.setMinimumHeight(_LEAST_HEIGHT)
        self.setAccessibleName(tr("Details"))
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.heading, 1)
        for widget in (self.rule, self.copy, self.end, self.more, self.close_panel):
            top.addWidget(widget)
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.viewport().setAutoFillBackground(False)
        scroll.setWidget(self.body)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 10, 16, 12)
        column.setSpacing(10)
        column.addLayout(top)
        column.addWidget(self.banner)
        column.addWidget(scroll, 1)
        self.banner.hide()

    def _connect(self) -> None:
        self.rule.clicked.connect(self._rule)
        self.copy.clicked.connect(lambda: self._send(self.copied))
        self.end.clicked.connect(lambda: self._send(self.closing))
        self.close_panel.clicked.connect(lambda: self.left.emit())
        self.more.clicked.connect(self.show_more)
        self.banner.pressed.connect(self._act)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self.left.emit)

    # ---- showing

    def show_connection(self, one: Connection, now: float) -> None:
        """Show this one, or how it is doing now."""
        self.one = one
        self.heading.show_connection(one)
        self._show_finding(one)
        self._show_actions()
        self.body.show_connection(one, now)

    def _show_finding(self, one: Connection) -> None:
        found: Finding | None = self._finding(one)
        if found is None:
            self.banner.hide()
            return
        self._action = found.action
        self.banner.say(found.severity, *self._wording(found))
        self.banner.show()

    def offer_curl(self) -> None:
        """Somebody listens to `copied`."""
        self._offers_curl = True
        self._show_actions()

    def route(self) -> Route | None:
        """Which way a rule could send its host from now on, other than it goes."""
        one = self.one
        if one is None or one.role is Role.SERVER or not (host := split_host_port(one.target)[0]):
            return None
        if one.route == "proxy":
            return Route.DIRECT
        return None if stays_here(host) else Route.PROXY

    def _possible(self) -> dict[QPushButton, bool]:
        one = self.one
        if one is None:
            return {}
        known = bool(split_host_port(one.target)[0])
        return {self.rule: self.route() is not None, self.copy: known and self._offers_curl, self.end: one.live}

    def _show_actions(self) -> None:
        """Buttons in a wide window, as long as the heading keeps its room; in a narrow one all but one are a menu."""
        self.rule.setText(tr("Always proxy") if self.route() is Route.PROXY else tr("Always direct"))
        possible = self._possible()
        wanted = sum(button.sizeHint().width() + 8 for button, can in possible.items() if can)
        wide = columns_for(self.window().width()) == 3
        fit = wide and wanted <= self.width() - 32 - _LEAST_HEADING - 2 * 40
        for button, can in possible.items():
            button.setVisible(can and (fit or button is self.end))
        self.more.setVisible(not fit and any(can for button, can in possible.items() if button is not self.end))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.body.set_columns(columns_for(self.window().width()))
        self._show_actions()

    def sizeHint(self) -> QSize:
        return QSize(600, HEIGHTS[columns_for(self.window().width())])

    # ---- doing

    def show_more(self) -> QMenu:
        """The actions that have no room for a button."""
        menu = self.menu = rounded(QMenu(self))
        for button, act in ((self.rule, self._rule), (self.copy, lambda: self._send(self.copied))):
            if self._possible().get(button) and button.isHidden():
                menu.addAction(button.text()).triggered.connect(lambda _=False, act=act: act())
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.more.mapToGlobal(QPoint(0, self.more.height())))
        return menu

    def _rule(self) -> None:
        route = self.route()
        if self.one is not None and route is not None:
            self.ruled.emit(split_host_port(self.one.target)[0], route)

    def _act(self) -> None:
        if self.one is not None:
            self.acted.emit(self._action, self.one.id)

    def _send(self, signal: Any) -> None:
        if self.one is not None:
            signal.emit(self.one.id)
