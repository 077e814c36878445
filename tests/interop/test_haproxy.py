"""Two servers behind a real HAProxy, as docs/many-hosts.md has it: what it says there holds."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.origin import Origin
from tests.support.ports import free_port, is_listening
from tests.support.processes import HOST, METHOD, PASSWORD, Program, running, ssgui_local, ssgui_server, wait_until
from tests.support.programs import require
from tests.support.socks_client import receive_all, receive_exactly, socks_connect
from tests.support.wire import first_flight, salt_for

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs/examples/haproxy.cfg"
SSGUI = [sys.executable, "-m", "ssgui"]
BY_SALT = "hash var(sess.salt)"
MANY = 100


def written(servers: Sequence[Program], port: int, balance: str, inter: str) -> str:
    """The example, for these servers and this port."""
    text = EXAMPLE.read_text("utf-8")
    assert text.count(f"balance {BY_SALT}") == 1
    text = text.replace(f"balance {BY_SALT}", f"balance {balance}").replace("bind :8388", f"bind {HOST}:{port}")
    text = text.replace("inter 10s fastinter 2s", f"inter {inter}")
    text = text.replace("maxconn 50000", "maxconn 2000").replace("maxconn 20000", "maxconn 900")
    for name, server in zip(("one 192.0.2.11", "two 192.0.2.12"), servers, strict=True):
        assert f"server {name}:8388" in text
        text = text.replace(f"server {name}:8388", f"server {name.split()[0]} {HOST}:{server.address[1]}")
    return text


@contextmanager
def balanced(
    folder: Path, balance: str = BY_SALT, inter: str = "10s"
) -> Iterator[tuple[tuple[str, int], list[Program]]]:
    """The address of the balancer, and the two servers behind it."""
    haproxy, port = require("haproxy"), free_port()
    with ExitStack() as stack:
        servers = [stack.enter_context(ssgui_server(SSGUI)) for _ in range(2)]
        path = folder / "haproxy.cfg"
        path.write_text(written(servers, port, balance, inter))
        stack.enter_context(running([haproxy, "-db", "-f", str(path)], port=port))
        yield (HOST, port), servers


def connections(servers: Sequence[Program], reason: str) -> list[int]:
    """How many connections of each server have ended for `reason`."""
    return [sum(one.reason == reason for one in server.events.connections()) for server in servers]


def play(stack: ExitStack, address: tuple[str, int], flight: bytes, count: int) -> None:
    for _ in range(count):
        sock = stack.enter_context(socket.create_connection(address, timeout=20))
        sock.sendall(flight)


def new_flight(origin: Origin) -> bytes:
    salt = salt_for(METHOD, int.from_bytes(os.urandom(16), "big") << 128)
    return first_flight(METHOD, PASSWORD, salt, origin.address, b"ECHO\nhi")


def test_the_example_is_valid() -> None:
    done = subprocess.run([require("haproxy"), "-c", "-f", str(EXAMPLE)], capture_output=True, text=True, timeout=50)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.long
def test_connections_are_dealt_out_and_bytes_come_through(tmp_path: Path) -> None:
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        address, servers = stack.enter_context(balanced(tmp_path))
        local = stack.enter_context(ssgui_local(SSGUI, address))
        for _ in range(20):
            with socks_connect(local.address, origin.address) as sock:
                sock.sendall(b"DOWN 300000\n")
                assert len(receive_all(sock)) == 300_000
        with socks_connect(local.address, origin.address) as sock:
            sock.sendall(b"EOF\nx")
            sock.shutdown(socket.SHUT_WR)
            assert len(receive_all(sock)) == 64, "a side that is closed leaves the other open"
        wait_until(lambda: min(connections(servers, "finished")) > 0, "both have served")


@pytest.mark.long
def test_a_stream_and_its_replays_come_to_one_server(tmp_path: Path) -> None:
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        address, servers = stack.enter_context(balanced(tmp_path))
        for count in range(1, 5):
            flight = new_flight(origin)
            play(stack, address, flight, 1)
            wait_until(lambda: origin.accepted == count, "the first is served")  # noqa: B023  it is called at once
            play(stack, address, flight, MANY)
            wait_until(lambda: sum(connections(servers, "replay")) == count * MANY, "all others are refused")  # noqa: B023
            assert origin.accepted == count


@pytest.mark.long
def test_without_that_each_server_takes_it_once(tmp_path: Path) -> None:
    """What the example prevents: memories of salts are each host's own."""
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        address, servers = stack.enter_context(balanced(tmp_path, "roundrobin"))
        play(stack, address, new_flight(origin), MANY)
        wait_until(lambda: sum(connections(servers, "replay")) == MANY - 2, "all but two are refused")
        assert origin.accepted == 2


@pytest.mark.long
def test_a_server_that_goes_is_left_out(tmp_path: Path) -> None:
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        address, servers = stack.enter_context(balanced(tmp_path, inter="500ms"))
        local = stack.enter_context(ssgui_local(SSGUI, address))
        socks = [stack.enter_context(socks_connect(local.address, origin.address)) for _ in range(10)]
        for sock in socks:
            sock.sendall(b"ECHO\nx")
            assert receive_exactly(sock, 1) == b"x"
        servers[0].process.send_signal(signal.SIGQUIT)
        wait_until(lambda: not is_listening(servers[0].address[1]), "it takes no more")

        def served() -> bool:
            with socks_connect(local.address, origin.address) as sock:
                sock.sendall(b"DOWN 10\n")
                try:
                    return len(receive_all(sock)) == 10
                except ConnectionError:
                    return False

        wait_until(lambda: all(served() for _ in range(8)), "the other serves all")
        for sock in socks:
            sock.sendall(b"y")
            assert receive_exactly(sock, 1) == b"y", "what is open goes on, on both"


@pytest.mark.long
def test_strangers_hear_nothing(tmp_path: Path) -> None:
    with ExitStack() as stack:
        address, servers = stack.enter_context(balanced(tmp_path))
        strangers = [stack.enter_context(socket.create_connection(address)) for _ in range(3)]
        for sock, size in zip(strangers, (0, 15, 200), strict=True):
            sock.sendall(bytes(size))
            sock.settimeout(0.2)
        wait_until(lambda: sum(connections(servers, "auth-failed")) >= 1, "the longest has failed")
        for sock in strangers:
            with pytest.raises(TimeoutError):
                sock.recv(1)


@pytest.mark.long
def test_a_reset_becomes_a_clean_end(tmp_path: Path) -> None:
    """What a balancer that ends TCP takes away: between two chunks a reset looks like a clean end."""
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        address, servers = stack.enter_context(balanced(tmp_path))
        sock = stack.enter_context(socket.create_connection(address, timeout=20))
        sock.sendall(first_flight(METHOD, PASSWORD, os.urandom(32), origin.address, b"RESET 10\nx"))
        assert receive_all(sock), "no ConnectionResetError"
        wait_until(lambda: sum(connections(servers, "server-reset")) == 1, "the server saw the reset")
