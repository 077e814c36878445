"""The app with a window: started in order, run on the merged loop, and stopped in order.

Start: the lock, the window painted, then configuration, proxy port, control channel. Stop: the control
channel, what is unsaved, connections with their grace; then Qt.
"""

import asyncio
import logging
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QApplication

from ssgui.app.context import AppContext
from ssgui.app.log_buffer import LogBuffer
from ssgui.config.store import Store
from ssgui.gui import icons
from ssgui.gui.event_loop import new_merged_loop
from ssgui.gui.presenter import Presenter
from ssgui.gui.quit_guard import QuitGuard
from ssgui.gui.texts import Translator, system_language
from ssgui.gui.theme import Theme
from ssgui.gui.tray import Tray
from ssgui.gui.window import MainWindow
from ssgui.services.control import ControlError, ControlServer, InstanceLock, ask
from ssgui.system.limits import raise_nofile

_log = logging.getLogger("ssgui")


def run_desktop(folder: Path, links: tuple[str, ...] = ()) -> int:
    """Run the app until it is left; the exit code. A second start hands its links to the first and ends."""
    lock = InstanceLock(folder)
    if not lock.take():
        return _hand_over(folder, links)
    raise_nofile()
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    application.setApplicationName("ssgui")
    application.setDesktopFileName("ssgui")
    try:
        with asyncio.Runner(loop_factory=lambda: new_merged_loop(application)) as runner:
            runner.run(Desktop(application, folder).run(links))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 0
    finally:
        lock.release()
    return 0


def _hand_over(folder: Path, links: tuple[str, ...]) -> int:
    request: dict[str, Any] = {"do": "open", "links": list(links)} if links else {"do": "show"}
    try:
        asyncio.run(ask(folder, request))
    except ControlError as error:
        sys.stderr.write(f"ssgui: it runs already, but {error}\n")
        return 1
    return 0


class Desktop:
    """One run of the app."""

    def __init__(self, application: QApplication, folder: Path) -> None:
        self.application, self._folder = application, folder
        self.theme = Theme(application)
        self.theme.changed.connect(icons.clear_caches)
        self.logs = LogBuffer()
        self.window: MainWindow
        self.context: AppContext
        self.guard: QuitGuard
        self.tray: Tray | None = None

    async def run(self, links: tuple[str, ...] = ()) -> None:
        """Start, stay until somebody leaves, stop."""
        self.guard = QuitGuard(self.application)
        with SignalsLeave(self.guard):
            self._begin_logging()
            self.context = AppContext(Store(self._folder), self.logs)
            self.context.load()
            self._translate()
            self.theme.choose(self.context.config.settings.theme or None)
            self.window = MainWindow()
            self.presenter = Presenter(self.context, self.window, self.guard.leave)
            control = ControlServer(self._folder, self._asked)
            try:
                self.window.show()
                await asyncio.sleep(0)  # the first paint comes before everything that takes time
                await control.start()
                await self.context.start()
                self.presenter.begin()
                self.tray = Tray(self.presenter)
                self._open_links(links)
                await self.guard.leaving.wait()
            finally:
                if self.tray is not None:
                    self.tray.end()
                self.presenter.end()
                await control.stop()
                await self.context.stop()
                self.window.hide()
                logging.getLogger().removeHandler(self.logs)

    def _begin_logging(self) -> None:
        logging.getLogger().addHandler(self.logs)
        logging.getLogger("ssgui").setLevel(logging.INFO)

    def _translate(self) -> None:
        translator = Translator(self.context.config.settings.language or system_language())
        translator.setParent(self.application)
        self.application.installTranslator(translator)

    async def _asked(self, request: dict[str, Any]) -> dict[str, Any]:
        """What a second start, or a program, asks of this one."""
        match request.get("do"):
            case "show":
                self.presenter.show_window()
            case "open":
                links = request.get("links")
                self._open_links(tuple(one for one in links if isinstance(one, str)) if isinstance(links, list) else ())
            case "quit":
                self.guard.leave()
            case what:
                raise ValueError(f"unknown request {what!r}")
        return {}

    def _open_links(self, links: tuple[str, ...]) -> None:
        if links:
            self.presenter.show_window()
            self.presenter.offer_links(" ".join(links))


class SignalsLeave:
    """SIGTERM, SIGINT and SIGHUP leave in order while this lasts; a second one ends the process now."""

    def __init__(self, guard: QuitGuard) -> None:
        self._guard = guard
        self._numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)]

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        for number in self._numbers:
            with suppress(NotImplementedError):  # Windows
                loop.add_signal_handler(number, self._heard, number)

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for number in self._numbers:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)

    def _heard(self, number: int) -> None:
        if self._guard.leaving.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self._guard.leave()
