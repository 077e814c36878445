"""The UDP side of a port: one socket for all its clients, and a bounded table of their associations.

UDPRelay          the table: least recently used first, swept about once a second
 +-- ServerUDPRelay   Shadowsocks clients (`server.py`)
 +-- LocalUDPRelay    programs (`local.py`): by SOCKS5, or all to the one target of a tunnel
"""

import socket
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ssgui.engine.errors import BindError
from ssgui.engine.forbidden import AddressGuard
from ssgui.engine.poller import Datagrams
from ssgui.engine.stages import Reason
from ssgui.engine.tasks import run_blocking, spawn
from ssgui.engine.udp.association import DNS_SECONDS, Association, seconds_or_ever
from ssgui.engine.udp.destinations import Destinations
from ssgui.engine.udp.sockets import Complaints, port_socket

if TYPE_CHECKING:
    from ssgui.engine.relay import TCPRelay

MOST_DATAGRAM = 65_535
_A = TypeVar("_A", bound=Association[Any])


class UDPRelay(ABC, Generic[_A]):
    """The UDP side of `relay`, for at most `most` associations."""

    def __init__(self, relay: "TCPRelay", timeout: float, most: int) -> None:
        self.relay, self.most = relay, most
        self.poller, self.wrap = relay.reactor.poller, relay.reactor.poller.wrap_datagrams
        self.wait_for(timeout)
        self.complaints = Complaints(relay.tally.dropped)
        self.tables: list[Destinations] = []
        self.associations: OrderedDict[Hashable, _A] = OrderedDict()
        # Scratch, as for the legs: valid inside one event. A source's header may stand in front of a datagram.
        self.buffer = relay.reactor.wire[: MOST_DATAGRAM + 512]
        self.address: tuple[str, int] = ("", 0)
        self._port: Datagrams | None = None

    def new_destinations(self, guard: AddressGuard) -> Destinations:
        """A table of targets, as far as `guard` allows them; closed with the relay."""
        self.tables.append(Destinations(self.relay.resolver, guard, self.complaints))
        return self.tables[-1]

    def other_table(self, table: Destinations, guard: AddressGuard) -> Destinations:
        """A table in place of `table`, of which nothing is known any more; what waited in that is lost."""
        self.tables.remove(table)
        spawn(table.close(), name="a table of targets that is not needed any more")
        return self.new_destinations(guard)

    def wait_for(self, timeout: float) -> None:
        """The idle limit is another from now on."""
        self.idle_seconds = seconds_or_ever(timeout)
        self.dns_seconds = min(DNS_SECONDS, self.idle_seconds)

    # ---- the port

    async def listen(self, host: str, port: int) -> None:
        """Bind; BindError when the address is not to be had."""
        try:
            found = await run_blocking(socket.getaddrinfo, host, port, 0, socket.SOCK_DGRAM, 0, socket.AI_PASSIVE)
            family, _, _, _, address = found[0]
            sock = port_socket(family, address)
        except OSError as error:
            raise BindError(host, port, error, udp=True) from error
        self.address = sock.getsockname()[:2]
        self._port = self.wrap(sock)
        self.poller.watch_datagrams(self._port, self)

    def close(self) -> None:
        """Stop listening and end every association: datagrams have no end that could be waited for."""
        if self._port is not None:
            self.unwatch(self._port)
            self._port = None
        for association in list(self.associations.values()):
            association.end(Reason.SHUTDOWN)
        for table in self.tables:
            table.cancel()

    async def closed(self) -> None:
        """Wait for what `close` has cancelled."""
        for table in self.tables:
            await table.close()

    @property
    def open(self) -> bool:
        """Whether datagrams are received."""
        return self._port is not None

    def unwatch(self, sock: Datagrams) -> None:
        """Close a socket that was watched."""
        self.poller.forget(sock)
        sock.close()

    def event(self, mask: int) -> None:
        """Datagrams have come to the port."""
        if self._port is not None:
            self.receive(self._port)

    @abstractmethod
    def receive(self, port: Datagrams) -> None:
        """Read a few datagrams from the port, and relay them."""

    def crashed(self, error: Exception) -> None:
        """One datagram is lost; the port lives."""

    def send_back(self, packet: bytes | memoryview, address: Any) -> None:
        """Send `packet` from the port."""
        if self._port is not None:
            try:
                self._port.sendto(packet, address)
            except OSError as error:
                self.complaints.failed(error, len(packet))

    # ---- the table

    def add(self, key: Hashable, association: _A) -> None:
        """A new association; the one that was used least recently makes room where there is none."""
        if len(self.associations) >= self.most:
            self.make_room(next(iter(self.associations.values())))
        self.associations[key] = association

    def make_room(self, association: Association[Any]) -> None:
        """End `association` in favour of another."""
        association.end(Reason.FINISHED, "ended to make room for others")

    @abstractmethod
    def forget(self, association: Association[Any]) -> None:
        """`association` has closed itself: take it out of the table."""

    def sweep(self, now: float) -> None:
        """Called about once a second: end what has been idle too long."""
        for association in [one for one in self.associations.values() if one.until <= now]:
            association.end(Reason.IDLE_TIMEOUT)
