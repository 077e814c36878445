"""The page of the history beside the rest of the window: asked, exported, cleared, and what is wrong with it told."""

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QStackedWidget, QWidget

from ssgui.app.context import AppContext
from ssgui.engine.tasks import spawn
from ssgui.gui.frame.notices import Notice
from ssgui.gui.history.exporting import table_csv, table_json
from ssgui.gui.history.page import HistoryPage
from ssgui.gui.reasons import reason
from ssgui.gui.saving import Files
from ssgui.gui.settings.page import SettingsPage
from ssgui.gui.texts import tr
from ssgui.gui.window import MainWindow, Panes
from ssgui.services.history.file import HistoryError
from ssgui.services.history.queries import Query

MOST_EXPORTED = 200_000
_TROUBLE, _DAMAGE = "history", "history-damaged"


class Place(QStackedWidget):
    """The connections, or the history of them."""

    def panes(self) -> list[QWidget]:
        """Those of what is there."""
        there = self.currentWidget()
        return there.panes() if isinstance(there, Panes) else []


class HistoryWays(QObject):
    """Stands in the place of the connections while a person looks at it; `place` holds both."""

    def __init__(
        self, context: AppContext, window: MainWindow, files: Files, settings: SettingsPage, connections: QWidget
    ) -> None:  # fmt: skip
        super().__init__(window)
        self._context, self._window, self._files, self._settings = context, window, files, settings
        self._history, self._connections = context.history, connections
        self.page = HistoryPage(lambda: context.config.settings, context.history.size)
        self.place = Place(window)
        self.place.addWidget(connections)
        self.place.addWidget(self.page)
        self._wanted: Query | None = None
        self._asking = self._ended = False
        self._said = 0
        self._trouble = ""
        self.page.asked.connect(self.ask)
        self.page.left.connect(self.leave)
        self.page.exporting.connect(lambda form: spawn(self._export(form), name="export the history"))
        self.page.clearing.connect(self.clear)
        self.page.settings.connect(self._to_settings)
        self.page.keeping.connect(lambda: context.change_settings(keep_history=True))
        settings.clearing.connect(self.clear)
        context.history.changed.append(self._changed)
        window.opened.connect(self._opened)
        QShortcut(QKeySequence("Ctrl+Shift+H"), window).activated.connect(self.show)

    def end(self) -> None:
        """No more of it."""
        self._ended = True
        self._history.changed.remove(self._changed)

    # ---- coming and going

    @property
    def is_shown(self) -> bool:
        """Whether it stands where the connections would."""
        return self.place.currentWidget() is self.page

    def show(self) -> None:
        """Show it."""
        self._window.open_page("connections")
        self.place.setCurrentWidget(self.page)

    def leave(self) -> None:
        """Back to the connections."""
        self.place.setCurrentWidget(self._connections)

    def _opened(self, key: str) -> None:
        if key == "connections":
            self.leave()

    def _to_settings(self) -> None:
        self._window.open_page("settings")
        self._settings.reveal("history_hosts")

    # ---- asking

    def ask(self, query: Query) -> None:
        """Ask for it: one at a time, the latest last."""
        self._wanted = query
        if not self._asking:
            self._asking = True
            spawn(self._ask(), name="ask the history")

    async def _ask(self) -> None:
        try:
            while (query := self._wanted) is not None and not self._ended:
                self._wanted = None
                try:
                    answer = await self._history.look(query)
                except HistoryError as error:
                    self._window.banners.show_notice(
                        Notice(_TROUBLE, "err", tr("The history cannot be read."), reason(str(error)))
                    )
                    return
                if self._wanted is None and not self._ended:
                    self.page.show_answer(query, answer)
        finally:
            self._asking = False

    def refresh(self) -> None:
        """The configuration changed."""
        self.page.refresh()

    def _changed(self) -> None:
        """Something was written, or could not be."""
        self._tell()
        if self.page.isVisible():
            self.page.ask()

    def _tell(self) -> None:
        banners, trouble, said = self._window.banners, self._history.trouble, self._history.file.said
        if trouble != self._trouble:
            self._trouble = trouble
            if trouble:
                banners.show_notice(Notice(_TROUBLE, "err", tr("The history is not kept."), reason(trouble)))
            else:
                banners.withdraw(_TROUBLE)
        for text in said[self._said :]:
            banners.show_notice(Notice(_DAMAGE, "warn", tr("A new history was begun."), reason(text)))
        self._said = len(said)

    # ---- doing

    async def _export(self, form: str) -> None:
        query = self.page.query(MOST_EXPORTED)
        try:
            rows = (await self._history.look(query)).rows
        except HistoryError as error:
            self._window.toast.say(reason(str(error)))
            return
        make: Callable[[], str] = {"csv": lambda: table_csv(rows), "json": lambda: table_json(rows)}[form]
        name = f"ssgui-history-{query.view}.{form}"
        self._files.save(tr("Export the history"), name, form, lambda: make().encode())

    def clear(self) -> None:
        """All of it, at once, with a way back as long as the toast is there."""
        spawn(self._clear(), name="clear the history")

    async def _clear(self) -> None:
        try:
            await self._history.clear()
        except HistoryError as error:
            self._window.toast.say(reason(str(error)))
            return
        self._window.toast.say(
            tr("History cleared"),
            lambda: spawn(self._history.bring_back(), name="bring the history back"),
            lambda: spawn(self._history.forget(), name="forget the history"),
        )
