"""Writes lines to a stream without ever waiting for its reader: a pipe that is full must not stop a proxy."""

import contextlib
import logging
import os
import threading
from collections import deque
from typing import TextIO

from ssgui.app.events.whole_lines import pieces
from ssgui.system.writing import write_all

MOST_HELD = 4 << 20  # characters that wait; what comes then is counted
_log = logging.getLogger(__name__)


class LineWriter:
    """A thread of its own writes. A stream that can no longer be written to is told once in the log, and left."""

    def __init__(self, stream: TextIO, what: str, most: int = MOST_HELD) -> None:
        self._stream, self._what, self._most = stream, what, most
        self._waiting: deque[str] = deque()
        self._held = 0
        self._changed = threading.Condition()
        self._busy = self._broken = self._closing = False
        self._thread: threading.Thread | None = None

    def write(self, text: str) -> bool:
        """Have `text` written; False when too much waits already, and it is not."""
        with self._changed:
            if self._broken or self._closing:
                return True  # nobody is to count what nobody will read
            if self._held + len(text) > self._most and self._held:
                return False
            self._waiting.append(text)
            self._held += len(text)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="line writer", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return True

    def close(self, seconds: float = 1.0) -> bool:
        """Write what waits, for so long; whether all of it went. The stream is the caller's to close."""
        with self._changed:
            self._changed.wait_for(lambda: self._broken or not (self._waiting or self._busy), seconds)
            done = not (self._waiting or self._busy)
            self._closing = True
            self._waiting.clear()
            self._changed.notify_all()
        if done and self._thread is not None:
            self._thread.join()
        return done

    def _run(self) -> None:
        descriptor = _copy_of(self._stream)
        try:
            while (text := self._next()) is not None:
                if descriptor is None:
                    self._stream.write(text)
                    self._stream.flush()
                else:
                    for piece in pieces(text.encode(self._stream.encoding or "utf-8", "backslashreplace")):
                        write_all(descriptor, piece)  # workers have one stream together
                with self._changed:
                    self._held -= len(text)
        except (OSError, ValueError) as error:
            self._break(error)
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _next(self) -> str | None:
        """What there is to write, None at the end."""
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting or self._closing)
            if self._closing:
                return None
            text = "".join(self._waiting)
            self._waiting.clear()
            self._busy = True
            return text

    def _break(self, error: Exception) -> None:
        with contextlib.suppress(OSError, ValueError):  # what could not be written must not be tried again at its end
            self._stream.close()
        _log.warning("%s can no longer be written: %s", self._what, getattr(error, "strerror", None) or error)
        with self._changed:
            self._broken, self._busy, self._held = True, False, 0
            self._waiting.clear()
            self._changed.notify_all()


def _copy_of(stream: TextIO) -> int | None:
    """A descriptor to write to past the buffer of `stream`, None if it has none.

    The lock of the buffer, held while a reader stalls, would keep the interpreter from ending. It is a copy: the stream
    may be closed while a write waits.
    """
    try:
        return os.dup(stream.fileno())
    except (OSError, ValueError):
        return None
