"""What connections cost in memory, measured on the real programs. Figures are in the assertion messages."""

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.origin import Origin, pattern_hash, receive_hash
from tests.support.processes import Program, ssgui_local, ssgui_server, wait_until
from tests.support.socks_client import receive_exactly, socks_connect

KIB = 1024
SIZE = 100_000_000


def rss(program: Program) -> int:
    """Resident bytes of a program."""
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) * KIB


def settled(programs: Sequence[Program]) -> list[int]:
    """Resident bytes of each program, once they have stopped moving."""
    last: list[int] = []

    def steady() -> bool:
        nonlocal last
        now = [rss(program) for program in programs]
        same, last = now == last, now
        time.sleep(0.2)
        return same

    wait_until(steady, "memory settles", 30)
    return last


@pytest.fixture
def programs(ssgui_program: Sequence[str]) -> Iterator[list[Program]]:
    """Our server and a client of it."""
    if not Path("/proc/self/status").exists():
        pytest.skip("/proc: not on this system")
    with ssgui_server(ssgui_program) as server, ssgui_local(ssgui_program, server.address) as client:
        yield [client, server]


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as started:
        yield started


def ask(programs: list[Program], origin: Origin, line: bytes, buffer: int | None = None) -> socket.socket:
    """A connection through both programs that asks the origin for `line`."""
    sock = socks_connect(programs[0].address, origin.address)
    if buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    sock.sendall(line + b"\n")
    return sock


def warm(programs: list[Program], origin: Origin, count: int) -> None:
    """Open connections once, so that what only the first ones cost is paid."""
    with ExitStack() as stack:
        for _ in range(count):
            sock = stack.enter_context(ask(programs, origin, b"DOWN 100000"))
            receive_exactly(sock, 100_000)


@pytest.mark.xdist_group("memory")
def test_a_slow_reader_costs_little(programs: list[Program], origin: Origin) -> None:
    warm(programs, origin, 4)
    before = settled(programs)
    with ask(programs, origin, f"DOWN {SIZE}".encode(), buffer=64 * KIB) as sock:
        growth = [now - then for now, then in zip(settled(programs), before, strict=True)]
        print(f"a slow reader: client and server grew by {growth} bytes")
        assert max(growth) < 2_000_000, f"client and server grew by {growth} bytes"
        assert receive_hash(sock, SIZE) == pattern_hash(SIZE)


@pytest.mark.xdist_group("memory")
def test_idle_connections_are_cheap(programs: list[Program], origin: Origin) -> None:
    warm(programs, origin, 50)
    before = settled(programs)
    with ExitStack() as stack:
        for _ in range(1000):
            sock = stack.enter_context(ask(programs, origin, b"ECHO"))
            sock.sendall(b"x")
            receive_exactly(sock, 1)
        each = [(now - then) / 1000 for now, then in zip(settled(programs), before, strict=True)]
    print(f"an idle connection costs client and server {each} bytes")
    assert max(each) < 12 * KIB, f"an idle connection costs client and server {each} bytes"
