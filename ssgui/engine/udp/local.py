"""A client's UDP: datagrams of programs to a server, or directly, and back.

    program <-- the port --> association <-- a socket connected to the server --> server
                                         <-- a socket per family --> targets that go direct

By SOCKS5 a program first asks over TCP, and that connection is its lease (`lease.py`). On the port of a tunnel
whoever sends has an association, and all goes to the one target.
"""

import time
from typing import TYPE_CHECKING, Any

from ssgui.engine.events import Endpoint
from ssgui.engine.forbidden import AddressGuard
from ssgui.engine.poller import Datagrams
from ssgui.engine.stages import Stage
from ssgui.engine.udp.association import Association
from ssgui.engine.udp.destinations import Destinations
from ssgui.engine.udp.handler import UDPHandler
from ssgui.engine.udp.lease import Leases, UDPLease
from ssgui.engine.udp.program import LocalAssociation
from ssgui.engine.udp.relay import MOST_DATAGRAM, UDPRelay
from ssgui.engine.udp.sockets import DRAIN
from ssgui.protocol.address import Address, encode_address, leading_header

if TYPE_CHECKING:
    from ssgui.engine.relay import LocalRelay

MOST_ASSOCIATIONS = 512
_SOCKS_HEAD = b"\0\0\0"
_MAPPED = b"\x04" + bytes(10) + b"\xff\xff"


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

    def wrapped(self, header: bytes, plain: memoryview | bytes) -> memoryview | bytes:
        """An answer as the program gets it: `plain` is `header` and payload."""
        raise NotImplementedError

    def forget(self, association: Association[Any]) -> None:
        assert isinstance(association, LocalAssociation)
        del self.associations[association.client]

    def sweep(self, now: float) -> None:
        super().sweep(now)
        if any(one.health.alive for one in self.client.pool.upstreams):
            for association in self.associations.values():
                association.leave_the_dead()


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
