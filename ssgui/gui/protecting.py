"""The switch for sealed passwords, and the banner for when their key is not to be had."""

from PySide6.QtCore import QObject

from ssgui.app.context import AppContext
from ssgui.app.protection import Protection
from ssgui.gui.frame.notices import Notice
from ssgui.gui.settings.page import SettingsPage
from ssgui.gui.texts import tr
from ssgui.gui.window import MainWindow
from ssgui.system.keyring_key import Trouble

_NOTICE = "keyring"


class Protecting(QObject):
    """Between the page of settings and the keyring."""

    def __init__(self, context: AppContext, window: MainWindow, settings: SettingsPage) -> None:
        super().__init__(window)
        self._context, self._window, self._settings = context, window, settings
        self.protection = Protection(context, self._show)
        settings.keyring.connect(self.protection.turn)

    def _show(self) -> None:
        banners, trouble, on = self._window.banners, self.protection.trouble, self._context.config.settings.keyring
        self._settings.refresh()  # the switch goes back where it was
        if trouble is None:
            banners.withdraw(_NOTICE)
            return
        fact = tr("The system's keyring has not given the key.") if on else tr("The passwords are not protected.")
        details = {
            Trouble.NO_KEYRING: tr("No keyring runs here. GNOME Keyring or KWallet would be one."),
            Trouble.REFUSED: tr("It is locked, or did not want to."),
            Trouble.LOST: tr("It does not have the key of these passwords any more. Type them again."),
        }
        detail = details[trouble]
        if on and trouble is not Trouble.LOST:
            detail = f"{detail} {tr('Passwords typed now are not kept.')}"
        again = self.protection.begin if on else None
        label = tr("Try again") if again is not None and trouble is not Trouble.LOST else ""
        self._window.banners.show_notice(Notice(_NOTICE, "warn", fact, detail, label, again))
