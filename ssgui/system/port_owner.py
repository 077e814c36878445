"""Which program listens on a TCP port of this machine. Linux, from /proc; elsewhere nobody is named."""

import os
from collections.abc import Iterator
from pathlib import Path

_LISTEN = "0A"  # TCP_LISTEN of the kernel's include/net/tcp_states.h
PROC = Path("/proc")


def owner_of_port(port: int, proc: Path = PROC) -> str | None:
    """ "ss-local, PID 123", or "a process of user root" when only that can be seen; None when nothing can."""
    sockets = dict(_listening(port, proc))
    if not sockets:
        return None
    for pid in _pids(proc):
        if _holds(proc / pid / "fd", sockets):
            return f"{_name(proc / pid)}, PID {pid}"
    return f"a process of user {_user(next(iter(sockets.values())))}"


def _listening(port: int, proc: Path) -> Iterator[tuple[str, int]]:
    """(inode, user id) of every socket that listens on `port`."""
    for table in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue  # no /proc, or no IPv6
        for line in lines:
            fields = line.split()
            if len(fields) > 9 and fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9], int(fields[7])


def _pids(proc: Path) -> list[str]:
    try:
        return [name for name in os.listdir(proc) if name.isdigit()]
    except OSError:
        return []


def _holds(descriptors: Path, inodes: dict[str, int]) -> bool:
    try:
        names = os.listdir(descriptors)
    except OSError:
        return False  # another user's, or gone by now
    for name in names:
        try:
            target = os.readlink(descriptors / name)
        except OSError:
            continue
        if target.startswith("socket:[") and target[8:-1] in inodes:
            return True
    return False


def _name(process: Path) -> str:
    """The program's name; for an interpreter what it runs. Never an argument: one may be a password."""
    try:
        arguments = (process / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
        name = (process / "comm").read_text().strip()
    except OSError:
        return "a process"
    if name.startswith("python") and len(arguments) > 2 and arguments[1] == "-m":
        name = arguments[2]
    elif name.startswith("python") and len(arguments) > 1 and not arguments[1].startswith("-"):
        name = os.path.basename(arguments[1])
    return "".join(c for c in name if c.isprintable())[:40] or "a process"


def _user(number: int) -> str:
    try:
        import pwd

        return pwd.getpwuid(number).pw_name
    except (ImportError, KeyError):
        return str(number)
