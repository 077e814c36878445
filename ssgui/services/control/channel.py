"""One instance per data directory, and a way to talk to any process of ours.

An OS lock on a file in the data directory says who is the one: it goes with the process, however that ends. Every
process listens on a unix socket (on Windows on a named pipe) of its own (`places.py`); a second start,
`ssgui monitor` and tests connect to it. Both sides write JSON, one object a line:

    >> {"do": "show"}                       << {"ok": true}
    >> {"do": "open", "links": [...]}       << {"ok": true}
    >> {"do": "no such thing"}              << {"ok": false, "error": "..."}
    >> {"do": "watch"}                      << {"ok": true, ...}, and lines without end (`watch.py`)

Only the person's own processes reach it: the socket's mode is 0600 and its directory's 0700; the pipe's security
descriptor has the person's SID alone. Who does not read is let go, and nothing waits for them.
"""

import asyncio
import json
import logging
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from ssgui.engine.tasks import run_blocking, spawn
from ssgui.services.control.client import ANSWER_SECONDS, MAX_LINE, ControlError, Json, ask, encode
from ssgui.services.control.places import pipe_name, process_pipe_name, process_socket_path, socket_path
from ssgui.system.windows_pipe import PipeCalls, PipeServer

if TYPE_CHECKING:
    from ssgui.services.control.unix_socket import OwnSocket

__all__ = [
    "Answers", "ControlError", "ControlServer", "Handler", "InstanceLock", "Json", "PipeControlServer", "Stream", "ask",
    "new_control_server", "new_process_control",
]  # fmt: skip
_T = TypeVar("_T")
_READ_SECONDS = 30.0  # who takes nothing for so long is let go
_MOST_ASKERS = 64
Handler = Callable[[Json], Awaitable[Json]]
Stream = Callable[[Json], AsyncGenerator[bytes, None]]  # lines, each with its end
_log = logging.getLogger(__name__)


class InstanceLock:
    """Held by the one instance of a data directory while it lives."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._file: IO[bytes] | None = None

    def take(self) -> bool:
        """True if this process is the one now; False if another is."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._path.open("a+b")
        try:
            _lock(file)
        except OSError:
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Let another be the one."""
        if self._file is not None:
            self._file.close()
            self._file = None


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Answers:
    """`handler` gets each request and gives its answer; what it raises becomes an error.

    What is asked of one of `streams`, by its name in "do", is answered by many lines.
    """

    def __init__(self, handler: Handler, streams: Mapping[str, Stream] | None = None) -> None:
        self._handler, self._streams = handler, streams or {}

    async def to(self, line: bytes) -> bytes:
        """The first line that answers `line`."""
        async with aclosing(self.lines(line)) as lines:
            return await anext(lines)

    async def lines(self, line: bytes) -> AsyncGenerator[bytes, None]:
        """Every line that answers `line`. To be closed by who asks for it."""
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise ValueError("a request is one JSON object")
            stream = self._streams.get(str(request.get("do")))
            if stream is None:
                yield encode({"ok": True, **await self._handler(request)})
                return
            async with aclosing(stream(request)) as answers:
                async for answer in answers:
                    yield answer
        except (ValueError, RecursionError) as error:
            yield encode({"ok": False, "error": str(error)})
        except Exception as error:  # noqa: BLE001  one bad request must not end the instance
            _log.error("a control request failed", exc_info=error)
            yield encode({"ok": False, "error": "it failed, see the log"})


class ControlServer:
    """Answers on the socket at `path`."""

    def __init__(self, path: Path, answers: Answers, *, tighten: bool = True) -> None:
        self.path, self._answers, self._tighten = path, answers, tighten
        self._socket: OwnSocket | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. ControlError when that cannot be."""
        from ssgui.services.control.unix_socket import OwnSocket

        try:
            self._socket = OwnSocket(self.path, tighten=self._tighten)
        except OSError as error:
            raise ControlError(f"{self.path}: {error.strerror or error}") from None
        self._server = await asyncio.start_unix_server(self._accept, sock=self._socket.socket, limit=MAX_LINE)

    async def stop(self) -> None:
        """Stop listening and end what is being asked."""
        if self._server is not None and self._socket is not None:
            self._server.close()
            self._socket.remove()
            self._server = self._socket = None
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._tasks) >= _MOST_ASKERS:
            writer.transport.abort()
            return
        task = spawn(self._serve(reader, writer), name="control connection")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        closed = False
        try:
            while line := await reader.readline():
                async with aclosing(self._answers.lines(line)) as answers:
                    async for answer in answers:
                        writer.write(answer)
                        async with asyncio.timeout(_READ_SECONDS):
                            await writer.drain()
            writer.close()
            async with asyncio.timeout(_READ_SECONDS):
                await writer.wait_closed()
            closed = True
        except (ConnectionError, ValueError, TimeoutError):  # ValueError: a line without an end
            pass
        finally:
            if not closed:
                writer.transport.abort()  # what is left would wait for a reader


class PipeControlServer:
    """Answers on the named pipe `name`."""

    def __init__(self, name: str, answers: Answers, calls: PipeCalls | None = None) -> None:
        self._name, self._answers, self._calls = name, answers, calls
        self._server: PipeServer | None = None

    async def start(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()

        def answer(line: bytes) -> Generator[bytes, None, None]:
            lines = self._answers.lines(line)
            try:
                while found := _wait_for(_next(lines), loop):
                    yield found
            finally:
                _wait_for(lines.aclose(), loop)

        server = PipeServer(self._name, answer, self._calls or PipeCalls())
        try:
            server.start()
        except OSError as error:
            raise ControlError(f"{self._name}: {error}") from None
        self._server = server

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            await run_blocking(self._server.stop)
            self._server = None


async def _next(lines: AsyncGenerator[bytes, None]) -> bytes:
    return await anext(lines, b"")


def _wait_for(work: Coroutine[Any, Any, _T], loop: asyncio.AbstractEventLoop) -> _T:
    return asyncio.run_coroutine_threadsafe(work, loop).result(ANSWER_SECONDS)


def new_control_server(
    folder: Path, handler: Handler, streams: Mapping[str, Stream] | None = None
) -> ControlServer | PipeControlServer:
    """That of the app, whose data directory is `folder`."""
    answers = Answers(handler, streams)
    if sys.platform == "win32":
        return PipeControlServer(pipe_name(folder), answers)
    path = socket_path(folder)
    return ControlServer(path, answers, tighten=path.parent != folder)


def new_process_control(
    role: str, handler: Handler, streams: Mapping[str, Stream]
) -> ControlServer | PipeControlServer:
    """That of a process without a window."""
    answers = Answers(handler, streams)
    if sys.platform == "win32":
        return PipeControlServer(process_pipe_name(role, os.getpid()), answers)
    return ControlServer(process_socket_path(role, os.getpid()), answers)
