"""Mangled requests and mangled answers, in any pieces: nothing crashes, nothing hangs, nothing is left."""

import asyncio
import logging
import random
from collections.abc import Callable

import pytest

from ssgui.engine import handler as handler_module
from tests.engine.world import World, until

Play = Callable[..., None]
CASES = 60
REQUESTS = (
    b"GET http://HOST/a HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://HOST/a HTTP/1.0\r\n\r\n",
    b"HEAD http://HOST/a HTTP/1.1\r\nHost: x\r\nConnection: close, X-A\r\nX-A: b\r\n\r\n",
    b"POST http://HOST/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
    b"POST http://HOST/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
    b"GET http://HOST/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"CONNECT HOST HTTP/1.1\r\nHost: x\r\n\r\nhello",
    b"OPTIONS http://HOST HTTP/1.1\r\nHost: x\r\n\r\n",
)
ANSWERS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.0 200 OK\r\n\r\nhello",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nframes",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    b"ICY 200 OK\r\n\r\nmusic",
)


def mangled(dice: random.Random, data: bytes) -> bytes:
    """`data` with some bytes changed, lost, doubled or put in; often it is left as it is."""
    out = bytearray(data)
    for _ in range(dice.choice((0, 0, 0, 1, 1, 2, 8))):
        at = dice.randrange(len(out) + 1)
        match dice.randrange(4):
            case 0:
                out[at : at + 1] = bytes((dice.randrange(256),))
            case 1:
                del out[at : at + dice.randrange(1, 5)]
            case 2:
                out[at:at] = out[at : at + dice.randrange(20)]
            case 3:
                out[at:at] = dice.choice((b"\r\n", b"\n", b"\x00", b" ", b": ", b"\r\n\r\n", b"9" * 30))
    return b"" + bytes(out)


async def in_pieces(dice: random.Random, writer: asyncio.StreamWriter, data: bytes) -> None:
    while data:
        size = dice.choice((1, 7, 40, 5000))
        writer.write(data[:size])
        data = data[size:]
        await asyncio.sleep(0)


@pytest.mark.parametrize("seed", range(3))
def test_nothing_that_is_mangled_does_harm(
    play: Play, seed: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler_module, "HALF_CLOSED_TIMEOUT", 0.5)
    dice = random.Random(seed)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            await in_pieces(dice, writer, mangled(dice, dice.choice(ANSWERS)))
            if dice.random() < 0.3:
                break
        writer.close()

    async def program(world: World, address: tuple[str, int], origin: tuple[str, int]) -> None:
        reader, writer = await world.open(address)
        host = f"{origin[0]}:{origin[1]}".encode()
        try:
            for _ in range(dice.randrange(1, 4)):
                request = dice.choice(REQUESTS).replace(b"HOST", host)
                await in_pieces(dice, writer, mangled(dice, request))
            async with asyncio.timeout(0.1):
                await reader.read()
        except (TimeoutError, ConnectionError):
            pass
        writer.transport.abort()

    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        origin = await world.origin(serve)
        for _ in range(CASES // 10):
            await asyncio.gather(*(program(world, client.address, origin) for _ in range(10)))
        await until(lambda: not client.engine.handlers)
        await until(lambda: not client.kept_alive)
        assert client.engine.reactor.unsent == 0

    play(scenario)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
