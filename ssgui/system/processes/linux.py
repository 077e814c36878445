"""Linux: sock_diag(7) names the inode of a program's socket, and /proc the process that holds it.

A question about one socket is 3 us; to look through all processes takes tens of milliseconds, so those that came
before are asked first, and the others at most once in a while.
"""

import errno
import socket
import struct
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

from ssgui.system.processes.flows import Flow, Place, Program
from ssgui.system.processes.proc import PROC, holder_of, name_of, pids, user_of

_HEADER = struct.Struct("=IHHII")  # length, type, flags, number, port
_REQUEST = struct.Struct("=BBBxI")  # family, protocol, extensions, states
_ANSWER = struct.Struct("=4x48xIIIII")  # after 4 bytes and the ids: expires, queues in and out, user, inode
_ID_END = struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)  # any interface, no cookie
_SOCK_DIAG, _BY_FAMILY, _NLMSG_ERROR = 4, 20, 2
_F_REQUEST = 1
_ALL_STATES = 0xFFFFFFFF
_FAMILY_AND_MORE = 16 + 72  # header and the shortest answer
_ALL_AGAIN = 2.0  # seconds between two looks at all processes
_MOST_KNOWN = 64


class SockDiag:
    """A socket to ask. OSError where the kernel, or a container, has no answers at all."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _SOCK_DIAG)
        self._socket.settimeout(1.0)
        self._number = 0

    def close(self) -> None:
        self._socket.close()

    def owner(self, flow: Flow) -> tuple[int, int] | None:
        """(inode, user id) of the program's socket; None if it is gone."""
        family = socket.AF_INET6 if ":" in flow.source[0] else socket.AF_INET
        protocol = socket.IPPROTO_UDP if flow.udp else socket.IPPROTO_TCP
        # For TCP the kernel wants the ends as the socket has them, for UDP as a packet to it would (inet_diag).
        ends = (flow.target, flow.source) if flow.udp else (flow.source, flow.target)
        places = [_packed(family, place) for place in ends]
        if None in places:
            return None
        ports = struct.pack("!HH", ends[0][1], ends[1][1])
        body = _REQUEST.pack(family, protocol, 0, _ALL_STATES) + ports + b"".join(filter(None, places)) + _ID_END
        self._number += 1
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), _BY_FAMILY, _F_REQUEST, self._number, 0) + body)
        return self._answer()

    def _answer(self) -> tuple[int, int] | None:
        while True:
            data = self._socket.recv(4096)
            _, kind, _, number, _ = _HEADER.unpack_from(data)
            if number != self._number:
                continue  # of a question that was given up
            if kind == _NLMSG_ERROR:
                code = -struct.unpack_from("=i", data, _HEADER.size)[0]
                if code in (errno.ENOENT, errno.ECONNREFUSED, errno.ESTALE):
                    return None
                raise OSError(code, "sock_diag")
            _, _, _, user, inode = _ANSWER.unpack_from(data, _HEADER.size)
            return (inode, user) if inode else None  # 0: nobody's any more


def _packed(family: int, place: Place) -> bytes | None:
    try:
        return socket.inet_pton(family, place[0].partition("%")[0]).ljust(16, b"\0")
    except OSError:
        return None


class LinuxLookup:
    """Remembers which processes came before."""

    def __init__(self, proc: Path = PROC, clock: Callable[[], float] = time.monotonic) -> None:
        self._proc, self._clock = proc, clock
        self._known: OrderedDict[str, None] = OrderedDict()  # pids, the latest last
        self._looked_at_all = float("-inf")

    def programs(self, flows: Iterable[Flow]) -> dict[Flow, Program]:
        """See `ProcessLookup`."""
        diag = SockDiag()
        try:
            owners = {flow: owner for flow in flows if (owner := diag.owner(flow)) is not None}
        finally:
            diag.close()
        inodes = {inode for inode, _ in owners.values()}
        found = holder_of(inodes, reversed(self._known), self._proc)
        now = self._clock()
        if len(found) < len(inodes) and now - self._looked_at_all >= _ALL_AGAIN:
            self._looked_at_all = now
            found |= holder_of(inodes - found.keys(), pids(self._proc), self._proc)
        self._remember(found.values())
        names = {pid: name_of(pid, self._proc) for pid in set(found.values())}
        programs = {}
        for flow, (inode, user) in owners.items():
            if (pid := found.get(inode)) is not None and names[pid]:
                programs[flow] = Program(names[pid], int(pid))
            elif inode not in found and now == self._looked_at_all:  # nobody whom we may see
                programs[flow] = Program(user_of(user), 0)
        return programs

    def _remember(self, seen: Iterable[str]) -> None:
        for pid in seen:
            self._known[pid] = None
            self._known.move_to_end(pid)
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
