"""TCP Fast Open and MPTCP: that they are used, and that they are given up where they fail.

The kernel that tests run on seldom lets both ends use Fast Open, so what needs that is in `fast_open_cases`, and
runs in a network of its own.
"""

import errno
import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ssgui.engine import tcp_options as module
from ssgui.engine.handler import TCPRelayHandler
from ssgui.engine.resolver import SockAddr
from ssgui.engine.stages import Reason
from ssgui.engine.tcp_options import FAILURES, TCPOptions, is_connecting, tcp_options
from tests.engine.test_failover import full_port
from tests.engine.world import World, digest_then_answer
from tests.support.programs import require

Play = Callable[..., None]
ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux has them")
MPTCP = 262


def has_mptcp() -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, MPTCP).close()
    except OSError:
        return False
    return True


needs_mptcp = pytest.mark.skipif(not has_mptcp(), reason="this kernel has no MPTCP")


# ---- the switches


class Refusing:
    """A socket whose options are all refused."""

    def setsockopt(self, *_: Any) -> None:
        raise OSError(errno.ENOPROTOOPT, "Protocol not available")


def test_nothing_wanted_costs_nothing() -> None:
    assert tcp_options(fast_open=False, mptcp=False) is None
    assert tcp_options(fast_open=True, mptcp=False) is not None


@pytest.mark.parametrize("method", ["set_fast_open", "listen_fast"])
def test_a_system_that_refuses_fast_open(method: str, caplog: pytest.LogCaptureFixture) -> None:
    options = TCPOptions(fast_open=True, mptcp=False)
    for _ in range(3):
        assert not getattr(options, method)(Refusing())
    (record,) = caplog.records
    assert record.getMessage() == "TCP Fast Open is off: the system refuses it (Protocol not available)"


def test_a_network_that_drops_fast_open(caplog: pytest.LogCaptureFixture) -> None:
    options = TCPOptions(fast_open=True, mptcp=False)
    for _ in range(FAILURES - 1):
        options.ended(answered=False, failed=True)
    options.ended(answered=False, failed=False)  # a program that went away says nothing
    options.ended(answered=True, failed=True)
    for _ in range(FAILURES - 1):
        options.ended(answered=False, failed=True)
    held = [options.fast_open]
    for _ in range(3):
        options.ended(answered=False, failed=True)
        held.append(options.fast_open)
    assert held == [True, False, False, False]
    assert len(caplog.records) == 1
    assert "3 connections in a row were not answered" in caplog.text


def test_a_system_without_mptcp(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    tried: list[int] = []

    class Socket(socket.socket):
        def __init__(self, family: int, kind: int, protocol: int = 0) -> None:
            tried.append(protocol)
            if protocol == MPTCP:
                raise OSError(errno.EPROTONOSUPPORT, "Protocol not supported")
            super().__init__(family, kind, protocol)

    monkeypatch.setattr(module, "_MPTCPSocket", Socket)
    options = TCPOptions(fast_open=False, mptcp=True)
    for _ in range(2):
        options.new_socket(socket.AF_INET).close()
        options.new_listener(Socket, socket.AF_INET).close()
    assert tried == [MPTCP, 0, 0]  # our one attempt; the listeners
    assert [one.getMessage() for one in caplog.records] == [
        "MPTCP is off: the system does not have it (Protocol not supported)"
    ]


def test_other_errors_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(*_: Any) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(module, "_MPTCPSocket", no_more)
    options = TCPOptions(fast_open=False, mptcp=True)
    with pytest.raises(OSError, match="Too many"):
        options.new_socket(socket.AF_INET)


def test_a_listener_that_the_system_keeps_from_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    switch = tmp_path / "tcp_fastopen"
    monkeypatch.setattr(module, "_SWITCH", switch)
    with socket.socket() as sock:
        for text in ("3\n", "1\n", "?"):
            switch.write_text(text)
            TCPOptions(fast_open=True, mptcp=False).listen_fast(sock)
    assert [one.getMessage() for one in caplog.records] == [
        "TCP Fast Open has no effect: net.ipv4.tcp_fastopen is 1, a server needs 3"
    ]


def test_whether_a_handshake_is_under_way() -> None:
    with full_port() as address, socket.socket() as sock:
        sock.setblocking(False)
        assert not is_connecting(sock)
        sock.connect_ex(address)
        assert is_connecting(sock)
    assert not is_connecting(sock)  # closed


# ---- connections


async def exchange(world: World, **settings: Any) -> None:
    server = await world.server(**settings)
    client = await world.client(server.address, **settings)
    target = await world.origin(digest_then_answer)
    data = os.urandom(700_000)
    for _ in range(3):
        reader, writer = await world.connect(client, *target, payload=data[:1000])
        writer.write(data[1000:])
        writer.write_eof()
        assert await reader.read() == hashlib.sha256(data).digest()
    assert [one.reason for one in await world.closed(client, 3)] == [Reason.FINISHED] * 3
    assert [one.reason for one in await world.closed(server, 3)] == [Reason.FINISHED] * 3
    assert client.pool.view()[0].dead_since is None


def test_a_client_and_a_server_with_fast_open(play: Play) -> None:
    play(lambda world: exchange(world, fast_open=True))


@needs_mptcp
@pytest.mark.parametrize("fast_open", [False, True])
def test_a_client_and_a_server_with_mptcp(play: Play, fast_open: bool) -> None:
    play(lambda world: exchange(world, mptcp=True, fast_open=fast_open))


class TwoAddresses:
    """A lookup that makes dials race."""

    async def lookup(self, host: str, port: int) -> list[SockAddr]:
        return [SockAddr(int(socket.AF_INET6), ("::1", port, 0, 0)), SockAddr(int(socket.AF_INET), ("127.0.0.1", port))]

    def close(self) -> None:
        """Nothing is open."""


@needs_mptcp
@pytest.mark.parametrize("host", ["127.0.0.1", "two.example"])
def test_sockets_are_of_mptcp(play: Play, host: str) -> None:
    async def scenario(world: World) -> None:
        server = await world.server(mptcp=True)
        client = await world.client((host, server.address[1]), mptcp=True)
        client.resolver._lookup = TwoAddresses()
        reader, _ = await world.connect(client, *await world.echo(), payload=b"x")
        assert await reader.readexactly(1) == b"x"
        (handler,) = client.engine.handlers.values()
        assert isinstance(handler, TCPRelayHandler)
        assert handler.remote is not None
        with socket.socket(fileno=os.dup(handler.remote.sock.fileno())) as sock:
            assert sock.proto == MPTCP
        assert server._listener is not None
        assert server._listener.proto == MPTCP

    play(scenario)


@needs_mptcp
def test_a_reset_over_mptcp_is_one(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server(mptcp=True)
        client = await world.client(server.address, mptcp=True)
        reader, _ = await world.connect(client, *await world.echo(), payload=b"x")
        await reader.readexactly(1)
        await server.engine.stop(0)
        (closed,) = await world.closed(client)
        assert closed.reason is Reason.SERVER_RESET
        with pytest.raises(ConnectionResetError):
            await reader.read()

    play(scenario)


# ---- where the kernel opens fast


def test_in_a_network_of_its_own() -> None:
    unshare = require("unshare")
    allowed = subprocess.run([unshare, "-rn", "true"], capture_output=True, timeout=20)
    if allowed.returncode:
        pytest.skip(f"unshare: {allowed.stderr.decode().strip()}")
    command = [unshare, "-rn", sys.executable, "-m", "tests.engine.fast_open_cases"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=55, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "passed" in done.stdout
    assert "skipped" not in done.stdout
