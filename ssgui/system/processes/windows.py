"""Windows: the tables of connections that iphlpapi keeps have the process of each; kernel32 knows its program.

Against the documented interface (GetExtendedTcpTable, GetExtendedUdpTable, QueryFullProcessImageNameW); `libraries`
are their stand-ins in tests. It was never run on Windows.
"""

import ctypes
import ntpath
import socket
import struct
from collections.abc import Iterable, Iterator
from typing import Any

from ssgui.system.processes.flows import Flow, Place, Program
from ssgui.system.processes.proc import printable

_AF_INET, _AF_INET6 = 2, 23  # of Windows
_TCP_OWNER_PID_ALL, _UDP_OWNER_PID = 5, 1
_NO_ERROR, _TOO_SMALL = 0, 122
_TRIES = 8  # the table may grow between the two calls
_LIMITED_INFORMATION = 0x1000
_MOST_PATH = 32768
# Rows: state, local address and port, remote address and port, process; IPv6 has scopes and the state behind them.
_TCP4, _TCP6 = struct.Struct("<I4sI4sII"), struct.Struct("<16sII16sIIII")
_UDP4, _UDP6 = struct.Struct("<4sII"), struct.Struct("<16sIII")


class WindowsLookup:
    """Reads the tables that the flows need, once for all of them."""

    def __init__(self, iphlpapi: Any = None, kernel: Any = None) -> None:
        self._iphlpapi = iphlpapi or ctypes.WinDLL("iphlpapi")  # type: ignore[attr-defined,unused-ignore]
        self._kernel = kernel or ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
        self._kernel.OpenProcess.restype = ctypes.c_void_p

    def programs(self, flows: Iterable[Flow]) -> dict[Flow, Program]:
        """See `ProcessLookup`."""
        wanted = list(flows)
        connected: dict[tuple[Place, Place], int] = {}
        bound: dict[Place, int] = {}
        for family in {_AF_INET6 if ":" in flow.source[0] else _AF_INET for flow in wanted}:
            if not all(flow.udp for flow in wanted):
                connected.update(self._connected(family))
            if any(flow.udp for flow in wanted):
                bound.update(self._bound(family))
        programs = {}
        for flow in wanted:
            pid = _bound_to(flow.source, bound) if flow.udp else connected.get((flow.source, flow.target), 0)
            if pid and (name := self._name(pid)):
                programs[flow] = Program(name, pid)
        return programs

    def _connected(self, family: int) -> Iterator[tuple[tuple[Place, Place], int]]:
        table = self._table(self._iphlpapi.GetExtendedTcpTable, family, _TCP_OWNER_PID_ALL)
        if family == _AF_INET:
            for _state, local, port, remote, other, pid in _rows(_TCP4, table):
                yield (_place(local, port), _place(remote, other)), pid
        else:
            for local, _scope, port, remote, _other_scope, other, _state, pid in _rows(_TCP6, table):
                yield (_place(local, port), _place(remote, other)), pid

    def _bound(self, family: int) -> Iterator[tuple[Place, int]]:
        table = self._table(self._iphlpapi.GetExtendedUdpTable, family, _UDP_OWNER_PID)
        if family == _AF_INET:
            for local, port, pid in _rows(_UDP4, table):
                yield _place(local, port), pid
        else:
            for local, _scope, port, pid in _rows(_UDP6, table):
                yield _place(local, port), pid

    def _table(self, call: Any, family: int, kind: int) -> bytes:
        size = ctypes.c_uint32(0)
        buffer = ctypes.create_string_buffer(0)
        for _ in range(_TRIES):
            code = call(buffer, ctypes.byref(size), 0, family, kind, 0)
            if code == _NO_ERROR:
                return buffer.raw
            if code != _TOO_SMALL:
                raise OSError(f"the table of connections cannot be read: error {code}")
            buffer = ctypes.create_string_buffer(size.value)
        raise OSError("the table of connections grows too fast to be read")

    def _name(self, pid: int) -> str:
        handle = self._kernel.OpenProcess(_LIMITED_INFORMATION, 0, pid)
        if not handle:
            return ""
        try:
            path, size = ctypes.create_unicode_buffer(_MOST_PATH), ctypes.c_uint32(_MOST_PATH)
            if not self._kernel.QueryFullProcessImageNameW(ctypes.c_void_p(handle), 0, path, ctypes.byref(size)):
                return ""
            return printable(ntpath.splitext(ntpath.basename(path.value))[0])
        finally:
            self._kernel.CloseHandle(ctypes.c_void_p(handle))


def _rows(row: struct.Struct, table: bytes) -> Iterator[tuple[Any, ...]]:
    """The rows of a table: their number comes first."""
    if len(table) < 4:
        return
    count = min(int.from_bytes(table[:4], "little"), (len(table) - 4) // row.size)
    for number in range(count):
        yield row.unpack_from(table, 4 + number * row.size)


def _place(address: bytes, port: int) -> Place:
    """A port is in the order of the network, in the lower half of its number."""
    family = socket.AF_INET if len(address) == 4 else socket.AF_INET6
    return socket.inet_ntop(family, address), socket.ntohs(port & 0xFFFF)


def _bound_to(source: Place, bound: dict[Place, int]) -> int:
    anywhere = "::" if ":" in source[0] else "0.0.0.0"  # noqa: S104
    return bound.get(source) or bound.get((anywhere, source[1]), 0)
