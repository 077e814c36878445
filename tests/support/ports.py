"""Ports of the loopback, and whether somebody listens on one."""

import socket
from pathlib import Path

_LISTEN = "0A"
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))


def free_port(host: str = "127.0.0.1", kind: int = socket.SOCK_STREAM) -> int:
    """A port nobody has at this moment. Another process may take it before its user does."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as sock:
        sock.bind((host, 0))
        port: int = sock.getsockname()[1]
    return port


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
