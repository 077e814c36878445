"""The few calls of Windows that read and set a proxy: WinINET, for each connection, and the list of connections.

Written after Microsoft's documentation of `wininet.h` and `ras.h`; never run on Windows. Strings are UTF-16 in memory
of our own, as `ctypes` would write them four bytes wide elsewhere, and tests there look at the same memory.
"""

import ctypes
import itertools
from typing import Any, ClassVar, Final, Protocol

from ssgui.system.proxy.backend import ProxyError

PER_CONNECTION, PROXY_CHANGED, SETTINGS_CHANGED, REFRESH = 75, 95, 39, 37  # INTERNET_OPTION_...
FLAGS, SERVER, BYPASS, AUTOCONFIG_URL, FLAGS_UI = 1, 2, 3, 4, 10  # INTERNET_PER_CONN_...
TEXTS: Final = {"server": SERVER, "bypass": BYPASS, "pac": AUTOCONFIG_URL}
_TOO_SMALL = 603  # ERROR_BUFFER_TOO_SMALL of RAS
# No such library, service disabled, missing or not started; no phone book, and a service of RAS that cannot start.
_NO_CONNECTIONS = frozenset({126, 1058, 1060, 1062, 621, 711})
_MOST_TRIES = 8
_SYSTEM_FOLDER_ONLY = 0x800  # LOAD_LIBRARY_SEARCH_SYSTEM32
Values = dict[str, Any]
"""`flags` is a number; `server`, `bypass` and `pac` are text, or None also for empty text: Windows stores lengths."""


class FileTime(ctypes.Structure):
    """FILETIME."""

    _fields_: ClassVar[Any] = (("low", ctypes.c_uint32), ("high", ctypes.c_uint32))


class OptionValue(ctypes.Union):
    """What INTERNET_PER_CONN_OPTIONW holds."""

    _fields_: ClassVar[Any] = (("number", ctypes.c_uint32), ("text", ctypes.c_void_p), ("time", FileTime))


class Option(ctypes.Structure):
    """INTERNET_PER_CONN_OPTIONW."""

    _fields_: ClassVar[Any] = (("option", ctypes.c_uint32), ("value", OptionValue))


class OptionList(ctypes.Structure):
    """INTERNET_PER_CONN_OPTION_LISTW."""

    _fields_: ClassVar[Any] = (
        ("size", ctypes.c_uint32),
        ("connection", ctypes.c_void_p),
        ("count", ctypes.c_uint32),
        ("error", ctypes.c_uint32),
        ("options", ctypes.c_void_p),
    )


class RasEntryName(ctypes.Structure):
    """RASENTRYNAMEW."""

    _fields_: ClassVar[Any] = (
        ("size", ctypes.c_uint32),
        ("name", ctypes.c_uint16 * 257),
        ("flags", ctypes.c_uint32),
        ("phonebook", ctypes.c_uint16 * 261),
    )


class Api(Protocol):
    """The functions themselves. What is a pointer there is an address here."""

    def InternetQueryOptionW(self, handle: None, option: int, buffer: int, size: int, /) -> int: ...
    def InternetSetOptionW(self, handle: None, option: int, buffer: int | None, size: int, /) -> int: ...
    def RasEnumEntriesW(self, reserved: None, phonebook: None, entries: int, size: int, count: int, /) -> int: ...
    def GlobalFree(self, memory: int, /) -> int | None: ...
    def GetLastError(self) -> int: ...


class Windows:
    """The real ones."""

    def __init__(self) -> None:
        load: Any = getattr(ctypes, "WinDLL", None)
        if load is None:
            raise ProxyError("this is not Windows")
        pointer, number = ctypes.c_void_p, ctypes.c_uint32
        wininet = load("wininet", use_last_error=True, winmode=_SYSTEM_FOLDER_ONLY)
        self.InternetQueryOptionW = wininet.InternetQueryOptionW
        self.InternetQueryOptionW.argtypes = [pointer, number, pointer, pointer]
        self.InternetSetOptionW = wininet.InternetSetOptionW
        self.InternetSetOptionW.argtypes = [pointer, number, pointer, number]
        self.GlobalFree = load("kernel32", use_last_error=True, winmode=_SYSTEM_FOLDER_ONLY).GlobalFree
        self.GlobalFree.argtypes, self.GlobalFree.restype = [pointer], pointer
        self.GetLastError: Any = getattr(ctypes, "get_last_error", None)
        try:
            self.RasEnumEntriesW: Any = load("rasapi32", winmode=_SYSTEM_FOLDER_ONLY).RasEnumEntriesW
        except OSError:  # a Windows without remote access
            self.RasEnumEntriesW = lambda *_: 126
        else:
            self.RasEnumEntriesW.argtypes, self.RasEnumEntriesW.restype = [pointer] * 5, number


def connections(api: Api) -> tuple[str, ...]:
    """Names of the dial-up and VPN connections. None where Windows has nothing of the kind."""
    count = ctypes.c_uint32()
    size = ctypes.c_uint32(ctypes.sizeof(RasEntryName))
    for _ in range(_MOST_TRIES):  # one may be made between two calls
        entries = (RasEntryName * max(1, -(-size.value // ctypes.sizeof(RasEntryName))))()
        entries[0].size = ctypes.sizeof(RasEntryName)
        size.value = ctypes.sizeof(entries)
        places = (ctypes.addressof(one) for one in (entries, size, count))
        error = api.RasEnumEntriesW(None, None, *places)
        if error == 0:
            names = (_text(ctypes.addressof(one) + RasEntryName.name.offset) for one in entries[: count.value])
            return tuple(dict.fromkeys(name for name in names if name))
        if error in _NO_CONNECTIONS:
            return ()
        if error != _TOO_SMALL:
            break
    raise ProxyError(f"Windows does not list its connections: RasEnumEntries failed with error {error}")


def read(api: Api, connection: str) -> Values:
    """What is set for `connection`; "" is the local network."""
    for flags in (FLAGS_UI, FLAGS):  # the former, since Internet Explorer 8, tells what was set, not what is in use
        options = (Option * 4)()
        for option, number in zip(options, (flags, *TEXTS.values()), strict=True):
            option.option = number
        name = _utf16(connection or None)
        asked = _option_list(options, name)
        size = ctypes.c_uint32(ctypes.sizeof(asked))
        if api.InternetQueryOptionW(None, PER_CONNECTION, ctypes.addressof(asked), ctypes.addressof(size)):
            return _taken(api, options)
    raise _failed(api, "tell", connection, "InternetQueryOption")


def write(api: Api, connection: str, values: Values, *, switch_first: bool) -> None:
    """Set all of `values` for `connection`, in one call."""
    texts = {key: _utf16(values[key] or None) for key in TEXTS}
    order = ["flags", *TEXTS] if switch_first else [*TEXTS, "flags"]
    options = (Option * len(order))()
    for option, key in zip(options, order, strict=True):
        option.option = TEXTS.get(key, FLAGS)
        if key == "flags":
            option.value.number = values["flags"]
        else:
            option.value.text = _address(texts[key])
    name = _utf16(connection or None)
    wanted = _option_list(options, name)
    if not api.InternetSetOptionW(None, PER_CONNECTION, ctypes.addressof(wanted), ctypes.sizeof(wanted)):
        raise _failed(api, "take", connection, "InternetSetOption")


def tell_programs(api: Api) -> None:
    """Have programs that run look at what is set now. One that does not hear of it finds it at its next start."""
    for option in (PROXY_CHANGED, SETTINGS_CHANGED, REFRESH):
        api.InternetSetOptionW(None, option, None, 0)


def _option_list(options: ctypes.Array[Option], name: Any) -> OptionList:
    return OptionList(ctypes.sizeof(OptionList), _address(name), len(options), 0, ctypes.addressof(options))


def _taken(api: Api, options: ctypes.Array[Option]) -> Values:
    """What Windows wrote into `options`. The texts are ours to give back."""
    texts = dict(zip(TEXTS, (option.value.text for option in options[1:]), strict=True))
    try:
        found = {key: _text(place) or None if place else None for key, place in texts.items()}
    finally:
        for place in texts.values():
            if place:
                api.GlobalFree(place)
    return {"flags": options[0].value.number, **found}


def _failed(api: Api, what: str, connection: str, call: str) -> ProxyError:
    code = api.GetLastError()
    where = f"the connection {connection!a}" if connection else "the local network"
    return ProxyError(f"Windows does not {what} the proxy of {where}: {call} failed with error {code}")


def _utf16(text: str | None) -> Any:
    """`text` as Windows has it, with its zero at the end; None is none."""
    if text is None:
        return None
    data = text.encode("utf-16-le", "surrogatepass") + b"\0\0"
    return (ctypes.c_uint16 * (len(data) // 2)).from_buffer_copy(data)


def _address(memory: Any) -> int | None:
    return None if memory is None else ctypes.addressof(memory)


def _text(place: int) -> str:
    """The text at an address, up to its zero."""
    units = (ctypes.c_uint16.from_address(place + 2 * at).value for at in itertools.count())
    data = b"".join(unit.to_bytes(2, "little") for unit in itertools.takewhile(bool, units))
    return data.decode("utf-16-le", "surrogatepass")
