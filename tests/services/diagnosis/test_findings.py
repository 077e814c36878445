"""Diagnoses of a client, each provoked for real over the loopback and named right, row by row and as a whole."""

import asyncio
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ssgui.config.models import PluginSettings, ServerProfile, UpstreamProxy
from ssgui.config.secret import Secret
from ssgui.engine.plugins.plugin import PluginState
from ssgui.engine.relay import LocalRelay
from ssgui.engine.resolver import SockAddr
from ssgui.services.diagnosis.evidence import FRESH_SECONDS
from ssgui.services.diagnosis.finding import FindingKind
from ssgui.services.diagnosis.rows import CONNECTING_SECONDS
from tests.engine.test_failover import full_port
from tests.engine.test_plugin import CARRIER
from tests.engine.world import METHOD, PASSWORD, StubLookup, World, reset, until
from tests.support.observer import Observer
from tests.support.ports import free_port

Play = Callable[..., None]
K = FindingKind
SOMEWHERE = ("192.0.2.1", 80)
NO_NAME = f"{'x' * 64}.example"  # that no resolver takes: a label has 63 letters


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssgui.engine.handler.CONNECT_TIMEOUT", 0.2)


def nobody() -> tuple[str, int]:
    """Where nobody listens, and nobody will."""
    return "127.0.0.1", free_port()


async def refused(world: World, client: LocalRelay, times: int = 2) -> None:
    """Connections that are not made."""
    for _ in range(times):
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await world.connect(client, *SOMEWHERE)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads, and never says a word."""
    while await reader.read(65536):
        pass
    await asyncio.sleep(20)


async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(65536)
    writer.close()


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(65536)
    reset(writer)


async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    await asyncio.sleep(20)


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(65536)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nServer: something else\r\nContent-Length: 0\r\n\r\n")
    await reader.read()


async def echoing(world: World, client: LocalRelay) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection of which bytes came back."""
    reader, writer = await world.connect(client, *await world.echo(), payload=b"x")
    assert await reader.readexactly(1) == b"x"
    return reader, writer


# ---- the way to the server


def test_a_name_that_does_not_resolve(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        client = await world.client((NO_NAME, 8388))
        observer = Observer(client)
        await refused(world, client)
        found = await observer.whole(K.SERVER_DNS)
        assert (found.severity, found.action, found.count) == ("err", "open-server", 2)
        assert found.place == f"{NO_NAME}:8388"
        assert observer.kind() == "failing"
        row = await observer.row(K.SERVER_DNS)
        assert row.target == ""
        assert not row.ongoing

    play_once(scenario)


def test_a_resolver_that_hangs(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(("a-name.invalid", 1))
        client.resolver._lookup = StubLookup(None)
        observer = Observer(client)
        _, writer = await world.open(client.address)
        writer.write(b"\x05\x01\x00\x05\x01\x00\x01\x01\x02\x03\x04\x00\x50")
        await until(observer.rows)
        assert not observer.found()
        found = await observer.row(K.SERVER_DNS, ahead=3.0)
        assert found.ongoing
        assert 2.5 < found.seconds < 5

    play_once(scenario)


def test_a_refused_port(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(nobody())
        observer = Observer(client)
        await refused(world, client, 1)
        await observer.row(K.SERVER_REFUSED)
        assert observer.overall() is None  # one is not enough to speak of all
        await refused(world, client, 2)
        found = await observer.whole(K.SERVER_REFUSED)
        assert (found.count, found.attempts, found.action) == (3, 3, "test-server")
        assert observer.kind() == "failing"

    play_once(scenario)


def test_a_full_backlog(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(world.enter(full_port()), timeout=0.4)
        observer = Observer(client)
        waiting = asyncio.ensure_future(refused(world, client, 1))
        await observer.row(K.SERVER_TIMEOUT, ahead=CONNECTING_SECONDS)
        assert observer.found(ahead=CONNECTING_SECONDS)[0].ongoing
        await waiting
        await refused(world, client, 1)
        found = await observer.whole(K.SERVER_TIMEOUT)
        assert 0.15 < found.seconds < 3
        assert not (await observer.row(K.SERVER_TIMEOUT)).ongoing

    play_once(scenario)


def test_a_server_that_cannot_be_reached(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(("255.255.255.255", 8388))  # no TCP goes to everybody
        observer = Observer(client)
        await refused(world, client)
        assert (await observer.whole(K.SERVER_UNREACHABLE)).action == "test-server"
        await observer.row(K.SERVER_UNREACHABLE)

    play_once(scenario)


class MadeUp:
    """A resolver that answers as a filter does."""

    async def lookup(self, host: str, port: int) -> list[SockAddr]:
        return [SockAddr(int(socket.AF_INET), ("127.0.0.1", port))]

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    ("host", "kind"),
    [("ss.example.com", K.SERVER_ADDRESS), ("ss.local", K.SERVER_REFUSED), ("router", K.SERVER_REFUSED)],
)
def test_an_address_that_no_server_has(play_once: Play, host: str, kind: FindingKind) -> None:
    async def scenario(world: World) -> None:
        client = await world.client((host, nobody()[1]))
        client.resolver._lookup = MadeUp()
        observer = Observer(client)
        await refused(world, client)
        found = await observer.whole(kind)
        assert found.addresses == (("127.0.0.1",) if kind is K.SERVER_ADDRESS else ())

    play_once(scenario)


def test_a_proxy_on_the_way_that_is_dead(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        host, port = nobody()
        client = await world.client(SOMEWHERE, upstream_proxy=UpstreamProxy("socks5", host, port))
        observer = Observer(client)
        await refused(world, client)
        found = await observer.whole(K.WAY_FAILED)
        assert (found.name, found.action) == (f"{host}:{port}", "open-settings")
        row = await observer.row(K.WAY_FAILED)
        assert "cannot be reached" in row.words
        assert observer.findings.verdict(0.0).why == "way"

    play_once(scenario)


@pytest.fixture
def carrier(tmp_path: Path) -> str:
    """A plugin that carries bytes as they are."""
    path = tmp_path / "carrier"
    path.write_text(CARRIER.format(python=sys.executable))
    path.chmod(0o755)
    return str(path)


async def client_by(world: World, carrier: str, server: tuple[str, int], password: str = PASSWORD) -> LocalRelay:
    profile = ServerProfile(*server, METHOD, Secret(password), plugin=PluginSettings(carrier))
    return await world.client(server, servers=(profile,))


def test_nothing_comes_back_through_a_plugin(play_once: Play, carrier: str) -> None:
    """Its kernel takes everything: whose fault it is then nobody knows."""

    async def scenario(world: World) -> None:
        server = await world.server()
        client = await client_by(world, carrier, server.address, "another password")
        observer = Observer(client)
        await ask(world, client, 3)
        await until(lambda: len([one for one in observer.rows() if one.first_up]) == 3)
        found = observer.overall(ahead=11.0)
        assert found is not None
        assert (found.kind, found.name, found.action) == (K.PLUGIN_SILENT, carrier, "open-server")
        assert "hello" in found.words  # its last words
        assert observer.findings.verdict(time.monotonic() + 11.0).why == "plugin"

    play_once(scenario)


def test_a_plugin_that_was_killed(play_once: Play, carrier: str) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()
        client = await client_by(world, carrier, server.address)
        observer = Observer(client)
        plugin = client.pool.upstreams[0].plugin
        assert plugin is not None
        assert plugin._process is not None
        plugin._process.signal_group(9)
        await until(lambda: plugin.state is PluginState.FAILED)
        await refused(world, client)
        found = await observer.whole(K.PLUGIN_DEAD)
        assert (found.name, found.action) == (carrier, "restart-plugin")
        await observer.row(K.PLUGIN_DEAD)
        assert observer.kind() == "failing"

    play_once(scenario)


# ---- the key


async def ask(
    world: World, client: LocalRelay, times: int, target: tuple[str, int] = SOMEWHERE, *, over: bool = False
) -> None:  # fmt: skip
    """Connections that send a few bytes, and perhaps their end, without waiting for an answer."""
    for number in range(times):
        _, writer = await world.connect(client, target[0], target[1] + number, payload=b"a question")
        if over:
            writer.write_eof()


@pytest.mark.parametrize("serve", [silent, closing, resetting])
def test_nothing_ever_came_back(play_once: Play, serve: Any) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(await world.origin(serve))
        observer = Observer(client)
        later, over = (11.0, False) if serve is silent else (0.0, serve is closing)
        await ask(world, client, 2, over=over)
        await until(lambda: len([one for one in observer.rows() if one.up and (one.ended or serve is silent)]) == 2)
        assert observer.overall(ahead=later) is None
        await ask(world, client, 2, over=over)
        await until(lambda: observer.rows() and (found := observer.overall(ahead=later)) and found.count == 4)
        found = observer.overall(ahead=later)
        assert found is not None
        assert (found.kind, found.severity, found.action) == (K.WRONG_KEY, "warn", "open-server")
        assert found.size >= 4 * 10  # the server's kernel took them
        assert {one.kind for one in observer.found(ahead=later)} == {K.WRONG_KEY}
        assert len(observer.found(ahead=later)) == 4

    play_once(scenario)


def test_a_wrong_password_is_silence_for_every_target(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()
        client = await world.client(server.address, password="another password")
        observer, far = Observer(client), Observer(server)
        await ask(world, client, 3)
        await until(lambda: len([one for one in observer.rows() if one.first_up]) == 3)
        assert observer.kind() == "connecting"
        found = observer.overall(ahead=11.0)
        assert found is not None
        assert (found.kind, found.count) == (K.WRONG_KEY, 3)
        assert [one.kind for one in far.found()] == [K.STRANGER] * 3

    play_once(scenario)


def test_what_answers_is_something_else(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(await world.origin(garbage))
        observer = Observer(client)
        await ask(world, client, 3)
        found = await observer.whole(K.UNREADABLE)
        assert (found.count, found.action) == (3, "open-server")
        await observer.row(K.UNREADABLE)
        assert observer.findings.verdict(0.0).why == "unreadable"

    play_once(scenario)


def test_an_answer_that_was_played_again(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        async def mirror(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.read(65536))
            await reader.read()

        client = await world.client(await world.origin(mirror))
        observer = Observer(client)
        await ask(world, client, 1)
        assert (await observer.row(K.REPLAY)).severity == "err"

    play_once(scenario)


def test_a_server_that_got_another_password_meanwhile(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        first = await world.server()
        client = await world.client(first.address)
        observer = Observer(client)
        reader, _ = await world.connect(client, *await world.echo(), payload=b"x")
        await reader.readexactly(1)
        await until(lambda: observer.kind() == "on")
        await first.engine.stop(0)
        await world.server(bind_port=first.address[1], password=Secret("another password"))
        await ask(world, client, 3)
        await until(lambda: len([one for one in observer.rows() if one.first_up and not one.down]) == 3)
        assert observer.overall(ahead=11.0) is None  # it answered a moment ago
        found = observer.overall(ahead=FRESH_SECONDS + 1)
        assert found is not None
        assert (found.kind, found.count, found.action) == (K.SERVER_SILENT, 3, "test-server")

    play_once(scenario)
