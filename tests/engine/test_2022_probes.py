"""What a stranger sees of a 2022 server: nothing, and the same end at the same time, whatever is sent."""

import asyncio
import base64
import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from ssgui.config.models import ServerUser
from ssgui.config.secret import Secret
from ssgui.engine.server_relay import ServerRelay
from ssgui.engine.stages import Reason
from ssgui.protocol.address import encode_address
from ssgui.protocol.sip022 import METHODS_2022
from tests.engine.test_probes import DEADLINE, SPREAD, probe
from tests.engine.world import World
from tests.protocol.sip022_wires import Sealer, identity_headers

Play = Callable[..., None]
METHOD = METHODS_2022["2022-blake3-aes-128-gcm"]
SERVER, ANN, EVE = (os.urandom(METHOD.key_size) for _ in range(3))
FIRST = 16 + 16 + 27  # what must come in one piece


async def users_server(world: World, **settings: Any) -> ServerRelay:
    users = (ServerUser("ann", Secret(base64.b64encode(ANN).decode())),)
    password = Secret(base64.b64encode(SERVER).decode())
    return await world.server(method=METHOD.name, password=password, users=users, **settings)


class Flight:
    """A client's first bytes; each of them with a salt of its own."""

    def __init__(self, *keys: bytes) -> None:
        keys = keys or (SERVER, ANN)
        salt = os.urandom(METHOD.salt_size)
        self._sealer = Sealer(METHOD, keys[-1], salt)
        self._identities = identity_headers(keys, salt)

    def to(self, address: bytes, *, padding: int = 0, payload: bytes = b"hello", late: int = 0, kind: int = 0) -> bytes:
        now = int(time.time()) - late
        return self._sealer.request(address, padding, payload, now=now, kind=kind, identities=self._identities)


async def all_probes(world: World, server: ServerRelay) -> dict[str, bytes]:
    """Name of each probe and its bytes."""
    target = encode_address(*await world.echo())
    flight = Flight().to(target)
    reader, writer = await world.open(server.address)
    writer.write(flight)
    answer = await reader.readexactly(16 + 27 + 16 + 5 + 16)
    table = {f"random {size}": os.urandom(size) for size in range(301)}
    table |= {f"cut at {size}": Flight().to(target)[:size] for size in range(len(flight))}
    for index in range(len(flight)):
        wire = bytearray(Flight().to(target))
        wire[index] ^= 1 << index % 8
        table[f"flipped at {index}"] = bytes(wire)
    return table | {
        "replay": flight,
        "replay, cut": flight[:FIRST],
        "reflected": answer,
        "answer type": Flight().to(target, kind=1),
        "31 s behind": Flight().to(target, late=31),
        "31 s ahead": Flight().to(target, late=-33),
        "unknown user": Flight(SERVER, EVE).to(target),
        "unknown server": Flight(EVE, ANN).to(target),
        "no user": Flight(SERVER).to(target, payload=b"long enough for a header"),
        "bad address type": Flight().to(b"\x02" + target[1:]),
        "no address": Flight().to(b"\x03\xff"),
        "nothing": Flight().to(target, payload=b""),
    }


def test_every_probe_ends_alike(play: Play) -> None:
    async def scenario(world: World) -> None:
        engine = world.engine(drain_deadline=DEADLINE)
        server = await users_server(world, engine=engine)
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
        server = await users_server(world, engine=world.engine(drain_deadline=60))
        table = await all_probes(world, server)
        chosen = [data for name, data in table.items() if name.split()[-1] in "0 1 32 58 59 60 80 300 replay type user"]
        assert len(chosen) > 20
        sent = [await probe(server.address, data, finish=True) for data in chosen]
        ends = [await one.ended for one in sent]
        assert {tuple(one.seen) for one in sent} == {("FIN", "end")}
        assert max(ends) < SPREAD

    play(scenario)


@pytest.mark.parametrize(
    ("name", "reason", "detail", "user"),
    [
        ("random 300", Reason.AUTH_FAILED, "no user has this key", ""),
        ("unknown user", Reason.AUTH_FAILED, "no user has this key", ""),
        ("flipped at 40", Reason.AUTH_FAILED, "a chunk does not open with this key and method", ""),
        ("random 10", Reason.BAD_REQUEST, "the first header came in pieces", ""),
        ("cut at 58", Reason.BAD_REQUEST, "the first header came in pieces", ""),
        ("replay", Reason.REPLAY, "the salt of this stream was seen before", ""),
        ("reflected", Reason.REPLAY, "the salt of this stream was seen before", ""),
        ("answer type", Reason.BAD_REQUEST, "a header of type 1, not 0", ""),
        ("31 s ahead", Reason.CLOCK_SKEW, "the client's clock is 3", "ann"),
        ("31 s behind", Reason.CLOCK_SKEW, "the client's clock is 3", "ann"),
        ("nothing", Reason.BAD_REQUEST, "a request with neither payload nor padding", "ann"),
        ("bad address type", Reason.BAD_REQUEST, "unknown address type 2", "ann"),
        ("no address", Reason.BAD_REQUEST, "the address is cut short", "ann"),
    ],
)
def test_the_journal_says_what_a_probe_was_at_once(
    play: Play, name: str, reason: Reason, detail: str, user: str
) -> None:
    async def scenario(world: World) -> None:
        server = await users_server(world, engine=world.engine(drain_deadline=60))
        data = (await all_probes(world, server))[name]
        sent = await probe(server.address, data)
        end = (await world.closed(server))[0]
        assert (end.reason, end.detail[: len(detail)], end.user) == (reason, detail, user)
        assert not sent.ended.done()
        assert len(server.engine.drain) == 1

    play(scenario)


async def send_slowly(world: World, server: ServerRelay, data: bytes) -> None:
    _, writer = await world.open(server.address)
    for byte in data:
        writer.write(bytes((byte,)))
        await writer.drain()
        await asyncio.sleep(0)


@pytest.mark.parametrize("allowed", [False, True])
def test_one_byte_at_a_time_needs_the_switch(play: Play, allowed: bool) -> None:
    async def scenario(world: World) -> None:
        server = await users_server(world, segmented_header=allowed)
        heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.set_result(await reader.readexactly(5))

        flight = Flight().to(encode_address(*await world.origin(serve)))
        await send_slowly(world, server, flight)
        if allowed:
            assert await heard == b"hello"
        else:
            assert (await world.closed(server))[0].detail == "the first header came in pieces"
            # The salt was not burnt: the same bytes are good in one piece.
            _, writer = await world.open(server.address)
            writer.write(flight)
            assert await heard == b"hello"

    play(scenario)


def test_behind_the_first_header_pieces_are_fine(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await users_server(world)
        heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.set_result(await reader.readexactly(5))

        flight = Flight().to(encode_address(*await world.origin(serve)), padding=3)
        _, writer = await world.open(server.address)
        writer.write(flight[:FIRST])
        for byte in flight[FIRST:]:
            await asyncio.sleep(0.001)
            writer.write(bytes((byte,)))
        assert await heard == b"hello"

    play(scenario)
