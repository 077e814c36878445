"""Between the context and the window: what is known is shown, what a person does is done."""

import time
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QStackedWidget

from ssgui.app.consent import agree, is_agreed
from ssgui.app.context import AppContext
from ssgui.app.server_states import ServerStates
from ssgui.app.server_tests import ServerTests
from ssgui.config.app_config import Server
from ssgui.gui import about, words
from ssgui.gui.adding.demo import DemoSwitch
from ssgui.gui.adding.sharing import Sharing
from ssgui.gui.adding.subscription import SubscriptionWays
from ssgui.gui.adding.ways import Adding
from ssgui.gui.connections.ways import ConnectionWays
from ssgui.gui.diagnoses import Diagnoses
from ssgui.gui.diagnosing import Diagnosing
from ssgui.gui.first_run import FirstRun
from ssgui.gui.frame.notices import Notice
from ssgui.gui.frame.painting import harmless
from ssgui.gui.frame.sidebar import Listening
from ssgui.gui.history.ways import HistoryWays
from ssgui.gui.integrating import Integrating
from ssgui.gui.leaks import LeakCheck
from ssgui.gui.logs.page import LogsPage
from ssgui.gui.modes import Modes
from ssgui.gui.pace import Pace
from ssgui.gui.protecting import Protecting
from ssgui.gui.reasons import reason
from ssgui.gui.rules.ways import RuleWays
from ssgui.gui.saving import Files
from ssgui.gui.servers.page import ServersPage
from ssgui.gui.settings.page import SettingsPage
from ssgui.gui.texts import tr
from ssgui.gui.trying import Trying
from ssgui.gui.updating import Updating
from ssgui.gui.window import MainWindow
from ssgui.services.connections import export as connection_export
from ssgui.system.integration.setting import Settings

_SECOND = 1.0
_HIDDEN_SECONDS = 2.8  # every third look: to count what thousands carry is most of what a look costs


class Presenter(QObject):
    """Looks a few times a second while the window is visible, once a second otherwise; then `looked`."""

    looked = Signal()

    def __init__(
        self, context: AppContext, window: MainWindow, leave: Callable[[], None], integration: Settings | None = None
    ) -> None:  # fmt: skip
        super().__init__(window)
        self.context, self.window, self.leave = context, window, leave
        self.hide_or_leave = leave  # without a tray a window that hides could not be found again
        self.hurried: Callable[[], bool] = lambda: False  # whether somebody looks from elsewhere
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look_in_steps)
        self._ticked = self._looked_closely = 0.0
        self._pace, self._cost = Pace(), 0.0
        self._second = False  # one has gone by since something was shown
        self._said = 0
        self._asked: Server | None = None  # for its plugin
        self._pause = ""  # as it is shown
        self.files = Files(window)
        self.connections = ConnectionWays(context, window, self.files, connection_export).page
        self.states = ServerStates(context.evidence, context.meter, context.quality)
        self.tests = ServerTests(context, self.states, self._tests_moved)
        self.servers = ServersPage(context, self.states, window.toast)
        self.adding = Adding(context, window)
        self.subscriptions = SubscriptionWays(context, window)
        self.demo = DemoSwitch(context, window, partial(window.open_page, "connections"))
        self.home = QStackedWidget(window)  # the list of servers, or what stands in its place while it is empty
        self.home.addWidget(self.servers)
        self.first_run: FirstRun | None = None
        self.sharing = Sharing(context, window, self.files)
        self._connect_servers()
        self.rules = RuleWays(context, window)
        self.connections.ruled.connect(self.rules.page.always)
        self.connections.explained.connect(self.rules.explain)
        self.logs, self.settings = LogsPage(context.logs), SettingsPage(context)
        self.diagnosing, self.trying = Diagnosing(context, window, self.files), Trying(context, window)
        self.leaks = LeakCheck(context, window)
        self.updating = Updating(context, window)
        self.protecting = Protecting(context, window, self.settings)
        self.past = HistoryWays(context, window, self.files, self.settings, self.connections)
        self.diagnoses = Diagnoses(self)
        self.integrating = Integrating(integration or {}, window, self.settings)
        self._connect_chores()
        pages = (("servers", self.home), ("connections", self.past.place), ("rules", self.rules.page))
        for key, page in (*pages, ("logs", self.logs), ("settings", self.settings)):
            window.add_page(key, page)
        window.open_page("servers")
        window.closing.connect(lambda: self.hide_or_leave())
        self.modes = Modes(context, window)
        context.system_proxy.changed.append(self.look)
        QShortcut(QKeySequence("Ctrl+Q"), window).activated.connect(leave)
        context.changed.append(self._changed)
        self._choose_home()
        if context.run is not None:
            self._say_this_run()

    def _connect_servers(self) -> None:
        servers, subscriptions = self.servers, self.subscriptions
        servers.testing.connect(self.tests.start)
        servers.stopped.connect(self.tests.stop)
        servers.adding.connect(self.adding.start)
        servers.sharing.connect(self.sharing.share)
        servers.exporting.connect(self.sharing.export)
        servers.group_notes = subscriptions.notes
        servers.list.head_asked.connect(subscriptions.menu)
        self.adding.online.connect(subscriptions.add)
        subscriptions.changed.connect(servers.refresh)

    def _connect_chores(self) -> None:
        self.settings.diagnosing.connect(self.diagnosing.ask)
        self.settings.leaks.connect(self.leaks.ask)
        self.connections.test.connect(self.trying.start)
        self.connections.toolbar.history_asked.connect(self.past.show)
        self.logs.saving.connect(
            lambda text: self.files.save(tr("Save the log"), "ssgui-log.txt", "txt", text.encode)
        )  # fmt: skip

    def begin(self) -> None:
        """Everything is started: look, and go on looking."""
        self._changed()
        self._timer.start(self._pace.interval(seen=True))
        self.subscriptions.begin()
        self.updating.begin()
        self.rules.begin()
        self.protecting.protection.begin()
        self.integrating.begin()

    def end(self) -> None:
        """Look no more."""
        self._timer.stop()
        self.tests.stop()
        self.subscriptions.end()
        self.updating.end()
        self.rules.end()
        self.past.end()
        self.protecting.protection.stop()
        self.integrating.end()
        self.context.changed.remove(self._changed)
        self.context.system_proxy.changed.remove(self.look)
        self.modes.end()

    # ---- showing

    def look(self) -> None:
        """Take in what is new and show what has changed."""
        self._take_in()
        self._show()

    def _look_in_steps(self) -> None:
        """The same, with the rest of the window, the relay and this person's keys in between."""
        begun = time.thread_time()
        self._take_in()
        self._cost = time.thread_time() - begun
        QTimer.singleShot(0, self, self._show_if_wanted)

    def _show_if_wanted(self) -> None:
        if self._timer.isActive():
            begun = time.thread_time()
            self._show()
            painting = self.connections.table.painting if self._visible else 0.0
            self._pace.spent(self._cost + time.thread_time() - begun + painting)

    @property
    def _visible(self) -> bool:
        return self.window.isVisible() and not self.window.isMinimized()

    def _take_in(self) -> None:
        context, now = self.context, time.monotonic()
        closely = self._visible or self.hurried() or now - self._looked_closely >= _HIDDEN_SECONDS
        context.look(closely=closely)
        if not closely:
            return
        self._looked_closely = now
        if now - self._ticked >= _SECOND:
            self._ticked, self._second = now, True
            context.meter.tick(now)

    def _show(self) -> None:
        context, now, visible = self.context, time.monotonic(), self._visible
        second, self._second = self._second, False
        if second:
            self.window.header.show_rates(context.meter.down, context.meter.up)
        wanted = self._pace.interval(seen=(visible and self.window.isActiveWindow()) or self.hurried())
        if self._timer.interval() != wanted:
            self._timer.setInterval(wanted)
        self._show_pause()
        context.system_proxy.glance(seen=visible)
        if visible:
            self._show_state()
            self.diagnoses.look(now)
            self.window.sidebar.show_count("connections", len(context.connections.live))
            match self.window.current_page():
                case "connections" if not self.past.is_shown:
                    self.connections.look()
                case "servers" if second or self.states.testing:
                    self.servers.look()
                case "rules" if second or self.context.rules.progress:
                    self.rules.page.look()
                case "logs":
                    self.logs.look()
        self.looked.emit()

    def _show_state(self) -> None:
        proxy = self.context.system_proxy
        put_back = proxy.was_set and proxy.held is None
        state = words.header_state(self.context.verdict(), self.address(), changing=proxy.busy, put_back=put_back)
        self.window.header.show_state(state)

    def _show_pause(self) -> None:
        left = self.context.pause.left()
        text = words.direct_for(left) if left else ""
        if text == self._pause:
            return
        self._pause = text
        if text:
            detail = tr("New connections do not go through a server.")
            end = self.context.pause.end
            resume = Notice("pause", "warn", text, detail, tr("Resume"), end, can_wait=False, quiet=True)
            self.window.banners.show_notice(resume)
        else:
            self.window.banners.withdraw("pause")

    def address(self) -> str:
        """Where the proxy listens, as people type it; "" when it does not."""
        return self.context.address

    def _say_this_run(self) -> None:
        detail = tr("It came with the command. Nothing is saved, and the system proxy is not touched until you choose.")
        self.window.banners.show_notice(Notice("run", "info", tr("A server for this run only."), detail))

    def _changed(self) -> None:
        context, window = self.context, self.window
        self.modes.refresh()
        window.sidebar.show_count("servers", len(context.config.servers))
        self._choose_home()
        self.demo.look()
        self.servers.refresh()
        self.rules.refresh()
        self.settings.refresh()
        self.past.refresh()
        shared = context.config.settings.share
        window.sidebar.show_listening(Listening(self.address(), "SOCKS · HTTP · PAC", shared))
        self._ask_for_plugin()
        self._show_problems()
        self.look()

    def _choose_home(self) -> None:
        """Without a server: the ways to get one."""
        if self.context.config.servers:
            self.home.setCurrentWidget(self.servers)
            if self.first_run is not None:
                self.first_run.deleteLater()
                self.first_run = None
        elif self.first_run is None:
            self.first_run = FirstRun(self.home)
            self.first_run.adding.connect(self.servers.begin)
            self.first_run.pasted.connect(self.adding.add_and_connect)
            self.first_run.demo.connect(self.demo.start)
            self.home.addWidget(self.first_run)
            self.home.setCurrentWidget(self.first_run)

    def _ask_for_plugin(self) -> None:
        """A plugin that came with a server from elsewhere is started only after a yes."""
        context, banners = self.context, self.window.banners
        server = context.server
        if server is None or is_agreed(context.config, server):
            self._asked = None
            banners.withdraw("plugin")
            return
        fact = tr("This server wants to start {plugin}.", plugin=harmless(server.plugin))
        words = " ".join(part for part in (server.plugin_opts, server.plugin_args) if part)
        detail = tr("With the options {options}", options=harmless(words[:80])) if words else ""
        allow = lambda: context.change(agree(context.config, server))  # noqa: E731
        notice = Notice("plugin", "warn", fact, detail, tr("Allow"), allow, can_wait=False)
        if self._asked != server:
            self._asked = server
            banners.show_notice(notice)

    def _show_problems(self) -> None:
        context, banners = self.context, self.window.banners
        for text in context.problems[self._said :]:
            banners.show_notice(Notice(f"problem {text}", "warn", tr("Settings need a look."), reason(text)))
        self._said = len(context.problems)
        if context.save_failed:
            banners.show_notice(Notice("save", "err", tr("Changes are not saved."), reason(context.save_failed)))
        else:
            banners.withdraw("save")
        conflict = context.proxy.conflict
        if conflict is None:
            banners.withdraw("port")
            return
        fact = tr("Port {port} is reserved by the system.", port=conflict.wanted)
        if not conflict.reserved:
            owner = conflict.owner or tr("another program")
            fact = tr("Port {port} is taken by “{owner}”.", port=conflict.wanted, owner=owner)
        detail = tr("Using {port} for now.", port=conflict.used)
        action = tr("Keep {port}", port=conflict.used)
        keep = lambda port=conflict.used: context.change_settings(local_port=port)  # noqa: E731
        banners.show_notice(Notice("port", "warn", fact, detail, action, keep))

    # ---- doing

    def show_window(self) -> None:
        """Bring the window to the front."""
        self.window.showNormal() if self.window.isMinimized() else self.window.show()
        self.window.raise_()
        self.window.activateWindow()

    def offer_links(self, text: str) -> None:
        """Links from outside: a person confirms before anything is added."""
        self.adding.offer_text(text)

    def _tests_moved(self) -> None:
        if self.window.current_page() == "servers":
            self.servers.look()

    def show_page(self, key: str, *_: object) -> None:
        """Bring the window to the front, with a page."""
        self.window.open_page(key)
        self.show_window()

    def show_failure(self, what: str) -> None:
        """Something that nobody foresaw happened in `what`; the log has the rest."""
        show_logs = partial(self.show_page, "logs")
        notice = Notice("failure", "err", tr("Something failed."), tr("The log says more: {what}", what=what),
                        tr("Show the log"), show_logs)  # fmt: skip
        self.window.banners.show_notice(notice)

    def show_about(self) -> None:
        """What this program is."""
        self.show_window()
        about.show_about(self.window)

    def show_leaks(self) -> None:
        """Check whether anything shows."""
        self.show_window()
        self.leaks.ask()

    def show_diagnosis(self) -> None:
        """Offer the bundle for somebody who helps."""
        self.show_window()
        self.diagnosing.ask()
