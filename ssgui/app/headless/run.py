"""Runs an engine without a window until a signal ends it (`stopping.py`), with settings that can be read again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import msgspec

from ssgui.app.collector import spare_the_collector
from ssgui.app.headless.control import HeadlessControl
from ssgui.app.headless.job import Job, JournalReader, loop_factory, new_readers, pump, role_of, tell_server
from ssgui.app.headless.reload import Reloader, Settings, as_they_are
from ssgui.app.headless.stopping import signals, until_stopped
from ssgui.app.revival import Mender
from ssgui.app.server.plan import OneProcess
from ssgui.app.server.side import ServerSide
from ssgui.config.models import LocalSettings, ServerChoice
from ssgui.config.settings import check_workers
from ssgui.engine.changes import change_local
from ssgui.engine.engine import Engine
from ssgui.engine.journal import Journal
from ssgui.engine.relay import LocalRelay
from ssgui.engine.tally import port_name
from ssgui.engine.tasks import run_blocking, spawn
from ssgui.services.awake import Awake
from ssgui.system.addresses import own_addresses
from ssgui.system.limits import raise_nofile

_CHOSEN = {
    ServerChoice.FIXED: "the first of {} servers that can be reached",
    ServerChoice.RANDOM: "one of {} servers, chosen at random for each connection",
    ServerChoice.AUTO: "the fastest of {} servers",
}
_log = logging.getLogger("ssgui")


def run_headless(job: Job) -> int:
    """Run until stopped; returns the exit code. BindError, ConfigError, LocalProtocolError when it cannot begin."""
    raise_nofile()
    check_workers(job.workers, job.servers)
    if job.workers > 1:
        from ssgui.app.server.workers import run_workers  # Linux only

        return run_workers(job)
    with asyncio.Runner(loop_factory=loop_factory(job.uvloop)) as runner:
        return runner.run(_run(job))


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


def _upstream(settings: LocalSettings) -> str:
    text = _CHOSEN[settings.choice].format(len(settings.servers))
    if len(settings.servers) == 1:
        server = settings.servers[0]
        text = f"{port_name((server.host, server.port))} ({server.method})"
    if (proxy := settings.upstream_proxy) is not None:
        text += f", reached through the {proxy.kind} proxy {port_name((proxy.host, proxy.port))}"
    return text
