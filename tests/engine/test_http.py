"""HTTP on the one port: CONNECT, and requests passed on one by one."""

import asyncio
from base64 import b64encode
from collections.abc import Callable

import pytest

from ssgui.config.secret import Secret
from ssgui.engine import handler as handler_module
from ssgui.engine.events import Opened
from ssgui.engine.relay import LocalRelay
from ssgui.engine.stages import Reason, Stage
from tests.engine.test_endings import dead_port
from tests.engine.world import Streams, World, until

Play = Callable[..., None]
Origin = tuple[str, int]


def inbounds(world: World, relay: LocalRelay) -> list[str]:
    return [event.inbound for event in world.events(relay) if isinstance(event, Opened)]


async def serve_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An HTTP/1.1 origin: says back the request line, the headers and the size of the body."""
    try:
        await serve_requests(reader, writer)
    finally:
        writer.close()


async def serve_requests(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while head := await reader.readuntil(b"\r\n\r\n"):
        line, *headers = head.decode("latin-1").split("\r\n")[:-2]
        fields = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in headers)}
        if fields.get("expect") == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        size = await body_size(reader, fields)
        text = f"{line}|{fields.get('host')}|{size}|{sorted(fields)}".encode()
        if "/close" in line:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + text)
            return
        if "/chunked" in line:
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            writer.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(text), text))
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nKeep-Alive: 5\r\n\r\n" % len(text))
            writer.write(b"" if line.startswith("HEAD") else text)
        await writer.drain()


async def body_size(reader: asyncio.StreamReader, fields: dict[str, str]) -> int:
    if fields.get("transfer-encoding") != "chunked":
        return len(await reader.readexactly(int(fields.get("content-length", 0))))
    total = 0
    while size := int(await reader.readline(), 16):
        total += len(await reader.readexactly(size + 2)) - 2
    await reader.readline()
    return total


async def answer(streams: Streams) -> tuple[int, bytes]:
    """Read one response with its body."""
    reader, _ = streams
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status = int(head.split()[1])
    fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:-2])
    if fields.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return status, body
    if "content-length" in fields:
        return status, await reader.readexactly(int(fields["content-length"]))
    return status, await reader.read()


def get(origin: Origin, path: str = "/", more: str = "", method: str = "GET") -> bytes:
    host = f"{origin[0]}:{origin[1]}"
    return f"{method} http://{host}{path} HTTP/1.1\r\nHost: elsewhere\r\n{more}\r\n".encode()


def test_connect(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, server = await world.pair()
        host, port = await world.echo()
        reader, writer = await world.open(client.address)
        writer.write(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}\r\n\r\nearly".encode())
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 200 Connection established\r\n\r\n"
        assert await reader.readexactly(5) == b"early"
        payload = bytes(300_000)
        writer.write(payload)
        writer.write_eof()
        assert await reader.read() == payload
        (ended,) = await world.closed(client)
        assert (ended.reason, ended.up, ended.down) == (Reason.FINISHED, 300_005, 300_005)
        assert inbounds(world, client) == ["http"]
        assert Stage.DNS in world.stages(client)
        assert (await world.closed(server))[0].reason is Reason.FINISHED

    play(scenario)


def test_requests_one_after_the_other_to_two_origins(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, server = await world.pair()
        one, other = await world.origin(serve_http), await world.origin(serve_http)
        streams = await world.open(client.address)
        for number, origin in enumerate((one, one, other, one)):
            path = "/chunked" if number % 2 else "/plain"
            streams[1].write(get(origin, path, "Proxy-Connection: keep-alive\r\nX-Mine: 1\r\n"))
            status, body = await answer(streams)
            line, host, size, names = body.decode().split("|")
            assert status == 200
            assert line == f"GET {path} HTTP/1.1"
            assert host == f"{origin[0]}:{origin[1]}"
            assert size == "0"
            assert names == "['host', 'x-mine']"
        streams[1].close()
        ended = await world.closed(client, 3)
        assert [one.reason for one in ended] == [Reason.FINISHED] * 3
        assert len(await world.closed(server, 3)) == 3  # the second request used the way of the first
        assert len({event.conn for event in world.events(client) if isinstance(event, Opened)}) == 1

    play(scenario)


def test_requests_in_any_split_and_all_at_once(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        origin = await world.origin(serve_http)
        streams = await world.open(client.address)
        for byte in get(origin, "/slow", "Content-Length: 3\r\n") + b"abc":
            streams[1].write(bytes((byte,)))
            await streams[1].drain()
        assert (await answer(streams))[1].split(b"|")[2] == b"3"
        streams[1].write(get(origin, "/a") + get(origin, "/b", "Content-Length: 2\r\n") + b"xy" + get(origin, "/c"))
        bodies = [(await answer(streams))[1].split(b"|") for _ in range(3)]
        assert [body[0].split()[1] for body in bodies] == [b"/a", b"/b", b"/c"]
        assert bodies[1][2] == b"2"

    play(scenario)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_upload_waits_for_a_slow_origin(play: Play, chunked: bool) -> None:
    size = 3_000_000

    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        origin = await world.origin(serve_http)
        streams = await world.open(client.address)
        framing = "Transfer-Encoding: chunked\r\n" if chunked else f"Content-Length: {size}\r\n"
        streams[1].write(get(origin, "/up", f"{framing}Expect: 100-continue\r\n", "POST"))
        assert (await streams[0].readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        body = bytes(size)
        streams[1].write(b"%x\r\n%s\r\n0\r\n\r\n" % (size, body) if chunked else body)
        status, text = await answer(streams)
        assert (status, text.split(b"|")[2]) == (200, str(size).encode())
        streams[1].close()

    play(scenario)


def test_a_large_answer_waits_for_a_slow_program(play: Play) -> None:
    size = 8_000_000

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // 100_000):
            writer.write(bytes(100_000))
            await writer.drain()

    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        streams = await world.open(client.address)
        streams[1].write(get(await world.origin(serve)))
        await until(lambda: any(view.held_down for view in client.engine.snapshot()))
        assert client.engine.reactor.unsent < 2_000_000
        status, body = await answer(streams)
        assert (status, len(body)) == (200, size)
        streams[1].close()

    play(scenario)


def test_head_close_and_half_an_answer(play: Play) -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        writer.close()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"ICY 200 OK\r\n\r\nmusic")
        writer.close()

    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        origin = await world.origin(serve_http)
        streams = await world.open(client.address)
        streams[1].write(get(origin, method="HEAD"))
        head = await streams[0].readuntil(b"\r\n\r\n")
        assert b"200 OK" in head
        streams[1].write(get(origin, "/close"))
        status, body = await answer(streams)
        assert (status, body.split(b"|")[0]) == (200, b"GET /close HTTP/1.1")
        streams = await world.open(client.address)
        streams[1].write(get(await world.origin(silent)))
        assert (await answer(streams))[0] == 502
        streams = await world.open(client.address)
        streams[1].write(get(await world.origin(old)))
        assert await streams[0].read() == b"ICY 200 OK\r\n\r\nmusic"
        streams = await world.open(client.address)
        streams[1].write(get(await world.origin(cut)))
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await answer(streams)
        reasons = [one.reason for one in await world.closed(client, 4)]
        assert Reason.NO_ANSWER in reasons
        assert Reason.TRUNCATED in reasons

    play(scenario)


def test_a_web_socket(play: Play) -> None:
    async def upgrade(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert b"upgrade: websocket" in head
        assert b"connection: upgrade" in head
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello")
        while data := await reader.read(1000):
            writer.write(data.upper())
        writer.close()

    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        reader, writer = await world.open(client.address)
        writer.write(get(await world.origin(upgrade), "/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\n"))
        assert b"101" in await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(5) == b"hello"
        writer.write(b"frames")
        assert await reader.readexactly(6) == b"FRAMES"
        writer.write_eof()
        assert await reader.read() == b""
        assert (await world.closed(client))[0].reason is Reason.FINISHED

    play(scenario)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /proxy.pac HTTP/1.1\r\nHost: 127.0.0.1:1080\r\n\r\n", 400),
        (b"GET https://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"CONNECT x HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET http://x/ HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000, 431),
    ],
)
def test_bad_requests_get_true_pages(play: Play, request_: bytes, status: int) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        streams = await world.open(client.address)
        streams[1].write(request_)
        assert (await answer(streams))[0] == status
        assert await streams[0].read() == b""
        assert (await world.closed(client))[0].reason is Reason.BAD_REQUEST

    play(scenario)


def test_every_origin_form_gets_the_same_page(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        pages = set()
        for path, host in (("/", "x"), ("/proxy.pac", "127.0.0.1"), ("/a?b", "localhost:1080")):
            reader, writer = await world.open(client.address)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            pages.add(await reader.read())
        assert len(pages) == 1

    play(scenario)


def test_dead_servers_are_502_and_403_for_a_rule(play: Play) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(dead_port())
        for request in (get(("192.0.2.1", 80)), b"CONNECT 192.0.2.1:80 HTTP/1.1\r\nHost: x\r\n\r\n"):
            streams = await world.open(client.address)
            streams[1].write(request)
            status, body = await answer(streams)
            assert status == 502
            assert b"refused" in body
        assert [one.reason for one in await world.closed(client, 2)] == [Reason.CONNECT_REFUSED] * 2

    play(scenario)


def test_a_password_is_asked_for_and_taken_on_the_same_connection(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()
        client = await world.client(server.address, users=(("me", Secret("pw")),))
        origin = await world.origin(serve_http)
        streams = await world.open(client.address)
        streams[1].write(get(origin))
        assert (await answer(streams))[0] == 407
        good = "Proxy-Authorization: Basic " + b64encode(b"me:pw").decode() + "\r\n"
        streams[1].write(get(origin, more=good))
        status, body = await answer(streams)
        assert status == 200
        assert b"proxy" not in body
        wrong = "Proxy-Authorization: Basic " + b64encode(b"me:no").decode() + "\r\n"
        streams[1].write(f"CONNECT {origin[0]}:{origin[1]} HTTP/1.1\r\nHost: x\r\n{wrong}\r\n".encode())
        assert (await answer(streams))[0] == 407
        streams[1].write(f"CONNECT {origin[0]}:{origin[1]} HTTP/1.1\r\nHost: x\r\n{good}\r\n".encode())
        assert b"200" in await streams[0].readuntil(b"\r\n\r\n")
        reasons = [one.reason for one in await world.closed(client, 3)]
        assert reasons == [Reason.DENIED, Reason.FINISHED, Reason.DENIED]  # nobody is blamed for another's request

    play(scenario)


def test_a_head_that_never_ends_is_408(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler_module, "HANDSHAKE_TIMEOUT", 0.3)

    async def scenario(world: World) -> None:
        client, _ = await world.pair(timeout=1.0)
        streams = await world.open(client.address)
        streams[1].write(b"GET http://x/ HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        assert (await answer(streams))[0] == 408
        assert (await world.closed(client))[0].reason is Reason.HANDSHAKE_TIMEOUT

    play(scenario)


def test_a_program_that_rests_between_requests_is_let_go_quietly(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler_module, "HANDSHAKE_TIMEOUT", 0.3)

    async def scenario(world: World) -> None:
        client, _ = await world.pair(timeout=1.0)
        origin = await world.origin(serve_http)
        streams = await world.open(client.address)
        streams[1].write(get(origin, "/close"))
        await answer(streams)
        streams[1].write(get(origin))
        assert {one.reason for one in await world.closed(client, 1)} == {Reason.FINISHED}

    play(scenario)


def test_with_a_wrong_key_nothing_arrives(play: Play) -> None:
    async def scenario(world: World) -> None:
        asked: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append(await reader.read(1))

        server = await world.server()
        client = await world.client(server.address, password="another")
        streams = await world.open(client.address)
        streams[1].write(get(await world.origin(serve)))
        assert (await world.closed(server))[0].reason is Reason.AUTH_FAILED
        streams[1].close()
        assert not asked

    play(scenario)
