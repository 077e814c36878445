"""A stand-in for WinINET and RAS that was written after Microsoft's documentation, not after our code.

It reads and writes raw memory at the offsets that 64-bit Windows has, and keeps every call. Like Windows it hands out
memory that must be given back, and asks for more room than it got.
"""

import ctypes
import struct
from dataclasses import dataclass, field
from typing import Any

from tests.support.journal_drill import Died

UNSET: dict[str, Any] = {"flags": 9, "server": None, "bypass": None, "pac": None}
KEYS = {1: "flags", 10: "flags", 2: "server", 3: "bypass", 4: "pac"}
_LIST = struct.Struct("<I4xQIIQ")  # INTERNET_PER_CONN_OPTION_LISTW
_OPTION = struct.Struct("<I4xQ")  # INTERNET_PER_CONN_OPTIONW
_ENTRY = 1048  # RASENTRYNAMEW
_INVALID_PARAMETER, _BUFFER_TOO_SMALL, _INVALID_SIZE = 87, 603, 632


@dataclass
class FakeWindows:
    """`system` is what is set, for None (the local network) and names. `calls` is what was asked for."""

    system: dict[str | None, dict[str, Any]] = field(default_factory=lambda: {None: dict(UNSET)})
    calls: list[Any] = field(default_factory=list)
    old: bool = False  # before Internet Explorer 8: no FLAGS_UI
    empty: bool = False  # says "" and not NULL for what is not set
    refuse: dict[tuple[str, str | None], int] = field(default_factory=dict)  # "query" or "set", connection: error
    gone_when_refused: bool = False
    stubborn: set[str] = field(default_factory=set)  # keys that a policy keeps
    die_at: int = -1
    ras_error: int = 0
    dialled_meanwhile: str = ""
    error: int = 0
    lent: dict[int, Any] = field(default_factory=dict)

    def _step(self, call: Any) -> None:
        if len(self.calls) == self.die_at:
            raise Died
        self.calls.append(call)

    def GetLastError(self) -> int:
        return self.error

    def GlobalFree(self, memory: int) -> None:
        del self.lent[memory]  # KeyError: not ours, or given back twice

    def InternetQueryOptionW(self, handle: None, option: int, buffer: int, size: int) -> int:
        assert (handle, option) == (None, 75)
        assert uint32(size) == _LIST.size == 32
        connection, options = self._list(buffer)
        self._step(("query", connection, [number for number, _, _ in options]))
        refused = self.refuse.get(("query", connection), _INVALID_PARAMETER if self.old and options[0][0] == 10 else 0)
        if refused:
            return self._fail(refused)
        there = self.system.get(connection, UNSET)
        for number, place, _ in options:
            value = there[KEYS[number]]
            if number in (1, 10):
                write_uint32(place, value)
            else:
                ctypes.c_uint64.from_address(place).value = self._lend(value)
        return 1

    def InternetSetOptionW(self, handle: None, option: int, buffer: int | None, size: int) -> int:
        assert handle is None
        if buffer is None:
            assert size == 0
            self._step(("tell", option))
            return 1
        assert (option, size) == (75, 32)
        connection, options = self._list(buffer)
        named = {number: read_text(value) if number != 1 else value & 0xFFFFFFFF for number, _, value in options}
        self._step(("set", connection, named))
        if ("set", connection) in self.refuse:
            if self.gone_when_refused:
                del self.system[connection]
            return self._fail(self.refuse["set", connection])
        assert set(named) <= {1, 2, 3, 4}  # the flags are never set as FLAGS_UI
        made = {KEYS[number]: value for number, value in named.items() if KEYS[number] not in self.stubborn}
        self.system[connection] = {**self.system.get(connection, UNSET), **made}
        return 1

    def RasEnumEntriesW(self, reserved: None, phonebook: None, entries: int, size: int, count: int) -> int:
        assert (reserved, phonebook) == (None, None)
        room = uint32(size)
        self._step(("list", room))
        if self.ras_error:
            return self.ras_error
        if uint32(entries) != _ENTRY:
            return _INVALID_SIZE
        names = [name for name in self.system if name is not None]
        write_uint32(size, _ENTRY * len(names))
        write_uint32(count, len(names))
        if room < _ENTRY * len(names):
            if self.dialled_meanwhile:
                self.system[self.dialled_meanwhile], self.dialled_meanwhile = dict(UNSET), ""
            return _BUFFER_TOO_SMALL
        for at, name in enumerate(names):
            data = name.encode("utf-16-le", "surrogatepass") + b"\0\0"
            assert len(data) <= 2 * 257
            ctypes.memmove(entries + at * _ENTRY + 4, data, len(data))
        return 0

    def _fail(self, error: int) -> int:
        self.error = error
        return 0

    def _lend(self, text: str | None) -> int:
        if text is None and not self.empty:
            return 0
        data = (text or "").encode("utf-16-le", "surrogatepass") + b"\0\0"
        memory = ctypes.create_string_buffer(data, len(data))
        self.lent[ctypes.addressof(memory)] = memory
        return ctypes.addressof(memory)

    @staticmethod
    def _list(buffer: int) -> tuple[str | None, list[tuple[int, int, int]]]:
        """The connection; and number, place of the value and value of each option."""
        size, name, count, error, options = _LIST.unpack(ctypes.string_at(buffer, _LIST.size))
        assert (size, error) == (32, 0)
        places = [options + at * _OPTION.size for at in range(count)]
        read = [_OPTION.unpack(ctypes.string_at(place, _OPTION.size)) for place in places]
        return read_text(name), [
            (number, place + 8, value) for place, (number, value) in zip(places, read, strict=True)
        ]


def uint32(place: int) -> int:
    return ctypes.c_uint32.from_address(place).value


def write_uint32(place: int, value: int) -> None:
    ctypes.c_uint32.from_address(place).value = value


def read_text(place: int) -> str | None:
    """UTF-16 up to its zero; None for a null pointer."""
    if not place:
        return None
    data = b""
    while (unit := ctypes.string_at(place + len(data), 2)) != b"\0\0":
        data += unit
    return data.decode("utf-16-le", "surrogatepass")
