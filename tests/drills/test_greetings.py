"""Programs that never finish a greeting, and heads of a megabyte: memory stays bounded, the others are served.

Figures are printed, and in the assertion messages.
"""

import os
import resource
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import pytest

from tests.drills.test_memory import KIB, settled
from tests.support.origin import Origin
from tests.support.processes import Program, ssgui_local, ssgui_server
from tests.support.socks_client import receive_all, receive_exactly, socks_connect

MANY = 1000
MOST_GROWTH = 64 * KIB * KIB
DEADLINE = 40  # the greeting's 30 s, and the sweeper's second
pytestmark = [pytest.mark.long, pytest.mark.timeout(300), pytest.mark.xdist_group("memory")]

HEAD = b"GET http://192.0.2.1/ HTTP/1.1\r\nHost: x\r\nX-Much: "
BEGINNINGS = {
    "socks5": b"\x05\x02\x00",
    "socks5-request": b"\x05\x01\x00\x05\x01\x00\x03\xffexample",
    "socks4": b"\x04\x01\x00\x50\x01\x02\x03\x04" + b"u" * 200,
    "socks4a": b"\x04\x01\x00\x50\x00\x00\x00\x01u\x00" + b"n" * 200,
    "http": HEAD + b"y" * 60_000,
    "nothing": b"",
}


@pytest.fixture
def programs(ssgui_program: Sequence[str]) -> Iterator[list[Program]]:
    """A client and its server, with room for many connections."""
    if not os.path.exists("/proc/self/status"):
        pytest.skip("/proc: not on this system")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 8 * MANY:
        pytest.skip(f"descriptors: this test needs {8 * MANY}, the limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 8 * MANY), hard))
    try:
        with ssgui_server(ssgui_program) as server, ssgui_local(ssgui_program, server.address) as client:
            yield [client, server]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def others_are_served(programs: list[Program], origin: Origin) -> None:
    """A new connection carries a byte both ways."""
    with socks_connect(programs[0].address, origin.address) as sock:
        sock.sendall(b"ECHO\nx")
        assert receive_exactly(sock, 1) == b"x"


def grown(programs: list[Program], before: list[int]) -> int:
    """By how many bytes the client has grown."""
    return settled(programs[:1])[0] - before[0]


@pytest.mark.parametrize("kind", BEGINNINGS)
def test_greetings_that_are_never_finished(programs: list[Program], kind: str) -> None:
    with Origin() as origin, ExitStack() as stack:
        others_are_served(programs, origin)
        before = settled(programs[:1])
        waiting = []
        for number in range(MANY):
            sock = stack.enter_context(socket.create_connection(programs[0].address, timeout=DEADLINE))
            sock.sendall(BEGINNINGS[kind])
            waiting.append(sock)
            if number % (MANY // 5) == 0:
                others_are_served(programs, origin)
        growth = grown(programs, before)
        print(f"{MANY} x {kind}: the client grew by {growth // KIB} KiB")
        assert growth < MOST_GROWTH, f"{MANY} x {kind}: the client grew by {growth // KIB} KiB"
        others_are_served(programs, origin)
        for sock in waiting:  # each ends at the deadline, HTTP with a page that says so
            rest = receive_all(sock)
            assert rest.startswith(b"HTTP/1.1 408 ") if kind == "http" else rest in (b"", b"\x05\x00")
        others_are_served(programs, origin)


def test_heads_of_a_megabyte(programs: list[Program]) -> None:
    with Origin() as origin, ExitStack() as stack:
        others_are_served(programs, origin)
        before = settled(programs[:1])
        for number in range(MANY):
            sock = stack.enter_context(socket.create_connection(programs[0].address, timeout=DEADLINE))
            try:
                sock.sendall(HEAD + b"y" * 1_000_000 + b"\r\n\r\n")
            except ConnectionError:  # the client may close before it has all
                continue
            if number % (MANY // 5) == 0:
                assert sock.recv(100).startswith(b"HTTP/1.1 431 ")
                others_are_served(programs, origin)
        growth = grown(programs, before)
        print(f"{MANY} heads of a megabyte: the client grew by {growth // KIB} KiB")
        assert growth < MOST_GROWTH, f"{MANY} heads of a megabyte: the client grew by {growth // KIB} KiB"
        others_are_served(programs, origin)
