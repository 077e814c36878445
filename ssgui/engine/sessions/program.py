"""A program asks for a target, in whatever protocol; its handler goes there through a server, or directly.

The server is dialled before the program is answered, so a dead server is a true reply. What became of the
target itself no Shadowsocks client can know.
"""

import socket
import time
from abc import abstractmethod
from typing import TYPE_CHECKING

from ssgui.engine.dialer import CONNECT_TIMEOUT, CONNECT_TIMEOUT_ALL
from ssgui.engine.errors import DialError
from ssgui.engine.events import Endpoint
from ssgui.engine.handler import Farewell
from ssgui.engine.leg import Leg
from ssgui.engine.sessions.session import Session
from ssgui.engine.stages import Reason, Stage
from ssgui.engine.upstream.server import Upstream
from ssgui.protocol.address import Address, encode_address
from ssgui.rules.acl import Match, Route

if TYPE_CHECKING:
    from ssgui.engine.relay import LocalRelay

REQUEST_READ = 4096


class ProgramSession(Session["LocalRelay"]):
    """What the sessions of a client have in common: the way to a target. How they are asked is theirs."""

    __slots__ = ("tried", "upstream")

    farewell = Farewell.LINGER  # to a program whose request is refused

    def __init__(self, conn: int, relay: "LocalRelay", sock: socket.socket, client: Endpoint) -> None:
        super().__init__(conn, relay, sock, client)
        self.upstream: Upstream | None = None  # None: the way is direct
        self.tried: tuple[Upstream, ...] = ()  # servers that could not be reached

    @abstractmethod
    def answer(self) -> None:
        """Tell the program that its request succeeded."""

    @abstractmethod
    def refuse(self, reason: Reason) -> None:
        """Tell the program that its request failed, and why."""

    def read(self, limit: int) -> bytes:
        return self.local.recv(limit)

    def go(self, target: Address, payload: bytes, url: str = "") -> None:
        """Have the handler go to `target`, by `url` if it is known; `payload` came behind the request already."""
        handler, relay = self.handler, self.relay
        match = relay.router.route(target, self.client, url)
        handler.target = target
        self.local.received = len(payload)
        if relay.router.asks(match, target.host):
            handler.ask(self._ask(match, target, payload))
        else:
            self._go(match, target, payload)

    async def _ask(self, match: Match, target: Address, payload: bytes) -> None:
        """The addresses of `target` have a say; a name that nobody here knows keeps its way."""
        try:
            found = await self.relay.resolver.resolve(target.host, target.port)
        except DialError:
            found = []
        self.handler.dialing = None
        self._go(self.relay.router.judged(match, [one.address[0] for one in found]), target, payload)

    def _go(self, match: Match, target: Address, payload: bytes) -> None:
        handler, relay = self.handler, self.relay
        handler.route, handler.rule = match.route, match.rule
        if match.route is Route.PROXY:
            self.tried = ()
            upstream = self.upstream = relay.pool.choose(target)
            handler.server = upstream.name
            handler.early = encode_address(target.host, target.port) + payload
            handler.dial(upstream.host, upstream.port, relay.dialer)
        elif match.route is Route.DIRECT:
            handler.early = payload
            handler.dial(target.host, target.port, relay.direct(self.client))
        else:
            self.refuse(Reason.DENIED)
            handler.destroy(Reason.DENIED, self.farewell)

    def connected(self, local: Leg, remote: Leg) -> None:
        self.answer()
        if local.closed:
            return
        if self.upstream is None:
            self.handler.stream()
            return
        if remote.fast_open is None:
            self.reached()
        remote.encoder, remote.decoder = self.upstream.tunnel.client_streams()
        self.handler.await_payload()

    def dial_failed(self, error: DialError) -> None:
        if self.upstream is not None and not error.by_proxy:
            error = self.upstream.explain(error)
            self.relay.pool.failed(self.upstream, error)
            if self._try_another(self.upstream):
                return
        self.refuse(error.reason)
        self.handler.destroy(error.reason, self.farewell, error.detail if error.by_proxy else "")

    def reached(self) -> None:
        if self.upstream is not None:
            self.relay.pool.succeeded(self.upstream)

    def not_reached(self, error: DialError) -> None:
        if self.upstream is not None:
            self.relay.pool.failed(self.upstream, error)

    def _try_another(self, failed: Upstream) -> bool:
        """The program has heard nothing yet, so that another server may take its connection."""
        handler, relay, target = self.handler, self.relay, self.handler.target
        assert target is not None
        self.tried = (*self.tried, failed)
        begun = next(t for stage, t in handler.timeline if stage is Stage.DNS)
        if time.monotonic() - begun > CONNECT_TIMEOUT_ALL - CONNECT_TIMEOUT:
            return False
        upstream = relay.pool.next_after(self.tried, target)
        if upstream is None:
            return False
        self.upstream, handler.server = upstream, upstream.name
        handler.redial(upstream.host, upstream.port, relay.dialer)
        return True

    def ended_early(self, whole: bool) -> None:
        # While the way is being made a half-closed client still waits for its answer.
        if self.handler.stage is Stage.INIT:
            self.handler.destroy(Reason.FINISHED, Farewell.CLOSE)
        elif self.handler.stage is Stage.ADDR:
            self.handler.destroy(Reason.TRUNCATED, Farewell.CLOSE)


class FollowingSession(ProgramSession):
    """Takes over from the session that read the first byte, whose protocol was not that byte's."""

    __slots__ = ()

    def __init__(self, first: ProgramSession) -> None:
        self.conn, self.relay, self.client = first.conn, first.relay, first.client
        self.handler, self.local = first.handler, first.local
        self.upstream, self.tried = None, ()
        self.handler.session = self

    def start(self) -> None:
        """It was started by the first session."""

    @abstractmethod
    def begin(self, data: bytes) -> None:
        """Go on with what was read."""
