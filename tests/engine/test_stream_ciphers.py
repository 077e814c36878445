"""The stream ciphers of old through the engine: both ends, wrong keys, replays, and what has to be allowed."""

import asyncio
import base64
import logging
import os
import time
from collections.abc import Callable

import pytest

from ssgui.config.secret import Secret
from ssgui.engine.server_relay import ServerRelay
from ssgui.engine.stages import Reason
from ssgui.engine.tunnel import client_tunnel
from ssgui.protocol.address import encode_address
from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.methods import key_for
from ssgui.protocol.sip022 import METHODS_2022
from ssgui.protocol.stream_ciphers import STREAM_METHODS
from ssgui.protocol.stream_codecs import StreamCipherEncoder
from tests.engine.test_probes import SPREAD, probe
from tests.engine.udp_world import SILENCE, UDPWorld
from tests.engine.world import PASSWORD, World, until
from tests.protocol.sip022_wires import Sealer
from tests.protocol.vectors import load

Play = Callable[..., None]
FAMILIES = [
    "aes-256-cfb", "aes-128-cfb8", "aes-192-ctr", "aes-256-ofb", "camellia-128-cfb", "bf-cfb", "des-cfb", "rc4-md5",
    "chacha20", "chacha20-ietf",
]  # fmt: skip
METHOD = "aes-128-ctr"
OTA = b"\x11\x7f\x00\x00\x01\x00\x50"
LEGACY = frozenset({METHOD})
AEAD_2022 = "2022-blake3-aes-128-gcm"
KEY_2022 = bytes(range(16))
OTA_VECTOR = load("ota_legacy.json")


def flight(plain: bytes, password: str = PASSWORD, iv: bytes = b"", name: str = METHOD) -> bytes:
    """What a client sends first."""
    method = STREAM_METHODS[name]
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
        for replayed in await recorded(world, server, METHOD):
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


async def recorded(world: World, server: ServerRelay, name: str) -> tuple[bytes, bytes]:
    """A first flight that was served, and the server's answer to it."""
    wire = flight(encode_address(*await world.echo()) + b"hello", name=name)
    reader, writer = await world.open(server.address)
    writer.write(wire)
    return wire, await reader.readexactly(STREAM_METHODS[name].iv_size + 5)


def noise_of_another_key(name: str) -> bytes:
    """A good request with a wrong key, of those 84 in 85 that begin with no address then."""
    method = STREAM_METHODS[name]
    while True:
        wire = flight(encode_address("example.com", 80) + b"hello", "another password", name=name)
        iv = wire[: method.iv_size]
        if method.decryptor(key_for(method, PASSWORD), iv).update(wire[len(iv) :])[0] & ~0x10 not in (1, 3, 4):
            return wire


@pytest.mark.parametrize("name", [METHOD, "chacha20"])
def test_every_probe_ends_alike(play: Play, name: str) -> None:
    async def scenario(world: World) -> None:
        engine = world.engine(drain_deadline=1)
        server = await world.server(engine=engine, method=name, legacy_methods=frozenset({name}))
        size = STREAM_METHODS[name].iv_size
        good = encode_address("example.com", 80)
        table = {f"{length} bytes of an IV": os.urandom(length) for length in range(size + 1)}
        table |= {f"address cut at {cut}": flight(good[:cut], name=name) for cut in range(1, len(good))}
        table |= {f"{length} of no address": flight(b"\x02" + os.urandom(length), name=name) for length in range(40)}
        table |= {f"a wrong key, {number}": noise_of_another_key(name) for number in range(10)}
        table["an empty name"] = flight(b"\x03\x00\x00\x50", name=name)
        table["One-Time Auth"] = flight(OTA, name=name)
        table["replay"], table["reflected"] = await recorded(world, server, name)
        sent = {what: await probe(server.address, wire) for what, wire in table.items()}
        ends = {what: await one.ended for what, one in sent.items()}
        assert {what: one.seen for what, one in sent.items() if one.seen != ["FIN", "end"]} == {}
        assert max(ends.values()) - min(ends.values()) < SPREAD, sorted(ends.items(), key=lambda one: one[1])
        assert min(ends.values()) > 1 - SPREAD
        assert not engine.drain

    play(scenario)


def test_one_byte_at_a_time_is_no_probe(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server(method=METHOD, legacy_methods=LEGACY)
        reader, writer = await world.open(server.address)
        encoder, decoder = client_tunnel(METHOD, PASSWORD, legacy=LEGACY).client_streams()
        wire, plain = memoryview(bytearray(100)), memoryview(bytearray(100))
        for byte in bytes(wire[: encoder.encode(encode_address(*await world.echo()) + b"hello", wire)]):
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(0)
        answer = await reader.readexactly(16 + 5)
        assert bytes(plain[: decoder.decode(memoryview(answer), plain)]) == b"hello"

    play(scenario)


# ---- One-Time Auth


def ota_stream(method: str) -> bytes:
    """The beginning of a stream that asks for One-Time Auth."""
    if method == AEAD_2022:
        return Sealer(METHODS_2022[method], KEY_2022, os.urandom(16)).request(OTA, 5, b"", now=int(time.time()))
    out = memoryview(bytearray(200))
    encoder, _ = client_tunnel(method, PASSWORD, legacy=LEGACY).client_streams()
    return bytes(out[: encoder.encode(OTA + bytes(10), out)])


def password_of(method: str) -> str:
    return base64.b64encode(KEY_2022).decode() if method == AEAD_2022 else PASSWORD


@pytest.mark.parametrize("method", ["aes-256-gcm", AEAD_2022, METHOD])
def test_one_time_auth_of_a_stream_is_named(play: Play, method: str) -> None:
    async def scenario(world: World) -> None:
        server = await world.server(
            engine=world.engine(drain_deadline=0.2), method=method, legacy_methods=LEGACY,
            password=Secret(password_of(method)),
        )  # fmt: skip
        reader, writer = await world.open(server.address)
        writer.write(ota_stream(method))
        (closed,) = await world.closed(server)
        assert (closed.reason, "One-Time Auth" in closed.detail) == (Reason.BAD_REQUEST, True)
        assert await reader.read() == b""

    play(scenario)


@pytest.mark.parametrize("method", ["aes-256-gcm", AEAD_2022, METHOD])
def test_one_time_auth_of_a_datagram_is_named(play: Play, method: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(world: World) -> None:
        caplog.clear()
        caplog.set_level(logging.INFO)
        password = password_of(method)
        server = await world.server(method=method, legacy_methods=LEGACY, udp=True, password=Secret(password))
        peer = await UDPWorld(world).peer()
        peer.send(
            client_tunnel(method, password, legacy=LEGACY).client_datagrams().seal(OTA + bytes(10)), server.address
        )
        await until(lambda: "One-Time Auth" in caplog.text)

    play(scenario)


def test_one_time_auth_of_the_vectors_is_named(play: Play) -> None:
    """The very stream that a client of that time sends: header, its HMAC, and a first chunk."""

    async def scenario(world: World) -> None:
        name, case = "aes-128-cfb", {key: bytes.fromhex(text) for key, text in OTA_VECTOR.items() if key != "note"}
        method = STREAM_METHODS[name]
        assert key_for(method, "correct horse battery") == case["key"]
        plain = case["header"] + case["header_hmac_sha1_10"] + case["chunk0"]
        server = await world.server(
            engine=world.engine(drain_deadline=0.2), method=name, legacy_methods=frozenset({name}),
            password=Secret("correct horse battery"),
        )  # fmt: skip
        reader, writer = await world.open(server.address)
        writer.write(case["iv"] + method.encryptor(case["key"], case["iv"]).update(plain))
        (closed,) = await world.closed(server)
        assert (closed.reason, "One-Time Auth" in closed.detail) == (Reason.BAD_REQUEST, True)
        assert closed.target == ""
        assert await reader.read() == b""

    play(scenario)


# ---- what has to be allowed


def test_nobody_speaks_what_was_not_allowed(play: Play) -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(LocalProtocolError, match="does not protect against changes"):
            await world.server(method=METHOD)
        with pytest.raises(LocalProtocolError, match="--allow-legacy aes-128-ctr"):
            await world.client(("127.0.0.1", 9), method=METHOD, legacy_methods=frozenset({"aes-256-ctr"}))

    play(scenario)
