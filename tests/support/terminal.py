"""A program in a terminal of its own: what it shows, read by a terminal emulator, and keys for it."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import pyte

from tests.support.processes import ROOT, wait_until

# The terminal becomes the program's own: Ctrl-C and hanging up reach it.
_TAKE = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"


class TerminalProgram:
    """A context manager. What the program writes is kept as `raw`, and shown on an emulated screen."""

    def __init__(
        self, command: Sequence[str], *, columns: int = 80, rows: int = 24, env: Mapping[str, str] | None = None
    ) -> None:
        self.raw = b""
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._master, self.slave = pty.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKE, *command], stdin=self.slave, stdout=self.slave, stderr=self.slave, cwd=ROOT,
            env={**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **(env or {})}, start_new_session=True,
        )  # fmt: skip
        self._woken, self._waker = os.pipe()
        self._reader = threading.Thread(target=self._read, name="terminal")

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.hang_up()

    def hang_up(self) -> None:
        """The terminal is no more."""
        if self.slave >= 0:
            os.close(self.slave)
            self.slave = -1
            os.write(self._waker, b"x")
            self._reader.join(10)
            for descriptor in (self._master, self._woken, self._waker):
                os.close(descriptor)

    def _read(self) -> None:
        while True:
            ready, _, _ = select.select([self._master, self._woken], [], [])
            if self._woken in ready:
                return
            try:
                data = os.read(self._master, 1 << 16)
            except OSError:
                return  # nobody has the inner end any more
            with self._lock:
                self.raw += data
                self._stream.feed(data)

    # ---- what is seen

    @property
    def title(self) -> str:
        """What the program calls its window."""
        return str(self._screen.title)

    def lines(self) -> list[str]:
        """The screen, without blanks at the ends."""
        with self._lock:
            return [line.rstrip() for line in self._screen.display]

    def text(self) -> str:
        """The screen."""
        return "\n".join(self.lines())

    def cell(self, row: int, column: int) -> Any:
        """A character with its colours."""
        with self._lock:
            return self._screen.buffer[row][column]

    def wait_for(self, *texts: str, seconds: float = 20) -> str:
        """The screen, once it has all of these."""

        def seen() -> str:
            found = self.text()
            return found if all(text in found for text in texts) else ""

        try:
            return wait_until(seen, " and ".join(texts), seconds)
        except AssertionError:
            raise AssertionError(f"{texts} not on the screen:\n{self.text()}") from None

    def row_of(self, text: str) -> int:
        """Where a line with `text` is."""
        return next(at for at, line in enumerate(self.lines()) if text in line)

    # ---- what a person does

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Make the window another size."""
        with self._lock:
            self._screen.resize(rows, columns)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def wait(self, seconds: float = 10) -> int:
        """Its exit code."""
        return self.process.wait(seconds)

    def is_restored(self) -> bool:
        """Whether the terminal is as it was: modes, screen, cursor."""
        wait_until(lambda: self.raw.rstrip().rfind(b"\x1b[?1049l") > self.raw.rfind(b"\x1b[?1049h"), "the first screen")
        with self._lock:
            shown = not self._screen.cursor.hidden
        return shown and termios.tcgetattr(self.slave) == self.before
