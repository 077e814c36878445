"""A small world for the engine's tests: origins, engines and clients in one loop, all stopped at the end."""

import asyncio
import hashlib
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractContextManager, AsyncExitStack
from typing import Any, Self, TypeVar

from ssgui.config.models import LocalSettings, ServerProfile, ServerSettings
from ssgui.config.secret import Secret
from ssgui.engine.engine import Engine
from ssgui.engine.events import Closed, Event, Opened, StageChanged
from ssgui.engine.journal import Journal
from ssgui.engine.poller import Poller
from ssgui.engine.relay import LocalRelay
from ssgui.engine.resolver import SockAddr
from ssgui.engine.server_relay import ServerRelay
from ssgui.engine.stages import Stage
from ssgui.engine.transports import TransportPoller
from ssgui.protocol.address import encode_address

METHOD = "aes-256-gcm"
PASSWORD = "a password of the tests"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_Entered = TypeVar("_Entered")
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class World:
    """Everything that it starts it stops."""

    def __init__(self, poller: str) -> None:
        self._poller_name = poller
        self.hears_resets_while_paused = poller != "transports"  # asyncio's transports do not
        self._stack = AsyncExitStack()
        self._writers: list[asyncio.StreamWriter] = []
        self._handlers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        for writer in self._writers:
            writer.transport.abort()
        await self._stack.aclose()
        for _ in range(4):  # what an origin accepted in its last turn is told to it now
            await asyncio.sleep(0)
        for task in self._handlers:
            task.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
        # Whatever they were lost by is asked for here, or the garbage collection would complain that nobody did.
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)

    def at_end(self, callback: Callable[[], object]) -> None:
        """Call `callback` when the world ends."""
        self._stack.callback(callback)

    def enter(self, manager: AbstractContextManager[_Entered]) -> _Entered:
        """Enter `manager` until the world ends."""
        return self._stack.enter_context(manager)

    # ---- engines

    def engine(self, **options: Any) -> Engine:
        """An engine on the poller under test."""
        poller: Poller | None = None
        if self._poller_name == "transports":
            poller = TransportPoller(asyncio.get_running_loop())
        engine = Engine(Journal(), poller=poller, **options)
        self._stack.push_async_callback(engine.stop, 0)
        return engine

    async def server(self, *, engine: Engine | None = None, **settings: Any) -> ServerRelay:
        """A server on a free port; everything may be reached through it unless `forbidden` is given."""
        chosen = {"method": METHOD, "password": Secret(PASSWORD), "forbidden": (), "bind_port": 0, **settings}
        return await (engine or self.engine()).start_server(ServerSettings(bind_host="127.0.0.1", **chosen))

    async def client(
        self, server: tuple[str, int], *, engine: Engine | None = None, method: str = METHOD,
        password: str = PASSWORD, **settings: Any,
    ) -> LocalRelay:  # fmt: skip
        """A client of the Shadowsocks server at `server`."""
        profile = ServerProfile(host=server[0], port=server[1], method=method, password=Secret(password))
        chosen = {"servers": (profile,), "bind_host": "127.0.0.1", "bind_port": 0, **settings}
        return await (engine or self.engine()).start_local(LocalSettings(**chosen))

    async def pair(self, **settings: Any) -> tuple[LocalRelay, ServerRelay]:
        """A client and its server, each with an engine of its own."""
        server = await self.server(**settings)
        return await self.client(server.address, **_of_both(settings)), server

    # ---- origins

    async def origin(self, serve: Serve, host: str = "127.0.0.1") -> tuple[str, int]:
        """A TCP server whose connections are served by `serve`; its address."""

        async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._handlers.add(task)
            self._writers.append(writer)
            try:
                await serve(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass  # the tests end connections in every way there is
            except asyncio.CancelledError:
                pass  # at the end of the world: streams of Python 3.12.1 report a cancelled task as a failure

        server = await asyncio.start_server(guarded, host, 0)
        self._stack.callback(server.close)
        address: tuple[str, int] = server.sockets[0].getsockname()[:2]
        return address

    async def echo(self, host: str = "127.0.0.1") -> tuple[str, int]:
        """An origin that sends back what it gets, and its FIN after the client's."""
        return await self.origin(echo, host)

    # ---- clients

    async def open(self, address: tuple[str, int], **options: Any) -> Streams:
        """A TCP connection that is aborted at the end of the world."""
        reader, writer = await asyncio.open_connection(*address, **options)
        self._writers.append(writer)
        return reader, writer

    async def connect(self, relay: LocalRelay, host: str, port: int, payload: bytes = b"") -> Streams:
        """A SOCKS5 connection to `host:port`; raises ConnectionError with the reply code if refused."""
        reader, writer = await self.open(relay.address)
        writer.write(b"\x05\x01\x00" + b"\x05\x01\x00" + encode_address(host, port) + payload)
        assert await reader.readexactly(2) == b"\x05\x00"
        reply = await reader.readexactly(10)
        if reply[1]:
            raise ConnectionError(reply[1])
        return reader, writer

    # ---- evidence

    @staticmethod
    def events(relay: LocalRelay | ServerRelay) -> list[Event]:
        """All that the relay's engine has told so far."""
        return relay.journal.read_since(0)[0]

    async def closed(self, relay: LocalRelay | ServerRelay, count: int = 1) -> list[Closed]:
        """The first `count` connections of the relay's engine that ended, when they have."""
        await until(lambda: len(_closed(self.events(relay))) >= count)
        return _closed(self.events(relay))

    def stages(self, relay: LocalRelay | ServerRelay) -> list[Stage]:
        """The stages that were entered after INIT, in order, by whichever connection."""
        return [event.stage for event in self.events(relay) if isinstance(event, StageChanged)]

    async def accepted(self, relay: LocalRelay | ServerRelay, count: int) -> None:
        """Wait until `count` connections were accepted."""
        await until(lambda: sum(isinstance(event, Opened) for event in self.events(relay)) == count)


def _of_both(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: settings[name] for name in ("udp", "udp_timeout", "timeout") if name in settings}


class StubLookup:
    """Answers every question with `error`, or, without one, never."""

    def __init__(self, error: OSError | None) -> None:
        self._error = error

    async def lookup(self, host: str, port: int) -> list[SockAddr]:
        if self._error is not None:
            raise self._error
        never: asyncio.Future[list[SockAddr]] = asyncio.get_running_loop().create_future()
        return await never

    def close(self) -> None:
        """Nothing is open."""


def _closed(events: Iterable[Event]) -> list[Closed]:
    return [event for event in events if isinstance(event, Closed)]


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait for `condition`; the loop turns meanwhile."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  a condition of any kind
            await asyncio.sleep(0.002)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection: send back, FIN after FIN."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write_eof()


async def digest_then_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read to the FIN, then answer with the SHA-256 of what came."""
    digest = hashlib.sha256()
    while data := await reader.read(1 << 18):
        digest.update(data)
    writer.write(digest.digest())
    await writer.drain()
    writer.write_eof()


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with a RST."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def random_bytes(size: int) -> bytes:
    """Bytes that compress to nothing and repeat nowhere."""
    return os.urandom(size)
