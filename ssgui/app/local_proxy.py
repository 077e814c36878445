"""The app's own proxy port: opened, moved, and given other servers while connections go on."""

import errno
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from ssgui.app.consent import is_agreed
from ssgui.app.this_run import under
from ssgui.config.addresses import parse_proxy
from ssgui.config.app_config import AppConfig, Choice, Server, Settings
from ssgui.config.models import DEFAULT_LOCAL_HOST, LocalSettings, ServerChoice
from ssgui.config.protected import is_locked
from ssgui.config.values import ConfigError
from ssgui.engine.engine import Engine
from ssgui.engine.errors import BindError, EngineError
from ssgui.engine.pages import Pages
from ssgui.engine.relay import LocalRelay, can_change
from ssgui.engine.tasks import run_blocking
from ssgui.protocol.address import Address
from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.methods import find_method
from ssgui.rules.matcher import Matcher
from ssgui.system.addresses import own_addresses
from ssgui.system.port_owner import owner_of_port

EVERYWHERE = "0.0.0.0"  # noqa: S104  shared with the network, when the person asks for it
_MOVES = 20
_log = logging.getLogger("ssgui")


@dataclass(frozen=True, slots=True)
class PortConflict:
    """The port that was wanted is not to be had: who has it, or that the system reserves it; `used` instead."""

    wanted: int
    used: int
    owner: str = ""
    reserved: bool = False


def usable(server: Server, legacy: Iterable[str]) -> bool:
    """Whether the engine can speak to `server`; `legacy` names the old methods that are allowed."""
    try:
        find_method(server.method, frozenset(legacy))
    except LocalProtocolError:
        return False
    return bool(server.password)


def why_blocked(config: AppConfig) -> str:
    """Why nothing can go through the server in use, or any: plugin, password, sealed, method, way; "" if it can."""
    legacy = config.settings.legacy_methods
    wanted = [config.server(config.current)] if config.settings.choice is Choice.ONE else config.servers
    first = ""
    for server in wanted:
        why = _why_blocked(server, config, legacy) if server is not None else ""
        if not why:
            return ""
        first = first or why
    return first


def _why_blocked(server: Server, config: AppConfig, legacy: Iterable[str]) -> str:
    if is_locked(config.settings):
        return "sealed"
    if _way(server, config.settings):
        return "way"
    if not server.password:
        return "sealed" if server.sealed else "password"
    if not usable(server, legacy):
        return "method"
    return "" if is_agreed(config, server) else "plugin"


def _way(server: Server, settings: Settings) -> bool:
    """Whether `server` cannot be reached in the way that is wanted: then rather not at all than directly."""
    if not settings.upstream_proxy:
        return False
    try:
        parse_proxy(settings.upstream_proxy.reveal())
    except ConfigError:
        return True
    return bool(server.plugin)  # plugins connect by themselves


class _Names:
    """The last answer of `unique_names`: it is asked for several times a second, about one list."""

    servers: tuple[Server, ...] = ()
    names: ClassVar[dict[str, str]] = {}


def unique_names(servers: tuple[Server, ...]) -> dict[str, str]:
    """Server id to a name that no other has: events tell servers apart by it."""
    if servers is not _Names.servers:
        _Names.names, _Names.servers = _number(servers), servers
    return _Names.names


def _number(servers: tuple[Server, ...]) -> dict[str, str]:
    taken: set[str] = set()
    numbers: dict[str, int] = {}  # a thousand of one name must not be counted through for each
    names = {}
    for server in servers:
        name, number = server.name, numbers.get(server.name, 1)
        while name in taken:
            number += 1
            name = f"{server.name} ({number})"
        numbers[server.name] = number
        taken.add(name)
        names[server.id] = name
    return names


def local_settings(config: AppConfig) -> LocalSettings | None:
    """What the engine is to run; None while there is no server that can be used."""
    names = unique_names(config.servers)
    candidates = [
        server for server in config.servers if not _why_blocked(server, config, config.settings.legacy_methods)
    ]
    current = next((server for server in candidates if server.id == config.current), None)
    settings = config.settings
    if settings.choice is Choice.ONE:
        chosen = [current] if current is not None else []
    else:
        chosen = sorted(candidates, key=lambda server: server.id != config.current)
    if not chosen:
        return None
    profiles = [msgspec.structs.replace(server.profile(), remarks=names[server.id]) for server in chosen]
    return LocalSettings(
        servers=tuple(profiles),
        bind_host=EVERYWHERE if settings.share else DEFAULT_LOCAL_HOST,
        bind_port=settings.local_port,
        timeout=settings.timeout,
        users=((settings.user, settings.user_password),) if settings.user and settings.user_password else (),
        prefer_ipv6=settings.prefer_ipv6,
        udp=settings.udp,
        choice=ServerChoice.AUTO if settings.choice is Choice.FASTEST else ServerChoice.FIXED,
        probe_url=settings.probe_url,
        fast_open=settings.fast_open,
        legacy_methods=frozenset(settings.legacy_methods),
        upstream_proxy=parse_proxy(settings.upstream_proxy.reveal()) if settings.upstream_proxy else None,
    )


class LocalProxy:
    """One port of an engine. `relay` is None while it does not listen."""

    def __init__(self, engine: Engine, run: LocalSettings | None = None) -> None:
        self._engine, self._run = engine, run
        self._settings: LocalSettings | None = None
        self.relay: LocalRelay | None = None
        self.conflict: PortConflict | None = None
        self._paused = False
        self.pages: Pages | None = None  # that the port serves
        self._rules: Matcher | None = None
        self._named_only = self._ask_dns = False

    def follow(self, rules: Matcher | None, *, named_only: bool = False, ask_dns: bool = False) -> None:
        """Have new connections follow `rules`, as a router does; a port that is moved goes on likewise."""
        self._rules, self._named_only, self._ask_dns = rules, named_only, ask_dns
        if self.relay is not None:
            self.relay.router.follow(rules, named_only=named_only, ask_dns=ask_dns)

    def own(self, client: tuple[str, int]) -> None:
        """The connection that `client` has made to the port is one of our own. It may be called in any thread."""
        if self.relay is not None:
            self.relay.router.own(client)

    def pause(self, paused: bool) -> None:
        """Send new connections directly, or through the server again; a port that is moved goes on likewise."""
        self._paused = paused
        if self.relay is not None:
            self.relay.router.pause(paused)

    async def apply(self, config: AppConfig) -> None:
        """Run as `config` says. Connections that are open go on with the server that they have."""
        wanted = local_settings(config)
        if wanted is not None and self._run is not None:
            wanted = under(wanted, self._run)
        if wanted == self._settings:
            return
        before, self._settings = self._settings, None  # should it fail, nothing that runs is as wanted
        if self.relay is not None and wanted is not None and before is not None and can_change(before, wanted):
            await self._change(self.relay, wanted)
        else:
            await self._begin(wanted)
        self._settings = wanted

    async def _change(self, relay: LocalRelay, wanted: LocalSettings) -> None:
        try:
            await relay.change(wanted)
        except (EngineError, LocalProtocolError):
            self._close()  # rather nothing than a server that was not meant
            raise

    def _close(self) -> None:
        if self.relay is not None:
            self.relay.close()
            self.relay = None
        self.conflict = None

    async def _begin(self, wanted: LocalSettings | None) -> None:
        self._close()
        if wanted is not None:
            self.relay = await self._listen(wanted)
            self.relay.pages = self.pages
            self.relay.router.pause(self._paused)
            self.relay.router.follow(self._rules, named_only=self._named_only, ask_dns=self._ask_dns)
            _log.info("listening on %s", Address(*self.relay.address))

    async def _listen(self, wanted: LocalSettings) -> LocalRelay:
        wanted = msgspec.structs.replace(wanted, own_addresses=own_addresses())
        try:
            return await self._engine.start_local(wanted)
        except BindError as error:
            return await self._move(wanted, error)

    async def _move(self, wanted: LocalSettings, first: BindError) -> LocalRelay:
        """The next free port for this run; the settings keep the one that was wanted."""
        cause = first.__cause__
        reserved = isinstance(cause, OSError) and cause.errno == errno.EACCES
        owner = None if reserved else await run_blocking(owner_of_port, wanted.bind_port)
        for port in range(wanted.bind_port + 1, min(65536, wanted.bind_port + _MOVES)):
            try:
                relay = await self._engine.start_local(msgspec.structs.replace(wanted, bind_port=port))
            except BindError:
                continue
            self.conflict = PortConflict(wanted.bind_port, port, owner or "", reserved)
            _log.warning("%s; listening on port %d for this run", first, port)
            return relay
        raise first
