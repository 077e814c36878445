"""TCP Fast Open (RFC 7413) and Multipath TCP (RFC 8684), tried where they are wanted and left alone where they fail.

Fast Open: to a server whose cookie the kernel has, `connect` succeeds at once and the first bytes leave with the
SYN. So a leg counts as connected before anybody has answered, and a program is told so; that there is nobody
shows when the first bytes were sent. The way is then remembered as dead like any other, for the next connection.
There are networks that drop such SYNs: a few failures in a row before a byte came back switch it off.

Only the way between a client and a server is made like this: a target may wait for us to be silent, and then a SYN
that waits for data would never leave.
"""

import errno
import logging
import socket
import sys
from pathlib import Path
from typing import Final, TypeVar

from ssgui.engine.poller import Stream

FAILURES = 3  # in a row
QUEUE: Final = 256  # connections that a listener takes by Fast Open before their handshake is done
_LINUX: Final = sys.platform == "linux"
_TCP: Final = int(socket.IPPROTO_TCP)
_INFO: Final = 11
_SYN_SENT: Final = 2
_INFO_SIZE: Final = 128  # of Linux' struct tcp_info, up to the end of:
_BYTES_ACKED: Final = slice(120, 128)  # since Linux 4.1
_MPTCP: Final = 262
_FAST_OPEN: Final = 23
_FAST_OPEN_CONNECT: Final = 30  # Linux 4.11; Python has no name for it
_STREAM: Final = int(socket.SOCK_STREAM) | int(getattr(socket, "SOCK_NONBLOCK", 0))
_NO_PROTOCOL: Final = frozenset({errno.EPROTONOSUPPORT, errno.ENOPROTOOPT, errno.EINVAL})
_SWITCH: Final = Path("/proc/sys/net/ipv4/tcp_fastopen")
_FOR_LISTENERS: Final = 2  # its bit
_Socket = TypeVar("_Socket", bound=socket.socket)
_log = logging.getLogger(__name__)


class _MPTCPSocket(socket.socket):
    """A socket that tells asyncio that it is of TCP, whose addresses it has: those of MPTCP it would look up."""

    proto = int(socket.IPPROTO_TCP)


class TCPOptions:
    """What the sockets of one relay are to have."""

    def __init__(self, *, fast_open: bool, mptcp: bool) -> None:
        self.fast_open = fast_open and _LINUX
        self._protocol = _MPTCP if mptcp and _LINUX else 0
        self._failures = 0
        if not _LINUX and (fast_open or mptcp):
            _log.warning("TCP Fast Open and MPTCP are for Linux only: going on without")

    def new_socket(self, family: int) -> socket.socket:
        """For a connection that we make: non-blocking."""
        if self._protocol:
            try:
                return _MPTCPSocket(family, _STREAM, self._protocol)
            except OSError as error:
                self._without_mptcp(error)
        return socket.socket(family, _STREAM)

    def set_fast_open(self, sock: socket.socket) -> bool:
        """Let `sock` connect by Fast Open; whether it may."""
        if not self.fast_open:
            return False
        try:
            sock.setsockopt(_TCP, _FAST_OPEN_CONNECT, 1)
        except OSError as error:
            self._without_fast_open(f"the system refuses it ({error.strerror})")
        return self.fast_open

    def ended(self, *, answered: bool, failed: bool) -> None:
        """A connection that was made by Fast Open has ended, with or without a byte that came back."""
        if answered:
            self._failures = 0
        elif failed:
            self._failures += 1
            if self._failures >= FAILURES and self.fast_open:
                self._without_fast_open(f"{FAILURES} connections in a row were not answered")

    # ---- listening

    def listen_fast(self, sock: socket.socket) -> None:
        """Let the listener `sock` take Fast Open."""
        if not self.fast_open:
            return
        try:
            sock.setsockopt(_TCP, _FAST_OPEN, QUEUE)
        except OSError as error:
            self._without_fast_open(f"the system refuses it ({error.strerror})")
            return
        try:
            switch = int(_SWITCH.read_text("ascii"))
        except (OSError, ValueError):
            return  # nothing to say
        if not switch & _FOR_LISTENERS:
            _log.warning(
                "TCP Fast Open has no effect: net.ipv4.tcp_fastopen is %d, a server needs %d",
                switch, switch | _FOR_LISTENERS,
            )  # fmt: skip

    def _without_mptcp(self, error: OSError) -> None:
        """Go on with TCP, if that is what `error` says."""
        if error.errno not in _NO_PROTOCOL:
            raise error
        self._protocol = 0
        _log.warning("MPTCP is off: the system does not have it (%s)", error.strerror)

    def _without_fast_open(self, why: str) -> None:
        self.fast_open = False
        _log.warning("TCP Fast Open is off: %s", why)

    def new_listener(self, kind: type[_Socket], family: int) -> _Socket:
        """A socket of `kind` to listen on; whoever calls this binds it."""
        if self._protocol:
            try:
                return kind(family, socket.SOCK_STREAM, self._protocol)
            except OSError as error:
                self._without_mptcp(error)
        return kind(family, socket.SOCK_STREAM)


def tcp_options(*, fast_open: bool, mptcp: bool) -> TCPOptions | None:
    """None if nothing is wanted: sockets are then made as fast as can be."""
    return TCPOptions(fast_open=fast_open, mptcp=mptcp) if fast_open or mptcp else None


def is_connecting(stream: Stream) -> bool:
    """Whether the handshake of `stream`, a TCP socket of Linux, is still under way."""
    try:
        info = stream.getsockopt(_TCP, _INFO)  # an int of its first four bytes
    except OSError:
        return False
    return info.to_bytes(4, sys.byteorder, signed=True)[0] == _SYN_SENT


def acknowledged(stream: Stream) -> int | None:
    """How many of the bytes that went out on `stream` the other side's kernel has acknowledged; None: nobody says.

    The other side's program need not have read them (RFC 9293, 3.4). Ours has its own way to tell.
    """
    if not _LINUX:
        return None
    try:
        info = stream.getsockopt(_TCP, _INFO, _INFO_SIZE)
    except OSError:
        return None
    if len(info) < _INFO_SIZE:
        return None
    return max(0, int.from_bytes(info[_BYTES_ACKED], sys.byteorder) - 1)  # the SYN counts as one
