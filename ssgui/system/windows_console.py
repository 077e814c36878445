"""Windows: the console as a terminal, by the documented calls of msvcrt and kernel32. It was never run there.

Keys come from `msvcrt.getwch`, which a thread asks; special ones are turned into what a VT terminal sends. The
console is told to understand VT sequences (ENABLE_VIRTUAL_TERMINAL_PROCESSING, since Windows 10), and told back.
"""

import asyncio
import ctypes
import importlib
import threading
from typing import Any

from ssgui.system.terminal import ENTER, LEAVE, Heard, NoTerminal, terminal_size
from ssgui.system.writing import write_all

_STD_OUTPUT = -11
_VT, _NO_AUTO_RETURN = 0x4, 0x8
_POLL_SECONDS = 0.03
_SPECIAL = {
    "H": "[A", "P": "[B", "M": "[C", "K": "[D", "G": "[H", "O": "[F", "I": "[5~", "Q": "[6~", "S": "[3~",
    "\x0f": "[Z",
}  # fmt: skip


class WindowsTerminal:
    """As `PosixTerminal`. `msvcrt` and `kernel` are stand-ins in tests."""

    def __init__(self, msvcrt: Any = None, kernel: Any = None, outlet: int = 1) -> None:
        self._msvcrt = msvcrt or importlib.import_module("msvcrt")
        self._kernel = kernel or ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
        self._kernel.GetStdHandle.restype = ctypes.c_void_p
        self._out = outlet
        self._before: int | None = None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        return terminal_size(self._out)

    def enter(self) -> None:
        """Have the console understand VT sequences. NoTerminal when it does not."""
        handle, mode = self._handle(), ctypes.c_uint32()
        if not self._kernel.GetConsoleMode(handle, ctypes.byref(mode)):
            raise NoTerminal("standard output is no console")
        if not self._kernel.SetConsoleMode(handle, mode.value | _VT | _NO_AUTO_RETURN):
            raise NoTerminal("this console knows no VT sequences")
        self._before = mode.value
        self.write(ENTER)

    def leave(self) -> None:
        """Give it back as it was."""
        if self._before is None:
            return
        before, self._before = self._before, None
        try:
            self.write(LEAVE)
        except OSError:
            pass  # it is gone: nobody is there to mind
        self._kernel.SetConsoleMode(self._handle(), before)

    def _handle(self) -> ctypes.c_void_p:
        return ctypes.c_void_p(self._kernel.GetStdHandle(_STD_OUTPUT))

    def write(self, text: str) -> None:
        """Write all of it."""
        write_all(self._out, text.encode("utf-8", "replace"))

    def listen(self, heard: Heard) -> None:
        """Call `heard` with what is typed, as UTF-8, inside of the running loop."""
        loop = asyncio.get_running_loop()
        self._ended.clear()
        self._thread = threading.Thread(target=self._ask, args=(loop, heard), name="keys", daemon=True)
        self._thread.start()

    def _ask(self, loop: asyncio.AbstractEventLoop, heard: Heard) -> None:
        while not self._ended.is_set():
            if not self._msvcrt.kbhit():
                self._ended.wait(_POLL_SECONDS)
                continue
            key = self._msvcrt.getwch()
            if key in ("\x00", "\xe0"):
                known = _SPECIAL.get(self._msvcrt.getwch())
                key = f"\x1b{known}" if known else ""
            try:
                loop.call_soon_threadsafe(heard, key.encode("utf-8", "replace"))
            except RuntimeError:
                return  # the loop has ended

    def deaf(self) -> None:
        """Listen no more."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout=1)
