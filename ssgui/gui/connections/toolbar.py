"""What stands above the table of connections: which are shown, a filter, pause, columns, export, close."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QToolButton, QWidget

from ssgui.gui import icons
from ssgui.gui.connections.filter_field import FilterField
from ssgui.gui.connections.head import Head
from ssgui.gui.connections.model import Scope
from ssgui.gui.frame.buttons import icon_button
from ssgui.gui.frame.menus import rounded
from ssgui.gui.frame.mode_switch import ModeSwitch
from ssgui.gui.texts import tr

SCOPES = {"active": Scope.ACTIVE, "closed": Scope.CLOSED, "all": Scope.ALL}
FORMATS = ("csv", "json", "har")


class Toolbar(QWidget):
    """`close_asked` is for all that are shown, `export_asked` carries one of FORMATS."""

    scope_chosen = Signal(int)
    close_asked = Signal()
    export_asked = Signal(str)
    history_asked = Signal()

    def __init__(self, head: Head, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._head = head
        self.scope, self.filter = ModeSwitch(self), FilterField(self)
        self.pause = icon_button("pause", tr("Pause the picture"), self)
        self.pause.setCheckable(True)
        self.columns = icon_button("columns", tr("Columns"), self)
        self.export = icon_button("export", tr("Export what is shown"), self)
        self.history = icon_button("clock", tr("History"), self)
        self.more = icon_button("more", tr("More"), self)
        self.close_filtered = QPushButton(tr("Close filtered"), self)
        self.can_close = False
        self.offer_export(False)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 12, 16, 8)
        row.setSpacing(8)
        row.addWidget(self.scope)
        row.addWidget(self.filter, 1)
        for widget in (self.pause, self.columns, self.export, self.history, self.more, self.close_filtered):
            row.addWidget(widget)
        self.set_narrow(False)
        self.scope.chosen.connect(lambda key: self.scope_chosen.emit(SCOPES[key]))
        self.columns.clicked.connect(lambda: self._open(self.columns, self._head.columns_menu(self._menu())))
        self.export.clicked.connect(lambda: self._open(self.export, self._export_menu()))
        self.more.clicked.connect(lambda: self._open(self.more, self._more_menu()))
        self.history.clicked.connect(self.history_asked)
        self.close_filtered.clicked.connect(self.close_asked)

    # ---- showing

    def show_counts(self, live: int, ended: int, scope: Scope) -> None:
        """How many there are of each."""
        texts = (tr("Active {count}", count=live), tr("Closed {count}", count=ended), tr("All"))
        self.scope.set_modes([(key, text, "") for key, text in zip(SCOPES, texts, strict=True)])
        self.scope.set_mode(next(key for key, one in SCOPES.items() if one is scope))

    def show_paused(self, paused: bool, newer: int) -> None:
        """Say that the picture stands still, and what it misses."""
        text = tr("Paused · {count} newer", count=newer) if paused else ""
        if self.pause.text() != text:
            style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if paused else Qt.ToolButtonStyle.ToolButtonIconOnly
            self.pause.setText(text)
            self.pause.setToolButtonStyle(style)
            self.pause.setIcon(icons.icon("play" if paused else "pause"))
            hint = tr("Go on") if paused else tr("Pause the picture")
            self.pause.setToolTip(hint)
            self.pause.setAccessibleName(f"{hint} · {text}" if text else hint)

    def offer_close(self, on: bool) -> None:
        """Whether any that is shown could be closed."""
        self.can_close = on
        self.close_filtered.setEnabled(on)

    def offer_export(self, on: bool) -> None:
        """Whether somebody writes files."""
        self.export.setVisible(on)

    def set_narrow(self, narrow: bool) -> None:
        """With little room "Close filtered" is in a menu."""
        self.close_filtered.setVisible(not narrow)
        self.more.setVisible(narrow)

    # ---- menus

    def _menu(self) -> QMenu:
        return rounded(QMenu(self))

    def _export_menu(self) -> QMenu:
        menu = self._menu()
        for form, text in zip(FORMATS, (tr("CSV, for a spreadsheet…"), tr("JSON…"), tr("HAR…")), strict=True):
            menu.addAction(text).triggered.connect(lambda _=False, form=form: self.export_asked.emit(form))
        return menu

    def _more_menu(self) -> QMenu:
        menu = self._menu()
        action = menu.addAction(icons.icon("close"), tr("Close filtered"))
        action.setEnabled(self.can_close)
        action.triggered.connect(self.close_asked)
        return menu

    def _open(self, button: QToolButton, menu: QMenu) -> None:
        """Below its button, within the window."""
        menu.aboutToHide.connect(menu.deleteLater)
        at = button.mapToGlobal(button.rect().bottomRight())
        at.setX(at.x() - menu.sizeHint().width())
        menu.popup(at)
