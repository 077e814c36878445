"""The switches for what ssgui is in this system: in the settings and in the tray, only where the system has it."""

from PySide6.QtCore import QObject

from ssgui.app.integration import Integration
from ssgui.gui.frame.notices import Notice
from ssgui.gui.frame.painting import harmless
from ssgui.gui.reasons import reason
from ssgui.gui.settings.page import SettingsPage
from ssgui.gui.texts import tr
from ssgui.gui.window import MainWindow
from ssgui.system.integration.setting import Feature, Settings

_MOST_LETTERS = 200


class Integrating(QObject):
    """Between the page of settings, the tray and the system."""

    def __init__(self, settings: Settings, window: MainWindow, page: SettingsPage) -> None:
        super().__init__(window)
        self.integration = Integration(settings)
        self._window, self._page = window, page
        self._said: dict[Feature, str] = {}
        self._listening = False
        self.integration.changed.append(self._show)
        page.integrating.connect(lambda key, on: self.turn(Feature(key), on))
        self._show()

    def begin(self) -> None:
        """Ask the system how things are, now and whenever the page is looked at."""
        if self.integration.settings:
            self._listening = True
            self._page.shown.connect(self.integration.look)
            self.integration.look()

    def end(self) -> None:
        """Ask no more."""
        if self._listening:
            self._listening = False
            self._page.shown.disconnect(self.integration.look)

    def has(self, feature: Feature) -> bool:
        """Whether this system has it."""
        return feature in self.integration.settings

    def is_on(self, feature: Feature) -> bool:
        """As far as it is known."""
        return self.integration.on.get(feature, False)

    def turn(self, feature: Feature, on: bool) -> None:
        """A person wants it so."""
        self.integration.turn(feature, on)

    def _show(self) -> None:
        for feature in Feature:
            self._page.show_integration(feature, there=self.has(feature), on=self.is_on(feature))
            self._say(feature, self.integration.errors.get(feature, ""))

    def _say(self, feature: Feature, error: str) -> None:
        """Once for each: what a person has closed stays closed."""
        if error == self._said.get(feature, ""):
            return
        self._said[feature] = error
        key = f"integration {feature}"
        if not error:
            self._window.banners.withdraw(key)
            return
        facts = {
            Feature.LOGIN: tr("Start at login could not be changed."),
            Feature.LINKS: tr("Who opens ss:// links could not be changed."),
            Feature.STORE_APPS: tr("What store apps may do could not be changed."),
        }
        detail = harmless(reason(error))[:_MOST_LETTERS]
        self._window.banners.show_notice(Notice(key, "warn", facts[feature], detail))
