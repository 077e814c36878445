"""Which program has a port of this machine. Linux, from /proc; elsewhere nobody is named."""

import os
from collections.abc import Iterator
from pathlib import Path

# The tables of a protocol, and the state (include/net/tcp_states.h of the kernel) of a socket that has a port for all.
_TCP = ("tcp", "tcp6"), "0A"  # TCP_LISTEN
_UDP = ("udp", "udp6"), "07"  # TCP_CLOSE: not connected to anybody
PROC = Path("/proc")


def owner_of_port(port: int, proc: Path = PROC, *, udp: bool = False) -> str | None:
    """Who has TCP (or UDP) `port`, as "ss-local, PID 123"; None when nothing can be seen.

    "a process of user root" when only that can.
    """
    sockets = dict(_listening(port, proc, *(_UDP if udp else _TCP)))
    if not sockets:
        return None
    for pid in _pids(proc):
        if _holds(proc / pid / "fd", sockets):
            return f"{_name(proc / pid)}, PID {pid}"
    return f"a process of user {_user(next(iter(sockets.values())))}"


def _listening(port: int, proc: Path, tables: tuple[str, str], state: str) -> Iterator[tuple[str, int]]:
    """(inode, user id) of every socket that listens on `port`."""
    for table in tables:
        try:
            lines = (proc / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue  # no /proc, or no IPv6
        for line in lines:
            fields = line.split()
            if len(fields) > 9 and fields[3] == state and int(fields[1].rpartition(":")[2], 16) == port:
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
