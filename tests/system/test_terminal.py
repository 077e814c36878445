"""A terminal is taken and given back: a real one here, that of Windows by recorded stand-ins."""

import asyncio
import ctypes
import os
import pty
import sys
import termios
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ssgui.system import windows_console
from ssgui.system.terminal import ENTER, LEAVE, NoTerminal, PosixTerminal, open_terminal, terminal_size
from ssgui.system.windows_console import WindowsTerminal
from ssgui.system.writing import write_all
from tests.engine.world import until
from tests.system.test_windows_pipe import Library

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pty")


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """The outer and the inner end of a terminal."""
    master, slave = pty.openpty()
    yield master, slave
    for descriptor in (master, slave):
        try:
            os.close(descriptor)
        except OSError:
            pass  # the test has closed it


def flags(descriptor: int) -> int:
    return int(termios.tcgetattr(descriptor)[3])


def test_it_is_taken_and_given_back(ends: tuple[int, int]) -> None:
    master, slave = ends
    before = termios.tcgetattr(slave)
    terminal = PosixTerminal(slave, slave)
    terminal.leave()  # it was not entered
    terminal.enter()
    assert not flags(slave) & (termios.ECHO | termios.ICANON)
    assert flags(slave) & termios.ISIG  # Ctrl-C stays a signal
    assert os.read(master, 1000).decode() == ENTER
    terminal.write("ü")
    assert os.read(master, 1000) == "ü".encode()
    terminal.leave()
    terminal.leave()
    assert termios.tcgetattr(slave) == before
    assert os.read(master, 1000).decode() == LEAVE


def test_the_size(ends: tuple[int, int]) -> None:
    assert terminal_size(ends[1]) == (80, 24)  # a terminal that does not say has 0 and 0
    with open(os.devnull, "rb") as file:
        assert terminal_size(file.fileno()) == (80, 24)
    assert isinstance(open_terminal(), PosixTerminal)


async def test_keys_are_heard_until_it_is_gone(ends: tuple[int, int]) -> None:
    master, slave = ends
    terminal, heard = PosixTerminal(slave, slave), list[bytes]()
    terminal.enter()
    terminal.listen(heard.append)
    os.write(master, b"j")
    await until(lambda: heard == [b"j"])
    terminal.deaf()
    os.write(master, b"k")
    await asyncio.sleep(0.05)
    assert heard == [b"j"]
    terminal.listen(heard.append)
    await until(lambda: heard == [b"j", b"k"])
    os.close(master)
    await until(lambda: heard == [b"j", b"k", b""])
    terminal.leave()  # there is nobody to give it back to


def test_a_terminal_that_is_gone(ends: tuple[int, int]) -> None:
    master, slave = ends
    terminal = PosixTerminal(slave, slave)
    terminal.enter()
    os.close(master)
    with pytest.raises(OSError, match="output error"):
        terminal.write("x")
    terminal.leave()


def test_no_terminal_at_all() -> None:
    inlet, outlet = os.pipe()
    with pytest.raises(NoTerminal):
        PosixTerminal(inlet, outlet).enter()
    os.close(inlet)
    with pytest.raises(BrokenPipeError):
        write_all(outlet, b"x")
    os.close(outlet)


# ---- Windows


class Kernel(Library):
    """A console, or none."""

    mode = 0x3

    def on_GetStdHandle(self, which: int) -> int:
        assert which == -11
        return 7

    def on_GetConsoleMode(self, handle: Any, mode: Any) -> int:
        assert handle.value == 7
        mode._obj.value = self.mode
        return 1

    def on_SetConsoleMode(self, handle: Any, mode: int) -> int:
        self.mode = mode
        return 1


class Msvcrt:
    """Keys that were pressed."""

    def __init__(self) -> None:
        self.pressed: list[str] = []

    def kbhit(self) -> bool:
        return bool(self.pressed)

    def getwch(self) -> str:
        return self.pressed.pop(0)


@pytest.fixture
def console() -> Iterator[tuple[WindowsTerminal, Kernel, Msvcrt, int]]:
    inlet, outlet = os.pipe()
    kernel, msvcrt = Kernel(), Msvcrt()
    yield WindowsTerminal(msvcrt, kernel, outlet), kernel, msvcrt, inlet
    os.close(inlet)
    os.close(outlet)


Console = tuple[WindowsTerminal, Kernel, Msvcrt, int]


def test_a_console_learns_vt_and_forgets_it(console: Console) -> None:
    terminal, kernel, _, inlet = console
    terminal.leave()
    terminal.enter()
    assert kernel.mode == 0x3 | 0x4 | 0x8
    terminal.write("ü")
    terminal.leave()
    terminal.leave()
    assert kernel.mode == 0x3
    assert os.read(inlet, 1000).decode() == f"{ENTER}ü{LEAVE}"
    assert terminal.size() == (80, 24)


@pytest.mark.parametrize(("call", "words"), [("GetConsoleMode", "no console"), ("SetConsoleMode", "no VT")])
def test_a_console_that_cannot(console: Console, call: str, words: str) -> None:
    terminal, kernel, _, _ = console
    kernel.fail = call
    with pytest.raises(NoTerminal, match=words):
        terminal.enter()
    terminal.leave()


async def test_keys_of_windows_are_those_of_a_vt(console: Console) -> None:
    terminal, _, msvcrt, _ = console
    heard: list[bytes] = []
    msvcrt.pressed += ["j", "ü", "\r", "\xe0", "H", "\x00", "P", "\xe0", "I", "\xe0", "\x85", "\x1b", "\x03"]
    terminal.listen(heard.append)
    wanted = "jü\r\x1b[A\x1b[B\x1b[5~\x1b\x03".encode()
    await until(lambda: b"".join(heard) == wanted)
    terminal.deaf()
    terminal.deaf()
    assert not [one for one in threading.enumerate() if one.name == "keys"]


def test_sizes_of_windows_are_asked_for_as_documented() -> None:
    kernel = Kernel()
    WindowsTerminal(Msvcrt(), kernel)
    assert vars(kernel.GetStdHandle)["restype"] is ctypes.c_void_p  # a handle does not fit into an int
    assert windows_console._SPECIAL["H"] == "[A"
