"""Whether the system says that its clock is kept right. Nobody is asked for the time.

Linux: adjtimex(2) reads the kernel's own estimate. macOS: ntp_gettime of <sys/timex.h>. Windows: how the Windows Time
service is told to find the time (`Type` of its parameters in the registry; `NoSync` is "it does not").
"""

import ctypes
import sys
from typing import Any, ClassVar, Final

_TIME_ERROR: Final = 5  # of <sys/timex.h>: the clock is not synchronised
_WORST: Final = 16_000_000  # microseconds; the kernel lets its estimate grow to this while nobody corrects the clock
_W32TIME: Final = r"SYSTEM\CurrentControlSet\Services\W32Time\Parameters"


class _Timex(ctypes.Structure):
    """The head of Linux' struct timex; `modes` 0 changes nothing."""

    _fields_: ClassVar[Any] = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 512),
    )


def is_synchronised(platform: str = sys.platform, library: Any = None, registry: Any = None) -> bool | None:
    """What the system says about its own clock; None when it says nothing. For tests: what is asked instead of it."""
    try:
        if platform == "linux":
            return _of_linux(library or ctypes.CDLL(None))
        if platform == "darwin":
            return _of_macos(library or ctypes.CDLL(None))
        if platform == "win32":
            return _of_windows(registry)
    except (OSError, AttributeError, ImportError):  # no such call, or no such key
        return None
    return None


def _of_linux(library: Any) -> bool | None:
    """Some who keep the time leave the status alone, so the estimate decides, as it does for timedatectl."""
    found = _Timex()
    state = library.adjtimex(ctypes.byref(found))
    return None if state < 0 else bool(found.maxerror < _WORST)


def _of_macos(library: Any) -> bool | None:
    room = (ctypes.c_byte * 128)()  # for struct ntptimeval, of which only the result is of interest
    state = library.ntp_gettime(ctypes.byref(room))
    return None if state < 0 else state != _TIME_ERROR


def _of_windows(registry: Any) -> bool | None:
    if registry is None:
        import winreg as registry  # type: ignore[import-not-found,unused-ignore]
    with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, _W32TIME) as key:
        kind, _ = registry.QueryValueEx(key, "Type")
    return str(kind).casefold() != "nosync"
