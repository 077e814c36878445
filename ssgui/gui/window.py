"""The main window: sidebar, header, banners, and one page at a time."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol, runtime_checkable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from ssgui.gui.frame.header import Header
from ssgui.gui.frame.notices import Banners, Toast
from ssgui.gui.frame.sidebar import Sidebar
from ssgui.gui.texts import tr

SMALLEST = QSize(900, 600)
USUAL = QSize(1280, 800)
NARROW_BELOW = 1100


@runtime_checkable
class Panes(Protocol):
    """A page of several panes."""

    def panes(self) -> list[QWidget]:
        """What F6 goes to, one after the other."""


class MainWindow(QWidget):
    """The frame. `closing` is emitted instead of closing: who owns the window decides what that means.

    `opened` carries the key of the page that somebody asked for, also of the one that is open.
    """

    closing = Signal()
    opened = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("ssgui")
        self.setMinimumSize(SMALLEST)
        self.resize(USUAL)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._pages: dict[str, QWidget] = {}
        self.sidebar = Sidebar(
            [
                ("servers", "server", tr("Servers")),
                ("connections", "connections", tr("Connections")),
                ("rules", "rules", tr("Rules")),
                ("logs", "logs", tr("Logs")),
                ("settings", "settings", tr("Settings")),
            ],
            self,
        )
        self.header, self.banners, self.stack = Header(self), Banners(self), QStackedWidget(self)
        content = QWidget(self)
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (self.header, self.banners):
            column.addWidget(widget)
        column.addWidget(self.stack, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.sidebar)
        row.addWidget(content, 1)
        self.toast = Toast(content)
        self.sidebar.chosen.connect(self.open_page)
        self._add_keys()

    def add_page(self, key: str, page: QWidget) -> None:
        """Add the page of a sidebar's item."""
        self._pages[key] = page
        self.stack.addWidget(page)

    @property
    def pages(self) -> Mapping[str, QWidget]:
        """The pages by their keys."""
        return self._pages

    def has_page(self, key: str) -> bool:
        """Whether there is such a page."""
        return key in self._pages

    def open_page(self, key: str) -> None:
        """Show a page."""
        self.stack.setCurrentWidget(self._pages[key])
        self.sidebar.show_page(key)
        self.opened.emit(key)

    def current_page(self) -> str:
        """The key of the page that is open."""
        return next((key for key, page in self._pages.items() if page is self.stack.currentWidget()), "")

    def _add_keys(self) -> None:
        for number, key in enumerate(("servers", "connections", "rules", "logs"), 1):
            self._key(f"Ctrl+{number}", partial(self.open_page, key))
        self._key("Ctrl+,", lambda: self.open_page("settings"))
        self._key("Ctrl+W", self.close)
        self._key("F6", lambda: self._next_pane(1))
        self._key("Shift+F6", lambda: self._next_pane(-1))

    def _key(self, keys: str, act: Callable[[], object]) -> None:
        shortcut = QShortcut(QKeySequence(keys), self)
        shortcut.activated.connect(act)

    def _next_pane(self, step: int) -> None:
        """From sidebar to header to page, or the panes of that, and round."""
        page: QWidget | None = self.stack.currentWidget()
        parts = page.panes() if isinstance(page, Panes) else [page]
        panes = [pane for pane in (self.sidebar, self.header, *parts) if pane is not None]
        focused: QWidget | None = self.focusWidget()
        inside = [focused is not None and (pane is focused or pane.isAncestorOf(focused)) for pane in panes]
        here = inside.index(True) if True in inside else 0
        for offset in range(1, len(panes) + 1):
            pane = panes[(here + step * offset) % len(panes)]
            target = _first_focusable(pane)
            if target is not None:
                target.setFocus(Qt.FocusReason.TabFocusReason)
                return

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.sidebar.set_narrow(self.width() < NARROW_BELOW)
        super().resizeEvent(event)
        self.toast.place()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.focusWidget() is None:
            self.setFocus()  # not whatever comes first in the order of tabs

    def closeEvent(self, event: QCloseEvent) -> None:
        event.ignore()
        self.closing.emit()


def _first_focusable(pane: QWidget) -> QWidget | None:
    for child in (pane, *pane.findChildren(QWidget)):
        if child.focusPolicy() & Qt.FocusPolicy.TabFocus and child.isVisible() and child.isEnabled():
            return child
    return None
