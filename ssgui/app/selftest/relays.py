"""Part of the self-test: a client and a server on the loopback, and data through both with every method."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, cast

from ssgui.app.passwords import make_password
from ssgui.config.models import LocalSettings, ServerProfile, ServerSettings
from ssgui.engine.engine import Engine
from ssgui.engine.journal import Journal
from ssgui.engine.loop import new_headless_loop
from ssgui.protocol.address import Address
from ssgui.protocol.methods import ALL_LEGACY, METHODS
from ssgui.protocol.sip022 import METHODS_2022
from ssgui.protocol.stream_ciphers import STREAM_METHODS

HOST: Final = "127.0.0.1"
SIZE: Final = 1 << 20
_DATAGRAM: Final = 1200
_SECONDS: Final = 10.0
_TRIES: Final = 8  # a port that is free for TCP may be taken for UDP; and a datagram may be lost, even here


class RelayError(OSError):
    """What came back is not what was sent."""


def relay_everything() -> str:
    """1 MiB there and back by TCP, and a datagram, with each method. OSError names the method that did not."""
    methods = (*METHODS, *METHODS_2022, *STREAM_METHODS)
    with asyncio.Runner(loop_factory=new_headless_loop) as runner:
        runner.run(_relay_all(methods))
    return f"1 MiB there and back and a datagram with each of {len(methods)} methods"


async def _relay_all(methods: tuple[str, ...]) -> None:
    data = secrets.token_bytes(SIZE)
    async with _echo() as target:
        for method in methods:
            try:
                async with asyncio.timeout(_SECONDS):
                    await _relay(method, target, data)
            except TimeoutError:
                raise RelayError(f"{method}: nothing within {_SECONDS:g} s") from None
            except Exception as error:
                raise RelayError(f"{method}: {str(error) or type(error).__name__}") from error


async def _relay(method: str, target: Address, data: bytes) -> None:
    engine, password = Engine(Journal()), make_password(method)
    try:
        # Nothing is forbidden: what is asked for is on the loopback, and so is whoever may ask.
        server = await engine.start_server(
            ServerSettings(HOST, 0, method, password, forbidden=(), udp=True, legacy_methods=ALL_LEGACY)
        )
        profile = ServerProfile(*server.address, method, password)
        client = await engine.start_local(
            LocalSettings((profile,), HOST, 0, udp=True, tunnel=target, legacy_methods=ALL_LEGACY)
        )
        if await _by_tcp(client.address, data) != data:
            raise RelayError("what came back by TCP is not what was sent")
        if await _by_udp(client.address, data[:_DATAGRAM]) != data[:_DATAGRAM]:
            raise RelayError("what came back by UDP is not what was sent")
    finally:
        await engine.stop(0)


async def _by_tcp(address: tuple[str, int], data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(data)
        writer.write_eof()
        return await reader.read(-1)
    finally:
        writer.close()


async def _by_udp(address: tuple[str, int], data: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    heard: asyncio.Future[bytes] = loop.create_future()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Ear(heard), remote_addr=address)
    try:
        for _ in range(_TRIES):
            transport.sendto(data)
            done, _pending = await asyncio.wait([heard], timeout=_SECONDS / 2 / _TRIES)
            if done:
                return heard.result()
    finally:
        transport.close()
    raise RelayError("no datagram came back")


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, heard: "asyncio.Future[bytes]") -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self._heard.done():
            self._heard.set_result(data)


class _Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._transport.sendto(data, addr)


async def _echo_stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What comes goes back, at once: neither side of the relay can wait for the whole."""
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass  # the test has ended
    finally:
        writer.close()


@asynccontextmanager
async def _echo() -> AsyncIterator[Address]:
    """Something that sends back what it gets, by TCP and UDP on one port."""
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        for number in range(_TRIES):
            server = await asyncio.start_server(_echo_stream, HOST, 0)
            port = server.sockets[0].getsockname()[1]
            try:
                transport, _ = await loop.create_datagram_endpoint(_Echo, local_addr=(HOST, port))
            except OSError:
                server.close()
                if number == _TRIES - 1:
                    raise
                continue
            stack.callback(server.close)
            stack.callback(transport.close)
            break
        yield Address(HOST, port)
