"""What systems say about their clocks: Linux' own, and recorded answers of all three."""

import ctypes
import sys
from types import SimpleNamespace
from typing import Any, Self

import pytest

from ssgui.system.clock_state import is_synchronised


class Timex:
    """A libc that has adjtimex."""

    def __init__(self, worst: int, state: int = 0) -> None:
        self._worst, self._state = worst, state

    def adjtimex(self, reference: Any) -> int:
        found = reference._obj
        assert found.modes == 0  # nothing is changed
        assert ctypes.sizeof(found) >= 208
        found.maxerror, found.status = self._worst, 0x40
        return self._state


@pytest.mark.parametrize(("worst", "state", "said"), [(16_000_000, 5, False), (230_000, 5, True), (0, -1, None)])
def test_linux(worst: int, state: int, said: bool | None) -> None:
    assert is_synchronised("linux", Timex(worst, state)) is said


def test_a_libc_without_it() -> None:
    assert is_synchronised("linux", SimpleNamespace()) is None
    assert is_synchronised("darwin", SimpleNamespace()) is None
    assert is_synchronised("plan9") is None


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's own")
def test_this_system_says_something() -> None:
    said = is_synchronised()
    assert said in (True, False)
    before = ctypes.create_string_buffer(512)
    state = ctypes.CDLL(None).adjtimex(before)
    worst = int.from_bytes(before.raw[24:32], sys.byteorder)  # of a 64-bit system
    if ctypes.sizeof(ctypes.c_long) == 8 and state >= 0:
        assert said == (worst < 16_000_000)


@pytest.mark.parametrize(("state", "said"), [(0, True), (5, False), (-1, None)])
def test_macos(state: int, said: bool | None) -> None:
    def ntp_gettime(reference: Any) -> int:
        assert ctypes.sizeof(reference._obj) >= 48
        return state

    assert is_synchronised("darwin", SimpleNamespace(ntp_gettime=ntp_gettime)) is said


class Registry:
    """What winreg has of it."""

    HKEY_LOCAL_MACHINE = 7

    def __init__(self, kind: str | None) -> None:
        self._kind = kind

    def OpenKey(self, root: int, path: str) -> Self:
        assert (root, path) == (7, r"SYSTEM\CurrentControlSet\Services\W32Time\Parameters")
        if self._kind is None:
            raise FileNotFoundError(2, "no such key")
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """It is closed."""

    def QueryValueEx(self, key: object, name: str) -> tuple[str, int]:
        assert name == "Type"
        assert self._kind is not None
        return self._kind, 1


@pytest.mark.parametrize(
    ("kind", "said"), [("NTP", True), ("NT5DS", True), ("AllSync", True), ("NoSync", False), (None, None)]
)
def test_windows(kind: str | None, said: bool | None) -> None:
    assert is_synchronised("win32", registry=Registry(kind)) is said
