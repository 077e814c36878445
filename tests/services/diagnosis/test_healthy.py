"""Connections of every healthy kind at once: nothing is wrong with any of them, nor with the whole, at any moment."""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from ssgui.engine.relay import LocalRelay
from ssgui.engine.stages import Reason
from tests.engine.udp_world import UDPWorld
from tests.engine.world import World, digest_then_answer
from tests.support.observer import Observer

Play = Callable[..., None]
LOOK_SECONDS = 0.2  # as the window looks
AT_ONCE = 120
BULK = 2_000_000
_KINDS = (
    "short",
    "http",
    "download",
    "upload",
    "unhurried",
    "idle",
    "slow",
    "half-closed",
    "greeting",
    "direct",
    "udp",
)


class Crowd:
    """Programs behind one client, which has a port that goes through a server, and one that goes directly."""

    def __init__(self, world: World, through: LocalRelay, directly: LocalRelay, seed: int) -> None:
        self._world, self._through, self._directly = world, through, directly
        self._chance = random.Random(seed)
        self._gate = asyncio.Semaphore(AT_ONCE)
        self.over = asyncio.Event()
        self.done: Counter[str] = Counter()
        self._places: dict[str, tuple[str, int]] = {}

    async def begin(self) -> None:
        """Open what they talk to."""
        world = self._world
        self._places = {
            "echo": await world.echo(),
            "digest": await world.origin(digest_then_answer),
            "bulk": await world.origin(_bulk),
            "slow": await world.origin(_slow),
            "greeting": await world.origin(_greeting),
            "http": await world.origin(_http),
        }
        self._udp = UDPWorld(world)
        self._echo = await self._udp.echo()

    async def go(self, number: int) -> None:
        """One of them, from beginning to end."""
        kind = _KINDS[number % len(_KINDS)]
        acts: dict[str, Callable[[], Awaitable[None]]] = {
            "short": self._short, "http": self._asks_http, "download": self._download, "upload": self._upload,
            "unhurried": self._unhurried, "idle": self._idle, "slow": self._waits, "half-closed": self._half_closed,
            "greeting": self._is_greeted, "direct": self._goes_directly, "udp": self._datagrams,
        }  # fmt: skip
        async with self._gate:
            await asyncio.sleep(self._chance.uniform(0, 0.5))
            await acts[kind]()
        self.done[kind] += 1

    async def _exchange(self, relay: LocalRelay, place: str) -> None:
        reader, writer = await self._world.connect(relay, *self._places[place], payload=b"question")
        assert await reader.readexactly(8) == b"question"
        writer.write_eof()
        assert await reader.read() == b""

    async def _short(self) -> None:
        await self._exchange(self._through, "echo")

    async def _goes_directly(self) -> None:
        await self._exchange(self._directly, "echo")

    async def _asks_http(self) -> None:
        reader, writer = await self._world.open(self._through.address)
        url = "http://{}:{}/".format(*self._places["http"]).encode()
        for _ in range(3):
            writer.write(b"GET " + url + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200" in await reader.readuntil(b"\r\n\r\nok")
            await asyncio.sleep(0.1)
        writer.write_eof()

    async def _download(self) -> None:
        reader, _ = await self._world.connect(self._through, *self._places["bulk"], payload=b"x")
        assert len(await reader.readexactly(BULK)) == BULK

    async def _unhurried(self) -> None:
        """Reads in its own time: less than comes."""
        reader, _ = await self._world.connect(self._through, *self._places["bulk"], payload=b"x")
        for _ in range(20):
            await reader.readexactly(BULK // 20)
            await asyncio.sleep(0.05)

    async def _upload(self) -> None:
        data = bytes(BULK)
        reader, writer = await self._world.connect(self._through, *self._places["digest"])
        for at in range(0, BULK, BULK // 10):
            writer.write(data[at : at + BULK // 10])
            await asyncio.sleep(0.02)
        writer.write_eof()
        assert await reader.read() == hashlib.sha256(data).digest()

    async def _half_closed(self) -> None:
        reader, writer = await self._world.connect(self._through, *self._places["digest"], payload=b"all of it")
        writer.write_eof()
        assert len(await reader.read()) == 32

    async def _waits(self) -> None:
        reader, _ = await self._world.connect(self._through, *self._places["slow"], payload=b"hello?")
        assert await reader.readexactly(4) == b"here"

    async def _is_greeted(self) -> None:
        reader, _ = await self._world.connect(self._through, *self._places["greeting"])
        assert await reader.readexactly(3) == b"220"

    async def _idle(self) -> None:
        """Keeps its connection; nobody waits for it."""
        reader, _ = await self._world.connect(self._through, *self._places["echo"], payload=b"x")
        assert await reader.readexactly(1) == b"x"

    async def _datagrams(self) -> None:
        program = await self._udp.program(self._through)
        assert await program.ask(b"datagram", self._echo.address) == b"datagram"


async def _bulk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(bytes(BULK))
    await writer.drain()
    await reader.read()
    writer.write_eof()


async def _slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(6)
    await asyncio.sleep(random.uniform(0.5, 3))
    writer.write(b"here")
    await reader.read()
    writer.write_eof()


async def _greeting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.4)
    writer.write(b"220")
    await reader.read()
    writer.write_eof()


async def _http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.readuntil(b"\r\n\r\n"):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


async def watch(observers: list[Observer], crowd: Crowd, seen: list[object]) -> None:
    """Look at all of them, again and again."""
    looks = 0
    while not crowd.over.is_set():
        for observer in observers:
            seen += observer.found()
            seen += [one for one in (observer.overall(),) if one is not None]
            if observer.kind() not in ("ready", "connecting", "on", "none"):
                seen.append(observer.kind())
        looks += 1
        await asyncio.sleep(LOOK_SECONDS)
    assert looks > 5


@pytest.mark.parametrize("count", [110, pytest.param(1000, marks=pytest.mark.long)])
def test_nothing_is_wrong(play_once: Play, count: int) -> None:
    async def scenario(world: World) -> None:
        server = await world.server(udp=True)
        engine = world.engine()
        through = await world.client(server.address, engine=engine, udp=True)
        directly = await world.client(server.address, engine=engine)
        directly.router.pause(True)
        crowd = Crowd(world, through, directly, seed=count)
        await crowd.begin()
        observers, seen = [Observer(through), Observer(server)], list[object]()
        watching = asyncio.ensure_future(watch(observers, crowd, seen))
        await asyncio.gather(*(crowd.go(number) for number in range(count)))
        crowd.over.set()
        await watching
        assert not seen, seen[:5]
        assert set(crowd.done) == set(_KINDS)
        assert sum(crowd.done.values()) == count
        rows = observers[0].rows()
        assert len(rows) >= count
        assert {one.route for one in rows if one.target} == {"proxy", "direct"}
        assert not [one for one in rows if one.reason not in (None, Reason.FINISHED)]
        assert not observers[0].found(ahead=15.0)  # those that are kept may be kept for a while

    play_once(scenario)
