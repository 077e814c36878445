"""Where running instances listen, and which there are.

The app's socket is named by a hash of its data directory, for there is one app per data directory; a process without
a window has none, so its socket is named by role and process id: `local-4711.sock`. Sockets are in a directory that
nobody else can enter: `ssgui` in XDG_RUNTIME_DIR, or in what systemd made for a service, or /run/ssgui for root, or
one in the directory of temporary files. On Windows they are named pipes.
"""

import hashlib
import os
import re
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

_SUN_PATH = 100  # bytes; a unix socket's name has 104 to 108
_RUN = Path("/run/ssgui")
_PIPES = "\\\\.\\pipe\\"
_NAME = re.compile(r"(?:[0-9a-f]{16}|[a-z]+-[0-9]+(?:-[0-9]+)?)")


def _hash(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(os.path.realpath(folder))).hexdigest()[:16]


def pipe_name(folder: Path) -> str:
    """What the named pipe of the data directory `folder` is called."""
    return f"{_PIPES}ssgui-{_hash(folder)}"


def process_pipe_name(role: str, pid: int) -> str:
    """What the named pipe of a process without a window is called."""
    return f"{_PIPES}ssgui-{role}-{pid}"


def socket_path(folder: Path) -> Path:
    """Where the instance of the data directory `folder` listens."""
    name = f"{_hash(folder)}.sock"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    return _short_enough((Path(runtime) / "ssgui" if runtime and os.path.isdir(runtime) else folder) / name)


def process_socket_path(role: str, pid: int) -> Path:
    """Where a process without a window listens."""
    return _short_enough(_runtime_folder() / f"{role}-{pid}.sock")


def is_socket_name(stem: str) -> bool:
    """Whether a socket, or its lock, may be called so, without what is behind the dot."""
    return _NAME.fullmatch(stem) is not None


def place_of(folder: Path) -> str:
    """What to connect to for the instance of the data directory `folder`."""
    return pipe_name(folder) if sys.platform == "win32" else str(socket_path(folder))


def _short_enough(path: Path) -> Path:
    return path if len(os.fsencode(path)) <= _SUN_PATH else _temporary() / path.name


def _temporary() -> Path:
    return Path(tempfile.gettempdir()) / f"ssgui-{_user()}"


def _user() -> int:
    return os.getuid() if sys.platform != "win32" else 0


def _runtime_folder() -> Path:
    for name in ("XDG_RUNTIME_DIR", "RUNTIME_DIRECTORY"):  # systemd may name several, with colons
        given = os.environ.get(name, "").partition(":")[0]
        if given and os.path.isdir(given):
            return Path(given) / "ssgui"
    if _user() == 0 and os.path.isdir("/run") and _may_be_ours(_RUN):
        return _RUN
    return _temporary()


def _may_be_ours(folder: Path) -> bool:
    """That of a service belongs to the service's user."""
    try:
        return folder.lstat().st_uid == _user()
    except OSError:
        return True  # it is not there yet


def places() -> list[str]:
    """What may be connected to: the instances of this user, and for root everybody's. Some may be dead."""
    if sys.platform == "win32":
        return [_PIPES + name for name in _pipes() if is_socket_name(name.removeprefix("ssgui-"))]
    found: dict[str, None] = {}
    for folder in _folders():
        for path in _sockets(folder):
            found[str(path)] = None
    return list(found)


def _pipes() -> list[str]:
    try:
        return sorted(name for name in os.listdir(_PIPES) if name.startswith("ssgui-"))
    except OSError:
        return []


def _folders() -> Iterator[Path]:
    """Where sockets may be, in the order of likelihood."""
    yield _runtime_folder()
    for name in ("XDG_RUNTIME_DIR", "RUNTIME_DIRECTORY"):
        for given in filter(None, os.environ.get(name, "").split(":")):
            yield Path(given) / "ssgui"
    yield Path(f"/run/user/{_user()}/ssgui")
    yield _temporary()
    yield _RUN
    if _user() == 0:
        yield from sorted(Path("/run").glob("*/ssgui"))
        yield from sorted(Path("/run/user").glob("*/ssgui"))
        yield from sorted(Path(tempfile.gettempdir()).glob("ssgui-*"))


def _sockets(folder: Path) -> Iterator[Path]:
    """The sockets in `folder`; those of others only for root, and nothing that only points to one."""
    try:
        if not _is_trusted(folder.lstat(), stat.S_ISDIR):
            return
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        path = folder / name
        if not name.endswith(".sock") or not is_socket_name(name.removesuffix(".sock")):
            continue
        try:
            if _is_trusted(path.lstat(), stat.S_ISSOCK):
                yield path
        except OSError:
            continue  # gone in the meantime


def _is_trusted(found: os.stat_result, is_kind: Callable[[int], bool]) -> bool:
    return is_kind(found.st_mode) and (_user() == 0 or found.st_uid == _user())
