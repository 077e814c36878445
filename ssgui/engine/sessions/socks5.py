"""A program asks by SOCKS5."""

import socket
from typing import TYPE_CHECKING

from ssgui.engine.events import Endpoint
from ssgui.engine.handler import Farewell
from ssgui.engine.sessions.program import REQUEST_READ, ProgramSession
from ssgui.engine.stages import Reason, Stage
from ssgui.engine.udp.lease import plain_host
from ssgui.engine.udp.local import SocksUDPRelay
from ssgui.protocol.address import Address
from ssgui.protocol.socks5 import ConnectRequested, Rejected, Reply, Socks5Server, UdpAssociateRequested

if TYPE_CHECKING:
    from ssgui.engine.relay import LocalRelay

_REPLIES = {
    Reason.CONNECT_REFUSED: Reply.CONNECTION_REFUSED,
    Reason.CONNECT_TIMEOUT: Reply.TTL_EXPIRED,
    Reason.UNREACHABLE: Reply.NETWORK_UNREACHABLE,
    Reason.DNS_FAILED: Reply.HOST_UNREACHABLE,
    Reason.DENIED: Reply.NOT_ALLOWED,
}


class Socks5Session(ProgramSession):
    """INIT until the first byte, ADDR until the request is complete."""

    __slots__ = ("_parser", "lease")

    def __init__(self, conn: int, relay: "LocalRelay", sock: socket.socket, client: Endpoint) -> None:
        super().__init__(conn, relay, sock, client)
        self._parser = Socks5Server(relay.users)
        self.lease = None

    def start(self) -> None:
        self.local.on_readable = self._greeted
        self.local.start()

    def _greeted(self) -> None:
        if data := self.local.recv(REQUEST_READ):
            self.begin(data)

    def begin(self, data: bytes) -> None:
        """The first bytes have come."""
        self.handler.announce("socks5")
        self.handler.enter(Stage.ADDR)
        self.local.on_readable = self._read_request
        self._feed(data)

    def _read_request(self) -> None:
        if data := self.local.recv(REQUEST_READ):
            self._feed(data)

    def _feed(self, data: bytes) -> None:
        """Until the request is whole; what comes with it is payload already."""
        local, parser = self.local, self._parser
        while data:
            event = parser.receive_data(data)
            if isinstance(event, ConnectRequested):
                self.go(event.target, parser.trailing)
                return
            if isinstance(event, UdpAssociateRequested) and self._associate(event):
                return
            if reply := parser.data_to_send():
                local.send(reply)
            if event is not None:
                self._turn_away(event)
            if local.closed or local.paused or not local.readable:
                return
            data = local.recv(REQUEST_READ)

    def _turn_away(self, event: Rejected | UdpAssociateRequested) -> None:
        if isinstance(event, UdpAssociateRequested):
            self._parser.refuse(Reply.COMMAND_NOT_SUPPORTED)
            self.local.send(self._parser.data_to_send())
        if not self.local.closed:
            self.handler.destroy(Reason.BAD_REQUEST, Farewell.LINGER)

    def _associate(self, event: UdpAssociateRequested) -> bool:
        """Lend the port for datagrams, for as long as this connection lives; False if there is none."""
        udp, local, handler = self.relay.udp, self.local, self.handler
        if not isinstance(udp, SocksUDPRelay) or not udp.open:
            return False
        self.lease = udp.leases.add(handler, event.source)
        handler.enter(Stage.UDP_ASSOC)
        # On a wildcard address there are several that datagrams may be sent to: the client knows this one.
        self._parser.accept(Address(plain_host(local.sock.getsockname()[0].partition("%")[0]), udp.address[1]))
        local.on_readable = local.discard
        local.send(self._parser.data_to_send())
        if not local.closed:
            local.read_again()
        return True

    def ended_early(self, whole: bool) -> None:
        if self.lease is not None:
            self.lease.control_ended(Reason.FINISHED)
        else:
            super().ended_early(whole)

    def answer(self) -> None:
        self._parser.accept()  # the address that the server will use is not known here
        self.local.send(self._parser.data_to_send())

    def refuse(self, reason: Reason) -> None:
        self._parser.refuse(_REPLIES.get(reason, Reply.GENERAL_FAILURE))
        self.local.send(self._parser.data_to_send())
