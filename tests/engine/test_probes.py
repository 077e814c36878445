"""What a stranger sees of a server: nothing, and the same end at the same time, whatever is sent."""

import asyncio
import os
import time
from collections.abc import Callable

import pytest

from ssgui.engine.server_relay import ServerRelay
from ssgui.engine.stages import Reason
from ssgui.protocol.address import encode_address
from ssgui.protocol.aead import AeadEncoder
from ssgui.protocol.methods import METHODS, key_for
from tests.engine.world import METHOD, PASSWORD, World, until

Play = Callable[..., None]
DEADLINE = 3.0
SPREAD = 0.5  # what the closing times may differ by, seconds


class Probe(asyncio.Protocol):
    """Sends its bytes at once and notes what it sees, with seconds since it was connected."""

    def __init__(self, data: bytes, *, finish: bool = False) -> None:
        self._data, self._finish = data, finish
        self.seen: list[str] = []
        self.ended: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._start = time.monotonic()
        self.transport = transport
        if self._data:
            transport.write(self._data)
        if self._finish:
            transport.write_eof()

    def data_received(self, data: bytes) -> None:
        self.seen.append(f"{len(data)} bytes")

    def eof_received(self) -> None:
        self.seen.append("FIN")

    def connection_lost(self, error: Exception | None) -> None:
        self.seen.append("end" if error is None else repr(error))
        self.ended.set_result(time.monotonic() - self._start)


async def probe(address: tuple[str, int], data: bytes, *, finish: bool = False) -> Probe:
    """Send one probe."""
    loop = asyncio.get_running_loop()
    _, sent = await loop.create_connection(lambda: Probe(data, finish=finish), *address)
    return sent


def first_flight(target: tuple[str, int], payload: bytes = b"hello", salt: bytes | None = None) -> bytes:
    """What a good client sends first."""
    method = METHODS[METHOD]
    encoder = AeadEncoder(method, key_for(method, PASSWORD), salt or os.urandom(method.salt_size))
    out = memoryview(bytearray(4096))
    return bytes(out[: encoder.encode(encode_address(*target) + payload, out)])


def bad_type_flight() -> bytes:
    """Well sealed, but its address is of no known type."""
    method = METHODS[METHOD]
    encoder = AeadEncoder(method, key_for(method, PASSWORD), os.urandom(method.salt_size))
    out = memoryview(bytearray(4096))
    return bytes(out[: encoder.encode(b"\x02\x01\x02\x03\x04\x00\x50", out)])


async def recorded(world: World, server: ServerRelay, target: tuple[str, int]) -> tuple[bytes, bytes]:
    """A first flight that was served, and the server's answer to it."""
    flight = first_flight(target)
    reader, writer = await world.open(server.address)
    writer.write(flight)
    answer = await reader.readexactly(METHODS[METHOD].salt_size + 2 + 16 + 5 + 16)
    return flight, answer


async def all_probes(world: World, server: ServerRelay) -> dict[str, bytes]:
    """The table of the issue: name of each probe and its bytes."""
    target = await world.echo()
    flight, answer = await recorded(world, server, target)
    fresh = first_flight(target)
    table = {f"random {size}": os.urandom(size) for size in range(301)}
    table |= {f"cut at {size}": first_flight(target)[:size] for size in range(len(fresh))}
    for index in range(len(fresh)):
        wire = bytearray(first_flight(target))
        wire[index] ^= 1 << index % 8
        table[f"flipped at {index}"] = bytes(wire)
    table["replay"] = flight
    table["replay, cut"] = flight[:60]
    table["reflected"] = answer
    table["bad address type"] = bad_type_flight()
    return table


def test_every_probe_ends_alike(play: Play) -> None:
    async def scenario(world: World) -> None:
        engine = world.engine(drain_deadline=DEADLINE)
        server = await world.server(engine=engine)
        table = await all_probes(world, server)
        sent = {name: await probe(server.address, data) for name, data in table.items()}
        ends = {name: await one.ended for name, one in sent.items()}
        odd = {name: one.seen for name, one in sent.items() if one.seen != ["FIN", "end"]}
        assert not odd
        assert max(ends.values()) - min(ends.values()) < SPREAD, sorted(ends.items(), key=lambda one: one[1])
        assert min(ends.values()) > DEADLINE - SPREAD / 2
        assert not engine.drain

    play(scenario)


def test_a_probe_that_finishes_is_answered_with_a_fin_at_once(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server(engine=world.engine(drain_deadline=60))
        table = await all_probes(world, server)
        chosen = [data for name, data in table.items() if name.split()[-1] in "0 1 31 32 33 50 51 80 300 replay type"]
        sent = [await probe(server.address, data, finish=True) for data in chosen]
        ends = [await one.ended for one in sent]
        assert {tuple(one.seen) for one in sent} == {("FIN", "end")}
        assert max(ends) < SPREAD

    play(scenario)


def test_what_comes_later_does_not_move_the_deadline(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server(engine=world.engine(drain_deadline=1.0))
        talker = await probe(server.address, b"x" * 100)
        silent = await probe(server.address, b"")
        while not talker.ended.done():
            talker.transport.write(b"y" * 1000)
            await asyncio.sleep(0.05)
        assert abs(await talker.ended - await silent.ended) < SPREAD / 2
        assert talker.seen[0] == "FIN"

    play(scenario)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("random 300", Reason.AUTH_FAILED),
        ("replay", Reason.REPLAY),
        ("reflected", Reason.REPLAY),
        ("bad address type", Reason.BAD_REQUEST),
        ("flipped at 60", Reason.AUTH_FAILED),
    ],
)
def test_the_journal_says_what_a_probe_was_at_once(play: Play, name: str, reason: Reason) -> None:
    async def scenario(world: World) -> None:
        server = await world.server(engine=world.engine(drain_deadline=60))
        data = (await all_probes(world, server))[name]
        sent = await probe(server.address, data)
        closed = await world.closed(server)
        assert [one.reason for one in closed] == [reason]
        assert not sent.ended.done()
        assert len(server.engine.drain) == 1

    play(scenario)


def test_a_silent_stranger_is_a_handshake_that_timed_out(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server(engine=world.engine(drain_deadline=0.2))
        await (await probe(server.address, b"few")).ended
        assert (await world.closed(server))[0].reason is Reason.HANDSHAKE_TIMEOUT

    play(scenario)


def test_one_byte_at_a_time_is_no_probe(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()
        _, writer = await world.open(server.address)
        heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.set_result(await reader.readexactly(5))

        target = await world.origin(serve)
        for byte in first_flight(target):
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(0)
        assert await heard == b"hello"

    play(scenario)


def test_the_first_of_too_many_strangers_goes(play: Play) -> None:
    async def scenario(world: World) -> None:
        engine = world.engine(drain_deadline=60)
        engine.drain._most = 20
        server = await world.server(engine=engine)
        kinds = [b"", b"few", os.urandom(100)]
        sent = []
        for number in range(25):
            sent.append(await probe(server.address, kinds[number % 3]))
            await world.accepted(server, number + 1)
        for one in sent[:5]:
            await one.ended
        assert {tuple(one.seen) for one in sent[:5]} == {("FIN", "end")}
        await until(lambda: len(engine.drain) == 20)
        assert not any(one.ended.done() for one in sent[5:])

    play(scenario)


def test_a_tampered_chunk_after_a_good_address_resets_both_sides(play: Play) -> None:
    async def scenario(world: World) -> None:
        heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.set_result(await reader.readexactly(5))
            try:
                await reader.read()
            except ConnectionResetError:
                lost.set_result(None)

        server = await world.server()
        reader, writer = await world.open(server.address)
        writer.write(first_flight(await world.origin(serve)))
        assert await heard == b"hello"
        writer.write(os.urandom(100))
        await lost
        with pytest.raises(ConnectionResetError):
            await reader.read()
        assert (await world.closed(server))[0].reason is Reason.AUTH_FAILED

    play(scenario)
