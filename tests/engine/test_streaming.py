"""Bytes through a client and a server of ours: all of them, in order, whoever ends first."""

import asyncio
import hashlib
from collections.abc import Callable

import pytest

from ssgui.engine.stages import Reason, Stage
from tests.engine.world import World, digest_then_answer, echo, random_bytes, reset, until

Play = Callable[..., None]
METHODS = ["aes-128-gcm", "aes-192-gcm", "aes-256-gcm", "chacha20-ietf-poly1305", "xchacha20-ietf-poly1305"]


@pytest.mark.parametrize("method", METHODS)
def test_echo(play: Play, method: str) -> None:
    async def scenario(world: World) -> None:
        server = await world.server(method=method)
        client = await world.client(server.address, method=method)
        reader, writer = await world.connect(client, *await world.echo())
        for size in (1, 0x3FFF, 0x4000, 200_000):
            data = random_bytes(size)
            writer.write(data)
            assert await reader.readexactly(size) == data
        writer.write_eof()
        assert await reader.read() == b""
        ended = (await world.closed(client))[0], (await world.closed(server))[0]
        total = 1 + 0x3FFF + 0x4000 + 200_000
        assert [(one.reason, one.up, one.down) for one in ended] == [(Reason.FINISHED, total, total)] * 2

    play(scenario)


def test_both_ways_at_once(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        origin = await world.echo()
        data = random_bytes(8_000_000)

        async def one() -> None:
            reader, writer = await world.connect(client, *origin)
            writer.write(data)
            writer.write_eof()
            assert hashlib.sha256(await reader.read()).digest() == hashlib.sha256(data).digest()

        await asyncio.gather(*(one() for _ in range(4)))

    play(scenario)


def test_a_client_that_half_closes_gets_the_whole_answer(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, server = await world.pair()
        data = random_bytes(3_000_000)
        reader, writer = await world.connect(client, *await world.origin(digest_then_answer))
        writer.write(data)
        writer.write_eof()
        assert await reader.read() == hashlib.sha256(data).digest()
        assert (await world.closed(server))[0].reason is Reason.FINISHED

    play(scenario)


def test_a_target_that_half_closes_still_hears_the_client(play: Play) -> None:
    async def scenario(world: World) -> None:
        heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"bye")
            writer.write_eof()
            heard.set_result(await reader.read())

        client, server = await world.pair()
        reader, writer = await world.connect(client, *await world.origin(serve))
        assert await reader.read() == b"bye"
        writer.write(b"still here")
        writer.write_eof()
        assert await heard == b"still here"
        assert (await world.closed(client))[0].reason is Reason.FINISHED
        assert (await world.closed(server))[0].reason is Reason.FINISHED

    play(scenario)


def test_a_target_that_speaks_first(play: Play) -> None:
    async def scenario(world: World) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 hello\r\n")
            await echo(reader, writer)

        client, _ = await world.pair()
        reader, writer = await world.connect(client, *await world.origin(serve))
        assert await reader.readline() == b"220 hello\r\n"
        writer.write(b"now me")
        assert await reader.readexactly(6) == b"now me"

    play(scenario)


def test_payload_that_comes_with_the_request(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, server = await world.pair()
        reader, _ = await world.connect(client, *await world.echo(), payload=b"early" * 1000)
        assert await reader.readexactly(5000) == b"early" * 1000
        assert server.engine.snapshot()[0].up == 5000

    play(scenario)


def test_payload_that_comes_while_connecting_is_bounded_and_kept(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        data = random_bytes(2_000_000)
        reader, writer = await world.connect(client, *await world.echo(), payload=data)
        writer.write_eof()
        assert hashlib.sha256(await reader.read()).digest() == hashlib.sha256(data).digest()

    play(scenario)


def test_stages_and_their_times(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, server = await world.pair()
        _, writer = await world.connect(client, *await world.echo(), payload=b"x")
        writer.write_eof()
        ended = (await world.closed(client))[0]
        assert world.stages(client) == [Stage.ADDR, Stage.DNS, Stage.CONNECTING, Stage.STREAM, Stage.DESTROYED]
        assert list(ended.stages) == ["INIT", "ADDR", "DNS", "CONNECTING", "STREAM"]
        await world.closed(server)
        assert world.stages(server) == [Stage.DNS, Stage.CONNECTING, Stage.STREAM, Stage.DESTROYED]
        times = [event.t for event in world.events(client)]
        assert times == sorted(times)

    play(scenario)


def test_a_reset_by_the_client_reaches_the_target(play: Play) -> None:
    async def scenario(world: World) -> None:
        broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readexactly(1))
            try:
                await reader.read()
            except ConnectionResetError:
                broken.set_result(None)

        client, server = await world.pair()
        reader, writer = await world.connect(client, *await world.origin(serve), payload=b"x")
        await reader.readexactly(1)
        reset(writer)
        await broken
        assert (await world.closed(client))[0].reason is Reason.CLIENT_RESET
        assert (await world.closed(server))[0].reason is Reason.CLIENT_RESET

    play(scenario)


def test_a_reset_by_the_target_reaches_the_client(play: Play) -> None:
    async def scenario(world: World) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readexactly(1))
            await reader.readexactly(1)
            reset(writer)

        client, server = await world.pair()
        reader, writer = await world.connect(client, *await world.origin(serve), payload=b"x")
        await reader.readexactly(1)
        writer.write(b"y")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        assert (await world.closed(client))[0].reason is Reason.SERVER_RESET
        assert (await world.closed(server))[0].reason is Reason.SERVER_RESET

    play(scenario)


def test_a_slow_reader_stops_the_sender_and_gets_everything(play: Play) -> None:
    async def scenario(world: World) -> None:
        data = random_bytes(30_000_000)
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(data)
            await writer.drain()
            sent.set_result(None)
            writer.write_eof()

        client, server = await world.pair()
        reader, writer = await world.connect(client, *await world.origin(serve))
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        await until(lambda: any(view.held_down for view in client.engine.snapshot()))
        held = client.reactor.unsent, server.reactor.unsent
        assert max(held) <= 600_000
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert hashlib.sha256(await reader.read()).digest() == hashlib.sha256(data).digest()
        await sent
        writer.close()
        await world.closed(client)
        assert client.reactor.unsent == 0

    play(scenario)
