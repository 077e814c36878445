"""Runs an engine without a window until a signal ends it (`stopping.py`), with settings that can be read again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TextIO

import msgspec

from ssgui import __version__
from ssgui.app.collector import spare_the_collector
from ssgui.app.connection_log import ConnectionLog
from ssgui.app.events.output import EventLog
from ssgui.app.headless.control import HeadlessControl
from ssgui.app.headless.reload import Reloader, Settings, as_they_are
from ssgui.app.headless.stopping import signals, until_stopped
from ssgui.app.revival import Mender
from ssgui.app.server.link import server_links, show_link
from ssgui.app.server.plan import OneProcess
from ssgui.app.server.side import ServerSide
from ssgui.app.watching import port_of
from ssgui.config.models import LocalSettings, ServerChoice, ServerSettings
from ssgui.config.options import Options
from ssgui.config.secret import Secret
from ssgui.config.settings import check_workers
from ssgui.config.values import ConfigError
from ssgui.engine.changes import change_local
from ssgui.engine.engine import Engine
from ssgui.engine.journal import Journal
from ssgui.engine.loop import new_headless_loop
from ssgui.engine.relay import LocalRelay
from ssgui.engine.stages import Role
from ssgui.engine.tally import port_name
from ssgui.engine.tasks import run_blocking, spawn
from ssgui.services.awake import Awake
from ssgui.system.addresses import own_addresses
from ssgui.system.limits import raise_nofile

POLL_SECONDS = 0.1
_CHOSEN = {
    ServerChoice.FIXED: "the first of {} servers that can be reached",
    ServerChoice.RANDOM: "one of {} servers, chosen at random for each connection",
    ServerChoice.AUTO: "the fastest of {} servers",
}
_log = logging.getLogger("ssgui")


@dataclass(frozen=True, slots=True)
class Job:
    """What to run: a client or servers, and who is told.

    The link of a server whose password is `made`, so that nobody knows it yet, is shown on `links`. `read` reads the
    settings again (blocking; ConfigError), `options` are what they were made of. Several `workers` share the ports of
    servers.
    """

    local: LocalSettings | None = None
    servers: tuple[ServerSettings, ...] = ()
    events: TextIO | None = None
    made: Secret | None = None
    links: TextIO | None = None
    uvloop: bool = False
    workers: int = 1
    options: Options = field(default_factory=Options)
    read: Callable[[], Settings] | None = None

    @property
    def settings(self) -> Settings:
        """What it begins with."""
        return Settings(self.local, self.servers, self.options)


class JournalReader(Protocol):
    """Who reads the journal: the log, and --events."""

    def pump(self) -> None:
        """Write what is new."""

    def close(self) -> None:
        """Write what is new; nothing comes after."""


def run_headless(job: Job) -> int:
    """Run until stopped; returns the exit code. BindError, ConfigError, LocalProtocolError when it cannot begin."""
    raise_nofile()
    check_workers(job.workers, job.servers)
    if job.workers > 1:
        from ssgui.app.server.workers import run_workers  # Linux only

        return run_workers(job)
    with asyncio.Runner(loop_factory=loop_factory(job.uvloop)) as runner:
        return runner.run(_run(job))


def loop_factory(uvloop: bool) -> Callable[[], asyncio.AbstractEventLoop]:
    """What makes the loop of an engine. ConfigError when `uvloop` is wanted and not there."""
    if not uvloop:
        return new_headless_loop
    try:
        from uvloop import new_event_loop
    except ImportError:
        raise ConfigError("--uvloop: uvloop is not installed") from None
    factory: Callable[[], asyncio.AbstractEventLoop] = new_event_loop
    return factory


async def _run(job: Job) -> int:
    engine = Engine(journal=Journal())
    spare_the_collector()
    readers: list[JournalReader] = []
    control = HeadlessControl(engine, role_of(job))
    with signals() as queue:
        try:
            await control.start()
            await _listen(engine, job)
            readers += new_readers(engine, job)
            pumping = spawn(pump(readers), name="journal readers")
            try:
                return await (_serve if job.local is None else _proxy)(engine, job, queue)
            finally:
                pumping.cancel()
        except BaseException:
            await engine.stop(0)
            raise
        finally:
            await control.stop()
            for reader in readers:
                reader.close()


async def _serve(engine: Engine, job: Job, queue: asyncio.Queue[int]) -> int:
    side = ServerSide(OneProcess(engine), job.settings, _reading(job))
    try:
        await side.start()
        return await until_stopped(engine, queue, side)
    finally:
        await side.stop()


async def _proxy(engine: Engine, job: Job, queue: asyncio.Queue[int]) -> int:
    mender, client = Mender(engine), _Client(engine)
    awake = Awake(client.way_out, mender.heard)  # a server's network does not come and go
    awake.start()
    reloader = Reloader(_reading(job) or as_they_are(job.settings), client.take)
    try:
        return await until_stopped(engine, queue, reloader)
    finally:
        await reloader.end()
        mender.end()
        await awake.stop()


def _reading(job: Job) -> Callable[[], Awaitable[Settings]] | None:
    read = job.read
    return None if read is None else lambda: run_blocking(read)


class _Client:
    """The client of an engine, which may be exchanged for another."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        (self._relay,) = (relay for relay in engine.relays if isinstance(relay, LocalRelay))

    def way_out(self) -> str:
        """The host that it connects to first, where there is only one."""
        settings = self._relay.settings
        if len(settings.servers) != 1:
            return ""
        return settings.servers[0].host if settings.upstream_proxy is None else settings.upstream_proxy.host

    async def take(self, settings: Settings) -> str:
        """Go on with other settings; where it goes through then."""
        assert settings.local is not None
        local = msgspec.structs.replace(settings.local, own_addresses=own_addresses())
        self._relay = await change_local(self._engine, self._relay, local)
        return f"listening on {port_name(self._relay.address)}, going through {_upstream(local)}"


def role_of(job: Job) -> str:
    """What a process of it is called: "local", "tunnel" or "server"."""
    if job.local is None:
        return "server"
    return "local" if job.local.tunnel is None else "tunnel"


async def _listen(engine: Engine, job: Job) -> None:
    if job.local is not None:
        local = msgspec.structs.replace(job.local, own_addresses=own_addresses())
        relay = await engine.start_local(local)
        beside = ", UDP too" if relay.udp is not None else ""
        speaks = f"SOCKS and HTTP{beside}" if local.tunnel is None else f"a tunnel to {local.tunnel}{beside}"
        _log.info("listening on %s (%s), going through %s", port_name(relay.address), speaks, _upstream(local))
    for settings in job.servers:
        server = await engine.start_server(settings)
        tell_server(settings, server.address, job)


def tell_server(settings: ServerSettings, address: tuple[str, int], job: Job) -> None:
    """Say where a server listens, and how to get there if nobody can know that yet."""
    beside = ", UDP too" if settings.udp else ""
    _log.info("listening on %s (Shadowsocks, %s%s)", port_name(address), settings.method, beside)
    if job.links is not None and settings.password == job.made:
        for link in server_links(settings, address):
            show_link(link, job.links)
        if settings.plugin is not None:
            _log.warning("the link does not name a plugin: a client needs the one that fits this server's")


def _upstream(settings: LocalSettings) -> str:
    text = _CHOSEN[settings.choice].format(len(settings.servers))
    if len(settings.servers) == 1:
        server = settings.servers[0]
        text = f"{port_name((server.host, server.port))} ({server.method})"
    if (proxy := settings.upstream_proxy) is not None:
        text += f", reached through the {proxy.kind} proxy {port_name((proxy.host, proxy.port))}"
    return text


def new_readers(engine: Engine, job: Job, worker: int | None = None) -> Iterator[JournalReader]:
    """Who reads the journal of an engine, which may be that of a worker."""
    if _log.isEnabledFor(logging.INFO):
        yield ConnectionLog(engine.journal, _log)
    if job.events is not None:
        role = Role.SERVER if job.local is None else Role.LOCAL
        log = EventLog(engine, job.events, version=__version__, role=role, port=port_of(engine), worker=worker)
        log.start()
        yield log


async def pump(readers: list[JournalReader]) -> None:
    """Readers poll: a connection never waits for a log line."""
    while readers:
        await asyncio.sleep(POLL_SECONDS)
        for reader in readers:
            reader.pump()
