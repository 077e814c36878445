"""Tests of servers: a small page fetched through each, a few at a time, until done or stopped."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

import msgspec

from ssgui.app.consent import is_agreed
from ssgui.app.context import AppContext
from ssgui.app.local_proxy import usable
from ssgui.app.server_states import ServerStates
from ssgui.app.trials import try_server
from ssgui.config.app_config import Server
from ssgui.engine.errors import EngineError
from ssgui.engine.relay import LocalRelay
from ssgui.engine.tasks import spawn
from ssgui.engine.upstream.latency import Latency, measure
from ssgui.engine.upstream.server import Upstream
from ssgui.protocol.errors import LocalProtocolError
from ssgui.services.diagnosis.server_facts import find_upstream

AT_ONCE = 5


class ServerTests:
    """Runs tests in the background; `told` is called as each begins and ends."""

    def __init__(self, context: AppContext, states: ServerStates, told: Callable[[], None]) -> None:
        self._context, self._states, self._told = context, states, told
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._gate = asyncio.Semaphore(AT_ONCE)

    def start(self, identities: Iterable[str]) -> None:
        """Test these, if they are not being tested already."""
        for identity in identities:
            server = self._context.config.server(identity)
            if server is None or identity in self._tasks or not usable(server, self._legacy()):
                continue
            self._states.testing.add(identity)
            task = self._tasks[identity] = spawn(self._test(server), name=f"test of {server.name}")
            task.add_done_callback(partial(self._ended, identity))
        self._told()

    def stop(self) -> None:
        """Cancel what has not ended."""
        for task in list(self._tasks.values()):
            task.cancel()

    def _ended(self, identity: str, _task: asyncio.Task[None]) -> None:
        self._tasks.pop(identity, None)
        self._states.testing.discard(identity)
        self._told()

    def _legacy(self) -> frozenset[str]:
        return frozenset(self._context.config.settings.legacy_methods)

    async def _test(self, server: Server) -> None:
        relay = self._context.proxy.relay
        if relay is None:
            self._states.tested(server.id, None, "the proxy does not listen")
            return
        if not is_agreed(self._context.config, server):
            self._states.tested(
                server.id, None, f"{server.plugin} may not be started yet: use the server, and allow it"
            )
            return
        async with self._gate:
            try:
                found = await self._measure(relay, server)
            except (EngineError, LocalProtocolError) as error:
                self._states.tested(server.id, None, str(error))
            else:
                self._states.tested(server.id, found.first_byte if not found.failure else None, found.failure)

    async def _measure(self, relay: LocalRelay, server: Server) -> Latency:
        """One that is in use as it is used: its evidence hears of it. Any other one beside those, with its plugin."""
        name = self._context.name_of(server)
        used = find_upstream(relay, name)
        if used is not None and used.profile == msgspec.structs.replace(server.profile(), remarks=name):
            return await try_server(relay, used, self._context.evidence, confirms=True)
        other = Upstream(server.profile(), self._legacy())
        try:
            await other.start()
            return await measure(relay, other)
        finally:
            await other.stop()
