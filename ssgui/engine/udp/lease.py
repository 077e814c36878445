"""Leases: a program may send datagrams while the TCP connection lives over which it asked (UDP ASSOCIATE).

Datagrams do not say which lease they belong to. One is claimed by their source port if the program named it when
it asked, else the first that nobody has claimed from the same host, else the latest of that host, for a program
may send from several sockets.
"""

import asyncio
from typing import TYPE_CHECKING, Any

from ssgui.engine.deadlines import DeadlineQueue
from ssgui.engine.events import Endpoint
from ssgui.engine.handler import Farewell, TCPRelayHandler
from ssgui.engine.stages import Reason
from ssgui.engine.udp.handler import Account
from ssgui.protocol.address import Address

if TYPE_CHECKING:
    from ssgui.engine.udp.association import Association

GRACE = 5.0  # seconds that an association outlives its TCP connection: the last answers are on their way


class UDPLease(Account):
    """What one UDP ASSOCIATE allows, for as long as its handler lives."""

    __slots__ = ("associations", "host", "leases", "port", "reason")

    def __init__(self, leases: "Leases", handler: TCPRelayHandler, wanted: Address) -> None:
        super().__init__(handler)
        self.leases = leases
        self.host, self.port = plain_host(handler.client[0]), wanted.port
        self.associations: set[Association[Any]] = set()
        self.reason = Reason.FINISHED

    def control_ended(self, reason: Reason) -> None:
        """The TCP connection is over: the lease soon is."""
        self.reason = reason
        self.leases.expire(self)

    def ended(self) -> None:
        """The handler is DESTROYED."""
        self.leases.remove(self)
        for association in list(self.associations):
            association.close()


class Leases:
    """All leases of one port."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._grace: DeadlineQueue[UDPLease] = DeadlineQueue(loop, GRACE, _expired)
        # Ordered sets, by host: all leases, those that nobody has claimed, and those that live on for the grace.
        self._all: dict[str, dict[UDPLease, None]] = {}
        self._free: dict[str, dict[UDPLease, None]] = {}
        self._ending: dict[str, dict[UDPLease, None]] = {}
        self._named: dict[tuple[str, int], UDPLease] = {}

    def add(self, handler: TCPRelayHandler, wanted: Address) -> UDPLease:
        """A lease for the client of `handler`, which says that it will send from `wanted`."""
        lease = UDPLease(self, handler, wanted)
        self._all.setdefault(lease.host, {})[lease] = None
        self._free.setdefault(lease.host, {})[lease] = None
        if lease.port:
            self._named[lease.host, lease.port] = lease
        return lease

    def claim(self, source: Endpoint) -> UDPLease | None:
        """The lease that a datagram from `source` belongs to."""
        host = plain_host(source[0])
        lease = self._named.get((host, source[1]))
        if lease is None:
            lease = next(iter(self._free.get(host, ())), None)
        for leases in (self._all, self._ending):
            if lease is None:
                lease = next(reversed(leases.get(host, {})), None)
        if lease is not None:
            _discard(self._free, lease)
        return lease

    def vacate(self, lease: UDPLease) -> None:
        """An association of `lease` has ended; without any it can be claimed again."""
        if not lease.associations and lease in self._all.get(lease.host, ()):
            self._free.setdefault(lease.host, {})[lease] = None

    def expire(self, lease: UDPLease) -> None:
        """End the handler of `lease` after the grace."""
        if lease not in self._grace:
            self._grace.add(lease)
            _discard(self._all, lease)
            _discard(self._free, lease)
            self._ending.setdefault(lease.host, {})[lease] = None

    def remove(self, lease: UDPLease) -> None:
        """`lease` is over."""
        self._grace.remove(lease)
        _discard(self._all, lease)
        _discard(self._free, lease)
        _discard(self._ending, lease)
        if self._named.get((lease.host, lease.port)) is lease:
            del self._named[lease.host, lease.port]

    def close(self) -> None:
        """End all leases."""
        self._grace.clear()
        for table in (self._all, self._ending):
            for lease in [lease for leases in table.values() for lease in leases]:
                lease.handler.destroy(Reason.SHUTDOWN)


def plain_host(host: str) -> str:
    """A host as it is, also where an IPv4 address came to a dual-stack port."""
    return host[7:] if host.startswith("::ffff:") and "." in host else host


def _expired(lease: UDPLease) -> None:
    handler = lease.handler
    assert isinstance(handler, TCPRelayHandler)
    handler.destroy(lease.reason, Farewell.CLOSE)


def _discard(table: dict[str, dict[UDPLease, None]], lease: UDPLease) -> None:
    """Take `lease` out, and its host's entry with the last one."""
    leases = table.get(lease.host)
    if leases is not None and lease in leases:
        del leases[lease]
        if not leases:
            del table[lease.host]
