"""The original's table of stages and stream status, each row made for real and read from a snapshot."""

import asyncio
import socket
from collections.abc import Callable

from ssgui.engine.handler_base import HandlerView
from ssgui.engine.stages import Stage, StreamStatus
from tests.engine.world import StubLookup, World, until

Play = Callable[..., None]
NONE, R, W, RW = StreamStatus.NONE, StreamStatus.READING, StreamStatus.WRITING, StreamStatus(3)


async def expect_row(relay: object, stage: Stage, up: StreamStatus, down: StreamStatus) -> HandlerView:
    """Wait until the relay's only connection looks like this."""
    found: list[HandlerView] = []

    def there() -> bool:
        found[:] = relay.engine.snapshot()  # type: ignore[attr-defined]
        return [(view.stage, view.up_status, view.down_status) for view in found] == [(stage, up, down)]

    try:
        await until(there, 5)
    except TimeoutError:
        raise AssertionError(f"waited for {stage!r} {up!r} {down!r}, have {found}") from None
    return found[0]


def test_accepted(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        await world.open(client.address)
        await expect_row(client, Stage.INIT, R, NONE)

    play(scenario)


def test_greeted(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        _, writer = await world.open(client.address)
        writer.write(b"\x05")
        await expect_row(client, Stage.ADDR, R, NONE)

    play(scenario)


def test_resolving(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()
        client = await world.client(("a-name.invalid", server.address[1]))
        client.resolver._lookup = StubLookup(None)
        _, writer = await world.open(client.address)
        writer.write(b"\x05\x01\x00\x05\x01\x00\x01\x01\x02\x03\x04\x00\x50")
        view = await expect_row(client, Stage.DNS, W, NONE)
        assert (view.target, view.route, view.held_up) == ("1.2.3.4:80", "proxy", 7)

    play(scenario)


def test_connecting(play: Play) -> None:
    async def scenario(world: World) -> None:
        with socket.socket() as full:  # its queue is full, so that a connect neither ends nor fails
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            fillers = [socket.socket() for _ in range(4)]
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(full.getsockname())
            client = await world.client(full.getsockname())
            _, writer = await world.open(client.address)
            writer.write(b"\x05\x01\x00\x05\x01\x00\x01\x01\x02\x03\x04\x00\x50")
            await expect_row(client, Stage.CONNECTING, RW, R)
            writer.write(bytes(500_000))
            view = await expect_row(client, Stage.CONNECTING, W, R)
            assert 40_000 < view.held_up <= 70_000
            await client.engine.stop(0)
            for filler in fillers:
                filler.close()

    play(scenario)


def test_streaming(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, server = await world.pair()
        reader, _ = await world.connect(client, *await world.echo(), payload=b"hello")
        await reader.readexactly(5)
        for relay in (client, server):
            view = await expect_row(relay, Stage.STREAM, R, R)
            assert (view.up, view.down) == (5, 5)
            assert view.first_up is not None
            assert view.first_down is not None
            assert view.first_up <= view.first_down

    play(scenario)


def test_the_address_header_waits_for_payload(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, server = await world.pair()
        await world.connect(client, *await world.echo())
        view = await expect_row(client, Stage.STREAM, RW, R)
        assert view.held_up == 7
        assert world.stages(server) == []
        await expect_row(client, Stage.STREAM, R, R)
        await expect_row(server, Stage.STREAM, R, R)
        assert view.first_up is None

    play(scenario)


def test_the_server_is_slow(play: Play) -> None:
    async def scenario(world: World) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            await asyncio.sleep(20)

        client, server = await world.pair()
        _, writer = await world.connect(client, *await world.origin(serve))
        writer.write(bytes(40_000_000))
        assert (await expect_row(server, Stage.STREAM, W, R)).held_up > 0
        assert (await expect_row(client, Stage.STREAM, W, R)).held_up > 0

    play(scenario)


def test_the_client_is_slow(play: Play) -> None:
    async def scenario(world: World) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(bytes(40_000_000))
            await asyncio.sleep(20)

        client, server = await world.pair()
        _, writer = await world.connect(client, *await world.origin(serve))
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        assert (await expect_row(client, Stage.STREAM, R, W)).held_down > 0
        assert (await expect_row(server, Stage.STREAM, R, W)).held_down > 0

    play(scenario)


def test_both_are_slow(play: Play) -> None:
    async def scenario(world: World) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(bytes(40_000_000))
            await asyncio.sleep(20)

        client, server = await world.pair()
        _, writer = await world.connect(client, *await world.origin(serve))
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(bytes(40_000_000))
        await expect_row(client, Stage.STREAM, W, W)
        await expect_row(server, Stage.STREAM, W, W)

    play(scenario)


def test_the_client_half_closed(play: Play) -> None:
    async def scenario(world: World) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            await asyncio.sleep(20)

        client, server = await world.pair()
        _, writer = await world.connect(client, *await world.origin(serve), payload=b"x")
        writer.write_eof()
        await expect_row(client, Stage.STREAM, NONE, R)
        await expect_row(server, Stage.STREAM, NONE, R)

    play(scenario)


def test_the_target_half_closed(play: Play) -> None:
    async def scenario(world: World) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write_eof()
            await asyncio.sleep(20)

        client, server = await world.pair()
        await world.connect(client, *await world.origin(serve), payload=b"x")
        await expect_row(server, Stage.STREAM, R, NONE)
        # Shadowsocks has no end of stream of its own: nothing was sealed, so the FIN alone tells the client.
        await expect_row(client, Stage.STREAM, R, NONE)

    play(scenario)
