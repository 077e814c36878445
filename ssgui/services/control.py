"""One instance per data directory, and a way to talk to it.

An OS lock on a file in the data directory says who is the one: it goes with the process, however that ends.
The one listens on a unix socket in the runtime directory, whose name is a hash of the data directory; a second
start, `ssgui monitor` and tests connect to it. Both sides write JSON, one object a line:

    >> {"do": "show"}                       << {"ok": true}
    >> {"do": "open", "links": [...]}       << {"ok": true}
    >> {"do": "no such thing"}              << {"ok": false, "error": "..."}

Only the person's own processes reach it: the socket's mode is 0600 and its directory's 0700.
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

from ssgui.engine.tasks import spawn

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


def socket_path(folder: Path) -> Path:
    """Where the instance of the data directory `folder` listens."""
    name = hashlib.sha256(os.fsencode(os.path.realpath(folder))).hexdigest()[:16]
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    base = Path(runtime) / "ssgui" if runtime and os.path.isdir(runtime) else folder
    path = base / f"{name}.sock"
    if len(os.fsencode(path)) <= _SUN_PATH:
        return path
    return Path(tempfile.gettempdir()) / f"ssgui-{os.getuid()}" / f"{name}.sock"


class ControlServer:
    """Answers on the socket. `handler` gets each request and gives its answer; what it raises becomes an error."""

    def __init__(self, folder: Path, handler: Handler) -> None:
        self.path = socket_path(folder)
        self._handler = handler
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
                writer.write(_encode(await self._answer(line)))
                await writer.drain()
        except (ConnectionError, ValueError):  # ValueError: a line without an end
            pass
        finally:
            writer.close()

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


async def ask(folder: Path, request: Json) -> Json:
    """Ask the running instance of `folder`; ControlError when there is none, or it does not answer."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            reader, writer = await asyncio.open_unix_connection(socket_path(folder), limit=MAX_LINE)
            try:
                writer.write(_encode(request))
                line = await reader.readline()
            finally:
                writer.close()
        answer = json.loads(line)
    except TimeoutError:
        raise ControlError("the running instance does not answer") from None
    except (OSError, ValueError) as error:
        raise ControlError(f"no running instance answers: {getattr(error, 'strerror', None) or error}") from None
    if not isinstance(answer, dict) or not answer.get("ok"):
        raise ControlError(str(answer.get("error") if isinstance(answer, dict) else "no answer"))
    return answer


def _encode(message: Json) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"
