"""The mode: the switch in the header and its keys, and what is to be said about the system's proxy."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QPoint
from PySide6.QtGui import QCursor, QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QMenu

from ssgui.app.context import AppContext
from ssgui.app.proxy_commands import SHELLS, proxy_command
from ssgui.config.app_config import Mode
from ssgui.gui.frame.menus import rounded
from ssgui.gui.frame.notices import Notice
from ssgui.gui.frame.painting import harmless
from ssgui.gui.texts import tr
from ssgui.gui.window import MainWindow

_MOST_LETTERS = 160


class Modes(QObject):
    """Follows the context; `choose` is what a person does, wherever."""

    def __init__(self, context: AppContext, window: MainWindow) -> None:
        super().__init__(window)
        self._context, self._window, self._proxy = context, window, context.system_proxy
        self._said: dict[str, tuple[str, str]] = {}
        switch = window.header.modes
        switch.set_modes([(mode, *_words(mode)) for mode in Mode])
        switch.chosen.connect(lambda key: self.choose(Mode(key)))
        for number, mode in enumerate(Mode, 1):
            shortcut = QShortcut(QKeySequence(f"Ctrl+Shift+{number}"), window)
            shortcut.activated.connect(partial(self.choose, mode))
        self._proxy.changed.append(self.refresh)

    def choose(self, mode: Mode) -> None:
        """A person wants `mode`."""
        if mode in self.available():
            self._context.choose_mode(mode)

    def available(self) -> set[Mode]:
        """What can be chosen: nothing goes anywhere without a server."""
        return set(Mode) if self._context.config.servers else {Mode.OFF}

    def refresh(self) -> None:
        """Show what holds, and say what must be said."""
        config, switch = self._context.config, self._window.header.modes
        switch.set_mode(config.settings.mode)
        switch.set_available({str(mode) for mode in self.available()})
        for key, notice in self._notices().items():
            self._show(key, notice)

    def end(self) -> None:
        """Show nothing more."""
        self._proxy.changed.remove(self.refresh)

    def _show(self, key: str, notice: Notice | None) -> None:
        """Once: what a person has closed stays closed until there is something else to say."""
        said = (notice.fact, notice.detail) if notice is not None else ("", "")
        if said == self._said.get(key, ("", "")):
            return
        self._said[key] = said
        if notice is None:
            self._window.banners.withdraw(key)
        else:
            self._window.banners.show_notice(notice)

    def _notices(self) -> dict[str, Notice | None]:
        return {
            "proxy-failed": self._failure(),
            "proxy-others": self._others(),
            "proxy-dead": self._dead(),
            "proxy-none": self._none(),
        }

    def _failure(self) -> Notice | None:
        if not self._proxy.error:
            return None
        detail = harmless(self._proxy.error)[:_MOST_LETTERS]
        again: Callable[[], None] = partial(self.choose, self._proxy.failed_mode)
        fact = tr("The system proxy could not be set.")
        if self._proxy.restoring_failed:
            fact = tr("The system proxy could not be put back.")
            again = self._proxy.start if self._proxy.held is None else partial(self.choose, Mode.OFF)
        return Notice("proxy-failed", "err", fact, detail, tr("Try again"), again)

    def _others(self) -> Notice | None:
        place = self._proxy.others
        if place is None:
            return None
        detail = tr("Now {place}.", place=harmless(place)[:_MOST_LETTERS]) if place else tr("Now it is off.")
        fact = tr("System proxy changed by another program.")
        return Notice("proxy-others", "warn", fact, detail, tr("Take back"), self._proxy.take_back)

    def _dead(self) -> Notice | None:
        if not self._proxy.dead:
            return None
        fact = tr("The system proxy of before is off.")
        ports = ", ".join(map(str, self._proxy.dead))
        return Notice("proxy-dead", "info", fact, tr("It led to port {port} here, where nobody listens.", port=ports))

    def _none(self) -> Notice | None:
        settings = self._context.config.settings
        touched = settings.mode is not Mode.OFF and not settings.leave_system_proxy and self._context.run is None
        if self._proxy.backend is not None or not touched or not self._context.config.servers:
            return None
        fact, detail = tr("This desktop has no system proxy."), tr("A command tells the programs of a terminal.")
        return Notice("proxy-none", "info", fact, detail, tr("Copy proxy command"), self._offer_commands)

    def _offer_commands(self) -> None:
        menu = rounded(QMenu(self._window))
        fill_with_commands(menu, self._context)
        menu.aboutToHide.connect(menu.deleteLater)
        button = QApplication.focusWidget()
        menu.popup(button.mapToGlobal(QPoint(0, button.height())) if button is not None else QCursor.pos())


def fill_with_commands(menu: QMenu, context: AppContext) -> None:
    """One item for each shell."""
    for shell, name in SHELLS.items():
        menu.addAction(name).triggered.connect(partial(_copy, context, shell))


def copy_command(context: AppContext, shell: str) -> None:
    """Put what tells a `shell` of the proxy on the clipboard."""
    settings = context.config.settings
    login = (settings.user, settings.user_password.reveal()) if settings.user and settings.user_password else ()
    QGuiApplication.clipboard().setText(proxy_command(shell, context.address, *login))


def _copy(context: AppContext, shell: str, _checked: bool = False) -> None:
    copy_command(context, shell)


def _words(mode: Mode) -> tuple[str, str]:
    """What a mode is called, and what it does."""
    return {
        Mode.OFF: (tr("Off"), tr("Nothing is sent to the proxy by itself")),
        Mode.PAC: (tr("PAC"), tr("Browsers ask the rules; other programs go direct")),
        Mode.RULES: (tr("Rules"), tr("All programs; each request follows the rules")),
        Mode.GLOBAL: (tr("Global"), tr("Everything through the server")),
    }[mode]
