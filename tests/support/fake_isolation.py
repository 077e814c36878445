"""A stand-in for Windows' network isolation and for ShellExecuteEx, written after Microsoft's documentation.

It reads and writes raw memory at the offsets that 64-bit Windows has, and knows which memory it has lent.
"""

import ctypes
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_CONTAINER = struct.Struct("<QQQQQI4xQI4xQQQ")  # INET_FIREWALL_APP_CONTAINER
_ENTRY = struct.Struct("<QI4x")  # SID_AND_ATTRIBUTES
_EXECUTE = struct.Struct("<II QQQQQ i4x QQQQ I4x Q Q")  # SHELLEXECUTEINFOW
_ACCESS_DENIED, _CANCELLED = 5, 1223
HEAP = 0x7777


def package(*numbers: int) -> bytes:
    """The identifier of an app container: S-1-15-2-…"""
    rest = (2, *numbers)
    return struct.pack(">BBHI", 1, len(rest), 0, 15) + struct.pack(f"<{len(rest)}I", *rest)


@dataclass
class FakeIsolation:
    """`apps` are installed, `exempt` may reach the loopback, whoever else's. Only with `admin` that is changed."""

    apps: list[bytes] = field(default_factory=list)
    exempt: list[bytes] = field(default_factory=list)
    admin: bool = False
    error: int = 0
    deaf: bool = False  # takes a change and does not keep it
    lent: dict[int, Any] = field(default_factory=dict)
    sets: list[list[bytes]] = field(default_factory=list)

    def _lend(self, data: bytes) -> int:
        memory = ctypes.create_string_buffer(data, max(1, len(data)))
        self.lent[ctypes.addressof(memory)] = memory
        return ctypes.addressof(memory)

    def _give(self, count_at: int, place_at: int, count: int, data: bytes) -> None:
        ctypes.c_uint32.from_address(count_at).value = count
        ctypes.c_uint64.from_address(place_at).value = self._lend(data) if count else 0

    def NetworkIsolationEnumAppContainers(self, flags: int, count: int, containers: int) -> int:
        if self.error:
            return self.error
        name = self._lend("App\0".encode("utf-16-le"))
        rows = [_CONTAINER.pack(self._lend(sid), 0, name, name, 0, 0, 0, 0, 0, 0, 0) for sid in self.apps]
        self._give(count, containers, len(rows), b"".join(rows))
        return 0

    def NetworkIsolationFreeAppContainers(self, containers: int) -> int:
        memory = self.lent.pop(containers)
        for at in range(0, len(memory), _CONTAINER.size):
            sid, _, name, *_rest = _CONTAINER.unpack_from(memory, at)
            self.lent.pop(sid)
            self.lent.pop(name, None)
        return 0

    def NetworkIsolationGetAppContainerConfig(self, count: int, sids: int) -> int:
        rows = [_ENTRY.pack(self._lend(sid), 0) for sid in self.exempt]
        self._give(count, sids, len(rows), b"".join(rows))
        return 0

    def NetworkIsolationSetAppContainerConfig(self, count: int, sids: int | None) -> int:
        if not self.admin:
            return _ACCESS_DENIED
        assert (sids is None) == (count == 0)
        places = [_ENTRY.unpack(ctypes.string_at((sids or 0) + at * _ENTRY.size, _ENTRY.size)) for at in range(count)]
        wanted = [ctypes.string_at(place, 8 + 4 * ctypes.string_at(place, 2)[1]) for place, _ in places]
        self.sets.append(wanted)
        if not self.deaf:
            self.exempt = wanted
        return 0

    def GetProcessHeap(self) -> int:
        return HEAP

    def HeapFree(self, heap: int, flags: int, memory: int) -> int:
        assert (heap, flags) == (HEAP, 0)
        del self.lent[memory]  # KeyError: not ours, or given back twice
        return 1


@dataclass
class FakeShell:
    """Runs what it is asked to run elevated by `run` (the line of arguments), unless the person says no."""

    run: Callable[[str, str], int] = lambda program, line: 0
    refused: bool = False
    error: int = 0
    hangs: bool = False
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    open: set[int] = field(default_factory=set)
    code: int = 0

    def GetLastError(self) -> int:
        return self.error

    def ShellExecuteExW(self, info: int) -> int:
        size, mask, _, verb, file, line, _, show, *_rest = _EXECUTE.unpack(ctypes.string_at(info, _EXECUTE.size))
        assert size == _EXECUTE.size == 112
        assert mask & 0x40, "the handle is not asked for"
        assert show == 0
        self.asked.append((_text(verb), _text(file), _text(line)))
        if self.refused:
            self.error = _CANCELLED
            return 0
        if self.error:
            return 0
        self.code = self.run(_text(file), _text(line))
        self.open.add(0x99)
        ctypes.c_uint64.from_address(info + _EXECUTE.size - 8).value = 0x99
        return 1

    def WaitForSingleObject(self, handle: int, milliseconds: int) -> int:
        assert handle in self.open
        return 258 if self.hangs else 0  # WAIT_TIMEOUT

    def GetExitCodeProcess(self, handle: int, code: int) -> int:
        assert handle in self.open
        ctypes.c_uint32.from_address(code).value = self.code
        return 1

    def CloseHandle(self, handle: int) -> int:
        self.open.remove(handle)
        return 1


def _text(place: int) -> str:
    data = b""
    while (unit := ctypes.string_at(place + len(data), 2)) != b"\0\0":
        data += unit
    return data.decode("utf-16-le", "surrogatepass")
