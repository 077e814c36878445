"""To ask a running process of ours, once or for as long as it tells."""

import asyncio
import json
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing
from io import FileIO
from pathlib import Path
from typing import Any, Protocol

from ssgui.engine.tasks import run_blocking
from ssgui.services.control.places import place_of

PROTOCOL = 1  # grows when what is told means something else; new fields do not change it
MAX_LINE = 1 << 20
ANSWER_SECONDS = 5.0
Json = dict[str, Any]


class ControlError(Exception):
    """The running instance could not be asked, or is not what it should be. `reached`: whether somebody is there."""

    def __init__(self, message: str, *, reached: bool = True) -> None:
        super().__init__(message)
        self.reached = reached


def encode(message: Json) -> bytes:
    """A message as its line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


async def ask(folder: Path, request: Json) -> Json:
    """Ask the running app of `folder`; ControlError when there is none, or it does not answer."""
    return await ask_place(place_of(folder), request)


async def ask_place(place: str, request: Json, seconds: float = ANSWER_SECONDS) -> Json:
    """Ask the process that listens at `place`; errors as `ask`."""
    try:
        async with asyncio.timeout(seconds), aclosing(follow(place, request)) as lines:
            return answer_of(await anext(lines))
    except TimeoutError:
        raise ControlError("the running instance does not answer") from None
    except StopAsyncIteration:
        raise ControlError("the running instance went away", reached=False) from None


def answer_of(line: bytes) -> Json:
    """The first line of an answer; ControlError when it says no, or nothing that is understood."""
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        raise ControlError("what answers is no instance of ssgui") from None
    if not isinstance(answer, dict) or answer.get("ok") is not True:
        raise ControlError(str(answer.get("error", "no answer")) if isinstance(answer, dict) else "no answer")
    return answer


async def follow(place: str, request: Json) -> AsyncGenerator[bytes, None]:
    """Every line that `place` answers to `request`. ControlError when it cannot be reached, or a line has no end.

    To be closed by who asks for it; then the other side is told no more.
    """
    source: _Lines = _PipeLines(place) if sys.platform == "win32" else _SocketLines(place)
    try:
        await source.open(encode(request))
        while line := await source.line():
            yield line
    except (OSError, ValueError) as error:
        why = f"no running instance answers: {getattr(error, 'strerror', None) or error}"
        raise ControlError(why, reached=not isinstance(error, OSError)) from None
    finally:
        source.close()


class _Lines(Protocol):
    async def open(self, line: bytes) -> None: ...
    async def line(self) -> bytes: ...
    def close(self) -> None: ...


class _SocketLines:
    """Lines from a unix socket."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._writer: asyncio.StreamWriter | None = None

    async def open(self, line: bytes) -> None:
        self._reader, self._writer = await asyncio.open_unix_connection(self._place, limit=MAX_LINE)
        self._writer.write(line)

    async def line(self) -> bytes:
        """The next, b"" after the last. ValueError for one that is too long."""
        line = await self._reader.readline()
        return line if line.endswith(b"\n") else b""

    def close(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()  # what the other side has not read yet is nobody's any more


class _PipeLines:
    """Lines from a named pipe."""

    def __init__(self, place: str) -> None:
        self._lines = PipeReader(place)

    async def open(self, line: bytes) -> None:
        await run_blocking(self._lines.open, line)

    async def line(self) -> bytes:
        return await run_blocking(self._lines.line)

    def close(self) -> None:
        self._lines.close()


class PipeReader:
    """A pipe is opened like a file: it is asked one thing, and read line by line. For a thread; it may block."""

    def __init__(self, path: str) -> None:
        self._path, self._held = path, b""
        self._pipe: FileIO | None = None
        self._reading = self._closed = False
        self._lock = threading.Lock()

    def open(self, line: bytes) -> None:
        """Ask."""
        self._pipe = FileIO(self._path, "r+")
        self._pipe.write(line)

    def line(self) -> bytes:
        """The next, b"" after the last. ValueError for one that is too long."""
        while b"\n" not in self._held:
            if not (data := self._read()):
                return b""
            self._held += data
            if len(self._held) > 2 * MAX_LINE:
                raise ValueError("a line without an end")
        line, end, self._held = self._held.partition(b"\n")
        return line + end

    def _read(self) -> bytes:
        with self._lock:
            pipe = self._pipe
            if self._closed or pipe is None:
                return b""
            self._reading = True
        try:
            return pipe.read(MAX_LINE) or b""
        finally:
            self._read_ended(pipe)

    def _read_ended(self, pipe: FileIO) -> None:
        with self._lock:
            self._reading = False
            if self._closed:
                pipe.close()

    def close(self) -> None:
        """Read no more. Where a read waits, it closes the pipe when it is over: one may not be closed under it."""
        with self._lock:
            self._closed = True
            if self._pipe is not None and not self._reading:
                self._pipe.close()
