"""The stream ciphers of old through the engine: both ends, wrong keys, replays, and what has to be allowed."""

import asyncio
import logging
import os
from collections.abc import Callable

import pytest

from ssgui.engine.stages import Reason
from ssgui.engine.tunnel import client_tunnel
from ssgui.protocol.address import encode_address
from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.methods import key_for
from ssgui.protocol.stream_ciphers import STREAM_METHODS
from ssgui.protocol.stream_codecs import StreamCipherEncoder
from tests.engine.udp_world import SILENCE, UDPWorld
from tests.engine.world import PASSWORD, World, until

Play = Callable[..., None]
FAMILIES = ["aes-256-cfb", "camellia-128-cfb", "bf-cfb", "rc4-md5", "chacha20", "chacha20-ietf"]
METHOD = "aes-128-ctr"
OTA = b"\x11\x7f\x00\x00\x01\x00\x50"
LEGACY = frozenset({METHOD})


def flight(plain: bytes, password: str = PASSWORD, iv: bytes = b"") -> bytes:
    """What a client of METHOD sends first."""
    method = STREAM_METHODS[METHOD]
    out = memoryview(bytearray(len(plain) + method.iv_size))
    key = key_for(method, password)
    return bytes(out[: StreamCipherEncoder(method, key, iv or os.urandom(method.iv_size)).encode(plain, out)])


@pytest.mark.parametrize("method", FAMILIES)
def test_a_client_and_a_server(play: Play, method: str) -> None:
    async def scenario(world: World) -> None:
        legacy = frozenset({method})
        server = await world.server(method=method, legacy_methods=legacy, udp=True)
        client = await world.client(server.address, method=method, legacy_methods=legacy, udp=True)
        reader, writer = await world.connect(client, *await world.echo(), b"hello")
        assert await reader.readexactly(5) == b"hello"
        data = os.urandom(700_000)
        writer.write(data)
        assert await reader.readexactly(len(data)) == data
        writer.write_eof()
        assert await reader.read() == b""
        assert [one.reason for one in await world.closed(server)] == ["finished"]
        assert [one.reason for one in await world.closed(client)] == ["finished"]
        udp = UDPWorld(world)
        program, origin = await udp.program(client), await udp.echo()
        for size in (1, 1400, 20_000):
            assert await program.ask(bytes(size), origin.address) == bytes(size)

    play(scenario)


@pytest.mark.parametrize(
    ("plain", "detail"),
    [
        (b"\x02 no address", "unknown address type 2: is it sent with another key or method?"),
        (OTA, "the client asks for One-Time Auth (OTA), which the AEAD methods have replaced"),
    ],
)
def test_what_begins_with_no_address_is_drained_in_silence(play: Play, plain: bytes, detail: str) -> None:
    async def scenario(world: World) -> None:
        engine = world.engine(drain_deadline=1)
        server = await world.server(engine=engine, method=METHOD, legacy_methods=LEGACY)
        reader, writer = await world.open(server.address)
        writer.write(flight(plain))
        (closed,) = await world.closed(server)
        assert (closed.reason, closed.detail) == (Reason.BAD_REQUEST, detail)
        writer.write(b"more")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SILENCE):
                await reader.read(1)
        assert len(engine.drain) == 1
        assert await reader.read() == b""  # a FIN, at the deadline

    play(scenario)


def test_a_replay_is_drained(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server(engine=world.engine(drain_deadline=0.5), method=METHOD, legacy_methods=LEGACY)
        wire = flight(encode_address(*await world.echo()) + b"hello")
        reader, writer = await world.open(server.address)
        writer.write(wire)
        answer = await reader.readexactly(16 + 5)
        for replayed in (wire, answer):
            again, writer = await world.open(server.address)
            writer.write(replayed)
            assert await again.read() == b""
        reasons = [one.reason for one in await world.closed(server, 2)]
        assert reasons == [Reason.REPLAY, Reason.REPLAY]

    play(scenario)


def test_datagrams_of_strangers_are_dropped(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server(udp=True, method=METHOD, legacy_methods=LEGACY)
        udp = UDPWorld(world)
        origin = await udp.echo()
        codec = client_tunnel(METHOD, PASSWORD, legacy=LEGACY).client_datagrams()
        header = encode_address(*origin.address)
        peer = await udp.peer()
        good = codec.seal(header + b"good")
        for packet in (b"", bytes(16), bytes(40), codec.seal(b"\x11" + header[1:]), codec.seal(b"\x02"), good, good):
            peer.send(packet, server.address)
        data, _ = await peer.next()
        assert codec.open(data) == header + b"good"
        await peer.silence()
        assert [data for data, _ in origin.received] == [b"good"]

    play(scenario)


@pytest.mark.parametrize("method", ["aes-256-gcm", METHOD])
def test_one_time_auth_of_a_stream_is_named(play: Play, method: str) -> None:
    async def scenario(world: World) -> None:
        server = await world.server(engine=world.engine(drain_deadline=0.2), method=method, legacy_methods=LEGACY)
        reader, writer = await world.open(server.address)
        out = memoryview(bytearray(200))
        encoder, _ = client_tunnel(method, PASSWORD, legacy=LEGACY).client_streams()
        writer.write(out[: encoder.encode(OTA + bytes(10), out)])
        (closed,) = await world.closed(server)
        assert (closed.reason, "One-Time Auth" in closed.detail) == (Reason.BAD_REQUEST, True)
        assert await reader.read() == b""

    play(scenario)


@pytest.mark.parametrize("method", ["aes-256-gcm", METHOD])
def test_one_time_auth_of_a_datagram_is_named(play: Play, method: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(world: World) -> None:
        caplog.clear()
        caplog.set_level(logging.INFO)
        server = await world.server(method=method, legacy_methods=LEGACY, udp=True)
        peer = await UDPWorld(world).peer()
        peer.send(
            client_tunnel(method, PASSWORD, legacy=LEGACY).client_datagrams().seal(OTA + bytes(10)), server.address
        )
        await until(lambda: "One-Time Auth" in caplog.text)

    play(scenario)


def test_nobody_speaks_what_was_not_allowed(play: Play) -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(LocalProtocolError, match="does not protect against changes"):
            await world.server(method=METHOD)
        with pytest.raises(LocalProtocolError, match="--allow-legacy aes-128-ctr"):
            await world.client(("127.0.0.1", 9), method=METHOD, legacy_methods=frozenset({"aes-256-ctr"}))

    play(scenario)
