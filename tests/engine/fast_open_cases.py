"""Connections by TCP Fast Open.

    unshare -rn python -m tests.engine.fast_open_cases

runs them in a network of their own, where both ends may use it.
"""

import asyncio
import fcntl
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ssgui.config.models import ServerChoice, ServerProfile
from ssgui.config.secret import Secret
from ssgui.engine import handler as handler_module
from ssgui.engine.errors import DialError, DialFailure
from ssgui.engine.handler import TCPRelayHandler
from ssgui.engine.relay import LocalRelay
from ssgui.engine.stages import Reason, Stage, StreamStatus
from ssgui.engine.tcp_options import FAILURES
from tests.engine.test_failover import full_port
from tests.engine.test_tcp_options import exchange
from tests.engine.world import METHOD, PASSWORD, World, until
from tests.support.observer import Observer
from tests.support.ports import free_port

Play = Callable[..., None]
WITHOUT_COOKIES = 1 | 2 | 4 | 512  # of net.ipv4.tcp_fastopen: both ends, and nobody asks for a cookie first


@pytest.mark.parametrize("mptcp", [False, True])
def test_a_client_and_a_server(play: Play, mptcp: bool) -> None:
    play(lambda world: exchange(world, fast_open=True, mptcp=mptcp))


def test_the_first_bytes_leave_with_the_syn(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server(fast_open=True)
        client = await world.client(server.address, fast_open=True)
        reader, _ = await world.connect(client, *await world.echo(), payload=b"hello")
        assert await reader.readexactly(5) == b"hello"
        (handler,) = client.engine.handlers.values()
        assert isinstance(handler, TCPRelayHandler)
        assert handler.remote is not None
        assert (handler.remote.fast_open is not None) is world.hears_resets_while_paused  # transports cannot

    play(scenario)


def test_the_row_of_the_original_table(play: Play) -> None:
    """The original's (RW, INIT). Ours counts as connected: nothing was sent, and the way back may be read."""

    async def scenario(world: World) -> None:
        if not world.hears_resets_while_paused:
            return
        server = await world.server(fast_open=True)
        client = await world.client(server.address, fast_open=True)
        near, far = Observer(client), Observer(server)
        reader, writer = await world.connect(client, *await world.echo())
        one = await near.stands(Stage.STREAM, StreamStatus(3), StreamStatus.READING)
        assert (one.held_up, one.first_up) == (7, None)
        assert not far.rows()  # not even a SYN has left
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        await near.stands(Stage.STREAM, StreamStatus.READING, StreamStatus.READING)
        assert not near.found()

    play(scenario)


def test_a_server_that_is_not_there_shows_when_the_first_bytes_are_sent(play: Play) -> None:
    async def scenario(world: World) -> None:
        if not world.hears_resets_while_paused:
            return
        server = await world.server()
        dead = ServerProfile("127.0.0.1", free_port(), METHOD, Secret(PASSWORD))
        profiles = (dead, ServerProfile(*server.address, METHOD, Secret(PASSWORD)))
        client = await world.client(("", 0), servers=profiles, choice=ServerChoice.FIXED, fast_open=True)
        reader, _ = await world.connect(client, "example.com", 80, payload=b"lost")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        (closed,) = await world.closed(client)
        assert closed.reason is Reason.CONNECT_REFUSED
        assert [view.dead_since is None for view in client.pool.view()] == [False, True]
        reader, _ = await world.connect(client, *await world.echo(), payload=b"hello")
        assert await reader.readexactly(5) == b"hello"

    play(scenario)


def test_requests_of_http(play: Play) -> None:
    async def ask(world: World, client: LocalRelay, address: tuple[str, int]) -> bytes:
        reader, writer = await world.open(client.address)
        writer.write(b"GET http://127.0.0.1:%d/ HTTP/1.1\r\nHost: x\r\n\r\n" % address[1])
        return await reader.readuntil(b"\r\n\r\n")

    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await reader.read()

    async def scenario(world: World) -> None:
        server, origin = await world.server(fast_open=True), await world.origin(page)
        dead = await world.client(("127.0.0.1", free_port()), fast_open=True)
        assert (await ask(world, dead, origin)).startswith(b"HTTP/1.1 502")
        (closed,) = await world.closed(dead)
        assert closed.reason is Reason.CONNECT_REFUSED
        assert dead.pool.view()[0].dead_since is not None
        client = await world.client(server.address, fast_open=True)
        client.pool.failed(client.pool.upstreams[0], DialError(DialFailure.REFUSED, "", 0))
        assert (await ask(world, client, origin)).startswith(b"HTTP/1.1 204")
        assert client.pool.view()[0].dead_since is None

    play(scenario)


def test_a_network_that_drops_such_syns(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler_module, "CONNECT_TIMEOUT", 0.2)

    async def scenario(world: World) -> None:
        if not world.hears_resets_while_paused:
            return
        with full_port() as address:
            client = await world.client(address, fast_open=True)
            readers = [(await world.connect(client, "example.com", 80, payload=b"lost"))[0] for _ in range(FAILURES)]
            closed = await world.closed(client, FAILURES)
            assert {one.reason for one in closed} == {Reason.CONNECT_TIMEOUT}
            for reader in readers:
                with pytest.raises(ConnectionResetError):
                    await reader.read()
            assert client.options is not None
            assert not client.options.fast_open
            with pytest.raises(ConnectionError, match="6"):  # the truth again
                await world.connect(client, "example.com", 80)

    play(scenario)


def test_measuring_takes_nothing_on_trust(play: Play) -> None:
    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await reader.read()

    async def scenario(world: World) -> None:
        server = await world.server(fast_open=True)
        profiles = tuple(
            ServerProfile("127.0.0.1", port, METHOD, Secret(PASSWORD)) for port in (free_port(), server.address[1])
        )
        address = await world.origin(page)
        client = await world.client(
            ("", 0),
            servers=profiles,
            choice=ServerChoice.AUTO,
            fast_open=True,
            probe_url=f"http://127.0.0.1:{address[1]}/",
        )
        await until(lambda: any(view.preferred for view in client.pool.view()))
        assert [view.dead_since is None for view in client.pool.view()] == [False, True]

    play(scenario)


def main() -> int:
    """Bring the loopback of a new network up, let the kernel open fast, and run what is here."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, 0x8914, struct.pack("16sh22x", b"lo", 1))  # SIOCSIFFLAGS: IFF_UP
    Path("/proc/sys/net/ipv4/tcp_fastopen").write_text(str(WITHOUT_COOKIES), "ascii")
    return pytest.main(["-q", "-p", "no:cacheprovider", "--durations=5", *sys.argv[1:], __file__])


if __name__ == "__main__":
    sys.exit(main())
