"""A client whose port leads to one target."""

import asyncio
from collections.abc import Callable

import pytest

from ssgui.engine.events import Opened
from ssgui.engine.stages import Reason, Stage
from ssgui.protocol.address import Address
from tests.engine.test_endings import dead_port
from tests.engine.world import World, digest_then_answer

Play = Callable[..., None]


@pytest.mark.parametrize("payload", [b"hello", b"\x05\x01\x00", b"GET / HTTP/1.1\r\n\r\n"])
def test_everything_goes_to_the_target(play: Play, payload: bytes) -> None:
    async def scenario(world: World) -> None:
        target = Address(*await world.echo())
        server = await world.server()
        client = await world.client(server.address, tunnel=target)
        reader, writer = await world.open(client.address)
        writer.write(payload)
        assert await reader.readexactly(len(payload)) == payload
        writer.write_eof()
        assert await reader.read() == b""
        (closed,) = await world.closed(client)
        assert (closed.reason, closed.target) == (Reason.FINISHED, str(target))
        assert (closed.up, closed.down) == (len(payload), len(payload))
        assert [event.inbound for event in world.events(client) if isinstance(event, Opened)] == ["tunnel"]
        assert world.stages(client) == [Stage.ADDR, Stage.DNS, Stage.CONNECTING, Stage.STREAM, Stage.DESTROYED]

    play(scenario)


def test_a_target_that_speaks_first(play: Play) -> None:
    async def scenario(world: World) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 ready\r\n")
            await reader.read()

        target = Address(*await world.origin(serve))
        client = await world.client((await world.server()).address, tunnel=target)
        reader, _ = await world.open(client.address)
        assert await reader.readline() == b"220 ready\r\n"

    play(scenario)


def test_a_half_close_is_carried_on(play: Play) -> None:
    async def scenario(world: World) -> None:
        target = Address(*await world.origin(digest_then_answer))
        client = await world.client((await world.server()).address, tunnel=target)
        reader, writer = await world.open(client.address)
        writer.write(bytes(300_000))
        writer.write_eof()
        assert len(await reader.read()) == 32

    play(scenario)


def test_a_dead_server_resets_the_program(play: Play) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(dead_port(), tunnel=Address("192.0.2.1", 80))
        with pytest.raises(ConnectionResetError):  # so soon that some hear of it while they connect
            await (await world.open(client.address))[0].read()
        assert (await world.closed(client))[0].reason is Reason.CONNECT_REFUSED

    play(scenario)
