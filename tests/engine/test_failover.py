"""A server that is dead: the same connection goes through another, and the program never notices."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ssgui.config.models import ServerChoice, ServerProfile, ServerSettings
from ssgui.config.secret import Secret
from ssgui.engine import handler as handler_module
from ssgui.engine.events import Closed, StageChanged
from ssgui.engine.relay import LocalRelay
from ssgui.engine.stages import Reason, Stage
from ssgui.protocol.address import Address
from tests.engine.world import METHOD, PASSWORD, StubLookup, World, digest_then_answer, until
from tests.support.ports import free_port

Play = Callable[..., None]
FIXED: dict[str, Any] = {"choice": ServerChoice.FIXED}


def profile(host: str, port: int) -> ServerProfile:
    return ServerProfile(host, port, METHOD, Secret(PASSWORD))


def route(world: World, relay: LocalRelay) -> list[tuple[Stage, str]]:
    """The stages after ADDR, each with the port of the server they are about."""
    changes = [event for event in world.events(relay) if isinstance(event, StageChanged)]
    return [(one.stage, one.server.rpartition(":")[2]) for one in changes if one.stage is not Stage.ADDR]


@contextmanager
def full_port() -> Iterator[tuple[str, int]]:
    """A port that neither takes nor refuses connections."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        yield full.getsockname()
        for filler in fillers:
            filler.close()


def test_the_second_server_takes_the_connection(play: Play) -> None:
    async def scenario(world: World) -> None:
        server, dead = await world.server(), free_port()
        servers = (profile("127.0.0.1", dead), profile(*server.address))
        client = await world.client(server.address, servers=servers, **FIXED)
        reader, writer = await world.connect(client, *await world.origin(digest_then_answer), payload=bytes(5000))
        writer.write_eof()
        assert len(await reader.read()) == 32
        (closed,) = await world.closed(client)
        assert (closed.reason, closed.up, closed.down) == (Reason.FINISHED, 5000, 32)
        assert set(closed.stages) == {"INIT", "ADDR", "DNS", "CONNECTING", "STREAM"}
        first, second = str(dead), str(server.address[1])
        assert route(world, client) == [
            (Stage.DNS, first), (Stage.CONNECTING, first), (Stage.DNS, second), (Stage.CONNECTING, second),
            (Stage.STREAM, second), (Stage.DESTROYED, second),
        ]  # fmt: skip
        assert [view.dead_since is None for view in client.pool.view()] == [False, True]
        # The next one goes there at once.
        reader, _ = await world.connect(client, *await world.echo(), payload=b"x")
        assert await reader.readexactly(1) == b"x"
        assert (Stage.DNS, second) == route(world, client)[6]

    play(scenario)


def test_a_server_whose_name_does_not_resolve(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()
        servers = (profile("no.invalid", 80), profile("none.invalid", 80), profile(*server.address))
        client = await world.client(server.address, servers=servers, **FIXED)
        client.resolver._lookup = StubLookup(OSError("no such name"))
        reader, _ = await world.connect(client, *await world.echo(), payload=b"hello")
        assert await reader.readexactly(5) == b"hello"
        assert [stage for stage, _ in route(world, client)] == [
            Stage.DNS, Stage.DNS, Stage.DNS, Stage.CONNECTING, Stage.STREAM,
        ]  # fmt: skip

    play(scenario)


def test_a_name_after_an_address_and_an_address_after_a_name(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()
        port = server.address[1]
        servers = (profile("127.0.0.1", free_port()), profile("localhost", free_port()), profile("127.0.0.1", port))
        client = await world.client(server.address, servers=servers, **FIXED)
        for _ in range(2):
            reader, _ = await world.connect(client, *await world.echo(), payload=b"hello")
            assert await reader.readexactly(5) == b"hello"
        client = await world.client(server.address, servers=(*servers[:1], profile("localhost", port)), **FIXED)
        reader, _ = await world.connect(client, *await world.echo(), payload=b"hello")
        assert await reader.readexactly(5) == b"hello"

    play(scenario)


def test_a_server_that_does_not_answer_and_what_the_program_sends_meanwhile(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler_module, "CONNECT_TIMEOUT", 0.2)

    async def scenario(world: World) -> None:
        with full_port() as full:
            server = await world.server()
            servers = (profile(*full), profile(*server.address))
            client = await world.client(server.address, servers=servers, timeout=0.4, **FIXED)
            reader, writer = await world.open(client.address)
            host, port = await world.origin(digest_then_answer)
            request = b"\x05\x01\x00\x01" + socket.inet_aton(host) + port.to_bytes(2, "big")
            writer.write(b"\x05\x01\x00" + request)
            await until(lambda: Stage.CONNECTING in world.stages(client))
            writer.write(bytes(30_000))
            writer.write_eof()
            answer = await reader.readexactly(12)
            assert answer[3] == 0
            assert len(await reader.read()) == 32
            (closed,) = await world.closed(client)
            assert (closed.reason, closed.up) == (Reason.FINISHED, 30_000)
            assert closed.stages["CONNECTING"] > 0.15

    play(scenario)


def test_all_are_dead(play: Play) -> None:
    async def scenario(world: World) -> None:
        ports = [free_port() for _ in range(3)]
        servers = tuple(profile("127.0.0.1", port) for port in ports)
        client = await world.client(("127.0.0.1", 9), servers=servers, **FIXED)
        for number in range(1, 3):
            with pytest.raises(ConnectionError, match="5"):
                await world.connect(client, "192.0.2.1", 80)
            assert (await world.closed(client, number))[-1].reason is Reason.CONNECT_REFUSED
        tried = [server for stage, server in route(world, client) if stage is Stage.CONNECTING]
        assert tried == [str(port) for port in ports * 2]
        # One comes back: the very next connection finds it.
        await world.engine().start_server(_on_port(ports[1]))
        reader, _ = await world.connect(client, *await world.echo(), payload=b"hello")
        assert await reader.readexactly(5) == b"hello"

    play(scenario)


def test_a_server_that_comes_back_is_used_again(play: Play) -> None:
    async def scenario(world: World) -> None:
        server, port = await world.server(), free_port()
        servers = (profile("127.0.0.1", port), profile(*server.address))
        target = await world.echo()
        probe = "http://{}:{}/".format(*target)
        client = await world.client(server.address, servers=servers, probe_url=probe, **FIXED)
        reader, _ = await world.connect(client, *target, payload=b"x")
        assert await reader.readexactly(1) == b"x"
        await world.engine().start_server(_on_port(port))
        first, second = client.pool.upstreams
        assert client.pool.choose(Address("example.com", 80)) is second
        first.health._retry_at = 0.0  # time passes
        reader, _ = await world.connect(client, *target, payload=b"x")
        assert await reader.readexactly(1) == b"x"
        await until(lambda: first.health.alive)
        reader, _ = await world.connect(client, *target, payload=b"x")
        assert await reader.readexactly(1) == b"x"
        assert route(world, client)[-1] == (Stage.STREAM, str(port))

    play(scenario)


def test_a_program_that_goes_away_meanwhile(play: Play) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(
            ("127.0.0.1", 9), servers=(profile("127.0.0.1", free_port()), profile("slow.invalid", 80)), **FIXED
        )
        client.resolver._lookup = StubLookup(None)
        _, writer = await world.open(client.address)
        writer.write(b"\x05\x01\x00\x05\x01\x00\x01\x01\x02\x03\x04\x00\x50")
        await until(lambda: world.stages(client).count(Stage.DNS) == 2)
        await client.engine.stop(0)
        assert [event.reason for event in world.events(client) if isinstance(event, Closed)] == [Reason.SHUTDOWN]

    play(scenario)


def _on_port(port: int) -> ServerSettings:
    return ServerSettings("127.0.0.1", port, METHOD, Secret(PASSWORD), forbidden=())
