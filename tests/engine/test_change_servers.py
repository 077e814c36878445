"""A client that is given other servers: its port stays open, and what is open goes on."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ssgui.config.models import LocalSettings, PluginSettings, ServerChoice, ServerProfile
from ssgui.config.secret import Secret
from ssgui.engine.errors import PluginError
from ssgui.engine.plugins.plugin import PluginState
from ssgui.engine.relay import can_change
from ssgui.protocol.address import Address
from tests.engine.test_plugin import CARRIER
from tests.engine.world import METHOD, PASSWORD, World, until
from tests.support.ports import free_port

Play = Callable[..., None]


def profile(address: tuple[str, int], plugin: PluginSettings | None = None) -> ServerProfile:
    return ServerProfile(*address, METHOD, Secret(PASSWORD), plugin=plugin)


def settings(*profiles: ServerProfile, **values: object) -> LocalSettings:
    fields = {"bind_port": 0, "choice": ServerChoice.FIXED, **values}
    return LocalSettings(servers=profiles, **fields)  # type: ignore[arg-type]


def test_what_can_be_changed_without_opening_the_port_again() -> None:
    before = settings(profile(("127.0.0.1", 1)))
    values: dict[str, Any]
    for values in ({"servers": (profile(("127.0.0.1", 2)),)}, {"timeout": 9.0}, {"users": (("a", Secret("b")),)}):
        assert can_change(before, msgspec.structs.replace(before, **values))
    for values in ({"bind_port": 7}, {"bind_host": "0.0.0.0"}, {"udp": True}, {"bypass_lan": True}):
        assert not can_change(before, msgspec.structs.replace(before, **values))


def test_new_connections_take_the_new_server_and_old_ones_keep_theirs(play: Play) -> None:
    async def scenario(world: World) -> None:
        first, second = await world.server(), await world.server()
        client = await world.client(first.address)
        echo = await world.echo()
        reader, writer = await world.connect(client, *echo, payload=b"a")
        assert await reader.readexactly(1) == b"a"
        address = client.address
        await client.change(settings(profile(second.address)))
        assert client.address == address
        other, _ = await world.connect(client, *echo, payload=b"b")
        assert await other.readexactly(1) == b"b"
        writer.write(b"c")
        assert await reader.readexactly(1) == b"c"
        assert len(first.engine.handlers) == len(second.engine.handlers) == 1

    play(scenario)


def test_what_is_known_of_a_server_that_stays_is_kept(play: Play) -> None:
    async def scenario(world: World) -> None:
        server, dead = await world.server(), ("127.0.0.1", free_port())
        both = settings(profile(dead), profile(server.address))
        client = await world.client(server.address, servers=both.servers, choice=ServerChoice.FIXED)
        await world.connect(client, *await world.echo(), payload=b"x")
        assert [view.failures for view in client.pool.view()] == [1, 0]
        other = await world.server()
        await client.change(settings(*both.servers, profile(other.address), timeout=7.0, users=(("u", Secret("p")),)))
        assert [view.failures for view in client.pool.view()] == [1, 0, 0]
        assert (client.timeout, client.users) == (7.0, {b"u": b"p"})
        assert client.pool.choose(Address("example.com", 80)) is client.upstreams.current[1]

    play(scenario)


def test_the_plugin_of_a_server_that_left_ends_after_its_last_connection(play: Play, tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()
        program = tmp_path / "carrier"
        program.write_text(CARRIER.format(python=sys.executable))
        program.chmod(0o755)
        plugged = profile(server.address, PluginSettings(str(program)))
        client = await world.client(server.address, servers=(plugged,))
        reader, writer = await world.connect(client, *await world.echo(), payload=b"a")
        assert await reader.readexactly(1) == b"a"
        plugin = client.upstreams.current[0].plugin
        assert plugin is not None
        await client.change(settings(profile(server.address)))
        await asyncio.sleep(0)
        writer.write(b"b")
        assert await reader.readexactly(1) == b"b"
        assert plugin.view().state is PluginState.READY
        writer.close()
        await until(lambda: plugin.view().state is PluginState.STOPPED)

    play(scenario)


def test_a_plugin_that_does_not_start_changes_nothing(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()
        client = await world.client(server.address)
        before = client.pool
        with pytest.raises(PluginError, match="no such program"):
            await client.change(settings(profile(server.address, PluginSettings("no-such-plugin"))))
        assert client.pool is before
        reader, _ = await world.connect(client, *await world.echo(), payload=b"a")
        assert await reader.readexactly(1) == b"a"

    play(scenario)
