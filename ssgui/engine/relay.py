"""A port and what is served on it: `TCPRelay` listens and accepts, its two kinds know where to go from there.

TCPRelay
 +-- LocalRelay    programs come (here)
 +-- ServerRelay   Shadowsocks clients come (`server_relay`)
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from ssgui.config.models import DEFAULT_PROBE_URL, LocalSettings
from ssgui.engine.dialer import Dialer
from ssgui.engine.errors import BindError
from ssgui.engine.events import Endpoint
from ssgui.engine.forbidden import AddressGuard
from ssgui.engine.own_machine import OwnMachine, is_loopback
from ssgui.engine.pages import Pages
from ssgui.engine.resolver import Resolver, SystemLookup
from ssgui.engine.router import Router
from ssgui.engine.sessions.mixed import MixedSession
from ssgui.engine.sessions.program import ProgramSession
from ssgui.engine.sessions.session import Session
from ssgui.engine.sessions.tunnel import TunnelSession
from ssgui.engine.stages import TRANSITIONS, Role
from ssgui.engine.tally import Tally, port_name
from ssgui.engine.tasks import run_blocking
from ssgui.engine.tcp_options import TCPOptions, tcp_options
from ssgui.engine.udp.local import LocalUDPRelay, SocksUDPRelay, TunnelUDPRelay
from ssgui.engine.udp.relay import UDPRelay
from ssgui.engine.upstream.latency import measure, probe_request
from ssgui.engine.upstream.pool import ServerPool
from ssgui.engine.upstream.proxy import ProxyDialer
from ssgui.engine.upstream.server import Upstream
from ssgui.engine.upstream.servers import Upstreams
from ssgui.protocol.errors import LocalProtocolError

if TYPE_CHECKING:
    from ssgui.engine.engine import Engine

BACKLOG = 1024
ACCEPT_PAUSE = 1.0
PORT_TRIES = 16
_OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_log = logging.getLogger(__name__)


class _ListeningSocket(socket.socket):
    """A socket whose `accept` is cheap: it asks for these two, which are otherwise turned into enums each time."""

    family = 0  # type: ignore[assignment]
    type = 0  # type: ignore[assignment]


class TCPRelay:
    """One listening port of an engine, at `bind` as the settings say it (host, port; 0: the system's choice)."""

    role: ClassVar[Role]
    inbound: ClassVar[str] = ""  # "": the first byte of a connection tells

    def __init__(
        self, engine: "Engine", bind: tuple[str, int], timeout: float, resolver: Resolver, guard: AddressGuard,
        options: TCPOptions | None = None,
    ) -> None:  # fmt: skip
        self.engine, self.timeout, self.options = engine, timeout, options
        self.host, self.address = bind[0], bind
        self.tally = engine.tallies.get(self.name) or Tally()
        self.transitions = TRANSITIONS[self.role]
        self.new_handler, self.handler_ended = engine.new_handler, engine.handler_ended
        self.reactor, self.journal = engine.reactor, engine.journal
        self.drain, self.lingering, self.payload_wait = engine.drain, engine.lingering, engine.payload_wait
        self.kept_alive = engine.kept_alive
        self.resolver = resolver
        self.guard = guard  # of what the dialer connects to
        self.dialer = Dialer(self.reactor, resolver, guard)
        self.dialers = [self.dialer]  # to close
        self.udp: UDPRelay[Any] | None = None
        self._listener: socket.socket | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._pauses = 0

    def new_session(self, conn: int, sock: socket.socket, client: Endpoint) -> Session[Any]:
        """The session of a connection that was accepted."""
        raise NotImplementedError

    async def start(self) -> None:
        """Start what connections are carried by, before the port is opened. PluginError."""

    # ---- listening

    async def listen(self, host: str, port: int) -> None:
        """Bind and listen, for TCP and UDP on one port; BindError when the address is not to be had."""
        for left in reversed(range(PORT_TRIES)):
            await self.open_tcp(host, port)
            try:
                if self.udp is not None:
                    await self.udp.listen(host, self.address[1])
                self.accept()
                return
            except BindError as error:
                self.close()
                if port or not left or not error.in_use:  # a port of the system's choice may be taken for UDP
                    raise

    async def open_tcp(self, host: str, port: int) -> None:
        """Take the port for TCP; BindError. Nobody can connect before `accept`."""
        try:
            found = await run_blocking(socket.getaddrinfo, host, port, 0, socket.SOCK_STREAM, 0, socket.AI_PASSIVE)
            family, _, _, _, address = found[0]
            self._listener = self._new_listener(family, address)
        except OSError as error:
            raise BindError(host, port, error) from error
        self.address = self._listener.getsockname()[:2]
        self._stream = self.reactor.poller.wrap_listener(self._listener)

    def accept(self) -> None:
        """Listen; BindError. Not before UDP is open too: a program that can connect may ask for it at once."""
        assert self._listener is not None
        try:
            self._listener.listen(BACKLOG)
        except OSError as error:  # somebody else had bound it too, and listened first
            raise BindError(*self.address, error) from error
        self.reactor.poller.listen(self._stream, self)

    def _new_listener(self, family: int, address: Any) -> socket.socket:
        return listener(family, address)

    @property
    def name(self) -> str:
        """What the port is called where it is counted, however often it is opened."""
        return port_name((self.host, self.address[1]))

    @property
    def listening(self) -> bool:
        """Whether new connections are accepted."""
        return self._listener is not None

    def close(self) -> None:
        """Accept no more; what was accepted goes on."""
        self.close_tcp()
        if self.udp is not None:
            self.udp.close()

    def close_tcp(self) -> None:
        """Accept no more connections; datagrams still come."""
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        if self._listener is not None:
            self._listener = None
            self.reactor.poller.unlisten(self._stream)
            self._stream.close()

    async def closed(self) -> None:
        """Wait for what goes on after `close` without a handler: questions to the resolver."""
        for dialer in self.dialers:
            await dialer.close()
        if self.udp is not None:
            await self.udp.closed()

    def event(self, mask: int) -> None:
        """One connection per event: the listener is level-triggered, so the rest is told again."""
        try:
            sock, address = self._stream.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            self._accept_failed(error)
            return
        self._pauses = 0
        try:
            self.new_session(self.engine.next_number(), sock, address).start()
        except Exception:
            sock.close()
            raise

    def crashed(self, error: Exception) -> None:
        """One connection could not be begun; the listener lives."""

    def _accept_failed(self, error: OSError) -> None:
        if error.errno not in _OUT_OF_RESOURCES:
            _log.warning("a connection could not be accepted: %s", error)
            return
        # The listener stays readable: without a pause this would spin.
        self._pauses += 1
        if self._pauses == 1 or self._pauses % 60 == 0:
            _log.warning("cannot accept connections: %s; trying again every second", error.strerror)
        self.reactor.poller.unlisten(self._stream)
        self._pause = self.reactor.loop.call_later(ACCEPT_PAUSE, self._listen_again)

    def _listen_again(self) -> None:
        self._pause = None
        self.reactor.poller.listen(self._stream, self)


def listener(family: int, address: Any, options: TCPOptions | None = None, *, shared: bool = False) -> socket.socket:
    """A socket to listen on, bound to `address`; `shared` with other processes of ours. OSError when it is taken."""
    if options is None:
        sock = _ListeningSocket(family, socket.SOCK_STREAM)
    else:
        sock = options.new_listener(_ListeningSocket, family)
        options.listen_fast(sock)
    sock.family, sock.type = int(family), int(socket.SOCK_STREAM)
    try:
        if exclusive := getattr(socket, "SO_EXCLUSIVEADDRUSE", 0):  # Windows: REUSEADDR would share the port
            sock.setsockopt(socket.SOL_SOCKET, exclusive, 1)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        # Accepted sockets inherit these on Linux and BSD, which saves two system calls for each.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock


class LocalRelay(TCPRelay):
    """A client: programs come, their connections leave through one of the servers, or directly."""

    role = Role.LOCAL

    def __init__(self, engine: "Engine", settings: LocalSettings) -> None:
        resolver = Resolver(SystemLookup(), prefer_ipv6=settings.prefer_ipv6)
        machine = OwnMachine(settings.own_addresses)
        self.router = Router(settings.acl, bypass_lan=settings.bypass_lan, machine=machine)
        proxy = settings.upstream_proxy  # it answers before anything can be said to a server: nothing to open fast
        options = tcp_options(fast_open=settings.fast_open and proxy is None, mptcp=settings.mptcp)
        # A server or proxy at our own port would send every connection round for ever.
        bind = settings.bind_host, settings.bind_port
        super().__init__(engine, bind, settings.timeout, resolver, self.router.loop_guard, options)
        self.settings = settings
        if proxy is None:
            self.dialer = Dialer(self.reactor, resolver, self.guard, options)
        else:
            self.dialer = ProxyDialer(self.reactor, resolver, self.guard, proxy, options)
        self.dialers = [self.dialer]
        self._direct = Dialer(self.reactor, resolver, self.router.loop_guard)
        self._direct_lan = Dialer(self.reactor, resolver, self.router.lan_guard)
        self.dialers += (self._direct, self._direct_lan)
        self.probe = _probe(settings.probe_url)
        self.upstreams = Upstreams(settings, self._upstreams_in_use)
        self.pool = self._new_pool(settings)
        self.users = _users(settings)
        self.pages: Pages | None = None  # for browsers: the app sets them
        self.tunnel_target = settings.tunnel  # of everything, where the port speaks no proxy protocol
        self._session = MixedSession if settings.tunnel is None else TunnelSession
        self.udp = self._new_udp(settings) if settings.udp else None

    def _new_pool(self, settings: LocalSettings) -> ServerPool:
        return ServerPool(self.upstreams.current, settings.choice, lambda upstream: measure(self, upstream))

    def _upstreams_in_use(self) -> set[Upstream]:
        """Those that connections go through."""
        used = set()
        for handler in self.engine.handlers.values():
            session = getattr(handler, "session", None)
            if isinstance(session, ProgramSession) and session.relay is self and session.upstream is not None:
                used.add(session.upstream)
        return used

    async def change(self, settings: LocalSettings) -> None:
        """Go on with the servers, their choice, the users and the times of `settings`; nothing else may differ.

        The port stays open, what is open keeps its server, and what is known of a server that stays is kept.
        PluginError when a plugin does not start: all is as it was.
        """
        await self.upstreams.change(settings)
        former, self.pool = self.pool, self._new_pool(settings)
        self.probe, self.users, self.timeout = _probe(settings.probe_url), _users(settings), settings.timeout
        self.settings = settings
        await former.close()
        self.pool.start()

    def _new_udp(self, settings: LocalSettings) -> LocalUDPRelay | None:
        if settings.upstream_proxy is not None:
            _log.warning("UDP is off: the upstream proxy carries TCP only")
            return None
        most = self.engine.most_associations
        if settings.tunnel is not None:
            return TunnelUDPRelay(self, settings.tunnel, settings.udp_timeout, most)
        return SocksUDPRelay(self, settings.udp_timeout, most)

    async def listen(self, host: str, port: int) -> None:
        await super().listen(host, port)
        self.router.loop_guard.listening = self.address
        self.pool.start()

    async def open_again(self) -> None:
        """Listen once more, where it was closed; BindError."""
        await super().listen(self.host, self.address[1])

    async def start(self) -> None:
        await self.upstreams.start()

    async def closed(self) -> None:
        await self.pool.close()
        await super().closed()
        await self.upstreams.stop()

    def direct(self, client: Endpoint) -> Dialer:
        """What connects the program at `client` to targets that do not go through a server."""
        return self._direct if is_loopback(client) else self._direct_lan

    def direct_guard(self, client: Endpoint) -> AddressGuard:
        """Judges the addresses that the program at `client` may be connected to, or send to, directly."""
        return self.router.loop_guard if is_loopback(client) else self.router.lan_guard

    def new_session(self, conn: int, sock: socket.socket, client: Endpoint) -> Session[Any]:
        return self._session(conn, self, sock, client)


def can_change(before: LocalSettings, after: LocalSettings) -> bool:
    """Whether a relay that runs by `before` can `change` to `after`."""
    return msgspec.structs.replace(
        before, servers=after.servers, choice=after.choice, probe_url=after.probe_url, users=after.users,
        timeout=after.timeout, legacy_methods=after.legacy_methods,
    ) == after  # fmt: skip


def _users(settings: LocalSettings) -> Mapping[bytes, bytes] | None:
    return {name.encode(): password.reveal().encode() for name, password in settings.users} or None


def _probe(url: str) -> bytes:
    """The request that measures servers. A bad URL must not keep anybody from connecting."""
    try:
        return probe_request(url)
    except LocalProtocolError as error:
        _log.warning("%s; using %s", error, DEFAULT_PROBE_URL)
        return probe_request(DEFAULT_PROBE_URL)
