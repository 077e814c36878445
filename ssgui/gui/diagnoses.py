"""What is wrong, shown and acted upon: the banner for the whole, and what the buttons of diagnoses do."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from ssgui.app.clock_check import check_clock
from ssgui.app.local_proxy import unique_names
from ssgui.engine.tasks import spawn
from ssgui.gui.connections.finding_words import finding_text
from ssgui.gui.connections.server_words import clock_fact
from ssgui.gui.frame.notices import Notice
from ssgui.gui.reasons import reason
from ssgui.gui.texts import tr
from ssgui.protocol.address import split_host_port
from ssgui.rules.acl import Route
from ssgui.services.connections.records import Connection
from ssgui.services.diagnosis.clock import DRIFTING
from ssgui.services.diagnosis.finding import Finding, FindingKind
from ssgui.services.diagnosis.server_facts import find_upstream

if TYPE_CHECKING:
    from ssgui.gui.presenter import Presenter

_NOTICE = "finding"
_FIELDS = {FindingKind.SERVER_DNS: "host", FindingKind.UNREADABLE: "host", FindingKind.PLUGIN_SILENT: "host"}


class Diagnoses(QObject):
    """Looks when the window does, and tells the details of a connection what is wrong with it."""

    def __init__(self, presenter: "Presenter") -> None:
        super().__init__(presenter)
        self._presenter, self._context, self._window = presenter, presenter.context, presenter.window
        self._shown: Finding | None = None
        self._dismissed: tuple[FindingKind, str] | None = None
        self._checking = False
        self._told: tuple[int, Finding | None] = (0, None)  # what the details say, and of which connection
        page = presenter.connections
        page.inspector.finding, page.inspector.wording = self.of, finding_text
        page.acted.connect(self.act)

    def look(self, now: float) -> None:
        """Show what is wrong with all of it; what a person has put away stays away until something else is wrong."""
        finding, banners = self._context.findings.overall(now), self._window.banners
        if self._shown is not None and _NOTICE not in banners.keys():  # noqa: SIM118  a method, of no dict
            self._dismissed = self._shown.kind, self._shown.server
            self._shown = None
        if finding is None:
            self._dismissed = None
        if finding is None or (finding.kind, finding.server) == self._dismissed:
            banners.withdraw(_NOTICE)
            self._shown = None
            return
        fact, numbers, action = finding_text(finding)
        act = partial(self._act_on, finding) if action else None
        banners.refresh(Notice(_NOTICE, finding.severity, fact, numbers, action, act))
        self._shown = finding

    def of(self, one: Connection) -> Finding | None:
        """What is wrong with one connection, at the time of the table."""
        finding = self._context.findings.of(one, self._presenter.connections.model.now)
        self._told = one.id, finding
        return finding

    def act(self, action: str, number: int) -> None:
        """Do what the button says that stands beside the connection with this id."""
        told, finding = self._told
        if told == number and finding is not None and finding.action == action:
            self._act_on(finding, number)

    def _act_on(self, finding: Finding, number: int = 0) -> None:
        presenter = self._presenter
        match finding.action:
            case "test-server":
                self._test(finding.server)
            case "open-server":
                self._open(finding)
            case "check-clock":
                self._check_clock(finding.server)
            case "restart-plugin":
                self._restart_plugin(finding.server)
            case "open-settings":
                presenter.show_page("settings")
            case "show-program":
                presenter.show_page("connections")
                name = finding.name.partition('"')[0]  # a phrase has none in it
                presenter.connections.filter.setText(f'program:"{name}"')
            case "close" if number:
                self._context.close_connections([number])
            case "always-direct" | "always-proxy":
                route = Route.DIRECT if finding.action == "always-direct" else Route.PROXY
                presenter.rules.page.always(split_host_port(finding.target)[0], route)

    def _identity(self, server: str) -> str:
        """The id of the server that events give this name."""
        names = unique_names(self._context.config.servers)
        return next((identity for identity, name in names.items() if name == server), self._context.config.current)

    def _test(self, server: str) -> None:
        identity = self._identity(server)
        self._presenter.show_page("servers")
        self._presenter.servers.show_server(identity)
        self._presenter.tests.start([identity])

    def _open(self, finding: Finding) -> None:
        self._presenter.show_page("servers")
        field = _FIELDS.get(finding.kind, "password")
        self._presenter.servers.show_server(self._identity(finding.server), field=field)

    def _restart_plugin(self, server: str) -> None:
        relay = self._context.proxy.relay
        upstream = find_upstream(relay, server) if relay is not None else None
        if upstream is not None and upstream.plugin is not None:
            upstream.plugin.hurry()

    def _check_clock(self, server: str) -> None:
        if not self._checking:
            self._checking = True
            spawn(self._ask_for_the_time(server), name="check the clock")

    async def _ask_for_the_time(self, server: str) -> None:
        """Ask once, say what came of it, and try the server again: the clock may have been set right."""
        try:
            found = await check_clock(self._context)
        finally:
            self._checking = False
        if found.ahead is None:
            self._window.toast.say(tr("The clock could not be checked: {why}", why=reason(found.failure)))
            return
        right = abs(found.ahead) <= DRIFTING
        self._window.toast.say(tr("This computer's clock is right.") if right else clock_fact(found.ahead))
        self._presenter.tests.start([self._identity(server)])
        self._presenter.look()
