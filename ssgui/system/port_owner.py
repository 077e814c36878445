"""Which program has a port of this machine. Linux, from /proc; elsewhere nobody is named."""

from collections.abc import Iterator
from pathlib import Path

from ssgui.system.processes.proc import PROC, holder_of, name_of, pids, user_of

# The tables of a protocol, and the state (include/net/tcp_states.h of the kernel) of a socket that has a port for all.
_TCP = ("tcp", "tcp6"), "0A"  # TCP_LISTEN
_UDP = ("udp", "udp6"), "07"  # TCP_CLOSE: not connected to anybody


def owner_of_port(port: int, proc: Path = PROC, *, udp: bool = False) -> str | None:
    """Who has TCP (or UDP) `port`, as "ss-local, PID 123"; None when nothing can be seen.

    "a process of user root" when only that can.
    """
    sockets = dict(_listening(port, proc, *(_UDP if udp else _TCP)))
    if not sockets:
        return None
    for pid in holder_of(sockets, pids(proc), proc).values():
        return f"{name_of(pid, proc) or 'a process'}, PID {pid}"
    return f"a process of user {user_of(next(iter(sockets.values())))}"


def _listening(port: int, proc: Path, tables: tuple[str, str], state: str) -> Iterator[tuple[int, int]]:
    """(inode, user id) of every socket that listens on `port`."""
    for table in tables:
        try:
            lines = (proc / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue  # no /proc, or no IPv6
        for line in lines:
            fields = line.split()
            if len(fields) > 9 and fields[3] == state and int(fields[1].rpartition(":")[2], 16) == port:
                yield int(fields[9]), int(fields[7])
