"""The sockets of the UDP relays, made and tuned in one place."""

import errno
import logging
import socket
import sys
import time
from typing import Any

DRAIN = 16  # datagrams that are read per readiness: the others wait for their turn
PORT_BUFFER = 1 << 20  # of a port that many associations share; the kernel gives what it allows
COMPLAINT_PAUSE = 60.0
_DATAGRAM = int(socket.SOCK_DGRAM) | int(getattr(socket, "SOCK_NONBLOCK", 0))
_INET, _IP = int(socket.AF_INET), int(socket.IPPROTO_IP)
_MTU_DISCOVER, _DO_NOT = 10, 0  # Linux: IP_MTU_DISCOVER, IP_PMTUDISC_DONT; the socket module has no names for them
_LINUX = sys.platform.startswith("linux")
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
# There is no way to an address of this family from here.
UNREACHABLE = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
)
_log = logging.getLogger(__name__)


def outgoing_socket(family: int) -> socket.socket:
    """A socket for one association; its port is the system's choice. OSError if there is none to be had."""
    sock = socket.socket(family, _DATAGRAM)
    try:
        _let_fragment(sock, family)
        if sys.platform == "win32":  # which cannot receive on a socket that has no port yet
            sock.bind(("", 0))
    except OSError:
        sock.close()
        raise
    return sock


def port_socket(family: int, address: Any) -> socket.socket:
    """The socket of a port that clients send to. OSError when the address is not to be had."""
    sock = socket.socket(family, _DATAGRAM)
    try:
        # Not SO_REUSEADDR: two programs would share the port, and the later one get the datagrams.
        if exclusive := getattr(socket, "SO_EXCLUSIVEADDRUSE", 0):  # Windows
            sock.setsockopt(socket.SOL_SOCKET, exclusive, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        _let_fragment(sock, family)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, PORT_BUFFER)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock


def _let_fragment(sock: socket.socket, family: int) -> None:
    """A large datagram is sent in fragments, rather than lost where a path is narrow and nobody says so."""
    if _LINUX and family == _INET:
        sock.setsockopt(_IP, _MTU_DISCOVER, _DO_NOT)


class Complaints:
    """What goes wrong with datagrams goes wrong with many: each kind is told once a minute, and counted in `counts`."""

    def __init__(self, counts: dict[str, int]) -> None:
        self.counts = counts
        self._told = {kind: (-COMPLAINT_PAUSE, count) for kind, count in counts.items()}

    def count(self, kind: str) -> None:
        """One more datagram of `kind` was dropped; nothing is said."""
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def tell(self, kind: str, level: int, text: str, *values: object) -> None:
        """One more of `kind`; `text % values` says what it means. Logged, if the last time is a while ago."""
        self.count(kind)
        now = time.monotonic()
        when, then = self._told.get(kind, (-COMPLAINT_PAUSE, 0))
        if now - when >= COMPLAINT_PAUSE:
            count = self.counts[kind]
            self._told[kind] = now, count
            _log.log(level, f"UDP: {text} (%d dropped)", *values, count - then)

    def failed(self, error: OSError, size: int) -> None:
        """A datagram of `size` bytes could not be sent, or no socket be had for it."""
        if isinstance(error, BlockingIOError):
            self.count("full")  # the system's buffer is: UDP may lose
        elif error.errno == errno.EMSGSIZE:
            self.tell("too-large", logging.WARNING, "a datagram of %d bytes is too large to be sent", size)
        elif error.errno in _NO_ROOM:
            self.tell("no-socket", logging.WARNING, "no socket for an association: %s", error.strerror)
        else:
            self.count("failed")
