"""Ports of the loopback, and whether somebody listens on one."""

import os
import random
import socket
from collections.abc import Iterator
from pathlib import Path

_LISTEN = "0A"
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
# Below what Linux hands to sockets that ask for no port in particular (32768 up): a connection of some other test that
# is open at this moment cannot have taken the number between here and its use.
_LOWEST, _HIGHEST = 20_000, 32_700
_KINDS = (socket.SOCK_STREAM, socket.SOCK_DGRAM)


def _numbers() -> Iterator[int]:
    """The numbers this process may give away, each once a round, none of them another test worker's."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    share = (_HIGHEST - _LOWEST) // workers
    first = _LOWEST + worker * share
    at = random.SystemRandom().randrange(share)  # two runs on one machine do not walk in step
    while True:
        yield first + at
        at = (at + 1) % share


_supply = _numbers()


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody has at `host` for TCP nor for UDP, and that no other test will be given."""
    return next(port for port in _supply if _is_free(host, port))


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for kind in _KINDS:
        with socket.socket(family, kind) as sock:
            try:
                sock.bind((host, port))
            except OSError:
                return False
    return True


def is_listening(port: int) -> bool:
    """Whether a process listens on TCP `port`, found out without a connection where the system tells."""
    tables = [table for table in _TABLES if table.exists()]
    if not tables:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", port)) == 0
    wanted = f":{port:04X}"
    for table in tables:
        for line in table.read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            if state == _LISTEN and local.endswith(wanted):
                return True
    return False
