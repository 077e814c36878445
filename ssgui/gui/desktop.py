"""The app with a window: started in order, run on the merged loop, and stopped in order.

Start: the lock, the window painted, then control channel, proxy port and tray. Stop: the system's proxy as it was,
the tray, the control channel, what is unsaved, connections with their grace; then Qt. All ways out lead there: the
menus, Ctrl+Q, signals, the end of the session, a second start's "quit". A part that fails is told in the log; the
others go on.
"""

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from ssgui import __version__
from ssgui.app.app_rows import AppRows
from ssgui.app.collector import spare_the_collector
from ssgui.app.connection_log import ConnectionLog
from ssgui.app.context import AppContext
from ssgui.app.desktop_job import DesktopJob
from ssgui.app.events.output import EventLog
from ssgui.app.integration import own_settings
from ssgui.app.log_buffer import LogBuffer
from ssgui.app.watching import Watching, port_of
from ssgui.config.store import Store
from ssgui.engine.tasks import spawn
from ssgui.gui import icons, window_state
from ssgui.gui.event_loop import new_merged_loop
from ssgui.gui.failures import Failures
from ssgui.gui.network import QtNetwork, network_information
from ssgui.gui.presenter import Presenter
from ssgui.gui.quit_guard import Application, QuitGuard
from ssgui.gui.texts import Translator, system_language
from ssgui.gui.theme import Theme
from ssgui.gui.tray import Tray
from ssgui.gui.window import MainWindow
from ssgui.services.control.channel import ControlError, InstanceLock, ask, new_control_server
from ssgui.services.rules.own_file import RulesError
from ssgui.system.limits import raise_nofile
from ssgui.system.proxy.choose import choose_backend

_PAINT_SECONDS = 1.0  # a window that is minimised is never painted
_EVENTS_SECONDS = 0.1
_log = logging.getLogger("ssgui")


def run_desktop(job: DesktopJob) -> int:
    """Run the app until it is left; the exit code. A second start hands its links to the first and ends."""
    lock, problem = InstanceLock(job.folder), ""
    try:
        if not lock.take():
            return _hand_over(job)
    except OSError as error:  # a disk that is full or read-only: better an app that keeps nothing than none
        problem = f"{job.folder} cannot be written to ({error.strerror}): nothing is kept"
    raise_nofile()
    try:
        application = new_application()
        with asyncio.Runner(loop_factory=lambda: new_merged_loop(application)) as runner:
            runner.run(Desktop(application, job, problem).run())
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 0
    finally:
        lock.release()
    return 0


def new_application() -> Application:
    """The one application of this process."""
    found = Application.instance()
    if isinstance(found, Application):
        return found
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    made = Application(sys.argv[:1])
    made.setApplicationName("ssgui")
    made.setApplicationDisplayName("ssgui")
    made.setDesktopFileName("ssgui")
    return made


def _hand_over(job: DesktopJob) -> int:
    if job.run is not None:
        sys.stderr.write("ssgui: it runs already; quit it first, or give this run a --data-dir of its own\n")
        return 1
    request: dict[str, Any] = {"do": "open", "links": list(job.links)} if job.links else {"do": "show"}
    try:
        asyncio.run(ask(job.folder, request))
    except ControlError as error:
        sys.stderr.write(f"ssgui: it runs already, but {error}\n")
        return 1
    return 0


class Desktop:
    """One run of the app."""

    def __init__(self, application: Application, job: DesktopJob, problem: str = "") -> None:
        self.application, self._job, self._problem = application, job, problem
        self.theme = Theme(application)
        self.theme.changed.connect(icons.clear_caches)
        self.logs = LogBuffer()
        self.painted = 0.0  # monotonic seconds
        self._built = False
        self.begun = False  # everything is started
        self.tray: Tray | None = None
        self._writing: asyncio.Task[None] | None = None
        self._connection_log: ConnectionLog | None = None

    async def run(self) -> None:
        """Start, stay until somebody leaves, stop."""
        self.guard = QuitGuard(self.application)
        asyncio.get_running_loop().set_exception_handler(self._failed_in_loop)
        with SignalsLeave(self.guard), Failures(self._failed):
            self._begin_logging()
            self._build()
            try:
                await self._start()
                await self.guard.leaving.wait()
            finally:
                await self._stop()

    # ---- start

    def _build(self) -> None:
        """Everything that the first picture needs, and nothing that takes time."""
        self.context = AppContext(Store(self._job.folder), self.logs, self._job.run, choose_backend())
        self.context.load()
        if self._problem:
            self.context.problems.append(self._problem)
        settings = self.context.config.settings
        self._translate(settings.language)
        self.theme.choose(settings.theme or None)
        icons.install(self.application)
        self.window = MainWindow()
        integration = own_settings(self._job.folder)
        self.presenter = Presenter(self.context, self.window, self.guard.leave, integration)
        own = {"data_dir": str(self._job.folder)}
        self.watching = Watching(self.context.engine, AppRows(self.context), "app", lambda: own)
        self.presenter.hurried = self.watching.busy
        self.control = new_control_server(self._job.folder, self._asked, self.watching.streams())
        self.guard.ending += [self.context.system_proxy.restore_now, self._remember, self.context.save_at_once]
        window_state.restore(self.window, settings.window)
        self._built = True

    async def _start(self) -> None:
        hidden = self.context.config.settings.start_minimised and not self._job.links
        if not hidden:
            await self._show()
        await self._part("the control channel", self.control.start)
        await self._part("the proxy", self.context.start)
        self.presenter.begin()
        await self._part("the network", self._listen_to_network)
        self._follow_log_level()
        self.presenter.looked.connect(self._write_log)
        self.context.changed.append(self._follow_log_level)
        if self._job.events is not None:
            self._writing = spawn(self._write_events(), name="events")
        await self._part("the tray", self._make_tray)
        if hidden and (self.tray is None or self.tray.icon is None):
            self.window.showMinimized()
            if self.tray is not None:
                self.tray.wanted_hidden = True
        self._open_links(self._job.links)
        self.application.hear_links(lambda link: self._open_links((link,)))
        spare_the_collector()
        self.begun = True

    async def _show(self) -> None:
        """The first paint comes before everything that takes time."""
        first = FirstPaint(self.window)
        self.window.show()
        with suppress(TimeoutError):
            await asyncio.wait_for(first.done.wait(), _PAINT_SECONDS)
        self.painted = time.monotonic()

    async def _listen_to_network(self) -> None:
        information = network_information()
        if information is not None:
            self._network = QtNetwork(self.context.awake, information)

    async def _make_tray(self) -> None:
        self.tray = Tray(self.presenter)

    async def _part(self, name: str, start_or_stop: Callable[[], Awaitable[None]]) -> None:
        """One part that fails must keep neither the others from starting nor the app from ending."""
        try:
            await start_or_stop()
        except (OSError, ControlError) as error:
            _log.error("%s: %s", name, error)
            self._failed(name)
        except Exception as error:  # noqa: BLE001
            _log.error("%s failed", name, exc_info=error)
            self._failed(name)

    def _translate(self, language: str) -> None:
        translator = Translator(language or system_language())
        translator.setParent(self.application)
        self.application.installTranslator(translator)

    # ---- stop

    async def _stop(self) -> None:
        for name, stop in (
            ("the system's proxy", self._restore_proxy),
            ("the tray", self._end_tray),
            ("who watches", self.watching.stop),
            ("the control channel", self.control.stop),
            ("the window's state", self._end_window),
            ("the demo", self.presenter.demo.stop),
            ("the proxy", self.context.stop),
            ("events", self._end_events),
        ):
            await self._part(name, stop)
        logging.getLogger().removeHandler(self.logs)

    async def _restore_proxy(self) -> None:
        """First, and without giving way: what comes later may take its time, or fail."""
        self.context.system_proxy.restore_now()

    async def _end_tray(self) -> None:
        if self.tray is not None:
            self.tray.end()

    async def _end_window(self) -> None:
        self._remember()
        self.window.hide()
        self.presenter.end()

    def _remember(self) -> None:
        """Keep where the window was, and which page was open."""
        state = window_state.state_of(self.window, self.context.config.settings.window)
        self.context.change_settings(window=state)

    async def _end_events(self) -> None:
        self._write_log()
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.wait([self._writing])

    # ---- logs and events

    def _begin_logging(self) -> None:
        logging.getLogger().addHandler(self.logs)

    def _follow_log_level(self) -> None:
        debug = self._job.debug or self.context.config.settings.log_level == "debug"
        level = logging.DEBUG if debug else logging.INFO
        logger = logging.getLogger("ssgui")
        if logger.level != level or self._connection_log is None:
            logger.setLevel(level)
            self._connection_log = ConnectionLog(self.context.engine.journal, _log)

    def _write_log(self) -> None:
        if self._connection_log is not None:
            self._connection_log.pump()

    async def _write_events(self) -> None:
        assert self._job.events is not None
        engine, port = self.context.engine, port_of(self.context.engine)
        log = EventLog(engine, self._job.events, version=__version__, role="local", port=port)
        log.start()
        try:
            while True:
                await asyncio.sleep(_EVENTS_SECONDS)
                log.pump()
        finally:
            log.close()

    def _failed_in_loop(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        loop.default_exception_handler(context)
        self._failed(type(context.get("exception")).__name__)

    def _failed(self, what: str) -> None:
        if self._built:
            self.presenter.show_failure(what)

    # ---- what others ask

    async def _asked(self, request: dict[str, Any]) -> dict[str, Any]:
        """What a second start, or a program, asks of this one."""
        match request.get("do"):
            case "show":
                self.presenter.show_window()
            case "open":
                links = request.get("links")
                self._open_links(tuple(one for one in links if isinstance(one, str)) if isinstance(links, list) else ())
            case "page":
                self._open_page(str(request.get("page")))
            case "close" if "ids" in request:
                return await self.watching.close(request)
            case "close":
                self.window.close()
            case "hello":
                return await self.watching.hello(request)
            case "quit":
                self.guard.leave()
            case "status":
                return self._status()
            case "rules":
                await self._read_rules()
            case "update-lists":
                self.presenter.rules.updates.update()
            case "lists":
                return {"lists": [one.told() for one in self.context.rules.lists]}
            case "diagnose":
                await self._diagnose(str(request.get("file", "")), request.get("hide_hosts") is not False)
            case what:
                raise ValueError(f"unknown request {what!r}")
        return {}

    def _status(self) -> dict[str, Any]:
        return {
            "version": __version__,
            "painted": self.painted,
            "window": self.window.isVisible() and not self.window.isMinimized(),
            "page": self.window.current_page(),
            "dialog": self._dialog(),
            "tray": self.tray.shown if self.tray is not None and self.tray.icon is not None else 0.0,
            "state": self.context.verdict().kind,
            "server": self.context.verdict().server,
            "address": self.presenter.address(),
            "pac": self.context.rules.pac.version,
            "pac_fetched": [one.version for one in self.context.rules.pac.fetches],
            "connections": len(self.context.connections.live),
            "ended": len(self.context.connections.ended),
        }

    def _dialog(self) -> str:
        """The kind of dialog that has the keyboard."""
        found = self.application.activeModalWidget()
        return type(found).__name__ if found is not None and found.isActiveWindow() else ""

    async def _diagnose(self, file: str, hide_hosts: bool) -> None:
        path = Path(file)
        if not path.is_absolute():
            raise ValueError("a file is named by its whole path")
        try:
            await self.presenter.diagnosing.write(path, hide_hosts)
        except OSError as error:
            raise ValueError(f"{path}: {error.strerror or error}") from None

    async def _read_rules(self) -> None:
        try:
            await self.context.rules.read_again()
        except RulesError as error:
            raise ValueError(str(error)) from None

    def _open_page(self, page: str) -> None:
        if not self.window.has_page(page):
            raise ValueError(f"no page is called {page!r}")
        self.presenter.show_page(page)

    def _open_links(self, links: tuple[str, ...]) -> None:
        if links:
            self.presenter.show_window()
            self.presenter.offer_links(" ".join(links))


class FirstPaint(QObject):
    """`done` is set when the window has been painted."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.done = asyncio.Event()
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            self.done.set()
        return False


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
