"""One instance per data directory, and a way to talk to it.

An OS lock on a file in the data directory says who is the one: it goes with the process, however that ends.
The one listens on a unix socket in the runtime directory (on Windows on a named pipe), whose name is a hash of the
data directory; a second start, `ssgui monitor` and tests connect to it. Both sides write JSON, one object a line:

    >> {"do": "show"}                       << {"ok": true}
    >> {"do": "open", "links": [...]}       << {"ok": true}
    >> {"do": "no such thing"}              << {"ok": false, "error": "..."}

Only the person's own processes reach it: the socket's mode is 0600 and its directory's 0700; the pipe's security
descriptor has the person's SID alone.
"""

import asyncio
import hashlib
import json
import logging
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import IO, Any

from ssgui.engine.tasks import run_blocking, spawn
from ssgui.system.windows_pipe import PipeCalls, PipeServer

MAX_LINE = 1 << 20
_ANSWER_SECONDS = 5.0
_SUN_PATH = 100  # bytes; a unix socket's name has 104 to 108
Json = dict[str, Any]
Handler = Callable[[Json], Awaitable[Json]]
_log = logging.getLogger(__name__)


class ControlError(Exception):
    """The running instance could not be asked."""


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


def _name(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(os.path.realpath(folder))).hexdigest()[:16]


def pipe_name(folder: Path) -> str:
    """What the named pipe of the data directory `folder` is called."""
    return f"\\\\.\\pipe\\ssgui-{_name(folder)}"


def socket_path(folder: Path) -> Path:
    """Where the instance of the data directory `folder` listens."""
    name = _name(folder)
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    base = Path(runtime) / "ssgui" if runtime and os.path.isdir(runtime) else folder
    path = base / f"{name}.sock"
    if len(os.fsencode(path)) <= _SUN_PATH:
        return path
    return Path(tempfile.gettempdir()) / f"ssgui-{os.getuid()}" / f"{name}.sock"


class Answers:
    """`handler` gets each request and gives its answer; what it raises becomes an error."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def to(self, line: bytes) -> bytes:
        """The line that answers `line`."""
        return _encode(await self._answer(line))

    async def _answer(self, line: bytes) -> Json:
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                return {"ok": False, "error": "a request is one JSON object"}
            return {"ok": True, **await self._handler(request)}
        except (ValueError, RecursionError) as error:
            return {"ok": False, "error": str(error)}
        except Exception as error:  # noqa: BLE001  one bad request must not end the instance
            _log.error("a control request failed", exc_info=error)
            return {"ok": False, "error": "it failed, see the log"}


class ControlServer:
    """Answers on the socket."""

    def __init__(self, folder: Path, handler: Handler) -> None:
        self.path = socket_path(folder)
        self._answers = Answers(handler)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. Who holds the lock may take over what a process left that was killed."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.path.parent.stat().st_uid != os.getuid():
            raise ControlError(f"{self.path.parent} belongs to somebody else")
        self.path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._accept, self.path, limit=MAX_LINE)
        finally:
            os.umask(before)

    async def stop(self) -> None:
        """Stop listening and end what is being asked."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self.path.unlink(missing_ok=True)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = spawn(self._serve(reader, writer), name="control connection")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(await self._answers.to(line))
                await writer.drain()
        except (ConnectionError, ValueError):  # ValueError: a line without an end
            pass
        finally:
            writer.close()


class PipeControlServer:
    """Answers on the named pipe."""

    def __init__(self, folder: Path, handler: Handler, calls: PipeCalls | None = None) -> None:
        self._folder, self._answers, self._calls = folder, Answers(handler), calls
        self._server: PipeServer | None = None

    async def start(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()

        def answer(line: bytes) -> bytes:
            return asyncio.run_coroutine_threadsafe(self._answers.to(line), loop).result(_ANSWER_SECONDS)

        server = PipeServer(pipe_name(self._folder), answer, self._calls or PipeCalls())
        try:
            server.start()
        except OSError as error:
            raise ControlError(f"{pipe_name(self._folder)}: {error}") from None
        self._server = server

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            await run_blocking(self._server.stop)
            self._server = None


def new_control_server(folder: Path, handler: Handler) -> ControlServer | PipeControlServer:
    """What this system has."""
    return PipeControlServer(folder, handler) if sys.platform == "win32" else ControlServer(folder, handler)


async def ask(folder: Path, request: Json) -> Json:
    """Ask the running instance of `folder`; ControlError when there is none, or it does not answer."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            line = await (_ask_pipe if sys.platform == "win32" else _ask_socket)(folder, _encode(request))
        answer = json.loads(line)
    except TimeoutError:
        raise ControlError("the running instance does not answer") from None
    except (OSError, ValueError) as error:
        raise ControlError(f"no running instance answers: {getattr(error, 'strerror', None) or error}") from None
    if not isinstance(answer, dict) or not answer.get("ok"):
        raise ControlError(str(answer.get("error") if isinstance(answer, dict) else "no answer"))
    return answer


async def _ask_socket(folder: Path, line: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(socket_path(folder), limit=MAX_LINE)
    try:
        writer.write(line)
        return await reader.readline()
    finally:
        writer.close()


async def _ask_pipe(folder: Path, line: bytes) -> bytes:
    return await run_blocking(ask_file, pipe_name(folder), line)


def ask_file(path: str, line: bytes) -> bytes:
    """The line that answers `line`, from a pipe that is opened like a file."""
    with open(path, "r+b", buffering=0) as pipe:
        pipe.write(line)
        answer = b""
        while not answer.endswith(b"\n") and (data := pipe.read(MAX_LINE)):
            answer += data
    return answer


def _encode(message: Json) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"
