"""Runs an engine without a window until a signal ends it.

SIGTERM and SIGINT: stop listening, give connections 2 s, exit 0. A second one ends it now, with the exit code
of the signal (143, 130). SIGQUIT, as in the original: stop listening and end, with 0, when the last connection
has; SIGTERM or SIGINT meanwhile are as above.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

import msgspec

from ssgui import __version__
from ssgui.app.collector import spare_the_collector
from ssgui.app.connection_log import ConnectionLog
from ssgui.app.events import EventLog
from ssgui.app.revival import Mender
from ssgui.app.server_link import server_links, show_link
from ssgui.config.models import LocalSettings, ServerChoice, ServerSettings
from ssgui.config.secret import Secret
from ssgui.config.values import ConfigError
from ssgui.engine.engine import Engine
from ssgui.engine.journal import Journal
from ssgui.engine.loop import new_headless_loop
from ssgui.engine.relay import TCPRelay
from ssgui.engine.tasks import spawn
from ssgui.services.awake import Awake
from ssgui.system.addresses import own_addresses
from ssgui.system.limits import raise_nofile

GRACE_SECONDS = 2.0
POLL_SECONDS = 0.1
_SIGNALS = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGBREAK")
_CHOSEN = {
    ServerChoice.FIXED: "the first of {} servers that can be reached",
    ServerChoice.RANDOM: "one of {} servers, chosen at random for each connection",
    ServerChoice.AUTO: "the fastest of {} servers",
}
_log = logging.getLogger("ssgui")


@dataclass(frozen=True, slots=True)
class Job:
    """What to run: a client or servers, and who is told.

    The link of a server whose password is `made`, so that nobody knows it yet, is shown on `links`.
    """

    local: LocalSettings | None = None
    servers: tuple[ServerSettings, ...] = ()
    events: TextIO | None = None
    made: Secret | None = None
    links: TextIO | None = None
    uvloop: bool = False


class JournalReader(Protocol):
    """Who reads the journal: the log, and --events."""

    def pump(self) -> None:
        """Write what is new."""

    def close(self) -> None:
        """Write what is new; nothing comes after."""


def run_headless(job: Job) -> int:
    """Run until stopped; returns the exit code. BindError, ConfigError, LocalProtocolError when it cannot begin."""
    raise_nofile()
    with asyncio.Runner(loop_factory=_loop_factory(job.uvloop)) as runner:
        return runner.run(_run(job))


def _loop_factory(uvloop: bool) -> Callable[[], asyncio.AbstractEventLoop]:
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
    with _signals() as signals:
        try:
            await _listen(engine, job)
            readers += _readers(engine.journal, job)
            pumping = spawn(_pump(readers), name="journal readers")
            mender = Mender(engine)
            awake = Awake(lambda: _way_to(job), mender.heard)
            if job.local is not None:  # a server's network does not come and go
                awake.start()
            try:
                return await _until_stopped(engine, signals)
            finally:
                pumping.cancel()
                mender.end()
                await awake.stop()
        except BaseException:
            await engine.stop(0)
            raise
        finally:
            for reader in readers:
                reader.close()


def _way_to(job: Job) -> str:
    """The host that a client connects to first."""
    if job.local is None or len(job.local.servers) != 1:
        return ""
    return job.local.upstream_proxy.host if job.local.upstream_proxy is not None else job.local.servers[0].host


async def _listen(engine: Engine, job: Job) -> None:
    if job.local is not None:
        local = msgspec.structs.replace(job.local, own_addresses=own_addresses())
        relay = await engine.start_local(local)
        speaks = (
            f"SOCKS and HTTP{_beside(relay)}" if local.tunnel is None else f"a tunnel to {local.tunnel}{_beside(relay)}"
        )
        _log.info("listening on %s (%s), going through %s", _address(relay.address), speaks, _upstream(local))
    for settings in job.servers:
        server = await engine.start_server(settings)
        _log.info("listening on %s (Shadowsocks, %s%s)", _address(server.address), settings.method, _beside(server))
        if job.links is not None and settings.password == job.made:
            for link in server_links(settings, server.address):
                show_link(link, job.links)
            if settings.plugin is not None:
                _log.warning("the link does not name a plugin: a client needs the one that fits this server's")


def _beside(relay: TCPRelay) -> str:
    return ", UDP too" if relay.udp is not None else ""


def _address(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _upstream(settings: LocalSettings) -> str:
    text = _CHOSEN[settings.choice].format(len(settings.servers))
    if len(settings.servers) == 1:
        server = settings.servers[0]
        text = f"{_address((server.host, server.port))} ({server.method})"
    if (proxy := settings.upstream_proxy) is not None:
        text += f", reached through the {proxy.kind} proxy {_address((proxy.host, proxy.port))}"
    return text


def _readers(journal: Journal, job: Job) -> Iterator[JournalReader]:
    if _log.isEnabledFor(logging.INFO):
        yield ConnectionLog(journal, _log)
    if job.events is not None:
        log = EventLog(journal, job.events, version=__version__, role="server" if job.local is None else "local")
        log.start()
        yield log


async def _pump(readers: list[JournalReader]) -> None:
    """Readers poll: a connection never waits for a log line."""
    while readers:
        await asyncio.sleep(POLL_SECONDS)
        for reader in readers:
            reader.pump()


@contextlib.contextmanager
def _signals() -> Iterator[asyncio.Queue[int]]:
    """A queue of the signals that arrive while this lasts."""
    queue: asyncio.Queue[int] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    previous = {number: signal.getsignal(number) for number in numbers}

    def from_system(number: int, frame: object) -> None:
        loop.call_soon_threadsafe(queue.put_nowait, number)

    for number in numbers:
        try:
            loop.add_signal_handler(number, queue.put_nowait, number)
        except NotImplementedError:  # Windows
            signal.signal(number, from_system)
    try:
        yield queue
    finally:
        for number in numbers:
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, previous[number] or signal.SIG_DFL)


async def _until_stopped(engine: Engine, signals: asyncio.Queue[int]) -> int:
    """Wait for a signal and stop the engine as it asks; the exit code."""
    drain = getattr(signal, "SIGQUIT", None)
    number: int | None = await signals.get()
    if number == drain:
        _log.info("no longer listening; ending with the last connection")
        engine.close_listeners()
        while number == drain:
            number = await _first(engine.drained(), signals)
        if number is None:
            await engine.stop(0)
            return 0
    _log.info("stopping")
    number = await _first(engine.stop(GRACE_SECONDS), signals)
    if number is None:
        return 0
    await engine.stop(0)
    return 128 + number


async def _first(work: Coroutine[Any, Any, None], signals: asyncio.Queue[int]) -> int | None:
    """Wait for `work`, or for a signal, which ends the work; the signal's number, None for the work."""
    working, waiting = spawn(work, name="stopping"), spawn(signals.get(), name="next signal")
    try:
        await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
            return None
        return waiting.result()
    finally:
        working.cancel()
        waiting.cancel()
        await asyncio.wait((working, waiting))
