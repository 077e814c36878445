"""A client's UDP: datagrams of programs to a server, or directly, and back.

    program <-- the port --> association <-- a socket connected to the server --> server
                                         <-- a socket per family --> targets that go direct

By SOCKS5 a program first asks over TCP, and that connection is its lease (`udp_lease`). On the port of a tunnel
whoever sends has an association, and all goes to the one target.
"""

import logging
import socket
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from ssgui.engine.destinations import Destination, Destinations
from ssgui.engine.events import Endpoint
from ssgui.engine.forbidden import AddressGuard
from ssgui.engine.poller import Datagrams
from ssgui.engine.resolver import SockAddr
from ssgui.engine.stages import Reason, Stage
from ssgui.engine.udp_association import Association
from ssgui.engine.udp_handler import Account, UDPHandler
from ssgui.engine.udp_lease import Leases, UDPLease
from ssgui.engine.udp_relay import MOST_DATAGRAM, UDPRelay
from ssgui.engine.udp_socket import DRAIN, UNREACHABLE, outgoing_socket
from ssgui.engine.upstream import Upstream
from ssgui.protocol.address import Address, decode_address, encode_address, leading_header
from ssgui.protocol.codecs import ClientDatagrams
from ssgui.protocol.errors import BadRequestError, RemoteProtocolError
from ssgui.rules.acl import Match, Route

if TYPE_CHECKING:
    from ssgui.engine.relay import LocalRelay

MOST_ASSOCIATIONS = 512
MOST_WAYS = 128  # verdicts that one association keeps
_SOCKS_HEAD = b"\0\0\0"
_MAPPED = b"\x04" + bytes(10) + b"\xff\xff"


class Way:
    """Where an association's datagrams to one target go, and by which rule."""

    __slots__ = ("address", "match", "server")

    def __init__(self, address: Address, match: Match) -> None:
        self.address, self.match = address, match
        self.server = ""


class LocalAssociation(Association["LocalUDPRelay"]):
    """The datagrams of one program, which sends from `client`."""

    __slots__ = ("_codec", "_last", "_server", "_upstream", "_ways", "client")

    def __init__(self, udp: "LocalUDPRelay", account: Account, client: Endpoint) -> None:
        super().__init__(udp, account, udp.direct(client))
        self.client = client
        self._ways: dict[bytes, Way] = {}
        self._last: Way | None = None
        self._upstream: Upstream | None = None
        self._codec: ClientDatagrams | None = None
        self._server: ServerSocket | None = None

    # ---- up

    def up(self, header: bytes, plain: memoryview | bytes, now: float) -> bool:
        """Send `plain`, which is `header` (the target) and payload; False if the header names nothing."""
        way = self._ways.get(header) or self._find_way(header)
        if way is None:
            return False
        account = self.account
        if way is not self._last:
            self._last = way
            account.turn_to(way.address, now, way.match, way.server)
        account.up += len(plain) - len(header)
        self.heard(now, header)
        if way.match.route is Route.PROXY:
            assert self._codec is not None
            self._to_server(self._codec.seal(plain))
        elif way.match.route is Route.DIRECT:
            destination = self.destinations.find(header, now)
            if destination is not None:
                self.send(destination, plain[len(header) :])
        else:
            self.udp.complaints.count("rejected")
        return True

    def _find_way(self, header: bytes) -> Way | None:
        try:
            found = decode_address(header)
        except BadRequestError:
            return None
        if found is None:
            return None
        relay = self.udp.client
        way = Way(found[0], relay.router.route(found[0], self.client))
        if way.match.route is Route.PROXY:
            if self._upstream is None:
                self._upstream = relay.pool.choose(found[0])
                self._codec = self._upstream.tunnel.client_datagrams()
            way.server = self._upstream.name
        while len(self._ways) >= MOST_WAYS:
            del self._ways[next(iter(self._ways))]
        self._ways[header] = way
        return way

    def _to_server(self, packet: bytes) -> None:
        server = self._server or self._connect(packet)
        if server is None:
            return
        for _ in range(2):
            try:
                server.sock.send(packet)
            except ConnectionRefusedError as error:
                self.server_failed(error)  # that was about an earlier datagram; this one was not sent
                continue
            except OSError as error:
                self.udp.complaints.failed(error, len(packet))
            return
        self.udp.complaints.count("failed")

    def _connect(self, packet: bytes) -> "ServerSocket | None":
        """The socket to the server; None if there is none, yet: the packet then waits for the server's address."""
        assert self._upstream is not None
        assert self._codec is not None
        profile = self._upstream.profile
        destination = self.udp.locate(Address(profile.host, profile.port))
        if not destination.sockaddrs:
            self.udp.servers.wait(destination, len(packet), partial(self._late_to_server, packet))
            return None
        try:
            sock = _connected(destination.sockaddrs[0])
        except OSError as error:
            if error.errno in UNREACHABLE and self.udp.servers.try_next(destination):
                return self._connect(packet)
            self.udp.complaints.failed(error, len(packet))
            return None
        server = self._server = ServerSocket(self, self.udp.wrap(sock), self._codec)
        self.udp.poller.watch_datagrams(server.sock, server)
        return server

    def server_failed(self, error: OSError) -> None:
        """The server's machine has answered a datagram with `error`."""
        assert self._upstream is not None
        if isinstance(error, ConnectionRefusedError):
            text = "the server %s refuses datagrams: is UDP on there?"
            self.udp.complaints.tell("refused", logging.WARNING, text, self._upstream.name)

    def _late_to_server(self, packet: bytes) -> None:
        if not self.closed:
            self._to_server(packet)

    # ---- down

    def answer(self, header: bytes, plain: memoryview | bytes) -> None:
        self.udp.send_back(self.udp.wrapped(header, plain), self.client)

    def end(self, reason: Reason, detail: str = "") -> None:
        handler = self.account.handler
        if isinstance(handler, UDPHandler):
            handler.destroy(reason, detail)
        else:
            self.close()  # the program's TCP connection goes on, and its next datagram has a new association

    def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            self.udp.unwatch(server.sock)
        super().close()


def _connected(server: SockAddr) -> socket.socket:
    sock = outgoing_socket(server.family)
    try:
        sock.connect(server.address)
    except OSError:
        sock.close()
        raise
    return sock


class ServerSocket:
    """An association's socket to its server, connected: nobody else is heard on it."""

    __slots__ = ("_codec", "association", "sock")

    def __init__(self, association: LocalAssociation, sock: Datagrams, codec: ClientDatagrams) -> None:
        self.association, self.sock, self._codec = association, sock, codec

    def event(self, mask: int) -> None:
        association, receive, opener = self.association, self.sock.recv_into, self._codec.open
        udp, account = association.udp, association.account
        view = udp.buffer[:MOST_DATAGRAM]
        now = time.monotonic()
        for _ in range(DRAIN):
            try:
                size = receive(view)
            except BlockingIOError:
                return
            except OSError as error:
                association.server_failed(error)  # it may be starting: the socket lives on
                continue
            try:
                plain = opener(view[:size])
            except RemoteProtocolError:
                udp.complaints.count("bad")
                continue
            header = leading_header(plain)
            if not header:
                udp.complaints.count("bad")
                continue
            if account.first_down is None:
                account.first_down = now
            account.down += len(plain) - len(header)
            association.heard(now, header)
            association.answer(header, plain)

    def crashed(self, error: Exception) -> None:
        """One datagram is lost; the association lives."""


class LocalUDPRelay(UDPRelay[LocalAssociation]):
    """What programs send to one port, each from a source address of its own."""

    def __init__(self, relay: "LocalRelay", timeout: float, most: int) -> None:
        super().__init__(relay, timeout, min(most, MOST_ASSOCIATIONS))
        self.client = relay
        self.servers = self.new_destinations(relay.guard)
        self._direct: dict[AddressGuard, Destinations] = {}

    def direct(self, client: Endpoint) -> Destinations:
        """The targets that the program at `client` may send to directly."""
        guard = self.client.direct_guard(client)
        if guard not in self._direct:
            self._direct[guard] = self.new_destinations(guard)
        return self._direct[guard]

    def locate(self, server: Address) -> Destination:
        """Where a server is. Its name was checked when the settings were read."""
        found = self.servers.find(encode_address(*server), time.monotonic())
        assert found is not None
        return found

    def wrapped(self, header: bytes, plain: memoryview | bytes) -> memoryview | bytes:
        """An answer as the program gets it: `plain` is `header` and payload."""
        raise NotImplementedError

    def forget(self, association: Association[Any]) -> None:
        assert isinstance(association, LocalAssociation)
        del self.associations[association.client]


class SocksUDPRelay(LocalUDPRelay):
    """Datagrams as RFC 1928 section 7 has them, from programs that hold a lease."""

    def __init__(self, relay: "LocalRelay", timeout: float, most: int) -> None:
        super().__init__(relay, timeout, most)
        self.leases = Leases(relay.reactor.loop)

    def receive(self, port: Datagrams) -> None:
        receive, view, find = port.recvfrom_into, self.buffer[:MOST_DATAGRAM], self.associations.get
        now = time.monotonic()
        for _ in range(DRAIN):
            try:
                size, source = receive(view)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP message about an answer
            plain = view[3:size]
            # A fragment is dropped, as everywhere; so is what only looks like a datagram.
            if bytes(view[:3]) != _SOCKS_HEAD or not (header := leading_header(plain)):
                self.complaints.count("bad")
                continue
            association = find(source)
            if association is None:
                association = self._begin(source)
                if association is None:
                    continue
            else:
                self.associations.move_to_end(source)
            if not association.up(header, plain, now):
                self.complaints.count("bad")

    def _begin(self, source: Endpoint) -> LocalAssociation | None:
        lease = self.leases.claim(source)
        if lease is None:
            self.complaints.count("stranger")
            return None
        association = LocalAssociation(self, lease, source)
        self.add(source, association)
        lease.associations.add(association)
        return association

    def forget(self, association: Association[Any]) -> None:
        super().forget(association)
        lease = association.account
        assert isinstance(lease, UDPLease)
        lease.associations.discard(association)
        self.leases.vacate(lease)

    def wrapped(self, header: bytes, plain: memoryview | bytes) -> memoryview | bytes:
        if len(header) == 19 and header.startswith(_MAPPED):
            return b"".join((_SOCKS_HEAD, b"\x01", plain[13:]))
        return b"".join((_SOCKS_HEAD, plain))

    def close(self) -> None:
        super().close()
        self.leases.close()


class TunnelUDPRelay(LocalUDPRelay):
    """Everything goes to `target`, as it is."""

    def __init__(self, relay: "LocalRelay", target: Address, timeout: float, most: int) -> None:
        super().__init__(relay, timeout, most)
        self._header = encode_address(*target)

    def receive(self, port: Datagrams) -> None:
        header, receive, find = self._header, port.recvfrom_into, self.associations.get
        start = len(header)
        view = self.buffer[start : start + MOST_DATAGRAM]
        now = time.monotonic()
        for _ in range(DRAIN):
            try:
                size, source = receive(view)
            except BlockingIOError:
                return
            except OSError:
                continue
            association = find(source)
            if association is None:
                association = self._begin(source)
            else:
                self.associations.move_to_end(source)
            self.buffer[:start] = header
            association.up(header, self.buffer[: start + size], now)
            if association.account.handler.stage is Stage.ADDR:
                association.account.handler.enter(Stage.UDP_ASSOC)

    def _begin(self, source: Endpoint) -> LocalAssociation:
        handler = UDPHandler(self.relay, "tunnel-udp", source)
        handler.enter(Stage.ADDR)
        association = handler.association = LocalAssociation(self, handler.account, source)
        self.add(source, association)
        return association

    def wrapped(self, header: bytes, plain: memoryview | bytes) -> memoryview | bytes:
        return plain[len(header) :]
