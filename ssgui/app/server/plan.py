"""What a server is to serve: what its settings say, as managers have changed it.

What a manager did stays done when the settings are read again: a port that it closed because somebody has used up
what he paid for must not be open again because somebody else's name was mended in a file.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ssgui.app.headless.reload import Settings
from ssgui.config.access_list import read_acl
from ssgui.config.models import ServerSettings
from ssgui.config.options import ServerEntry
from ssgui.config.settings import managed_server
from ssgui.config.values import ConfigError
from ssgui.engine.changes import Difference, change_servers
from ssgui.engine.engine import Engine
from ssgui.engine.tally import Sample, port_name, sample

_log = logging.getLogger("ssgui")


class Serving(Protocol):
    """Who serves: the engine of this process, or workers that have one each."""

    async def change(self, wanted: Sequence[ServerSettings]) -> Difference:
        """Serve what is `wanted` and nothing else. EngineError, LocalProtocolError, ConfigError: all is as it was."""

    async def sample(self) -> Sample:
        """How the counters stand."""


class OneProcess:
    """The engine of this process serves."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def change(self, wanted: Sequence[ServerSettings]) -> Difference:
        """Serve what is `wanted`."""
        return await change_servers(self._engine, wanted)

    async def sample(self) -> Sample:
        """How the counters stand."""
        return sample(self._engine)


@dataclass(frozen=True, slots=True)
class _Plan:
    """`added` and `removed` are what managers did, by port."""

    servers: tuple[ServerSettings, ...]
    added: dict[int, tuple[ServerSettings, ...]] = field(default_factory=dict)
    removed: frozenset[int] = frozenset()

    def wanted(self) -> tuple[ServerSettings, ...]:
        """All together; what a manager added on a port wins over the settings."""
        kept = [one for one in self.servers if one.bind_port not in self.removed and one.bind_port not in self.added]
        return (*kept, *(one for servers in self.added.values() for one in servers))


class ServerPlan:
    """Changes one after the other; each is taken whole or not at all."""

    def __init__(self, serving: Serving, settings: Settings) -> None:
        self._serving, self._settings = serving, settings
        self._plan = _Plan(settings.servers)
        self._turn, self._closed = asyncio.Lock(), False
        self._since: dict[int, int] = {}  # what a port had carried when it was added

    @property
    def wanted(self) -> tuple[ServerSettings, ...]:
        """What is served now."""
        return self._plan.wanted()

    async def take(self, settings: Settings) -> Difference:
        """The settings say something else. Errors of `Serving.change`, ConfigError: all is as it was."""
        async with self._turn:
            difference = await self._change(_Plan(settings.servers, self._plan.added, self._plan.removed))
            before, now = self._settings.options, settings.options
            if (before.workers, before.manager, before.metrics) != (now.workers, now.manager, now.metrics):
                _log.warning("workers, manager_address and metrics stay as they are until the next start")
            self._settings = settings
            return difference

    async def add(self, entry: ServerEntry) -> None:
        """A manager wants this port; what was on it is replaced. Errors as those of `take`."""
        options, port = self._settings.options, entry.port
        acl = read_acl(options.acl) if options.acl else None
        servers = managed_server(options, entry, acl)
        async with self._turn:
            added = {**self._plan.added, port: servers}
            await self._change(_Plan(self._plan.servers, added, self._plan.removed - {port}))
            self._since[port] = 0
            self._since[port] = (await self.used()).get(port, 0)

    async def remove(self, port: int) -> None:
        """A manager does not want this port any more. Errors as those of `take`."""
        async with self._turn:
            added = {one: servers for one, servers in self._plan.added.items() if one != port}
            await self._change(_Plan(self._plan.servers, added, self._plan.removed | {port}))

    async def used(self) -> dict[int, int]:
        """Bytes of payload, both ways, of every port that is served; of one that a manager added, since then."""
        found = await self._serving.sample()
        used: dict[int, int] = {}
        for one in self.wanted:
            port = found.ports.get(port_name((one.bind_host, one.bind_port)))
            carried = sum(port.carried) if port is not None else 0
            used[one.bind_port] = used.get(one.bind_port, -self._since.get(one.bind_port, 0)) + carried
        return used

    async def close(self) -> None:
        """Change nothing from now on; what is being changed is waited for."""
        async with self._turn:
            self._closed = True

    async def _change(self, plan: _Plan) -> Difference:
        if self._closed:
            raise ConfigError("the server is about to end")
        difference = await self._serving.change(plan.wanted())
        self._plan = plan
        return difference
