"""Makes outgoing connections: literals at once, names by way of the resolver and happy eyeballs (RFC 8305).

The addresses that are checked are the very addresses that are dialled: no name is resolved twice.
"""

import asyncio
import socket
from functools import lru_cache
from typing import Protocol, cast

import aiohappyeyeballs

from ssgui.engine.errors import DialError, DialFailure, dial_error
from ssgui.engine.events import Endpoint
from ssgui.engine.forbidden import AddressGuard
from ssgui.engine.leg import Leg, LegOwner
from ssgui.engine.reactor import Reactor
from ssgui.engine.resolver import Resolver, SockAddr
from ssgui.engine.tasks import spawn
from ssgui.engine.tcp_options import TCPOptions

CONNECT_TIMEOUT = 10.0  # for one address; the sweeper of the engine keeps it where there is just one
CONNECT_TIMEOUT_ALL = 30.0
EYEBALLS_DELAY = 0.25
_STREAM = int(socket.SOCK_STREAM) | int(getattr(socket, "SOCK_NONBLOCK", 0))  # plain ints: an enum's | is slow
_TCP, _SOCKET = socket.IPPROTO_TCP, socket.SOL_SOCKET


class DialOwner(LegOwner, Protocol):
    """The connection that a dial is made for. `remote` is set before the first call to it as leg owner."""

    remote: Leg | None

    def resolved(self) -> None:
        """The addresses are known: connecting begins."""

    def dial_failed(self, error: DialError) -> None:
        """There will be no connection."""


@lru_cache(maxsize=1024)
def literal(host: str, port: int) -> SockAddr | None:
    """The address that `host` spells out, or None when it is a name."""
    try:
        if ":" in host:
            found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)
            return SockAddr(int(socket.AF_INET6), cast("Endpoint", found[0][4]))
        socket.inet_pton(socket.AF_INET, host)
        return SockAddr(int(socket.AF_INET), (host, port))
    except (OSError, ValueError):
        return None


class Dialing(Protocol):
    """A dial that is under way."""

    def cancel(self) -> object:
        """Nobody wants the connection any more. Does nothing once the dial is over."""


class Dialer:
    """Connects for one relay.

    With `options` Multipath TCP may be used, and Fast Open where there is one address: of several the first would
    always win, for it connects without asking.
    """

    def __init__(
        self, reactor: Reactor, resolver: Resolver, guard: AddressGuard, options: TCPOptions | None = None
    ) -> None:
        self._reactor, self.resolver, self._guard, self._options = reactor, resolver, guard, options
        self._tasks: set[asyncio.Task[None]] = set()

    def dial(self, host: str, port: int, owner: DialOwner) -> Dialing | None:
        """Begin; what is returned, if anything, is for the owner to cancel when it ends first."""
        address = literal(host, port)
        if address is None:
            task = spawn(self._dial_name(host, port, owner), name=f"dial for {owner}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return task
        if denied := self._guard.denies(host, port, host):
            owner.dial_failed(DialError(DialFailure.DENIED, host, port, denied))
        else:
            owner.resolved()
            self._connect(address, host, port, owner)
        return None

    async def finish(self) -> None:
        """Wait for the dials that are under way."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Wait for the dials that were cancelled, and stop the resolver."""
        self.resolver.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _dial_name(self, host: str, port: int, owner: DialOwner) -> None:
        try:
            found = await self.resolver.resolve(host, port)
            allowed = [one for one in found if not self._guard.denies(one.address[0], port, host)]
            if not allowed:
                why = self._guard.denies(found[0].address[0], port, host)
                raise DialError(DialFailure.DENIED, host, port, f"it resolves to denied addresses only ({why})")
            owner.resolved()
            if len(allowed) == 1:
                self._connect(allowed[0], host, port, owner)
            else:
                owner.connecting()
                self._adopt(await self._race(allowed, host, port), owner)
        except DialError as error:
            owner.dial_failed(error)

    def _connect(self, address: SockAddr, host: str, port: int, owner: DialOwner) -> None:
        options = self._options
        try:
            sock = socket.socket(address.family, _STREAM) if options is None else options.new_socket(address.family)
        except OSError as error:
            owner.dial_failed(dial_error(error, host, port))
            return
        _tune(sock)
        leg = owner.remote = Leg(self._reactor, self._reactor.poller.wrap(sock), owner)
        if options is not None and leg.sock is sock and options.set_fast_open(sock):  # transports cannot
            leg.fast_open = options
        leg.connect(address.address)

    async def _race(self, addresses: list[SockAddr], host: str, port: int) -> socket.socket:
        """Happy eyeballs over `addresses`; the connected socket of the first that answers."""
        infos = [(one.family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", one.address) for one in addresses]
        options = self._options
        limit = min(CONNECT_TIMEOUT_ALL, CONNECT_TIMEOUT + EYEBALLS_DELAY * (len(addresses) - 1))
        try:
            async with asyncio.timeout(limit):
                sock = await aiohappyeyeballs.start_connection(
                    infos,
                    happy_eyeballs_delay=EYEBALLS_DELAY,
                    interleave=1,
                    socket_factory=None if options is None else lambda info: options.new_socket(int(info[0])),
                )
        except OSError as error:
            raise dial_error(error, host, port) from error
        _tune(sock)
        return sock

    def _adopt(self, sock: socket.socket, owner: DialOwner) -> None:
        leg = owner.remote = Leg(self._reactor, self._reactor.poller.wrap(sock), owner)
        leg.adopt_connected()


def _tune(sock: socket.socket) -> None:
    sock.setsockopt(_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(_SOCKET, socket.SO_KEEPALIVE, 1)
