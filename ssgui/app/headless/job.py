"""What a process without a window is to do, and what all of them do alike: one that serves alone, and each worker."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TextIO

from ssgui import __version__
from ssgui.app.connection_log import ConnectionLog
from ssgui.app.events.output import EventLog
from ssgui.app.headless.reload import Settings
from ssgui.app.server.link import server_links, show_link
from ssgui.app.watching import port_of
from ssgui.config.models import LocalSettings, ServerSettings
from ssgui.config.options import Options
from ssgui.config.secret import Secret
from ssgui.config.values import ConfigError
from ssgui.engine.engine import Engine
from ssgui.engine.loop import new_headless_loop
from ssgui.engine.stages import Role
from ssgui.engine.tally import port_name

POLL_SECONDS = 0.1
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


def role_of(job: Job) -> str:
    """What a process of it is called: "local", "tunnel" or "server"."""
    if job.local is None:
        return "server"
    return "local" if job.local.tunnel is None else "tunnel"


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


def tell_server(settings: ServerSettings, address: tuple[str, int], job: Job) -> None:
    """Say where a server listens, and how to get there if nobody can know that yet."""
    beside = ", UDP too" if settings.udp else ""
    _log.info("listening on %s (Shadowsocks, %s%s)", port_name(address), settings.method, beside)
    if job.links is not None and settings.password == job.made:
        for link in server_links(settings, address):
            show_link(link, job.links)
        if settings.plugin is not None:
            _log.warning("the link does not name a plugin: a client needs the one that fits this server's")


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
