"""Running out of descriptors, and strangers who try to make us."""

import os
import resource
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.origin import Origin
from tests.support.processes import Program, ssgui_local, ssgui_server, wait_until
from tests.support.socks_client import receive_exactly, socks_connect


def limited(descriptors: int) -> list[str]:
    """The command that runs our program with at most so many descriptors."""
    code = (
        "import resource, runpy, sys; "
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({descriptors}, {descriptors})); "
        "sys.argv[0] = 'ssgui'; runpy.run_module('ssgui', run_name='__main__')"
    )
    return [sys.executable, "-c", code]


@pytest.fixture(autouse=True)
def _room_for_probes() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 8192:
        pytest.skip(f"descriptors: this test needs 8192, the limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384) if hard > 0 else 16384, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def served(client: Program, origin: Origin) -> bool:
    """Whether a byte goes to the origin and back."""
    with socks_connect(client.address, origin.address) as sock:
        sock.sendall(b"ECHO\nx")
        return receive_exactly(sock, 1) == b"x"


def test_strangers_do_not_keep_a_real_client_out(ssgui_program: list[str]) -> None:
    with (
        Origin() as origin,
        ssgui_server(limited(1024)) as server,
        ssgui_local(ssgui_program, server.address) as client,
    ):
        assert served(client, origin)
        with ExitStack() as stack:
            for number in range(3000):
                sock = stack.enter_context(socket.create_connection(server.address, timeout=10))
                sock.sendall(os.urandom(1 + number % 300))
                if number % 500 == 0:
                    assert served(client, origin), f"after {number} probes"
            assert served(client, origin)
            open_now = len(os.listdir(f"/proc/{server.process.pid}/fd"))
            assert open_now < 400, f"{open_now} descriptors are open"
        assert served(client, origin)


@pytest.mark.parametrize("role", ["local", "server"])
def test_running_out_is_survived_with_few_words(ssgui_program: list[str], role: str) -> None:
    small, full = limited(64), ssgui_program
    with (
        Origin() as origin,
        ssgui_server(small if role == "server" else full) as server,
        ssgui_local(small if role == "local" else full, server.address) as client,
    ):
        tried = client if role == "local" else server
        with ExitStack() as stack:
            for _ in range(120):
                stack.enter_context(socket.create_connection(tried.address, timeout=10))
            wait_until(lambda: "cannot accept" in tried.process.stderr() or role == "server", "it has run out")
        wait_until(lambda: _served_at_last(client, origin), "it serves again", 15)
        lines = [line for line in tried.process.stderr().splitlines() if "accept" in line]
        assert len(lines) <= 5, lines


def _served_at_last(client: Program, origin: Origin) -> bool:
    try:
        return served(client, origin)
    except OSError:
        return False
