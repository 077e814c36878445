"""Apps from Microsoft's store may not connect to this computer's own ports, so not to our proxy; unless exempted.

Network isolation (netfw.h, FirewallAPI.dll; Windows 8 and later) has one list of exempted app containers for the
machine, and only administrators change it. So this program is started once more, with their rights, for that alone.
Which ones were added is noted in the person's registry, and only those are taken away again. Written after
Microsoft's documentation; never run on Windows.
"""

import ctypes
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Final, Protocol

from ssgui.system.integration.elevation import run_elevated
from ssgui.system.integration.registry import Registry
from ssgui.system.integration.setting import IntegrationError, SystemSetting, turned
from ssgui.system.integration.sids import sid_at, sid_of, sid_text

ARGUMENT: Final = "--store-apps"
NOTE_KEY: Final = r"Software\ssgui"
NOTE: Final = "StoreApps"
_ACCESS_DENIED = 5
_SYSTEM_FOLDER_ONLY = 0x800  # LOAD_LIBRARY_SEARCH_SYSTEM32


class SidAndAttributes(ctypes.Structure):
    """SID_AND_ATTRIBUTES."""

    _fields_: ClassVar[Any] = (("sid", ctypes.c_void_p), ("attributes", ctypes.c_uint32))


class Listed(ctypes.Structure):
    """A count and an array: INET_FIREWALL_AC_CAPABILITIES, INET_FIREWALL_AC_BINARIES."""

    _fields_: ClassVar[Any] = (("count", ctypes.c_uint32), ("items", ctypes.c_void_p))


class AppContainer(ctypes.Structure):
    """INET_FIREWALL_APP_CONTAINER."""

    _fields_: ClassVar[Any] = (
        ("sid", ctypes.c_void_p),
        ("user", ctypes.c_void_p),
        ("name", ctypes.c_void_p),
        ("display_name", ctypes.c_void_p),
        ("description", ctypes.c_void_p),
        ("capabilities", Listed),
        ("binaries", Listed),
        ("folder", ctypes.c_void_p),
        ("package", ctypes.c_void_p),
    )


class Api(Protocol):
    """The functions themselves. What is a pointer there is an address here; they return an error, 0 for none."""

    def NetworkIsolationEnumAppContainers(self, flags: int, count: int, containers: int, /) -> int: ...
    def NetworkIsolationFreeAppContainers(self, containers: int, /) -> int: ...
    def NetworkIsolationGetAppContainerConfig(self, count: int, sids: int, /) -> int: ...
    def NetworkIsolationSetAppContainerConfig(self, count: int, sids: int | None, /) -> int: ...
    def GetProcessHeap(self) -> int: ...
    def HeapFree(self, heap: int, flags: int, memory: int, /) -> int: ...


class Windows:
    """The real ones."""

    NetworkIsolationEnumAppContainers: Any
    NetworkIsolationFreeAppContainers: Any
    NetworkIsolationGetAppContainerConfig: Any
    NetworkIsolationSetAppContainerConfig: Any

    def __init__(self) -> None:
        load: Any = getattr(ctypes, "WinDLL", None)
        if load is None:
            raise IntegrationError("this is not Windows")
        pointer, number = ctypes.c_void_p, ctypes.c_uint32
        firewall = load("FirewallAPI", winmode=_SYSTEM_FOLDER_ONLY)
        kernel = load("kernel32", winmode=_SYSTEM_FOLDER_ONLY)
        for name, takes in (
            ("NetworkIsolationEnumAppContainers", [number, pointer, pointer]),
            ("NetworkIsolationFreeAppContainers", [pointer]),
            ("NetworkIsolationGetAppContainerConfig", [pointer, pointer]),
            ("NetworkIsolationSetAppContainerConfig", [number, pointer]),
        ):
            function = getattr(firewall, name)
            function.argtypes, function.restype = takes, number
            setattr(self, name, function)
        self.GetProcessHeap = kernel.GetProcessHeap
        self.GetProcessHeap.restype = pointer
        self.HeapFree = kernel.HeapFree
        self.HeapFree.argtypes = [pointer, number, pointer]


def installed(api: Api) -> set[bytes]:
    """Of every app from the store."""
    count, place = ctypes.c_uint32(), ctypes.c_void_p()
    error = api.NetworkIsolationEnumAppContainers(0, ctypes.addressof(count), ctypes.addressof(place))
    _check(error, "list the apps from the store")
    if not place.value:
        return set()
    try:
        found = (AppContainer * count.value).from_address(place.value)
        return {sid_at(one.sid) for one in found if one.sid}
    finally:
        api.NetworkIsolationFreeAppContainers(place.value)


def exempted(api: Api) -> set[bytes]:
    """Of those that may connect to this computer's own ports."""
    count, place = ctypes.c_uint32(), ctypes.c_void_p()
    error = api.NetworkIsolationGetAppContainerConfig(ctypes.addressof(count), ctypes.addressof(place))
    _check(error, "tell which apps may connect to this computer")
    if not place.value:
        return set()
    heap, found = api.GetProcessHeap(), (SidAndAttributes * count.value).from_address(place.value)
    places = [one.sid for one in found if one.sid]
    try:
        return {sid_at(one) for one in places}
    finally:  # the array and what it points to are of the process's heap, and ours to give back
        for one in (*places, place.value):
            api.HeapFree(heap, 0, one)


def change(api: Api, add: Iterable[bytes] = (), remove: Iterable[bytes] = ()) -> int:
    """Exempt these and those no more; the others stay. The error of Windows, 0 for none."""
    sids = sorted(exempted(api).union(add).difference(remove))
    kept = [ctypes.create_string_buffer(sid, len(sid)) for sid in sids]
    entries = (SidAndAttributes * len(sids))(*(SidAndAttributes(ctypes.addressof(one), 0) for one in kept))
    return api.NetworkIsolationSetAppContainerConfig(len(sids), ctypes.addressof(entries) if sids else None)


class StoreApps(SystemSetting):
    """On while every app of the store that is there may reach us. `elevated` runs us with an administrator's rights."""

    def __init__(
        self, command: Sequence[str], registry: Registry, api: Api | None = None,
        elevated: Callable[[Sequence[str]], int] = run_elevated,
    ) -> None:  # fmt: skip
        self._command, self._registry, self._elevated = list(command), registry, elevated
        self._api: Api = api or Windows()

    def is_on(self) -> bool:
        apps = installed(self._api)
        return bool(apps) and apps <= exempted(self._api)

    def turn(self, on: bool) -> None:
        if not on:
            return self.forget()
        add = installed(self._api) - exempted(self._api)
        if not add:
            return turned(self, True, "there are no apps from the store")
        texts = sorted({*self._noted(), *map(sid_text, add)})
        self._registry.write(NOTE_KEY, NOTE, texts)  # before the change: what is added must be found again
        self._change("add", add)
        return turned(self, True, "Windows does not let all apps from the store connect to this computer")

    def forget(self) -> None:
        noted = {sid_of(text) for text in self._noted()} & exempted(self._api)
        if noted:
            self._change("remove", noted)
        self._registry.remove(NOTE_KEY, NOTE)
        self._registry.remove_key(NOTE_KEY)

    def _noted(self) -> list[str]:
        found = self._registry.read(NOTE_KEY, NOTE)
        return [text for text in found if _is_sid(text)] if isinstance(found, list) else []

    def _change(self, what: str, sids: set[bytes]) -> None:
        error = change(self._api, **{what: sids})
        if error == _ACCESS_DENIED:
            error = self._elevated([*self._command, ARGUMENT, what, *sorted(map(sid_text, sids))])
        _check(error, "change which apps may connect to this computer")


def main(arguments: Sequence[str], api: Api | None = None) -> int:
    """What is started with an administrator's rights: `add` or `remove`, and identifiers. The error of Windows."""
    what, *texts = arguments
    if what not in ("add", "remove"):
        raise ValueError(f"{what!r} is neither add nor remove")
    return change(api or Windows(), **{what: [sid_of(text) for text in texts]})


def _is_sid(text: object) -> bool:
    try:
        sid_of(str(text))
    except ValueError:
        return False
    return True


def _check(error: int, what: str) -> None:
    if error:
        raise IntegrationError(f"Windows does not {what}: error {error}")
