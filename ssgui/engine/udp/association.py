"""One client's datagrams: whom they belong to, and the sockets on which its targets see them.

An association has one socket per address family, so all its targets see one port of ours, and whoever sends to
that port is heard (full cone). Sockets are level-triggered; each reads a few datagrams per readiness. There is
no task, no await, no log and no journal entry per datagram.
"""

import math
import time
from abc import ABC, abstractmethod
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ssgui.engine.poller import Datagrams
from ssgui.engine.stages import Reason
from ssgui.engine.udp.destinations import Destination, Destinations
from ssgui.engine.udp.handler import Account
from ssgui.engine.udp.sockets import DRAIN, UNREACHABLE, outgoing_socket
from ssgui.protocol.address import encode_address

if TYPE_CHECKING:
    from ssgui.engine.udp.relay import UDPRelay

DNS_PORT = 53
DNS_SECONDS = 17.0  # a query is answered or given up by then, and it would hold a socket for minutes
_DNS_BYTES = DNS_PORT.to_bytes(2, "big")
_MOST_HEADER = 19  # of a source, which is always an IP address


@lru_cache(maxsize=4096)
def source_header(sockaddr: Any) -> bytes:
    """The address header of where a datagram came from; an IPv4 address dressed as IPv6 is undressed."""
    host = sockaddr[0].partition("%")[0]
    if host.startswith("::ffff:") and "." in host:
        host = host[7:]
    return encode_address(host, sockaddr[1])


_Relay = TypeVar("_Relay", bound="UDPRelay[Any]")


class Association(ABC, Generic[_Relay]):
    """Datagrams that share a source port. `until` is the monotonic time at which it has been idle too long."""

    __slots__ = ("_sockets", "account", "closed", "destinations", "udp", "until")

    def __init__(self, udp: _Relay, account: Account, destinations: Destinations) -> None:
        self.udp, self.account, self.destinations = udp, account, destinations
        self.until = 0.0
        self.closed = False
        self._sockets: dict[int, TargetSocket] = {}

    @abstractmethod
    def answer(self, header: bytes, plain: memoryview | bytes) -> None:
        """Send `plain`, which is `header` (its source) and payload, to the client."""

    @abstractmethod
    def end(self, reason: Reason, detail: str = "") -> None:
        """Close, and have whoever shows it say why."""

    def heard(self, now: float, header: bytes) -> None:
        """A datagram to or from the target of `header`: wait its time again."""
        udp = self.udp
        until = now + (udp.dns_seconds if header[-2:] == _DNS_BYTES else udp.idle_seconds)
        if until > self.until:
            self.until = until

    def send(self, destination: Destination, payload: memoryview | bytes) -> None:
        """Send `payload` to `destination` from the port of this association; wait for its address, if need be."""
        if not destination.sockaddrs:
            kept = bytes(payload)
            self.destinations.wait(destination, len(kept), lambda: self._send_late(destination, kept))
            return
        family, address = destination.sockaddrs[0]
        try:
            target = self._sockets.get(family) or self._open(family)
            target.sock.sendto(payload, address)
        except OSError as error:
            if error.errno in UNREACHABLE and self.destinations.try_next(destination):
                self.send(destination, payload)
            else:
                self.udp.complaints.failed(error, len(payload))

    def _send_late(self, destination: Destination, payload: bytes) -> None:
        if not self.closed:
            self.send(destination, payload)

    def _open(self, family: int) -> "TargetSocket":
        target = self._sockets[family] = TargetSocket(self, self.udp.wrap(outgoing_socket(family)))
        self.udp.poller.watch_datagrams(target.sock, target)
        return target

    def close(self) -> None:
        """Give everything back; nothing is heard any more."""
        if self.closed:
            return
        self.closed = True
        for target in self._sockets.values():
            self.udp.unwatch(target.sock)
        self._sockets.clear()
        self.udp.forget(self)


class TargetSocket:
    """An unconnected socket of an association: what comes, from wherever, goes to the client."""

    __slots__ = ("association", "sock")

    def __init__(self, association: Association[Any], sock: Datagrams) -> None:
        self.association, self.sock = association, sock

    def event(self, mask: int) -> None:
        association, receive = self.association, self.sock.recvfrom_into
        account, buffer = association.account, association.udp.buffer
        behind = buffer[_MOST_HEADER:]
        now = time.monotonic()
        for _ in range(DRAIN):
            try:
                size, source = receive(behind)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP message about something that was sent
            header = source_header(source)
            start = _MOST_HEADER - len(header)
            buffer[start:_MOST_HEADER] = header
            account.down += size
            if account.first_down is None:
                account.first_down = now
            association.heard(now, header)
            association.answer(header, buffer[start : _MOST_HEADER + size])
            if association.closed:
                return

    def crashed(self, error: Exception) -> None:
        """One datagram is lost; the association lives."""


def seconds_or_ever(timeout: float) -> float:
    """An idle limit, of which 0 means none."""
    return timeout or math.inf
