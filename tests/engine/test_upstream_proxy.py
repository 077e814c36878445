"""Servers behind a proxy: every way it can go, and who is to blame."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from ssgui.config.models import ServerChoice, ServerProfile, UpstreamProxy
from ssgui.config.secret import Secret
from ssgui.engine.relay import LocalRelay
from ssgui.engine.stages import Reason, Stage
from ssgui.engine.upstream import proxy as module
from ssgui.protocol.address import Address, decode_address
from ssgui.protocol.errors import LocalProtocolError
from tests.engine.world import METHOD, PASSWORD, World, digest_then_answer, reset, until
from tests.support.ports import free_port

Play = Callable[..., None]
KINDS = ["socks5", "http"]
NAME = "server.invalid"  # for the proxy alone to resolve


class Proxy:
    """Speaks either protocol and leads every target to `server`; `one_byte`: its answers come byte by byte."""

    def __init__(self, server: tuple[str, int], *, user: str = "", one_byte: bool = False) -> None:
        self.server, self.user, self.one_byte = server, user, one_byte
        self.asked: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.readexactly(1)
        await (self._socks(reader, writer) if first == b"\x05" else self._http(first, reader, writer))
        there, back = await asyncio.open_connection(*self.server)
        try:
            await asyncio.gather(_pipe(reader, back), _pipe(there, writer))
        finally:
            back.transport.abort()

    async def _socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        methods = await reader.readexactly((await reader.readexactly(1))[0])
        assert methods == (b"\x00\x02" if self.user else b"\x00")
        if self.user:
            await self._say(writer, b"\x05\x02")
            _, size = await reader.readexactly(2)
            assert (await reader.readexactly(size)).decode() == self.user
            await reader.readexactly((await reader.readexactly(1))[0])
            await self._say(writer, b"\x01\x00")
        else:
            await self._say(writer, b"\x05\x00")
        assert await reader.readexactly(3) == b"\x05\x01\x00"
        header = b""
        while (found := decode_address(header)) is None:
            header += await reader.readexactly(1)
        self.asked.append(str(found[0]).encode())
        await self._say(writer, b"\x05\x00\x00\x03\x04here\x00\x00")

    async def _http(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (first + await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        assert (b"Proxy-Authorization: Basic YW5uOnB3" in lines) == bool(self.user)
        self.asked.append(lines[0].split()[1])
        await self._say(writer, b"HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n")

    async def _say(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        for piece in [data[at : at + 1] for at in range(len(data))] if self.one_byte else [data]:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.001 * self.one_byte)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):  # the tests end connections in every way there is
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


def profile(host: str = NAME, port: int = 8388) -> ServerProfile:
    return ServerProfile(host, port, METHOD, Secret(PASSWORD))


async def client_behind(world: World, kind: str, proxy: tuple[str, int], user: str = "", **more: Any) -> LocalRelay:
    upstream = UpstreamProxy(kind, *proxy, user, Secret("pw" if user else ""))
    settings = {"servers": (profile(),), "upstream_proxy": upstream, "choice": ServerChoice.FIXED, **more}
    return await world.client(("", 0), **settings)


def alive(client: LocalRelay) -> list[bool]:
    return [view.dead_since is None for view in client.pool.view()]


@pytest.mark.parametrize("one_byte", [False, True])
@pytest.mark.parametrize("user", ["", "ann"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_tunnel(play: Play, kind: str, user: str, one_byte: bool) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()
        proxy = Proxy(server.address, user=user, one_byte=one_byte)
        client = await client_behind(world, kind, await world.origin(proxy.serve), user)
        reader, writer = await world.connect(client, *await world.origin(digest_then_answer), payload=b"early")
        writer.write(bytes(300_000))
        writer.write_eof()
        assert len(await reader.read()) == 32
        assert proxy.asked == [b"server.invalid:8388"]
        assert world.stages(client) == [
            Stage.ADDR, Stage.DNS, Stage.CONNECTING, Stage.STREAM, Stage.DESTROYED,
        ]  # fmt: skip
        (closed,) = await world.closed(client)
        assert (closed.reason, closed.up, closed.down) == (Reason.FINISHED, 300_005, 32)
        assert alive(client) == [True]

    play(scenario)


def test_a_proxy_that_has_a_name_and_a_server_that_speaks_first(play: Play) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready")
        await reader.read()

    async def scenario(world: World) -> None:
        proxy = Proxy((await world.server()).address)
        address = await world.origin(proxy.serve)
        client = await client_behind(world, "socks5", ("localhost", address[1]), servers=(profile("::1", 443),))
        reader, _ = await world.connect(client, *await world.origin(greet))
        assert await reader.readexactly(9) == b"220 ready"
        assert proxy.asked == [b"[::1]:443"]

    play(scenario)


def test_payload_that_comes_while_the_proxy_takes_its_time(play: Play) -> None:
    async def scenario(world: World) -> None:
        proxy, go = Proxy((await world.server()).address), asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await go.wait()
            await proxy.serve(reader, writer)

        client = await client_behind(world, "http", await world.origin(serve))
        reader, writer = await world.open(client.address)
        target = await world.echo()
        payload = bytes(range(256)) * 1000
        writer.write(b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01" + target[1].to_bytes(2, "big") + payload)
        await until(lambda: any(one.held_up for one in (h.view() for h in client.engine.handlers.values())))
        assert world.stages(client)[-1] is Stage.CONNECTING
        go.set()
        assert (await reader.readexactly(12))[3] == 0
        assert await reader.readexactly(len(payload)) == payload

    play(scenario)


@pytest.mark.parametrize(
    ("kind", "answer", "reason", "detail", "blamed"),
    [
        ("http", b"HTTP/1.1 407 No\r\n\r\n", Reason.DENIED, "answered 407 No (it wants a user and password", False),
        ("http", b"HTTP/1.1 502 Bad Gateway\r\n\r\n", Reason.UNREACHABLE, "", True),
        ("http", b"HTTP/1.1 403 Forbidden\r\n\r\n", Reason.DENIED, "", True),
        ("http", b"\x05\xff", Reason.UNREACHABLE, "speaks no HTTP", False),
        ("http", b"HTTP/1.1 200 OK\r\n\r\nhello", Reason.UNREACHABLE, "sent something behind its answer", False),
        ("http", b"HTTP/1.1 200", Reason.UNREACHABLE, "ended the connection without an answer", False),
        ("http", b"", Reason.UNREACHABLE, "ended the connection without an answer", False),
        ("http", b"HTTP/1.1 200 O\r\n" + b"X: y\r\n" * 20_000, Reason.UNREACHABLE, "speaks no HTTP", False),
        ("socks5", b"\x05\xff", Reason.DENIED, "accepts nobody without user and password", False),
        ("socks5", b"\x05\x00\x05\x05\x00\x01", Reason.CONNECT_REFUSED, "", True),
        ("socks5", b"\x05\x00\x05\x04\x00\x01", Reason.UNREACHABLE, "", True),
        ("socks5", b"HTTP/1.1 400 Bad Request\r\n\r\n", Reason.UNREACHABLE, "speaks no SOCKS5", False),
    ],
)
def test_who_is_to_blame(
    play: Play, kind: str, answer: bytes, reason: Reason, detail: str, blamed: bool, caplog: pytest.LogCaptureFixture
) -> None:  # fmt: skip
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        writer.write_eof()
        await reader.read()

    async def scenario(world: World) -> None:
        caplog.clear()
        address = await world.origin(serve)
        client = await client_behind(world, kind, address)
        with pytest.raises(ConnectionError):
            await world.connect(client, "example.com", 80)
        (closed,) = await world.closed(client)
        assert closed.reason is reason
        who = f"the proxy 127.0.0.1:{address[1]} "
        assert closed.detail.startswith(who + detail if detail else "")
        assert bool(closed.detail) == bool(detail)
        assert alive(client) == [not blamed]
        (record,) = [one for one in caplog.records if one.levelno == logging.WARNING]
        start = f"cannot reach the server {NAME}:8388: {who}" if blamed else f"no server can be reached: {who}{detail}"
        assert record.getMessage().startswith(start)

    play(scenario)


@pytest.mark.parametrize("kind", KINDS)
def test_a_proxy_that_is_not_there(play: Play, kind: str) -> None:
    async def scenario(world: World) -> None:
        client = await client_behind(world, kind, ("127.0.0.1", free_port()), servers=(profile(), profile("b.invalid")))
        for count in (1, 2):
            with pytest.raises(ConnectionError, match="5"):
                await world.connect(client, "example.com", 80)
            closed = (await world.closed(client, count))[-1]
            assert (closed.reason, "cannot be reached" in closed.detail) == (Reason.CONNECT_REFUSED, True)
        assert alive(client) == [True, True]
        assert world.stages(client).count(Stage.DNS) == 2  # no second server was tried

    play(scenario)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_proxy_that_is_our_own_port(play: Play, kind: str, host: str, caplog: pytest.LogCaptureFixture) -> None:
    """Every connection would make another one, until there are no more descriptors."""

    async def scenario(world: World) -> None:
        caplog.clear()
        port = free_port()
        client = await client_behind(world, kind, (host, port), bind_port=port)
        with pytest.raises(ConnectionError, match="2"):
            await world.connect(client, "example.com", 80)
        (closed,) = await world.closed(client)
        assert (closed.reason, closed.detail) == (Reason.DENIED, f"the proxy {host}:{port} is this very port")
        assert f"no server can be reached: {closed.detail}" in caplog.text
        assert alive(client) == [True]

    play(scenario)


@pytest.mark.parametrize("tunnel", [None, Address("example.com", 80)])
def test_a_server_that_is_our_own_port(play: Play, tunnel: Address | None) -> None:
    async def scenario(world: World) -> None:
        port = free_port()
        client = await world.client(("127.0.0.1", port), bind_port=port, tunnel=tunnel)
        with suppress(ConnectionError):  # a tunnel's end is a reset, perhaps before we know that we are connected
            reader, writer = await world.open(client.address)
            writer.write(b"\x05\x01\x00" + b"\x05\x01\x00\x03\x01a\x00\x50")
            await reader.read()
        assert [one.reason for one in await world.closed(client)] == [Reason.DENIED]
        assert not client.engine.handlers

    play(scenario)


def test_a_proxy_that_resets(play: Play) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        reset(writer)

    async def scenario(world: World) -> None:
        client = await client_behind(world, "socks5", await world.origin(serve))
        with pytest.raises(ConnectionError):
            await world.connect(client, "example.com", 80)
        (closed,) = await world.closed(client)
        assert closed.detail.endswith("reset the connection")
        assert alive(client) == [True]

    play(scenario)


@pytest.mark.parametrize(("kind", "blamed"), [("socks5", False), ("http", True)])
def test_a_proxy_that_does_not_answer(
    play: Play, kind: str, blamed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Silent before it knows what is wanted it is at fault itself, and after that the server may be."""
    monkeypatch.setattr(module, "PROXY_SECONDS", 0.2)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def scenario(world: World) -> None:
        client = await client_behind(world, kind, await world.origin(serve))
        with pytest.raises(ConnectionError, match="6"):
            await world.connect(client, "example.com", 80)
        (closed,) = await world.closed(client)
        assert closed.reason is Reason.CONNECT_TIMEOUT
        assert ("did not answer within 0.2 s" in closed.detail) is not blamed
        assert alive(client) == [not blamed]

    play(scenario)


def test_the_next_server_is_asked_for_when_the_proxy_cannot_reach_one(play: Play) -> None:
    async def scenario(world: World) -> None:
        proxy = Proxy((await world.server()).address)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if proxy.asked:
                await proxy.serve(reader, writer)
                return
            proxy.asked.append((await reader.readuntil(b"\r\n\r\n")).split()[1])
            writer.write(b"HTTP/1.1 503 No\r\n\r\n")

        servers = (profile("a.invalid"), profile("b.invalid"))
        client = await client_behind(world, "http", await world.origin(serve), servers=servers)
        reader, _ = await world.connect(client, *await world.echo(), payload=b"hello")
        assert await reader.readexactly(5) == b"hello"
        assert proxy.asked == [b"a.invalid:8388", b"b.invalid:8388"]
        assert alive(client) == [False, True]

    play(scenario)


@pytest.mark.parametrize("how", ["reset", "relay"])
def test_a_dial_that_nobody_wants_any_more(play: Play, how: str) -> None:
    async def scenario(world: World) -> None:
        ended: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                ended.append(await reader.read())
            except ConnectionResetError:
                ended.append(b"reset")

        client = await client_behind(world, "socks5", await world.origin(serve))
        _, writer = await world.open(client.address)
        writer.write(b"\x05\x01\x00\x05\x01\x00\x03\x01a\x00\x50")
        await until(lambda: world.stages(client)[-1:] == [Stage.CONNECTING])
        if how == "reset":
            reset(writer)
        else:
            await client.engine.stop(0)
        await until(lambda: ended)
        assert (await world.closed(client))[0].reason is (Reason.CLIENT_RESET if how == "reset" else Reason.SHUTDOWN)

    play(scenario)


def test_measuring_goes_through_the_proxy_and_blames_no_server(play: Play) -> None:
    async def scenario(world: World) -> None:
        auto: dict[str, Any] = {"servers": (profile(), profile("b.invalid")), "choice": ServerChoice.AUTO}
        down = await client_behind(world, "http", ("127.0.0.1", free_port()), **auto)
        await until(lambda: all(view.latency is not None for view in down.pool.view()))
        assert alive(down) == [True, True]
        proxy = Proxy((await world.server()).address)
        page = await world.origin(_page)
        url = f"http://127.0.0.1:{page[1]}/"
        up = await client_behind(world, "socks5", await world.origin(proxy.serve), probe_url=url, **auto)
        await until(lambda: any(view.preferred for view in up.pool.view()))  # the round is over
        assert [view.latency.failure for view in up.pool.view() if view.latency] == ["", ""]

    play(scenario)


async def _page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    await reader.read()


def test_what_goes_directly_does_not_use_it(play: Play) -> None:
    async def scenario(world: World) -> None:
        client = await client_behind(world, "http", ("127.0.0.1", free_port()))
        client.router.pause(True)
        reader, _ = await world.connect(client, *await world.echo(), payload=b"hello")
        assert await reader.readexactly(5) == b"hello"

    play(scenario)


def test_credentials_that_cannot_be_sent(play: Play) -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(LocalProtocolError, match="colon"):
            await client_behind(world, "http", ("127.0.0.1", 1), user="a:b")

    play(scenario)
