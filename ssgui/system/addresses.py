"""The addresses of this machine."""

import socket
from collections.abc import Iterator

# Documentation addresses (RFC 5737, RFC 3849). Connecting a UDP socket sends nothing, it only asks the
# routing table which of our addresses would be used.
ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def own_address() -> str | None:
    """The address this machine uses towards others; IPv4 if there is one, None without any route."""
    return next(_addresses(), None)


def own_addresses() -> frozenset[str]:
    """The addresses this machine uses towards others, of each family that has a route."""
    return frozenset(_addresses())


def _addresses() -> Iterator[str]:
    for family, target in ELSEWHERE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as sock:
                sock.connect((target, 9))
                address = str(sock.getsockname()[0])
        except OSError:
            continue  # no route, or no such family
        if not address.startswith("127.") and address != "::1":
            yield address
