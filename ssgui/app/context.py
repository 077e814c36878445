"""What the app is made of, without a window: configuration, engine, and what is known about both.

A front end changes things by `change`, which keeps, applies and tells; it looks at `connections`, `evidence`,
`meter` and `logs` whenever it wants to draw.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date

import msgspec

from ssgui.app.local_proxy import LocalProxy, unique_names, why_blocked
from ssgui.app.log_buffer import LogBuffer
from ssgui.app.pause import Pause
from ssgui.app.revival import Doubts, Mender, Revival
from ssgui.app.system_proxy import SystemProxy, Wanted, wanted_setting
from ssgui.app.this_run import with_run
from ssgui.config.addresses import parse_proxy
from ssgui.config.app_config import AppConfig, Mode, Server, Settings
from ssgui.config.models import LocalSettings
from ssgui.config.secret import Secret
from ssgui.config.store import Store, StoreError
from ssgui.config.values import ConfigError
from ssgui.engine.engine import Engine
from ssgui.engine.errors import EngineError
from ssgui.engine.journal import Journal
from ssgui.engine.relay import LocalRelay
from ssgui.engine.stages import Reason
from ssgui.engine.tasks import run_blocking, spawn
from ssgui.protocol.address import Address
from ssgui.protocol.errors import LocalProtocolError
from ssgui.services.awake import Awake, News
from ssgui.services.connections.leaks import Leaks
from ssgui.services.connections.meter import Meter
from ssgui.services.connections.programs import Programs
from ssgui.services.connections.records import Connections
from ssgui.services.diagnosis.clock import ClockEvidence
from ssgui.services.diagnosis.evidence import ServerEvidence, Verdict, judge
from ssgui.services.diagnosis.findings import Findings
from ssgui.services.diagnosis.server_facts import ServerFacts, facts_of
from ssgui.services.diagnosis.server_quality import ServerQuality
from ssgui.services.history.file import HistoryError
from ssgui.services.history.recorder import History
from ssgui.services.rules.current import RulesService
from ssgui.system.processes.lookup import new_process_lookup
from ssgui.system.proxy.backend import ProxyBackend

_log = logging.getLogger("ssgui")


class AppContext:
    """One data directory, one engine, one proxy port. Made inside of the running loop.

    `changed` are called after every change of configuration, `problems` collects what a person must hear.
    With `run` the servers are those of the command line, for this run: nothing is saved, and the system's proxy is
    not touched until a person chooses a mode. Without a `backend` it is never touched.
    """

    def __init__(
        self, store: Store, logs: LogBuffer, run: LocalSettings | None = None, backend: ProxyBackend | None = None
    ) -> None:
        self.store, self.logs, self.run = store, logs, run
        self.config = AppConfig()
        self.problems: list[str] = []
        self.engine = Engine(Journal())
        self.proxy = LocalProxy(self.engine, run)
        self.connections = Connections(self.engine)
        self.evidence, self.meter = ServerEvidence(), Meter(lambda: date.today().isoformat())
        self.quality = ServerQuality()
        self.history = History(
            store.folder,
            lambda: self.config.settings,
            keep=run is None,
            passing=lambda name: name in self._passing_names(),
        )
        self.connections.listeners += [self.evidence, self.meter, self.quality, self.history]
        self.clock = ClockEvidence()
        self.findings = Findings(self.connections, self.evidence, self.clock, self)
        self.doubts = Doubts(lambda: self.proxy.relay, self.evidence, lambda: self.online and not self.idle)
        self.changed: list[Callable[[], None]] = []
        self._unsaved: AppConfig | None = None
        self._adopted: AppConfig | None = None
        self._work: asyncio.Task[None] | None = None
        self.save_failed = ""
        self.passing: set[str] = set()  # ids of servers that are not to be kept
        self.pause = Pause(self._pause_turned)
        self.rules = RulesService(store.folder, lambda: self.config, self._rules_turned, keep=run is None)
        self.programs = Programs(new_process_lookup(), self._port)
        self.leaks = Leaks()
        self.connections.listeners += [self.rules.listener, self.programs, self.leaks]
        self.pac_url: Callable[[], str] = self.rules.pac_pages.url
        self.proxy.pages = self.rules.pac_pages.pages
        self._beginning: asyncio.Task[None] | None = None
        self._may_set_proxy = run is None
        self.mender, self.revival = Mender(self.engine), Revival(self._to_revive, self.evidence)
        self.awake = Awake(self._way_to, self._network_turned)
        self.system_proxy = SystemProxy(store.folder, backend, self._proxy_wanted, self._mode_refused)

    # ---- life

    def load(self) -> None:
        """Read what was kept. What happened to it is in `problems`."""
        loaded = self.store.load()
        config = _begun(loaded.config) if self.run is None else with_run(loaded.config, self.run)
        self.config = _with_secret(config)
        if config is not self.config and self.run is None:
            self._unsaved = self.config  # other devices are told an address that stays
        self.problems += loaded.problems
        self.rules.follow()

    async def start(self) -> None:
        """Open the port, if there is a server to go through; not before the rules are there that it is to follow."""
        if self.config.settings.mode is Mode.RULES:
            await self.rules.settled()
        await self._apply()
        if self._unsaved is not None and self._work is None:
            self.save_anew()
        self.system_proxy.start()
        self.awake.start()
        self._beginning = spawn(self._begin_history(), name="begin the history")

    async def stop(self) -> None:
        """Put the system's proxy back, save what is not saved, stop listening, give connections their grace."""
        self.system_proxy.restore_now()
        self.revival.end()
        self.doubts.end()
        self.mender.end()
        await self.awake.stop()
        self.pause.end()
        await self.settled()
        await self.rules.stop()
        await self.engine.stop()
        self.connections.pull()  # what has just ended belongs into the history
        if self._beginning is not None:
            await self._beginning
        await self.history.stop()

    async def _begin_history(self) -> None:
        """Go on from what went through each server today, then write what is new."""
        today = date.today()
        try:
            traffic = await self.history.traffic_of(today.toordinal())
            self.meter.restore(today.isoformat(), traffic)
        except HistoryError as error:
            _log.info("the traffic of today begins anew: %s", error)
        self.history.start()

    def save_at_once(self) -> None:
        """Put back and save what must be without giving way: the system is about to end this process."""
        self.system_proxy.restore_now()
        if self._work is not None and self.run is None:
            try:
                self.store.save(self.lasting())
            except StoreError as error:
                _log.error("%s", error)

    def look(self, *, closely: bool = True) -> None:
        """Take in what connections did since the last look; without `closely` no bytes are counted."""
        self.connections.pull(closely=closely)
        self.programs.look()
        self.doubts.look(time.monotonic())

    async def settled(self) -> None:
        """Wait until every change is applied and saved."""
        while self._work is not None:
            await asyncio.shield(self._work)

    # ---- changes

    def change(self, config: AppConfig) -> None:
        """Go on with `config`: it is told at once, and applied and saved in the background, the latest last."""
        if config == self.config:
            return
        self._forget_evidence(config)
        self.config = config
        self._unsaved = config
        if self._work is None:
            self._work = spawn(self._follow(), name="apply and save the configuration")
        self._tell()

    def adopt(self, config: AppConfig) -> None:
        """Go on with `config`, which is on the disk already: its secrets were opened."""
        self._adopted = config
        self.change(config)

    def save_anew(self) -> None:
        """Save although nothing has changed: it is written in another way now."""
        self._unsaved = self.config
        if self._work is None:
            self._work = spawn(self._follow(), name="apply and save the configuration")

    def lasting(self, config: AppConfig | None = None) -> AppConfig:
        """`config`, or that of now, as it is kept: without servers that are only here for a while."""
        config = config or self.config
        if not self.passing:
            return config
        servers = tuple(server for server in config.servers if server.id not in self.passing)
        current = config.current if config.current not in self.passing else next((one.id for one in servers), "")
        return msgspec.structs.replace(config, servers=servers, current=current)

    def change_settings(self, **values: object) -> None:
        """Change some of the settings."""
        settings: Settings = msgspec.structs.replace(self.config.settings, **values)
        self.change(msgspec.structs.replace(self.config, settings=settings))

    def choose_mode(self, mode: Mode) -> None:
        """A person chose `mode`, for the system's proxy too."""
        self._may_set_proxy = True
        self.change_settings(mode=mode)
        self.system_proxy.follow(asked=True)

    def _mode_refused(self, mode: Mode) -> None:
        """The system could not be told of the mode that was chosen; this one holds."""
        self.change_settings(mode=mode)

    def _proxy_wanted(self) -> Wanted | None:
        settings, relay = self.config.settings, self.proxy.relay
        if settings.leave_system_proxy or not self._may_set_proxy:
            return None
        return wanted_setting(settings.mode, relay.address if relay is not None else None, self.pac_url())

    def _rules_turned(self) -> None:
        """The rules, or what is to be done with them, are others now."""
        self._follow_rules()
        self.system_proxy.follow()

    def _follow_rules(self) -> None:
        """Hand the engine the PAC and the matcher that hold."""
        settings, relay = self.config.settings, self.proxy.relay
        self.rules.pac_pages.serve(
            self.rules.made.pac, relay.address if relay is not None else None, settings.pac_secret,
            shared=settings.share, fail_open=settings.fail_open,
        )  # fmt: skip
        matcher = self.rules.matcher if settings.mode in (Mode.RULES, Mode.PAC) else None
        self.proxy.follow(matcher, named_only=settings.mode is Mode.PAC, ask_dns=settings.ask_dns)

    def use(self, identity: str) -> None:
        """Use the server with this id from now on; connections that are open keep theirs."""
        self.change(msgspec.structs.replace(self.config, current=identity))

    def _pause_turned(self, paused: bool) -> None:
        self.proxy.pause(paused)
        self._tell()

    def _forget_evidence(self, config: AppConfig) -> None:
        """What was known about a server whose settings changed is about another server now."""
        names = unique_names(self.config.servers)
        after = {server.id: server for server in config.servers}
        for server in self.config.servers:
            if after.get(server.id) != server:
                self.evidence.forget(names[server.id])
                self.quality.forget(names[server.id])

    async def _follow(self) -> None:
        try:
            while (config := self._unsaved) is not None:
                self._unsaved = None
                await self._apply()
                self.rules.follow()
                self.system_proxy.follow()
                self.awake.target_changed()
                self.history.follow()
                if config is not self._adopted:
                    await self._save(self.lasting(config))
        finally:
            self._work = None
            self._tell()

    async def _apply(self) -> None:
        try:
            await self.proxy.apply(self.config)
        except (EngineError, LocalProtocolError) as error:
            _log.error("%s", error)
            self.problems.append(str(error))
        self._follow_rules()

    async def _save(self, config: AppConfig) -> None:
        if self.run is not None:
            return
        try:
            await run_blocking(self.store.save, config)
        except StoreError as error:
            self.save_failed = str(error)
            _log.error("%s", error)
        else:
            self.save_failed = ""

    def _tell(self) -> None:
        for listener in list(self.changed):
            listener()

    # ---- the network

    @property
    def online(self) -> bool:
        """Whether this computer has a way to the server in use."""
        return self.awake.online

    def _way_to(self) -> str:
        """The host that is connected to first."""
        settings, server = self.config.settings, self.server
        if settings.upstream_proxy:
            with suppress(ConfigError):
                return parse_proxy(settings.upstream_proxy.reveal()).host
        return server.host if server is not None else ""

    def _network_turned(self, news: News) -> None:
        """What died is ended, what was known is forgotten, and the server is tried."""
        if news.slept:
            self.clock.forget()
        if news.turned:
            self.connections.pull()  # what it still has to tell is from before
            self.evidence.outdated()
        self.mender.heard(news)
        if news.turned and self.online:
            self.revival.begin()
        elif not self.online:
            self.revival.end()
        if news.turned:
            self._tell()

    def _to_revive(self) -> tuple[LocalRelay, str] | None:
        relay, server = self.proxy.relay, self.server
        return None if relay is None or server is None or self.idle else (relay, self.name_of(server))

    @property
    def idle(self) -> bool:
        """Whether nothing is to go through a server now."""
        return self.config.settings.mode is Mode.OFF or bool(self.pause.left())

    def close_connections(self, numbers: list[int]) -> None:
        """End these, as a person asked."""
        for number in numbers:
            handler = self.engine.handlers.get(number)
            if handler is not None:
                handler.destroy(Reason.CLOSED_BY_USER)

    # ---- what is known

    @property
    def server(self) -> Server | None:
        """The server in use."""
        return self.config.server(self.config.current)

    @property
    def address(self) -> str:
        """Where the proxy listens, as people type it; "" when it does not."""
        relay = self.proxy.relay
        if relay is None:
            return ""
        host, port = relay.address
        return str(Address("127.0.0.1" if host in ("0.0.0.0", "::") else host, port))  # noqa: S104

    def _port(self) -> int:
        return self.proxy.relay.address[1] if self.proxy.relay is not None else 0

    def name_of(self, server: Server) -> str:
        """The name that events give `server`."""
        return unique_names(self.config.servers)[server.id]

    def _passing_names(self) -> set[str]:
        """What events call the servers that are only here for a while."""
        if not self.passing:
            return set()
        return {name for identity, name in unique_names(self.config.servers).items() if identity in self.passing}

    def verdict(self) -> Verdict:
        """What may be said now about the server in use."""
        return self.findings.verdict(time.monotonic())

    def facts(self, server: str) -> ServerFacts | None:
        """What the engine knows of the server that events give this name."""
        relay = self.proxy.relay
        return facts_of(relay, server) if relay is not None else None

    def judged(self, now: float) -> Verdict:
        """The same as `verdict`, without why a server is suspicious."""
        server = self.server
        if server is None:
            return judge("", None, 0.0)
        name = self.name_of(server)
        if self.pause.left():
            return Verdict("paused", name, self.pause.left())
        off = self.config.settings.mode is Mode.OFF and server.id not in self.passing  # the demo has its own programs
        evidence, blocked = self.evidence.of(name), why_blocked(self.config)
        return judge(name, evidence, now, off=off, online=self.online, blocked=blocked)


def _begun(config: AppConfig) -> AppConfig:
    """`config` in the mode that the person wants to begin with."""
    settings = config.settings
    if settings.start_mode not in set(Mode):
        return config
    begun = msgspec.structs.replace(settings, mode=Mode(settings.start_mode))
    return msgspec.structs.replace(config, settings=begun)


def _with_secret(config: AppConfig) -> AppConfig:
    """`config` with a secret for the PAC's address."""
    if config.settings.pac_secret:
        return config
    settings = msgspec.structs.replace(config.settings, pac_secret=new_secret())
    return msgspec.structs.replace(config, settings=settings)


def new_secret() -> Secret:
    """For the PAC's address: who does not know it learns nothing from our port."""
    return Secret(secrets.token_urlsafe(16))
