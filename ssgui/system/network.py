"""Whether there is a way from this machine to another, and which addresses it has. Nothing is sent to find out."""

import ipaddress
import socket
from dataclasses import dataclass
from typing import Any

from ssgui.system.addresses import ELSEWHERE
from ssgui.system.interfaces import Addresses, read_addresses


@dataclass(frozen=True, slots=True)
class NetworkState:
    """`ways`: our addresses towards the host that was asked for; none means that it cannot be reached."""

    ways: frozenset[str] = frozenset()
    addresses: Addresses | None = None

    @property
    def online(self) -> bool:
        """Whether there is a way."""
        return bool(self.ways)

    @property
    def near(self) -> bool:
        """Whether the host is this machine itself."""
        return any(way.startswith("127.") or way == "::1" for way in self.ways)

    def has(self, sockname: Any) -> bool:
        """Whether the local address of a socket is still one of ours."""
        host = str(sockname[0]).partition("%")[0].removeprefix("::ffff:")
        if host.startswith("127.") or host in ("::1", "0.0.0.0", "::"):  # noqa: S104
            return True
        if self.addresses is not None:
            return host in self.addresses.all
        return _can_bind(host, sockname)


def _can_bind(host: str, sockname: Any) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    place = (host, 0, 0, sockname[3]) if ":" in host and len(sockname) > 3 else (host, 0)
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.bind(place)
    except OSError:
        return False
    return True


def look_at_network(host: str) -> NetworkState:
    """How things stand towards `host`; for a name, and for "", towards the world at large."""
    if host.lower().rstrip(".") == "localhost":
        return NetworkState(frozenset({"127.0.0.1"}), read_addresses())
    targets: tuple[tuple[socket.AddressFamily, str], ...] = ELSEWHERE
    try:
        literal = ipaddress.ip_address(host.partition("%")[0].strip("[]"))
    except ValueError:
        pass
    else:
        targets = ((socket.AF_INET if literal.version == 4 else socket.AF_INET6, str(literal)),)
    addresses = read_addresses()
    ways = (address for family, target in targets if (address := _way(family, target)))
    return NetworkState(frozenset(way for way in ways if _carries(way, addresses)), addresses)


def _way(family: socket.AddressFamily, target: str) -> str:
    """Our address towards `target`; "" without a route. Connecting a UDP socket only asks the routing table."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((target, 9))
            return str(sock.getsockname()[0])
    except OSError:
        return ""


def _carries(way: str, addresses: Addresses | None) -> bool:
    """A cable that was pulled leaves the route in place for a while."""
    if way.startswith("127.") or way == "::1" or addresses is None:
        return True
    return way not in addresses.all or way in addresses.carrying
