"""HTTP on the one port where it is not as in the book: origins and programs that misbehave, and those that wait."""

import asyncio
import gc
import socket
import weakref
from base64 import b64encode
from collections.abc import Awaitable, Callable

import pytest

from ssgui.config.models import ServerChoice, ServerProfile
from ssgui.config.secret import Secret
from ssgui.engine import handler as handler_module
from ssgui.engine.events import Opened, StageChanged
from ssgui.engine.sessions.http_exchange import HttpExchange
from ssgui.engine.stages import Reason, Stage
from ssgui.rules.acl import parse_acl
from tests.engine.test_endings import dead_port
from tests.engine.test_http import Origin, answer, get, serve_http
from tests.engine.world import METHOD, PASSWORD, World, until

Play = Callable[..., None]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def says(
    *answers: bytes, then: str = "wait"
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """An origin that gives one of `answers` for each head that comes, then waits, or ends."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for text in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(text)
        if then == "wait":
            await reader.read()
        writer.close()

    return serve


def test_a_missing_host_is_filled_in(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        host, port = await world.origin(serve_http)
        streams = await world.open(client.address)
        for _ in range(2):
            streams[1].write(f"GET http://{host}:{port}/x HTTP/1.1\r\nX-Mine: 1\r\n\r\n".encode())
            assert (await answer(streams))[1].split(b"|")[1] == f"{host}:{port}".encode()

    play(scenario)


def test_a_program_of_http_1_0(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        host, port = await world.origin(serve_http)
        reader, writer = await world.open(client.address)
        upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n"  # of which that version knows nothing
        writer.write(f"GET http://{host}:{port}/chunked HTTP/1.0\r\n{upgrade}\r\n".encode())
        text = await reader.read()
        assert text.startswith(b"HTTP/1.1 200")
        assert b"chunked\r\n" not in text.lower()
        assert text.endswith(b"['host']")

    play(scenario)


@pytest.mark.parametrize(
    "more", ["Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n"]
)
def test_a_request_with_two_ends_goes_nowhere(play: Play, more: str) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        streams = await world.open(client.address)
        streams[1].write(get(("192.0.2.1", 80), more=more, method="POST") + b"0\r\n\r\n")
        assert (await answer(streams))[0] == 400
        assert world.events(client)[-1].reason is Reason.BAD_REQUEST  # type: ignore[union-attr]

    play(scenario)


def test_an_answer_that_is_refused_is_passed_on_and_is_the_last(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        text = b"HTTP/1.1 200 OK\r\nBad Name: x\r\nContent-Length: 2\r\n\r\nok"
        origin = await world.origin(says(text))
        reader, writer = await world.open(client.address)
        writer.write(get(origin))
        assert await reader.readexactly(len(text)) == text
        writer.write(get(origin))  # it has had the whole answer, so that nothing is lost
        assert await reader.read() == b""
        assert [one.reason for one in await world.closed(client)] == [Reason.FINISHED]

    play(scenario)


@pytest.mark.parametrize("text", [b"hello", b"HTTP/1.1 200 OK\r\nX"])
def test_an_answer_without_an_end_of_its_head_is_passed_on(play: Play, text: bytes) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        reader, writer = await world.open(client.address)
        writer.write(get(await world.origin(says(text, then="end"))))
        assert await reader.read() == text

    play(scenario)


def test_a_way_that_has_gone_stale_is_made_again(play: Play) -> None:
    served = 0

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        served += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        if served == 1:
            await reader.readuntil(b"\r\n\r\n")  # it takes the second request, and leaves
        writer.close()

    async def scenario(world: World) -> None:
        nonlocal served
        served = 0
        client, _ = await world.pair()
        origin = await world.origin(once)
        streams = await world.open(client.address)
        for _ in range(2):
            streams[1].write(get(origin))
            assert await answer(streams) == (200, b"ok")
        assert served == 2
        assert (await world.closed(client))[0].reason is Reason.FINISHED

    play(scenario)


def test_what_cannot_be_asked_twice_is_left_to_the_program(play: Play) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        origin = await world.origin(serve)
        streams = await world.open(client.address)
        streams[1].write(get(origin))
        assert await answer(streams) == (200, b"ok")
        streams[1].write(get(origin, more="Content-Length: 2\r\n", method="POST") + b"hi")
        assert await streams[0].read() == b""

    play(scenario)


def test_an_answer_that_nobody_asked_for_is_dropped(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        late = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            await writer.drain()
            await asyncio.sleep(0.1)
            writer.write(late)
            writer.close()

        streams = await world.open(client.address)
        streams[1].write(get(await world.origin(serve)))
        assert await answer(streams) == (200, b"ok")
        await world.closed(client)
        streams[1].write(get(await world.origin(serve_http)))
        assert (await answer(streams))[0] == 200

    play(scenario)


def test_between_requests_there_is_no_connection_to_show(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        origin = await world.origin(serve_http)
        streams = await world.open(client.address)
        streams[1].write(get(origin, "/close"))
        status, _ = await answer(streams)
        assert status == 200
        await world.closed(client)
        assert not client.engine.handlers
        await client.engine.drained()
        streams[1].close()
        await until(lambda: not len(client.kept_alive))
        assert sum(isinstance(event, Opened) for event in world.events(client)) == 1

    play(scenario)


@pytest.mark.parametrize("path", ["/", "/close"])
@pytest.mark.parametrize("begun", [b"", b"GET http"])
def test_a_kept_connection_is_let_go_in_time(
    play: Play, path: str, begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler_module, "HANDSHAKE_TIMEOUT", 0.2)

    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        client.kept_alive.delay = 0.2
        streams = await world.open(client.address)
        streams[1].write(get(await world.origin(serve_http), path))
        assert (await answer(streams))[0] == 200
        streams[1].write(begun)
        rest = await streams[0].read()
        assert rest.startswith(b"HTTP/1.1 408") if begun else rest == b""
        closed = await world.closed(client)
        assert closed[0].reason is Reason.FINISHED

    play(scenario)


def test_many_requests_at_once_without_a_password(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()
        client = await world.client(server.address, users=(("me", Secret("pw")),))
        good = "Proxy-Authorization: Basic " + b64encode(b"me:pw").decode() + "\r\n"
        reader, writer = await world.open(client.address)
        writer.write(get(await world.origin(serve_http), more=good))
        assert (await answer((reader, writer)))[0] == 200
        writer.write(b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n" * 1600)
        writer.write_eof()
        assert (await reader.read()).count(b"HTTP/1.1 407") == 1600

    play(scenario)


def test_many_requests_at_once_and_a_fin(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, server = await world.pair()
        origin = await world.origin(serve_http)
        reader, writer = await world.open(client.address)
        writer.write(get(origin) * 1000)
        writer.write_eof()
        assert (await reader.read()).count(b"HTTP/1.1 200") == 1000
        assert len(await world.closed(server)) == 1

    play(scenario)


def test_a_slow_program_gets_all_of_the_last_answer(play: Play) -> None:
    size = 4_000_000

    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        client.lingering.waiting.delay = 0.05
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
        origin = await world.origin(says(head + bytes(size)))
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            sock.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(sock, client.address)
            await loop.sock_sendall(sock, get(origin, more="Connection: close\r\n"))
            got = 0
            while data := await loop.sock_recv(sock, 1 << 16):
                got += len(data)
                if got > size - 2_800_000 and got % 7 == 0:
                    await asyncio.sleep(0.01)
        assert got > size

    play(scenario)


def test_answers_for_a_program_that_does_not_read(play: Play) -> None:
    """Two answers from two origins: the second waits until the first is out."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\nConnection: close\r\n\r\n")
        for _ in range(300):
            writer.write(bytes(100_000))
            await writer.drain()

    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        reader, writer = await world.open(client.address)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(2):
            writer.write(get(await world.origin(serve)))
        await until(lambda: client.engine.reactor.unsent)
        await asyncio.sleep(0.3)
        assert client.engine.reactor.unsent < 1_000_000
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        for _ in range(2):
            assert len((await answer((reader, writer)))[1]) == 30_000_000

    play(scenario)


def test_an_answer_before_the_end_of_the_request(play: Play) -> None:
    text = b"HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\nno"

    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        reader, writer = await world.open(client.address)
        writer.write(get(await world.origin(says(text)), more="Content-Length: 1000\r\n", method="POST") + b"part")
        assert (await answer((reader, writer))) == (413, b"no")
        assert await reader.read() == b""

    play(scenario)


@pytest.mark.parametrize("sent", [0, 100_000])
def test_a_body_that_makes_no_sense(play: Play, sent: int) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        reader, writer = await world.open(client.address)
        writer.write(get(await world.origin(says()), more="Transfer-Encoding: chunked\r\n", method="POST"))
        writer.write(b"%x\r\n%s\r\n" % (sent, bytes(sent)) if sent else b"")
        writer.write(b"no chunk size\r\n")
        assert (await answer((reader, writer)))[0] == 400
        assert (await world.closed(client))[0].reason is Reason.BAD_REQUEST

    play(scenario)


def test_an_answer_that_does_not_come(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()
        client = await world.client(server.address, timeout=0.3)
        reader, writer = await world.open(client.address)
        writer.write(get(await world.origin(says())))
        assert (await answer((reader, writer)))[0] == 504
        assert await reader.read() == b""
        (closed,) = await world.closed(client)
        assert closed.reason is Reason.IDLE_TIMEOUT

    play(scenario)


def test_a_program_that_leaves_while_it_waits_is_noticed(play: Play) -> None:
    async def scenario(world: World) -> None:
        asked = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            asked.set()
            await asyncio.sleep(0.1)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + bytes(10_000_000))
            await writer.drain()

        client, _ = await world.pair()
        _, writer = await world.open(client.address)
        writer.write(get(await world.origin(serve)))
        await asked.wait()
        writer.transport.abort()
        assert (await world.closed(client))[0].reason is Reason.CLIENT_RESET

    play(scenario)


@pytest.mark.parametrize(("head", "status"), [(b"X: y\r\n" * 300, 431), (b"X: " + b"y" * 70_000 + b"\r\n", 431)])
@pytest.mark.parametrize("first", [False, True])
def test_heads_that_are_too_much(play: Play, head: bytes, status: int, first: bool) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        origin: Origin = await world.origin(serve_http)
        streams = await world.open(client.address)
        if not first:
            streams[1].write(get(origin))
            assert (await answer(streams))[0] == 200
        streams[1].write(get(origin, more=head.decode()))
        assert (await answer(streams))[0] == status
        assert await streams[0].read() == b""
        reasons = [one.reason for one in await world.closed(client, 1 if first else 2)]
        assert reasons == [Reason.FINISHED] * (not first) + [Reason.BAD_REQUEST]

    play(scenario)


@pytest.mark.parametrize("path", ["/", "/close", "/chunked"])
@pytest.mark.parametrize("more", ["", "Connection: close\r\n"])
def test_nothing_is_left_to_the_collector(play: Play, path: str, more: str) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        origin = await world.origin(serve_http)
        streams = await world.open(client.address)
        gc.collect()
        gc.disable()
        try:
            made: list[weakref.ref[object]] = []
            original = HttpExchange.__init__

            def spy(self: HttpExchange, *args: object) -> None:
                original(self, *args)  # type: ignore[arg-type]
                made.append(weakref.ref(self))

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(HttpExchange, "__init__", spy)
                streams[1].write(get(origin, path, more))
                await answer(streams)
                streams[1].close()
                await world.closed(client)
                await until(lambda: not client.kept_alive and not client.lingering.waiting)
                await asyncio.sleep(0.01)
            assert [ref() for ref in made] == [None]
        finally:
            gc.enable()

    play(scenario)


# ---- ways that are not the server's, and those that cannot be had


@pytest.mark.parametrize("method", ["GET", "CONNECT", "HEAD"])
def test_a_rule_that_forbids_is_told(play: Play, method: str) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(dead_port(), acl=parse_acl("[outbound_block_list]\n||ads.example\n"))
        reader, writer = await world.open(client.address)
        target = "ads.example:80" if method == "CONNECT" else "http://ads.example/"
        writer.write(f"{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        text = await reader.read()
        assert text.startswith(b"HTTP/1.1 403 Forbidden\r\n")
        assert text.endswith(b"\r\n\r\n") is (method == "HEAD")
        (closed,) = await world.closed(client)
        assert (closed.reason, closed.target) == (Reason.DENIED, "ads.example:80")

    play(scenario)


def test_the_next_request_may_go_another_way(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()
        client = await world.client(server.address, acl=parse_acl("[bypass_list]\n||localhost\n"))
        origin = await world.origin(serve_http)
        streams = await world.open(client.address)
        for host in (origin[0], "localhost", "localhost", origin[0]):
            streams[1].write(get((host, origin[1]), more="Content-Length: 3\r\n") + b"abc")
            assert (await answer(streams))[1].split(b"|")[1:3] == [f"{host}:{origin[1]}".encode(), b"3"]
        streams[1].close()
        await world.closed(client, 3)
        staged = [event for event in world.events(client) if isinstance(event, StageChanged)]
        assert [event.route for event in staged if event.stage is Stage.STREAM] == ["proxy", "direct", "proxy"]
        assert len(await world.closed(server, 2)) == 2

    play(scenario)


@pytest.mark.parametrize("method", ["GET", "CONNECT"])
def test_a_server_that_does_not_answer_is_504(play: Play, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler_module, "CONNECT_TIMEOUT", 0.2)

    async def scenario(world: World) -> None:
        with socket.socket() as full:  # its queue is full, so that a connect neither ends nor fails
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            fillers = [socket.socket() for _ in range(4)]
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(full.getsockname())
            client = await world.client(full.getsockname(), timeout=0.4)
            reader, writer = await world.open(client.address)
            target = "192.0.2.1:80" if method == "CONNECT" else "http://192.0.2.1/"
            writer.write(f"{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert (await reader.read()).startswith(b"HTTP/1.1 504 Gateway Timeout\r\n")
            assert (await world.closed(client))[0].reason is Reason.CONNECT_TIMEOUT
            for filler in fillers:
                filler.close()

    play(scenario)


def test_a_dead_server_is_passed_over_with_the_body(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()
        profiles = tuple(
            ServerProfile(host=host, port=port, method=METHOD, password=Secret(PASSWORD))
            for host, port in (dead_port(), server.address)
        )
        client = await world.client(server.address, servers=profiles, choice=ServerChoice.FIXED)
        streams = await world.open(client.address)
        streams[1].write(get(await world.origin(serve_http), more="Content-Length: 5\r\n", method="POST") + b"hello")
        assert (await answer(streams))[1].split(b"|")[2] == b"5"

    play(scenario)


def test_a_body_that_comes_while_the_way_is_made(play: Play) -> None:
    size = 300_000

    async def scenario(world: World) -> None:
        server = await world.server()
        client = await world.client(("localhost", server.address[1]))
        streams = await world.open(client.address)
        origin = await world.origin(serve_http)
        streams[1].write(get(origin, more=f"Content-Length: {size}\r\n", method="POST") + bytes(size) + get(origin))
        assert (await answer(streams))[1].split(b"|")[2] == str(size).encode()
        assert (await answer(streams))[1].split(b"|")[2] == b"0"

    play(scenario)


def test_a_program_that_leaves_in_the_middle_of_its_request(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, server = await world.pair()
        _, writer = await world.open(client.address)
        writer.write(get(await world.origin(says()), more="Content-Length: 500\r\n", method="POST") + b"part")
        await until(lambda: Stage.STREAM in world.stages(server))
        writer.write_eof()
        assert (await world.closed(client))[0].reason is Reason.TRUNCATED
        assert (await world.closed(server))[0].reason is Reason.CLIENT_RESET  # no half of it passes for the whole

    play(scenario)


def test_an_origin_form_request_tells_nothing_before_the_password_either(play: Play) -> None:
    async def scenario(world: World) -> None:
        pages = set()
        for users in ((), (("me", Secret("pw")),)):
            client = await world.client(dead_port(), users=users)
            for request in (
                b"GET / HTTP/1.1\r\n\r\n",
                b"GET /pac HTTP/1.1\r\nHost: x\r\nProxy-Authorization: x\r\n\r\n",
            ):
                reader, writer = await world.open(client.address)
                writer.write(request)
                pages.add(await reader.read())
        assert len(pages) == 1

    play(scenario)


@pytest.mark.parametrize("path", ["/first", "/second"])
def test_a_program_that_has_gone_lets_a_silent_origin_go(play: Play, path: str) -> None:
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while b"/second" in await reader.readuntil(b"\r\n\r\n"):
            writer.write(OK)
        asked.append(path)
        assert await reader.read() == b""  # as it would see it from the program itself
        writer.close()

    async def scenario(world: World) -> None:
        asked.clear()
        client, server = await world.pair()
        origin = await world.origin(serve)
        streams = await world.open(client.address)
        if path == "/second":
            streams[1].write(get(origin, path))
            assert await answer(streams) == (200, b"ok")
        streams[1].write(get(origin, "/silent"))
        await until(lambda: asked)
        streams[1].close()
        await world.closed(client)
        assert (await world.closed(server))[0].reason is Reason.FINISHED

    play(scenario)


def test_half_closed_programs_get_their_answer(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        reader, writer = await world.open(client.address)
        writer.write(get(await world.origin(serve_http), "/chunked"))
        writer.write_eof()
        assert (await answer((reader, writer)))[0] == 200
        assert await reader.read() == b""
        assert (await world.closed(client))[0].reason is Reason.FINISHED

    play(scenario)


@pytest.mark.parametrize("path", ["/", "/close"])
def test_a_stop_does_not_wait_for_a_program_that_rests(play: Play, path: str) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        streams = await world.open(client.address)
        streams[1].write(get(await world.origin(serve_http), path))
        assert (await answer(streams))[0] == 200
        await until(lambda: client.kept_alive)
        async with asyncio.timeout(15):
            await client.engine.stop(20)
        assert await streams[0].read() == b""
        assert [one.reason for one in await world.closed(client)] == [Reason.FINISHED]

    play(scenario)
