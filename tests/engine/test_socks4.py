"""SOCKS4 and 4a on a client's port."""

import asyncio
from collections.abc import Callable

import pytest

from ssgui.config.secret import Secret
from ssgui.engine.events import Opened
from ssgui.engine.stages import Reason, Stage
from tests.engine.test_endings import dead_port
from tests.engine.world import World

Play = Callable[..., None]
GRANTED, REFUSED = b"\x00\x5a" + bytes(6), b"\x00\x5b" + bytes(6)


def request(host: str, port: int, *, by_name: bool, user: bytes = b"ann") -> bytes:
    """What a SOCKS4 client sends; by name it is 4a."""
    start = b"\x04\x01" + port.to_bytes(2, "big")
    if by_name:
        return start + b"\x00\x00\x00\x01" + user + b"\x00" + host.encode() + b"\x00"
    return start + bytes(map(int, host.split("."))) + user + b"\x00"


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize("piece", [1, 1000])
def test_bytes_go_there_and_back(play: Play, by_name: bool, piece: int) -> None:
    async def scenario(world: World) -> None:
        client, server = await world.pair()
        reader, writer = await world.open(client.address)
        data = request(*await world.echo(), by_name=by_name) + b"hello"
        for start in range(0, len(data), piece):
            writer.write(data[start : start + piece])
            await asyncio.sleep(0)
        assert await reader.readexactly(8) == GRANTED
        assert await reader.readexactly(5) == b"hello"
        writer.write_eof()
        assert await reader.read() == b""
        (closed,) = await world.closed(client)
        assert (closed.reason, closed.up, closed.down) == (Reason.FINISHED, 5, 5)
        assert [event.inbound for event in world.events(client) if isinstance(event, Opened)] == ["socks4"]
        assert world.stages(client)[:4] == [Stage.ADDR, Stage.DNS, Stage.CONNECTING, Stage.STREAM]
        assert (await world.closed(server))[0].up == 5

    play(scenario)


def test_a_dead_server_is_a_true_reply(play: Play) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(dead_port())
        reader, writer = await world.open(client.address)
        writer.write(request("192.0.2.1", 80, by_name=False))
        assert await reader.read() == REFUSED
        assert (await world.closed(client))[0].reason is Reason.CONNECT_REFUSED

    play(scenario)


@pytest.mark.parametrize(
    "bad", [b"\x04\x02\x00\x50\x01\x02\x03\x04\x00", b"\x04\x01\x00\x50\x01\x02\x03\x04" + b"u" * 300]
)
def test_what_is_not_served_is_refused(play: Play, bad: bytes) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(dead_port())
        reader, writer = await world.open(client.address)
        writer.write(bad)
        assert await reader.read() == REFUSED
        assert (await world.closed(client))[0].reason is Reason.BAD_REQUEST

    play(scenario)


def test_it_cannot_give_a_password(play: Play) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(dead_port(), users=(("ann", Secret("secret")),))
        reader, writer = await world.open(client.address)
        writer.write(request("192.0.2.1", 80, by_name=True))
        assert await reader.read() == REFUSED
        (closed,) = await world.closed(client)
        assert (closed.reason, closed.detail) == (Reason.DENIED, "SOCKS4 gives no password")
        assert Stage.DNS not in world.stages(client)

    play(scenario)


def test_a_request_cut_short(play: Play) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(dead_port())
        reader, writer = await world.open(client.address)
        writer.write(b"\x04\x01\x00")
        writer.write_eof()
        assert await reader.read() == b""
        assert (await world.closed(client))[0].reason is Reason.TRUNCATED

    play(scenario)
