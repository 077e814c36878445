"""The tray: its icon, its clicks, and what the window's closing means with and without it.

Left click brings the window or hides it, middle click opens the logs, as in other Shadowsocks clients; where the
desktop opens the menu on a left click (macOS, GNOME) that is its affair. A desktop may have no tray, get one
later, or lose it: the window never hides while nothing could bring it back.
"""

import sys
import time

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from ssgui.gui.frame.notices import Notice
from ssgui.gui.frame.painting import harmless
from ssgui.gui.presenter import Presenter
from ssgui.gui.texts import tr
from ssgui.gui.tray_icons import panel_color, shape_of, tray_icon
from ssgui.gui.tray_menu import TrayMenu
from ssgui.system.panel import panel_is_dark

WATCH_MS = 30_000  # asking costs milliseconds: the bus says it at once
_AGAIN_MS = (0, 500, 2000, 5000)  # a panel takes its name first, and icons when it is drawn
_WAS_ACTIVE_SECONDS = 0.5  # a click on the panel takes the focus from the window first
_LINUX = sys.platform not in ("win32", "darwin")
_TOLD = "told_about_tray"
_Reason = QSystemTrayIcon.ActivationReason


class Tray(QObject):
    """`icon` is None while the desktop has no tray."""

    def __init__(self, presenter: Presenter) -> None:
        super().__init__(presenter)
        self._presenter, self._window = presenter, presenter.window
        self.menu = TrayMenu(presenter)
        self.icon: QSystemTrayIcon | None = None
        self.shown = 0.0
        self.wanted_hidden = False  # the app was to start without a window, and there was no tray yet
        self._look: tuple[object, ...] = ()
        self._left_at = self._toggled_at = 0.0
        self._notified: set[str] = set()  # keys of notices, since the window was last seen
        self._window.installEventFilter(self)
        self._window.banners.said.connect(self.notify)
        presenter.looked.connect(self.look)
        presenter.hide_or_leave = self.hide_window
        QGuiApplication.styleHints().colorSchemeChanged.connect(self.look)
        self._watch = QTimer(self)
        self._watch.timeout.connect(self.find)
        self._watch.start(WATCH_MS)
        self._bus = _watch_bus(self) if _LINUX else None
        self.find()

    def panel_moved(self, *_: object) -> None:
        """The name of the desktop's panel got or lost its owner."""
        for milliseconds in _AGAIN_MS:
            QTimer.singleShot(milliseconds, self, self.find)

    def find(self) -> None:
        """Follow the desktop: a panel may start after the app, or end before it."""
        there = QSystemTrayIcon.isSystemTrayAvailable()
        if there and self.icon is None:
            self._appear()
        elif not there and self.icon is not None:
            self._vanish()

    def _appear(self) -> None:
        self.icon = QSystemTrayIcon(self)
        self.icon.setContextMenu(self.menu)
        self.icon.activated.connect(self.clicked)
        self.icon.messageClicked.connect(self._presenter.show_window)
        self._look = ()
        self.look()
        self.icon.show()
        self.menu.by_bus = _LINUX and not self.icon.geometry().isValid()
        self.menu.refresh()
        self.shown = time.monotonic()
        if self.wanted_hidden and self._window.isMinimized():
            self._window.hide()
        self.wanted_hidden = False

    def _vanish(self) -> None:
        assert self.icon is not None
        self.icon.hide()
        self.icon.deleteLater()
        self.icon = None
        if not self._window.isVisible():
            self._presenter.show_window()

    def end(self) -> None:
        """Leave the panel."""
        self._watch.stop()
        if self._bus is not None:
            self._bus.deleteLater()
        self._presenter.looked.disconnect(self.look)
        QGuiApplication.styleHints().colorSchemeChanged.disconnect(self.look)
        self._window.removeEventFilter(self)
        self._window.banners.said.disconnect(self.notify)
        if self.icon is not None:
            self.icon.hide()
        self.menu.deleteLater()

    # ---- showing

    def look(self, *_: object) -> None:
        """Show what has changed."""
        if self.icon is None:
            return
        self.menu.refresh()
        context = self._presenter.context
        shape, opacity = shape_of(context.config.settings.mode, context.verdict().kind)
        dark = panel_is_dark(QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark)
        look = (shape, opacity, dark)
        if look != self._look:
            self._look = look
            self.icon.setIcon(_icon(shape, opacity, dark))
        tip = f"ssgui · {harmless(self.menu.line)}"
        if tip != self.icon.toolTip():
            self.icon.setToolTip(tip)

    def notify(self, notice: Notice) -> None:
        """Have the desktop show what goes wrong while the window is hidden, once until it is seen; a click opens it."""
        seen = self._window.isVisible() and not self._window.isMinimized()
        if self.icon is None or seen or notice.quiet or notice.kind == "info" or notice.key in self._notified:
            return
        if QSystemTrayIcon.supportsMessages():
            self._notified.add(notice.key)
            self.icon.showMessage(_no_markup(notice.fact), _no_markup(notice.detail), self.icon.icon())

    # ---- clicks

    def clicked(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        """What the person did with the icon. Two of a double click are one."""
        if reason is _Reason.MiddleClick:
            self._presenter.show_page("logs")
        elif reason is _Reason.Trigger and sys.platform != "darwin":
            now = time.monotonic()
            if now - self._toggled_at > QApplication.doubleClickInterval() / 1000:
                self._toggled_at = now
                self.toggle()

    def toggle(self) -> None:
        """Hide the window if it is in front, else bring it there."""
        window = self._window
        front = window.isActiveWindow() or time.monotonic() - self._left_at < _WAS_ACTIVE_SECONDS
        if window.isVisible() and not window.isMinimized() and front:
            window.hide()
        else:
            self._presenter.show_window()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowDeactivate:
            self._left_at = time.monotonic()
        elif event.type() == QEvent.Type.Show:
            self._notified.clear()
        return False

    def hide_window(self) -> None:
        """Close the window into the tray, saying so the first time; without a tray closing leaves the app."""
        if self.icon is None:
            self._presenter.leave()
            return
        self._window.hide()
        context = self._presenter.context
        if not context.config.settings.window.get(_TOLD) and QSystemTrayIcon.supportsMessages():
            self.icon.showMessage(
                tr("ssgui is still running"), tr("Its icon is in the panel. Quit from the icon's menu."),
                self.icon.icon(),
            )  # fmt: skip
            context.change_settings(window={**context.config.settings.window, _TOLD: True})


def _watch_bus(tray: Tray) -> QObject | None:
    from PySide6.QtDBus import QDBusConnection, QDBusServiceWatcher

    bus = QDBusConnection.sessionBus()
    if not bus.isConnected():
        return None
    watcher = QDBusServiceWatcher(
        "org.kde.StatusNotifierWatcher", bus, QDBusServiceWatcher.WatchModeFlag.WatchForOwnerChange, tray
    )
    watcher.serviceOwnerChanged.connect(tray.panel_moved)
    return watcher


def _no_markup(text: str) -> str:
    """Desktops may read bodies as markup, and Qt hands them on as they are: here nothing can begin any."""
    return text.translate({ord("<"): "‹", ord("&"): "＆"})  # noqa: RUF001


def _icon(shape: str, opacity: float, dark: bool) -> QIcon:
    """From the desktop's theme if we are installed there (it colours symbolic icons itself), else drawn here."""
    name = f"ssgui-{shape}-symbolic"
    if opacity == 1.0 and _LINUX and QIcon.hasThemeIcon(name):
        return QIcon.fromTheme(name)
    return tray_icon(shape, panel_color(dark=dark), opacity)
