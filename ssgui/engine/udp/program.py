"""One program's datagrams on a client: to a server or directly, and back.

A server is chosen with the first target that needs one, and left only when it is known to be dead.
"""

import logging
import socket
import time
from functools import partial
from typing import TYPE_CHECKING

from ssgui.engine.events import Endpoint
from ssgui.engine.poller import Datagrams
from ssgui.engine.resolver import SockAddr
from ssgui.engine.stages import Reason
from ssgui.engine.udp.association import Association
from ssgui.engine.udp.handler import Account, UDPHandler
from ssgui.engine.udp.relay import MOST_DATAGRAM
from ssgui.engine.udp.sockets import DRAIN, UNREACHABLE, outgoing_socket
from ssgui.engine.upstream.server import Upstream
from ssgui.protocol.address import Address, decode_address, leading_header
from ssgui.protocol.codecs import ClientDatagrams
from ssgui.protocol.errors import BadRequestError, RemoteProtocolError
from ssgui.rules.acl import Match, Route

if TYPE_CHECKING:
    from ssgui.engine.udp.local import LocalUDPRelay

MOST_WAYS = 128  # verdicts that one association keeps


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
        destination = self.udp.servers.at(Address(profile.host, profile.port), time.monotonic())
        if not destination.sockaddrs:
            self.udp.servers.wait(destination, len(packet), partial(self._late_to_server, packet, self._codec))
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

    def _late_to_server(self, packet: bytes, codec: ClientDatagrams) -> None:
        if not self.closed and codec is self._codec:
            self._to_server(packet)

    def leave_the_dead(self) -> None:
        """If the server is dead, as TCP connections tell (a datagram never does), the next one looks for another."""
        if self._upstream is not None and not self._upstream.health.alive:
            self._close_server()
            self._upstream = self._codec = self._last = None
            self._ways.clear()

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
        self._close_server()
        super().close()

    def _close_server(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            self.udp.unwatch(server.sock)


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
