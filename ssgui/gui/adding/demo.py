"""The demo as a person meets it: started by one button, ended by one."""

from collections.abc import Callable

from PySide6.QtCore import QObject

from ssgui.app.context import AppContext
from ssgui.app.demo.inner import IDENTITY, InnerDemo
from ssgui.engine.errors import EngineError
from ssgui.engine.tasks import spawn
from ssgui.gui.frame.notices import Notice
from ssgui.gui.reasons import reason
from ssgui.gui.texts import tr
from ssgui.gui.window import MainWindow

_NOTICE = "demo"


class DemoSwitch(QObject):
    """Starts and ends the demo, and says so in a banner."""

    def __init__(self, context: AppContext, window: MainWindow, show_traffic: Callable[[], None]) -> None:
        super().__init__(window)
        self._context, self._window, self._show_traffic = context, window, show_traffic
        self.demo = InnerDemo(context)
        self._shown = False

    def start(self) -> None:
        """Start it, and show what goes through."""
        spawn(self._start(), name="start the demo")

    def end(self) -> None:
        """Take it away."""
        self._shown = False
        self._window.banners.withdraw(_NOTICE)
        spawn(self.demo.stop(), name="end the demo")

    async def stop(self) -> None:
        """The app ends."""
        await self.demo.stop()

    def look(self) -> None:
        """Its server may have been deleted from the list."""
        if self._shown and self._context.config.server(IDENTITY) is None:
            self.end()

    async def _start(self) -> None:
        banners = self._window.banners
        try:
            await self.demo.start(tr("Demo (this computer)"))
        except (EngineError, OSError) as error:
            banners.show_notice(Notice(_NOTICE, "err", tr("The demo does not start."), reason(str(error))))
            return
        detail = tr("A server and a web site on this computer. Nothing leaves it.")
        notice = Notice(_NOTICE, "info", tr("This is the demo."), detail, tr("End it"), self.end, can_wait=False)
        banners.show_notice(notice)
        self._shown = True
        self._show_traffic()
