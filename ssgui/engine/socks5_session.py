"""A program asks by SOCKS5 for a target; its handler goes there through the Shadowsocks server.

The server is dialled before the request is answered, so a dead server is a true reply code. What became of
the target itself no Shadowsocks client can know.
"""

import socket
from typing import TYPE_CHECKING

from ssgui.engine.errors import DialError
from ssgui.engine.events import Endpoint
from ssgui.engine.handler import Farewell
from ssgui.engine.leg import Leg
from ssgui.engine.session import Session
from ssgui.engine.stages import Reason, Stage
from ssgui.protocol.address import Address, encode_address
from ssgui.protocol.socks5 import ConnectRequested, Rejected, Reply, Socks5Server, UdpAssociateRequested

if TYPE_CHECKING:
    from ssgui.engine.relay import LocalRelay

_REQUEST_READ = 4096
_REPLIES = {
    Reason.CONNECT_REFUSED: Reply.CONNECTION_REFUSED,
    Reason.CONNECT_TIMEOUT: Reply.TTL_EXPIRED,
    Reason.UNREACHABLE: Reply.NETWORK_UNREACHABLE,
    Reason.DNS_FAILED: Reply.HOST_UNREACHABLE,
    Reason.DENIED: Reply.NOT_ALLOWED,
}


class Socks5Session(Session["LocalRelay"]):
    """INIT until the first byte, ADDR until the request is complete."""

    __slots__ = ("_parser", "_upstream")

    def __init__(self, conn: int, relay: "LocalRelay", sock: socket.socket, client: Endpoint) -> None:
        super().__init__(conn, relay, sock, client)
        self._parser = Socks5Server(relay.users)
        self._upstream = relay.choose()

    def start(self) -> None:
        self.local.on_readable = self._greeted
        self.local.start()

    def read(self, limit: int) -> bytes:
        return self.local.recv(limit)

    def _greeted(self) -> None:
        data = self.local.recv(_REQUEST_READ)
        if data:
            self.handler.enter(Stage.ADDR)
            self.local.on_readable = self._read_request
            self._feed(data)

    def _read_request(self) -> None:
        if data := self.local.recv(_REQUEST_READ):
            self._feed(data)

    def _feed(self, data: bytes) -> None:
        """Until the request is whole; what comes with it is payload already."""
        local, parser = self.local, self._parser
        while data:
            event = parser.receive_data(data)
            if isinstance(event, ConnectRequested):
                self._go(event.target)
                return
            if reply := parser.data_to_send():
                local.send(reply)
            if event is not None:
                self._refuse(event)
            if local.closed or local.paused or not local.readable:
                return
            data = local.recv(_REQUEST_READ)

    def _go(self, target: Address) -> None:
        handler, upstream, payload = self.handler, self._upstream, self._parser.trailing
        handler.target, handler.route, handler.server = target, "proxy", upstream.name
        handler.early = encode_address(target.host, target.port) + payload
        self.local.received = len(payload)
        handler.dial(upstream.host, upstream.port)

    def _refuse(self, event: Rejected | UdpAssociateRequested) -> None:
        if isinstance(event, UdpAssociateRequested):
            self._parser.refuse(Reply.COMMAND_NOT_SUPPORTED)
            self.local.send(self._parser.data_to_send())
        if not self.local.closed:
            self.handler.destroy(Reason.BAD_REQUEST, Farewell.LINGER)

    def connected(self, local: Leg, remote: Leg) -> None:
        self._parser.accept()  # the address that the server will use is not known here
        local.send(self._parser.data_to_send())
        if local.closed:
            return
        tunnel = self._upstream.tunnel  # keys are derived while the program reads its reply
        remote.encoder, remote.decoder = tunnel.encoder(), tunnel.decoder()
        self.handler.await_payload()

    def dial_failed(self, error: DialError) -> None:
        self._upstream.complain(error)
        self._parser.refuse(_REPLIES[error.reason])
        self.local.send(self._parser.data_to_send())
        self.handler.destroy(error.reason, Farewell.LINGER)

    def ended_early(self, whole: bool) -> None:
        # While the server is being dialled a half-closed client still waits for its answer.
        if self.handler.stage is Stage.INIT:
            self.handler.destroy(Reason.FINISHED, Farewell.CLOSE)
        elif self.handler.stage is Stage.ADDR:
            self.handler.destroy(Reason.TRUNCATED, Farewell.CLOSE)
