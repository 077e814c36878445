"""A unix socket of ours, with a lock beside it that says whether its owner lives.

The lock is the operating system's and ends with the process, however that ends. Who gets the lock of a socket knows
that nobody listens there any more: so what was left by processes that were killed is removed, and never what is
another's. A process id alone would not do: it is used again, and in containers by several at once.
"""

import fcntl
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path
from typing import Self

from ssgui.services.control.places import is_socket_name

_BACKLOG = 16
_TRIES = 8
_OPEN = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class SocketTaken(OSError):
    """Another process listens there."""


class _Lock:
    """The file `path`, locked. OSError when it is another's."""

    def __init__(self, path: Path, flags: int = _OPEN) -> None:
        self._path = path
        self._fd = os.open(path, flags, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine, there = os.fstat(self._fd), os.lstat(path)
            if (mine.st_dev, mine.st_ino) != (there.st_dev, there.st_ino):
                raise BlockingIOError(f"{path} was exchanged")  # somebody tidied up in between
        except BaseException:
            os.close(self._fd)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Remove the file, then let go of it: who waits for it sees that it is another one."""
        with suppress(OSError):
            self._path.unlink()
        os.close(self._fd)


class OwnSocket:
    """Listens at `path`, with mode 0600, until it is removed. A directory for sockets alone (`tighten`) gets mode 0700.

    SocketTaken when somebody listens there who lives, OSError when it cannot be made.
    """

    def __init__(self, path: Path, *, tighten: bool = True) -> None:
        self.path = path
        sweep(_own_folder(path.parent, tighten))
        self._lock = _taken(path)
        try:
            _remove_socket(path)
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self.socket.setblocking(False)
                self.socket.bind(str(path))
                path.chmod(0o600)
                self.socket.listen(_BACKLOG)
            except BaseException:
                self.socket.close()
                raise
        except BaseException:
            self._lock.release()
            raise

    def remove(self) -> None:
        """Listen no more, and leave nothing."""
        self.socket.close()
        with suppress(OSError):
            self.path.unlink()
        self._lock.release()


def _taken(path: Path) -> _Lock:
    for _ in range(_TRIES):  # who tidies up holds a lock for a moment
        try:
            return _Lock(path.with_suffix(".lock"))
        except BlockingIOError:
            continue
    raise SocketTaken(f"another process listens at {path}")


def _own_folder(folder: Path, tighten: bool) -> Path:
    """`folder`, made if it is not there; PermissionError if it is another's, or no directory."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else")
    if tighten and stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)
    return folder


def sweep(folder: Path) -> None:
    """Remove the sockets that the dead left in `folder`, which is ours."""
    for lock in folder.glob("*.lock"):
        if is_socket_name(lock.stem):
            with suppress(OSError), _Lock(lock, _OPEN & ~os.O_CREAT):
                _remove_socket(lock.with_suffix(".sock"))


def _remove_socket(path: Path) -> None:
    with suppress(FileNotFoundError):
        if stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()
