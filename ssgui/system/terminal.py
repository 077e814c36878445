"""A terminal in the hands of a program that paints all of it: keys as they are pressed, and everything put back.

`open_terminal` gives that of this system. Whoever enters it leaves it, whatever happens; what is written is for
terminals that know the sequences of VT100 and alternate screens, as all do today.
"""

import os
import sys
from collections.abc import Callable
from typing import Any, Protocol

from ssgui.system.writing import write_all

ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"  # the other screen, no cursor, no wrapping
LEAVE = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
_READ = 4096
Heard = Callable[[bytes], None]


class NoTerminal(OSError):
    """There is none, or it cannot do what is needed."""


class Terminal(Protocol):
    """See `PosixTerminal`."""

    def size(self) -> tuple[int, int]: ...
    def enter(self) -> None: ...
    def leave(self) -> None: ...
    def write(self, text: str) -> None: ...
    def listen(self, heard: Heard) -> None: ...
    def deaf(self) -> None: ...


def terminal_size(descriptor: int) -> tuple[int, int]:
    """Columns and rows; 80 and 24 where nobody says."""
    try:
        found = os.get_terminal_size(descriptor)
    except OSError:
        return 80, 24
    return found.columns or 80, found.lines or 24


class PosixTerminal:
    """By termios. `inlet` and `outlet` are descriptors of a terminal."""

    def __init__(self, inlet: int = 0, outlet: int = 1) -> None:
        self._in, self._out = inlet, outlet
        self._before: list[Any] | None = None

    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        return terminal_size(self._out)

    def enter(self) -> None:
        """Take it: no echo, no lines, no wrapping, another screen. Ctrl-C and Ctrl-Z stay signals. NoTerminal."""
        import termios

        try:
            before = termios.tcgetattr(self._in)
            raw = termios.tcgetattr(self._in)
        except termios.error as error:
            raise NoTerminal(str(error)) from None
        raw[0] &= ~(termios.IXON | termios.ISTRIP | termios.INLCR | termios.IGNCR)
        raw[3] &= ~(termios.ECHO | termios.ICANON)
        raw[6][termios.VMIN], raw[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self._in, termios.TCSANOW, raw)
        self._before = before
        self.write(ENTER)

    def leave(self) -> None:
        """Give it back as it was. May be called twice, and where it was never entered."""
        if self._before is None:
            return
        import termios

        before, self._before = self._before, None
        try:
            termios.tcsetattr(self._in, termios.TCSANOW, before)
            self.write(LEAVE)
        except (OSError, termios.error):
            pass  # it is gone: nobody is there to mind

    def write(self, text: str) -> None:
        """Write all of it; waits for a terminal that is slow. OSError when it is gone."""
        write_all(self._out, text.encode("utf-8", "replace"))

    def listen(self, heard: Heard) -> None:
        """Call `heard` with what is typed, inside of the running loop; with b"" when the terminal is gone."""
        import asyncio

        def readable() -> None:
            try:
                data = os.read(self._in, _READ)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.deaf()
            heard(data)

        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._in, readable)

    def deaf(self) -> None:
        """Listen no more."""
        self._loop.remove_reader(self._in)


def open_terminal() -> Terminal:
    """Standard input and output, which are a terminal."""
    if sys.platform == "win32":
        from ssgui.system.windows_console import WindowsTerminal

        return WindowsTerminal()
    return PosixTerminal()
