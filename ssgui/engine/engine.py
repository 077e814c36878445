"""The engine: all relays of one loop, with what they share, started and stopped together."""

import asyncio
import itertools
import random
import time
from typing import TYPE_CHECKING, Any, TypeVar

from ssgui.config.models import LocalSettings, ServerSettings
from ssgui.engine.deadlines import DeadlineQueue
from ssgui.engine.drain import Drain, Lingering
from ssgui.engine.handler import TCPRelayHandler
from ssgui.engine.handler_base import Handler, HandlerView
from ssgui.engine.journal import Journal
from ssgui.engine.poller import Poller
from ssgui.engine.reactor import Reactor
from ssgui.engine.relay import LocalRelay, TCPRelay
from ssgui.engine.server_relay import ServerRelay
from ssgui.engine.sessions.http import KEEP_ALIVE_SECONDS, HttpSession
from ssgui.engine.sessions.session import Session
from ssgui.engine.stages import Reason
from ssgui.engine.tally import Tally
from ssgui.engine.tasks import spawn

if TYPE_CHECKING:
    from ssgui.engine.shared_salts import SharedSalts

_Relay = TypeVar("_Relay", bound=TCPRelay)
FIRST_PAYLOAD_WAIT = 0.25
_SWEEP_SECONDS = 1.0
_PARTING_SECONDS = 0.25
_PROCESS_DEADLINE = random.SystemRandom().uniform(60, 120)  # a stranger cannot tell us by a fixed number


def _descriptor_limit() -> int:
    try:
        import resource
    except ImportError:  # Windows has no such limit for sockets
        return 16384
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


class Engine:
    """Runs inside the loop that is running when it is made.

    `drain_deadline` (seconds) is for tests: left out, it is one random value from 60 to 120 per process. An engine that
    has `salts` is one of several processes: they share these, and the ports of servers.
    """

    def __init__(
        self,
        journal: Journal | None = None,
        *,
        drain_deadline: float | None = None,
        poller: Poller | None = None,
        salts: "SharedSalts | None" = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.journal = journal or Journal()
        self.reactor = Reactor(loop, poller)
        descriptors = _descriptor_limit()
        self.drain = Drain(loop, drain_deadline or _PROCESS_DEADLINE, max(16, descriptors // 4))
        # Each may have a socket per address family; connections need descriptors too.
        self.most_associations = max(4, descriptors // 4)
        self.lingering = Lingering(loop)
        self.payload_wait: DeadlineQueue[TCPRelayHandler] = DeadlineQueue(
            loop, FIRST_PAYLOAD_WAIT, TCPRelayHandler.stream
        )
        self.kept_alive: DeadlineQueue[HttpSession] = DeadlineQueue(loop, KEEP_ALIVE_SECONDS, HttpSession.kept_too_long)
        self.salts = salts
        self.relays: list[TCPRelay] = []
        self.tallies: dict[str, Tally] = {}  # by the names of ports, also of those that were closed
        self.handlers: dict[int, Handler] = {}
        self._loop = loop
        # A number that no connection or handler of this engine had before.
        self.next_number = itertools.count(1).__next__
        self._idle = asyncio.Event()
        self._idle.set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._parting: dict[TCPRelay, asyncio.Task[None]] = {}

    # ---- relays

    async def start_local(self, settings: LocalSettings) -> LocalRelay:
        """Listen as a client. BindError, PluginError; LocalProtocolError for a method or key that cannot be used."""
        relay = LocalRelay(self, settings)
        return await self._start(relay, settings.bind_host, settings.bind_port)

    async def start_server(self, settings: ServerSettings) -> ServerRelay:
        """Listen as a server; errors as `start_local`."""
        relay = ServerRelay(self, settings)
        return await self._start(relay, settings.bind_host, settings.bind_port)

    async def _start(self, relay: _Relay, host: str, port: int) -> _Relay:
        await relay.start()
        try:
            await relay.listen(host, port)
        except BaseException:
            await relay.closed()
            raise
        self.relays.append(relay)
        self.tallies[relay.name] = relay.tally
        return relay

    async def remove(self, relay: TCPRelay, detail: str) -> None:
        """Close a port and end what came to it; `detail` says why."""
        relay.close()
        for handler in list(self.handlers.values()):
            if handler.relay is relay:
                handler.destroy(Reason.SHUTDOWN, detail=detail)
        self.relays.remove(relay)
        await relay.closed()

    def part(self, relay: TCPRelay) -> None:
        """Accept nothing more at a port; what came to it goes on, and with the last of it the relay is gone."""
        relay.close()
        self._parting[relay] = spawn(self._part(relay), name="a port that was closed")

    async def _part(self, relay: TCPRelay) -> None:
        for session in [one for one in self.kept_alive if one.relay is relay]:
            session.part()  # the program can ask somebody else
        while True:
            if not any(handler.relay is relay for handler in self.handlers.values()):
                break
            await asyncio.sleep(_PARTING_SECONDS)
        self.relays.remove(relay)
        del self._parting[relay]
        await relay.closed()

    def close_listeners(self) -> None:
        """Accept no more connections; those that are open go on."""
        for relay in self.relays:
            relay.close()

    async def drained(self) -> None:
        """Wait until no connection is left."""
        await self._idle.wait()

    async def stop(self, grace: float = 2.0) -> None:
        """Stop listening, give connections `grace` seconds to finish, then reset them."""
        self.close_listeners()
        for parting in self._parting.values():
            parting.cancel()
        self._part_resting()
        try:
            async with asyncio.timeout(grace):
                await self.drained()
        except TimeoutError:
            pass  # what has not finished by now is reset below
        for handler in list(self.handlers.values()):
            handler.destroy(Reason.SHUTDOWN)
        self.drain.close()
        self.lingering.close()
        self.payload_wait.clear()
        self._part_resting()
        if self._sweeper is not None:
            self._sweeper.cancel()
        for relay in self.relays:
            await relay.closed()
        self.relays.clear()
        await self.reactor.poller.close()

    def _part_resting(self) -> None:
        """Programs that keep a connection for another request can ask somebody else."""
        for session in self.kept_alive.clear():
            session.part()

    # ---- connections

    def new_handler(self, relay: TCPRelay, session: Session[Any]) -> TCPRelayHandler:
        """A handler, known here until it is DESTROYED."""
        handler = TCPRelayHandler(self.next_number(), relay, session)
        self.add_handler(handler)
        return handler

    def add_handler(self, handler: Handler) -> None:
        """Know `handler` until it is DESTROYED."""
        if not self.handlers:
            self._idle.clear()
        self.handlers[handler.id] = handler
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(self._sweep_interval(), self._sweep)

    def handler_ended(self, handler: Handler) -> None:
        """`handler` is DESTROYED."""
        del self.handlers[handler.id]
        if not self.handlers:
            self._idle.set()

    def snapshot(self) -> list[HandlerView]:
        """How every connection stands now."""
        return [handler.view() for handler in self.handlers.values()]

    def _sweep_interval(self) -> float:
        limits = [relay.timeout / 4 for relay in self.relays if relay.timeout]
        limits += [relay.udp.dns_seconds / 4 for relay in self.relays if relay.udp is not None]
        return max(0.05, min(_SWEEP_SECONDS, *limits)) if limits else _SWEEP_SECONDS

    def _sweep(self) -> None:
        """The one clock of idle times and deadlines; it rests while there is no connection."""
        now = time.monotonic()
        for handler in list(self.handlers.values()):
            handler.sweep(now, handler.relay.timeout)
        for relay in self.relays:
            if relay.udp is not None:
                relay.udp.sweep(now)
        self._sweeper = self._loop.call_later(self._sweep_interval(), self._sweep) if self.handlers else None
