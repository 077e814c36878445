"""A client connection: recognises what is asked for, owns the client's socket until a handler streams.

`Socks5Session`: a program speaks SOCKS5 to us, we go to the server. `ShadowsocksSession`: a Shadowsocks client
speaks to us, we go to the target.
"""

import socket
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar

from ssgui.engine.errors import DialError
from ssgui.engine.events import Endpoint
from ssgui.engine.handler import Farewell
from ssgui.engine.leg import Leg
from ssgui.engine.stages import Reason

if TYPE_CHECKING:
    from ssgui.engine.relay import TCPRelay
    from ssgui.engine.udp.lease import UDPLease

_Relay = TypeVar("_Relay", bound="TCPRelay")


class Session(ABC, Generic[_Relay]):
    """One accepted connection, `conn` by number, from the socket address `client`."""

    __slots__ = ("client", "conn", "handler", "local", "relay")

    lease: "UDPLease | None" = None  # what the connection stands for once it has asked for UDP

    def __init__(self, conn: int, relay: _Relay, sock: socket.socket, client: Endpoint) -> None:
        self.conn, self.relay, self.client = conn, relay, client
        self.handler = handler = relay.new_handler(relay, self)
        self.local = handler.local = Leg(relay.reactor, relay.reactor.poller.wrap(sock), handler)

    @abstractmethod
    def start(self) -> None:
        """Begin to read."""

    @abstractmethod
    def read(self, limit: int) -> bytes:
        """Some payload from the client, or b"" when there is none now."""

    @abstractmethod
    def connected(self, local: Leg, remote: Leg) -> None:
        """The handler's remote leg is connected: set codecs, answer, and let it stream."""

    @abstractmethod
    def dial_failed(self, error: DialError) -> None:
        """The handler's remote leg cannot be had: answer, and end the handler."""

    def expired(self) -> None:
        """The request has not come whole within its time."""
        self.handler.destroy(Reason.HANDSHAKE_TIMEOUT, Farewell.CLOSE)

    def idled(self) -> None:
        """Nothing has moved within the idle limit."""
        self.handler.destroy(Reason.IDLE_TIMEOUT, Farewell.SPARE)

    def reached(self) -> None:
        """The first byte came back over a way that was taken on trust (Fast Open)."""

    def not_reached(self, error: DialError) -> None:
        """That way led nowhere; the handler is ended next."""

    @abstractmethod
    def ended_early(self, whole: bool) -> None:
        """The client sent its FIN before STREAM; not `whole` when it cut something short."""
