"""The page of rules beside the rest of the window: kept up to date, counted, asked from other pages."""

from contextlib import suppress

from PySide6.QtCore import QObject, QTimer

from ssgui.app.context import AppContext
from ssgui.app.rule_updates import RuleUpdates
from ssgui.engine.tasks import spawn
from ssgui.gui.frame.notices import Notice
from ssgui.gui.reasons import reason
from ssgui.gui.rules.page import RulesPage
from ssgui.gui.rules.watching import FileWatch
from ssgui.gui.texts import tr
from ssgui.gui.window import MainWindow
from ssgui.services.rules.own_file import RulesError

_LOOK_MS = 60_000


class RuleWays(QObject):
    """Makes the page, updates lists now and then, and says what cannot be served."""

    def __init__(self, context: AppContext, window: MainWindow) -> None:
        super().__init__(window)
        self._context, self._window = context, window
        self.updates = RuleUpdates(context)
        self.page = RulesPage(context, self.updates, window.toast)
        self._said = self._said_of_file = ""
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._watch = FileWatch(context.rules.folder.user_path, self)
        self._watch.changed.connect(lambda: spawn(self._read_again(), name="read the rules again"))
        context.rules.changed.append(self._show)

    def begin(self) -> None:
        """The proxy is there: update what is due, now and then."""
        if self._context.run is None:
            self.updates.update_due()
            self._timer.start(_LOOK_MS)

    def end(self) -> None:
        """No more of it."""
        self._timer.stop()
        self._watch.blockSignals(True)
        self.updates.stop()
        self.page.end()
        self._context.rules.changed.remove(self._show)

    async def _read_again(self) -> None:
        with suppress(RulesError):  # it is shown
            await self._context.rules.read_again()

    def _look(self) -> None:
        self._watch.look()
        self.updates.update_due()
        spawn(self._context.rules.save_counts(), name="keep the hits of rules")

    def refresh(self) -> None:
        """The configuration changed."""
        self._watch.look()  # its first save makes the directory
        self.page.refresh()
        self._show()

    def _show(self) -> None:
        self._window.sidebar.show_count("rules", self._context.rules.count)
        self._show_file()
        error = self._context.rules.made.pac_error
        if error == self._said:
            return
        self._said = error
        if not error:
            self._window.banners.withdraw("pac")
            return
        fact = tr("Browsers do not get the new rules.")
        show = lambda: self._window.open_page("rules")  # noqa: E731
        self._window.banners.show_notice(Notice("pac", "warn", fact, reason(error), tr("Show the lists"), show))

    def _show_file(self) -> None:
        error = self._context.rules.own.error
        if error == self._said_of_file:
            return
        self._said_of_file = error
        if not error:
            self._window.banners.withdraw("own-rules")
            return
        fact = tr("Your own rules cannot be read.")
        self._window.banners.show_notice(Notice("own-rules", "err", fact, reason(error)))

    # ---- asked from elsewhere

    def explain(self, url: str) -> None:
        """Say where `url` goes."""
        self._window.open_page("rules")
        self.page.explain.ask(url)

    def edit(self) -> None:
        """Go to the rules of one's own."""
        self._window.open_page("rules")
        self.page.editor.setFocus()
