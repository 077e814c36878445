"""Windows says when it resumes (PowerRegisterSuspendResumeNotification, Windows 8 and later)."""

import asyncio
import ctypes
from collections.abc import Callable
from typing import Any, ClassVar, Final

_CALLBACK: Final = 2  # DEVICE_NOTIFY_CALLBACK: a function of ours is called, no window is needed
_RESUMED: Final = frozenset({0x12, 0x7})  # PBT_APMRESUMEAUTOMATIC, PBT_APMRESUMESUSPEND
_Function: Any = getattr(ctypes, "WINFUNCTYPE", ctypes.CFUNCTYPE)
_Told: Any = _Function(ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p)


class Subscription(ctypes.Structure):
    """DEVICE_NOTIFY_SUBSCRIBE_PARAMETERS."""

    _fields_: ClassVar[Any] = (("callback", _Told), ("context", ctypes.c_void_p))


def _powrprof() -> Any:
    load = getattr(ctypes, "WinDLL", None)
    if load is None:
        raise OSError("not Windows")
    return load("powrprof")


class WindowsPower:
    """Calls `woke` in the loop after sleep. OSError if Windows refuses."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, woke: Callable[[], None], library: Callable[[], Any] = _powrprof
    ) -> None:
        self._loop, self._woke, self._library = loop, woke, library()
        self._subscription = Subscription(_Told(self._told), None)  # Windows keeps its address
        self._handle = ctypes.c_void_p()
        error = self._library.PowerRegisterSuspendResumeNotification(
            ctypes.c_ulong(_CALLBACK), ctypes.byref(self._subscription), ctypes.byref(self._handle)
        )
        if error:
            raise OSError(error, "Windows does not tell of sleep")

    def _told(self, _context: int | None, kind: int, _setting: int | None) -> int:
        """On a thread of the system's."""
        if kind in _RESUMED:
            try:
                self._loop.call_soon_threadsafe(self._woke)
            except RuntimeError:
                pass  # the loop has ended
        return 0

    def close(self) -> None:
        """Listen no more."""
        handle, self._handle = self._handle, ctypes.c_void_p()
        if handle.value:
            self._library.PowerUnregisterSuspendResumeNotification(handle)
