"""What Linux says about network interfaces and their addresses (rtnetlink(7)): asked for, and told of changes."""

import errno
import socket
import struct
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

_HEADER: Final = struct.Struct("=IHHII")  # length, type, flags, number, port
_LINK: Final = struct.Struct("=BxHiII")  # family, type, index, flags, which flags changed
_ADDRESS: Final = struct.Struct("=BBBBI")  # family, length of the prefix, flags, scope, index
_ATTRIBUTE: Final = struct.Struct("=HH")  # length, type
_ERROR, _DONE, _NEW_LINK, _GET_LINK, _NEW_ADDRESS, _GET_ADDRESS = 2, 3, 16, 18, 20, 22
_REQUEST_ALL = 0x0001 | 0x0300
_RUNNING = 0x40  # it is up, and the cable or the radio has somebody at the other end
_PEER, _LOCAL = 1, 2  # attributes: of a line between two machines the first is the other's address
_GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400  # links; IPv4 addresses and routes; IPv6 addresses and routes
_READ = 64 * 1024
_SECONDS = 1.0
_MOST_READS = 64


@dataclass(frozen=True, slots=True)
class Addresses:
    """Of this machine: all of them, and those of interfaces that carry something."""

    all: frozenset[str]
    carrying: frozenset[str]


def _netlink() -> socket.socket:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)  # NETLINK_ROUTE


def read_addresses() -> Addresses | None:
    """As they are now; None where the system cannot be asked so."""
    if not hasattr(socket, "AF_NETLINK"):
        return None
    try:
        with _netlink() as sock:
            sock.settimeout(_SECONDS)
            sock.bind((0, 0))
            links = dict(_links(_ask(sock, _GET_LINK, _LINK.size, _NEW_LINK)))
            found = list(_addresses(_ask(sock, _GET_ADDRESS, _ADDRESS.size, _NEW_ADDRESS)))
    except (OSError, struct.error):
        return None
    carrying = (address for index, address in found if links.get(index, 0) & _RUNNING)
    return Addresses(frozenset(address for _, address in found), frozenset(carrying))


def _ask(sock: socket.socket, kind: int, size: int, answer: int) -> list[bytes]:
    """The bodies of all records of the type `answer`."""
    sock.send(_HEADER.pack(_HEADER.size + size, kind, _REQUEST_ALL, kind, 0) + bytes(size))
    found: list[bytes] = []
    while True:
        data, start = sock.recv(_READ), 0
        while start + _HEADER.size <= len(data):
            length, got, _flags, number, _port = _HEADER.unpack_from(data, start)
            if got == _ERROR:
                raise OSError(errno.EIO, "rtnetlink refused")
            if got == _DONE:
                return found
            if got == answer and number == kind:
                found.append(data[start + _HEADER.size : start + length])
            start += max(_HEADER.size, length + 3 & ~3)


def _links(bodies: list[bytes]) -> Iterator[tuple[int, int]]:
    for body in bodies:
        _family, _type, index, flags, _changed = _LINK.unpack_from(body)
        yield index, flags


def _addresses(bodies: list[bytes]) -> Iterator[tuple[int, str]]:
    for body in bodies:
        family, _prefix, _flags, _scope, index = _ADDRESS.unpack_from(body)
        if family not in (socket.AF_INET, socket.AF_INET6):
            continue
        parts = dict(_attributes(body[_ADDRESS.size :]))
        raw = parts.get(_LOCAL) or parts.get(_PEER)
        if raw is not None:
            yield index, socket.inet_ntop(family, raw)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    start = 0
    while start + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, start)
        if length < _ATTRIBUTE.size:
            return
        yield kind, data[start + _ATTRIBUTE.size : start + length]
        start += length + 3 & ~3


class ChangesOfInterfaces:
    """Calls `heard` in the loop when a link, an address or a route comes, goes or changes. OSError if it cannot."""

    def __init__(self, loop: AbstractEventLoop, heard: Callable[[], None]) -> None:
        if not hasattr(socket, "AF_NETLINK"):
            raise OSError(errno.EAFNOSUPPORT, "no rtnetlink here")
        self._loop, self._heard = loop, heard
        self._sock = _netlink()
        try:
            self._sock.setblocking(False)
            self._sock.bind((0, _GROUPS))
            loop.add_reader(self._sock, self._readable)
        except (OSError, NotImplementedError) as error:
            self._sock.close()
            raise OSError(errno.EAFNOSUPPORT, f"changes of interfaces cannot be heard: {error}") from error

    def _readable(self) -> None:
        """What has changed is asked for afterwards: there may have been more than the socket could hold."""
        try:
            for _ in range(_MOST_READS):
                self._sock.recv(_READ)
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                self.close()
        self._heard()

    def close(self) -> None:
        """Hear no more."""
        if self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock)
            self._sock.close()
