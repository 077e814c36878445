"""Measuring a server through the tunnel."""

import asyncio
import math
from collections.abc import Callable
from typing import Any

import pytest

from ssgui.config.models import DEFAULT_PROBE_URL, ServerChoice, ServerProfile
from ssgui.config.secret import Secret
from ssgui.engine.stages import Stage
from ssgui.engine.upstream import latency as latency_module
from ssgui.engine.upstream.latency import Latency, measure, probe_request
from ssgui.protocol.errors import LocalProtocolError
from tests.engine.world import METHOD, PASSWORD, Serve, World, until
from tests.support.ports import free_port

Play = Callable[..., None]


def answering(*answers: bytes, delay: float = 0, seen: list[bytes] | None = None) -> Serve:
    """An origin that answers a request in these pieces."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if seen is not None:
            seen.append(head)
        await asyncio.sleep(delay)
        for answer in answers:
            writer.write(answer)
            await writer.drain()
            await asyncio.sleep(0.01)
        writer.write_eof()

    return serve


async def measured(world: World, serve: Serve, **settings: Any) -> Latency:
    """A measurement of a server, with such a page behind it."""
    host, port = await world.origin(serve)
    server = await world.server()
    client = await world.client(server.address, probe_url=f"http://{host}:{port}/generate_204?a=b", **settings)
    return await measure(client, client.pool.upstreams[0])


@pytest.mark.parametrize(
    "answers",
    [
        [b"HTTP/1.1 204 No Content\r\n\r\n"],
        [b"HTTP/1.0 500\r\n\r\n"],
        [b"H", b"TTP/1.1 30", b"2 Found\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\n\r\n" + bytes(200_000)],
    ],
)
def test_any_status_is_an_answer(play: Play, answers: list[bytes]) -> None:
    async def scenario(world: World) -> None:
        seen: list[bytes] = []
        found = await measured(world, answering(*answers, delay=0.05, seen=seen))
        assert found.failure == ""
        assert found.connect is not None
        assert found.first_byte is not None
        assert 0 < found.connect < found.first_byte == found.seconds < 5
        assert found.first_byte >= 0.05
        assert seen[0].startswith(b"GET /generate_204?a=b HTTP/1.1\r\nHost: 127.0.0.1:")

    play(scenario)


def test_what_answers_is_not_http(play: Play) -> None:
    async def scenario(world: World) -> None:
        found = await measured(world, answering(b"SSH-2.0-OpenSSH_9.2\r\n" * 5))
        assert found.failure == "what answers is not HTTP"
        assert found.seconds == math.inf
        assert (await measured(world, answering())).failure == "the server ended the connection without an answer"

    play(scenario)


def test_no_answer(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency_module, "MEASURE_SECONDS", 0.2)

    async def scenario(world: World) -> None:
        found = await measured(world, answering(b"HTTP/1.1 200 OK\r\n\r\n", delay=10))
        assert found.connect is not None
        assert found.first_byte is None
        assert found.failure == "no answer within 0.2 s"

    play(scenario)


def test_a_wrong_password(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency_module, "MEASURE_SECONDS", 0.2)

    async def scenario(world: World) -> None:
        server = await world.server()
        client = await world.client(server.address, password="another password")
        found = await measure(client, client.pool.upstreams[0])
        assert found.failure == "no answer within 0.2 s"
        assert found.connect is not None

    play(scenario)


def test_a_dead_server(play: Play) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(("127.0.0.1", free_port()))
        found = await measure(client, client.pool.upstreams[0])
        assert found.connect is None
        assert found.failure.lower().startswith("connection refused")

    play(scenario)


def test_it_can_be_cancelled(play: Play) -> None:
    async def scenario(world: World) -> None:
        host, port = await world.origin(answering(delay=20))
        server = await world.server()
        client = await world.client(server.address, probe_url=f"http://{host}:{port}/")
        task = asyncio.get_running_loop().create_task(measure(client, client.pool.upstreams[0]))
        await until(lambda: Stage.STREAM in world.stages(server))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await world.closed(server))[0].reason

    play(scenario)


def test_the_fastest_server_is_found_and_used(play: Play) -> None:
    async def scenario(world: World) -> None:
        seen: list[bytes] = []
        url = "http://{}:{}/".format(*await world.origin(answering(b"HTTP/1.1 204 \r\n\r\n", seen=seen)))
        servers = [await world.server() for _ in range(2)]

        async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            """A hop that takes its time."""
            beyond, into = await world.open(servers[0].address)
            while data := await reader.read(65536):
                await asyncio.sleep(0.2)
                into.write(data)
                writer.write(await beyond.read(65536))

        addresses = [await world.origin(slow), servers[1].address]
        profiles = tuple(ServerProfile(host, port, METHOD, Secret(PASSWORD)) for host, port in addresses)
        client = await world.client(addresses[0], servers=profiles, choice=ServerChoice.AUTO, probe_url=url)
        await until(lambda: any(view.preferred for view in client.pool.view()))
        assert [view.preferred for view in client.pool.view()] == [False, True]
        assert len(seen) == 6
        reader, _ = await world.connect(client, *await world.echo(), payload=b"hello")
        assert await reader.readexactly(5) == b"hello"
        assert client.engine.snapshot()[0].server == client.pool.upstreams[1].name

    play(scenario)


def test_a_url_that_is_no_good_is_replaced(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(("127.0.0.1", 9), probe_url="https://example.com/")
        assert client.probe == probe_request(DEFAULT_PROBE_URL)

    play(scenario)
    assert "the probe URL 'https://example.com/' is not like" in caplog.text


def test_a_request() -> None:
    assert probe_request("http://[2001:db8::1]:8080") == (
        b"\x04" + bytes.fromhex("20010db8000000000000000000000001") + b"\x1f\x90"
        b"GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\nUser-Agent: ssgui\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    )
    assert probe_request("http://Example.com/a?b").startswith(b"\x03\x0bexample.com\x00PGET /a?b HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "url",
    ["", "https://example.com/", "http://", "example.com", "http://a b/", "http://a/\r\nX: y", "http://a:99999/",
     "http://[::1/", "http://\u4f8b.com/", "http://" + "a" * 256 + "/", "ftp://a/"],
)  # fmt: skip
def test_urls_that_cannot_be_fetched(url: str) -> None:
    with pytest.raises(LocalProtocolError):
        probe_request(url)
