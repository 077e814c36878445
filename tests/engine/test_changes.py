"""An engine that goes on with other settings: what did not change never notices."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ssgui.config.models import LocalSettings, PluginSettings, ServerSettings, ServerUser
from ssgui.config.secret import Secret
from ssgui.engine.changes import Difference, change_local, change_servers
from ssgui.engine.errors import BindError, PluginError
from ssgui.engine.events import Closed
from ssgui.engine.relay import LocalRelay
from ssgui.engine.server_relay import ServerRelay
from ssgui.engine.stages import Reason
from ssgui.engine.tally import sample
from ssgui.protocol.errors import LocalProtocolError
from ssgui.rules.acl import parse_acl
from tests.engine.test_2022 import AES, Keys, make_key
from tests.engine.test_plugin import CARRIER
from tests.engine.udp_world import UDPWorld
from tests.engine.world import METHOD, PASSWORD, Streams, World, until
from tests.support.ports import free_port
from tests.support.wire import first_flight, salt_for

Play = Callable[..., None]
LOCAL = "127.0.0.1"
GONE = (Reason.DENIED, "its key is not in use any more")


def of(relay: ServerRelay, **values: Any) -> ServerSettings:
    """The settings of `relay`, on the port that it has, with other `values`."""
    return msgspec.structs.replace(relay.settings, **values)


async def opened(world: World, client: LocalRelay, target: tuple[str, int]) -> Streams:
    """A connection through `client` to an echo, over which something went already."""
    reader, writer = await world.connect(client, *target, b"x")
    assert await reader.readexactly(1) == b"x"
    return reader, writer


async def lives(streams: Streams) -> bool:
    """Whether what is said still comes back."""
    reader, writer = streams
    writer.write(b"still here")
    try:
        return await reader.readexactly(10) == b"still here"
    except (asyncio.IncompleteReadError, ConnectionError):
        return False


def ends(relay: ServerRelay) -> list[tuple[str, str, str]]:
    """User, reason and detail of what has ended."""
    found = [event for event in relay.journal.read_since(0)[0] if isinstance(event, Closed)]
    return [(one.user, one.reason, one.detail) for one in found]


# ---- users and keys


@pytest.mark.parametrize("method", [AES[0], pytest.param(AES[1], marks=pytest.mark.long)])
def test_a_changed_user_ends_and_the_others_do_not_notice(play: Play, method: str) -> None:
    async def scenario(world: World) -> None:
        keys, udp, target = Keys(method), UDPWorld(world), await world.echo()
        eve = ServerUser("eve", Secret(keys.eve))
        server = await keys.relay(world, udp=True, bind_port=free_port())
        await change_servers(server.engine, [of(server, users=(*keys.users, eve))])
        clients, streams, programs = {}, {}, {}
        origin = await udp.echo()
        for name in ("ann", "bob", "eve"):
            password = f"{keys.server}:{getattr(keys, name)}"
            client = clients[name] = await world.client(server.address, method=method, password=password, udp=True)
            streams[name], programs[name] = await opened(world, client, target), await udp.program(client)
            assert await programs[name].ask(b"datagram", origin.address) == b"datagram"
        other = make_key(method)
        after = (keys.users[0], ServerUser("bob", Secret(other)), ServerUser("joe", Secret(make_key(method))))
        difference = await change_servers(server.engine, [of(server, users=after)])
        assert difference == Difference(same=0, changed=1, opened=0, closed=0)
        assert await lives(streams["ann"])
        assert not await lives(streams["bob"])
        assert not await lives(streams["eve"])
        gone = [end for end in ends(server) if end[1] == Reason.DENIED]
        assert sorted(gone) == sorted((name, *GONE) for name in ("bob", "bob", "eve", "eve"))
        assert await programs["ann"].ask(b"again", origin.address) == b"again"
        for name in ("bob", "eve"):
            programs[name].send(b"again", origin.address)
            await world.connect(clients[name], *target, b"a long enough hello")
        await until(lambda: [end[1] for end in ends(server)].count(Reason.AUTH_FAILED) == 2)
        await until(lambda: sample(server.engine).ports[server.name].refused.get(Reason.AUTH_FAILED) == 2)
        new = await world.client(server.address, method=method, password=f"{keys.server}:{other}", udp=True)
        assert await lives(await opened(world, new, target))
        assert await (await udp.program(new)).ask(b"new", origin.address) == b"new"
        assert server.settings.users == after

    play(scenario)


def test_another_password_ends_what_came_with_the_old_one(play: Play) -> None:
    async def scenario(world: World) -> None:
        server, target = await world.server(), await world.echo()
        client = await world.client(server.address)
        streams = await opened(world, client, target)
        listening = server._listener
        await change_servers(server.engine, [of(server, password=Secret("another one"))])
        assert not await lives(streams)
        assert ends(server) == [("", *GONE)]
        assert server._listener is listening, "the port was never closed"
        other = await world.client(server.address, password="another one")
        assert await lives(await opened(world, other, target))
        await world.connect(client, *target, b"a long enough hello")
        await until(lambda: ends(server)[-1][1] == Reason.AUTH_FAILED)

    play(scenario)


@pytest.mark.parametrize("sent", [0, 20])
def test_who_came_before_and_speaks_after_must_have_the_new_key(play: Play, sent: int) -> None:
    async def scenario(world: World) -> None:
        server, target = await world.server(), await world.echo()
        keys = (PASSWORD, "another one")
        flights = [first_flight(METHOD, key, salt_for(METHOD, len(key)), target, b"hi") for key in keys]
        streams = [await world.open(server.address) for _ in flights]
        for (_, writer), flight in zip(streams, flights, strict=True):
            writer.write(flight[:sent])
        await world.accepted(server, 2)
        decoders = [handler.session.local.decoder for handler in server.engine.handlers.values()]  # type: ignore[attr-defined]
        await until(lambda: all(len(decoder.held + decoder.salt) >= sent for decoder in decoders))
        await change_servers(server.engine, [of(server, password=Secret("another one"))])
        for (_, writer), flight in zip(streams, flights, strict=True):
            writer.write(flight[sent:])
        await until(lambda: len(ends(server)) == (2 if sent else 1))
        assert {end[1] for end in ends(server)} == {Reason.AUTH_FAILED}
        if not sent:
            assert len(await streams[1][0].readexactly(32 + 2 + 16 + 2 + 16)) == 68  # the echo of "hi", sealed

    play(scenario)


def test_what_was_recorded_is_no_good_after_a_change(play: Play) -> None:
    """Not with the same key, and not when a key is back that was away for a while."""

    async def scenario(world: World) -> None:
        server, target = await world.server(), await world.echo()
        flight = first_flight(METHOD, PASSWORD, salt_for(METHOD, 7), target, b"hi")
        reader, writer = await world.open(server.address)
        writer.write(flight)
        await reader.readexactly(1)
        for password in (PASSWORD, "another one", PASSWORD):
            await change_servers(server.engine, [of(server, password=Secret(password), timeout=200.0)])
        _, again = await world.open(server.address)
        again.write(flight)
        await until(lambda: len(ends(server)) == 2)
        assert ends(server)[-1][1] == Reason.REPLAY

    play(scenario)


def test_a_key_that_cannot_be_changes_nothing(play: Play) -> None:
    async def scenario(world: World) -> None:
        keys = Keys(AES[0])
        server, target = await keys.relay(world), await world.echo()
        client = await world.client(server.address, method=AES[0], password=f"{keys.server}:{keys.ann}")
        streams = await opened(world, client, target)
        before = server.settings
        twice = (keys.users[0], ServerUser("bob", Secret(keys.ann)))
        for values in ({"users": twice}, {"password": Secret("no key")}, {"method": "no-such-method"}):
            with pytest.raises(LocalProtocolError):
                await change_servers(server.engine, [of(server, udp=True, **values)])
        assert server.settings is before
        assert server.udp is None
        assert await lives(streams)

    play(scenario)


# ---- what else a port may be given


def test_targets_that_are_denied_from_now_on(play: Play) -> None:
    async def scenario(world: World) -> None:
        server, target, udp = await world.server(udp=True), await world.echo(), UDPWorld(world)
        client, origin = await world.client(server.address, udp=True), await udp.echo()
        streams, program = await opened(world, client, target), await udp.program(client)
        assert await program.ask(b"one", origin.address) == b"one"
        acl = parse_acl(f"[outbound_block_list]\n{LOCAL}\n")
        await change_servers(server.engine, [of(server, acl=acl)])
        assert await lives(streams), "what is open goes on"
        await world.connect(client, *target, b"a long enough hello")
        await until(lambda: ends(server))
        assert ends(server)[0][1] == Reason.DENIED
        program.send(b"two", origin.address)
        await program.peer.silence()
        await change_servers(server.engine, [of(server, acl=None, prefer_ipv6=True)])
        assert await program.ask(b"three", origin.address) == b"three"
        assert await lives(await opened(world, client, ("localhost", target[1])))
        assert len(server.dialers) == 1

    play(scenario)


def test_times(play: Play) -> None:
    async def scenario(world: World) -> None:
        server, target = await world.server(udp=True, timeout=1.0), await world.echo()
        client = await world.client(server.address)
        reader, _ = await opened(world, client, target)
        await change_servers(server.engine, [of(server, timeout=0.1, udp_timeout=5.0)])
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(1)
        assert ends(server)[0][1] == Reason.IDLE_TIMEOUT
        assert server.udp is not None
        assert (server.udp.idle_seconds, server.udp.dns_seconds) == (5, 5)

    play(scenario)


@pytest.mark.long
def test_udp_comes_and_goes(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp, port = UDPWorld(world), free_port()
        server, target = await world.server(bind_port=port), await world.echo()
        client = await world.client(server.address, udp=True)
        streams, origin, program = await opened(world, client, target), await udp.echo(), await udp.program(client)
        for _ in range(2):
            await change_servers(server.engine, [of(server, udp=True)])
            assert await program.ask(b"datagram", origin.address) == b"datagram"
            await change_servers(server.engine, [of(server, udp=False)])
            program.send(b"datagram", origin.address)
            await program.peer.silence()
        assert await lives(streams)
        taken = await udp.peer(port=port)
        assert taken.address == (LOCAL, port)
        with pytest.raises(BindError, match="UDP"):
            await change_servers(server.engine, [of(server, udp=True, timeout=7.0)])
        assert (server.udp, server.timeout) == (None, 300)
        assert await lives(streams)

    play(scenario)


def test_a_listener_of_another_kind(play: Play) -> None:
    async def scenario(world: World) -> None:
        server, target = await world.server(), await world.echo()
        client = await world.client(server.address)
        streams, listening = await opened(world, client, target), server._listener
        await change_servers(server.engine, [of(server, mptcp=True)])
        assert server._listener is not listening
        assert await lives(streams)
        assert await lives(await opened(world, client, target))

    play(scenario)


def test_plugins(play: Play, tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        program, target, port = tmp_path / "plugin", await world.echo(), free_port()
        program.write_text(CARRIER.format(python=sys.executable))
        program.chmod(0o755)
        plugin = PluginSettings(str(program), "role=server")
        server = await world.server(bind_port=port)
        client = await world.client(server.address)
        await change_servers(server.engine, [of(server, plugin=plugin)])
        streams = await opened(world, client, target)
        for bad in (PluginSettings("no-such-program-here"), PluginSettings(str(program), "die")):
            with pytest.raises(PluginError):
                await change_servers(server.engine, [of(server, plugin=bad, timeout=7.0)])
            assert server.settings.plugin == plugin
            assert server.timeout == 300
        assert not await lives(streams), "what a plugin has carried ends with it"
        assert await lives(await opened(world, client, target))
        await change_servers(server.engine, [of(server, plugin=None)])
        assert server.plugin is None
        assert await lives(await opened(world, client, target))

    play(scenario)


# ---- ports


def test_ports_come_and_go(play: Play) -> None:
    async def scenario(world: World) -> None:
        target, ports = await world.echo(), [free_port() for _ in range(3)]
        engine = world.engine()
        stays = await world.server(engine=engine, bind_port=ports[0])
        goes = await world.server(engine=engine, bind_port=ports[1], udp=True)
        streams = [
            await opened(world, await world.client(relay.address), target) for relay in (stays, stays, goes, goes)
        ]
        new = of(stays, bind_port=ports[2], password=Secret("new"))
        assert await change_servers(engine, [new, stays.settings]) == Difference(1, 0, 1, 1)
        assert [await lives(one) for one in streams] == [True, True, False, False]
        assert ends(stays) == [("", Reason.SHUTDOWN, "its port was closed")] * 2
        with pytest.raises(ConnectionRefusedError):
            await world.open((LOCAL, ports[1]))
        assert await lives(await opened(world, await world.client((LOCAL, ports[2]), password="new"), target))
        assert await change_servers(engine, [new, stays.settings]) == Difference(2, 0, 0, 0)
        assert str(Difference(2, 0, 0, 0)) == "ports: 2 as before, 0 changed, 0 opened, 0 closed"
        assert await change_servers(engine, []) == Difference(0, 0, 0, 2)
        assert engine.relays == []

    play(scenario)


def test_a_port_that_cannot_be_had_changes_nothing(play: Play) -> None:
    async def scenario(world: World) -> None:
        target, ports, engine = await world.echo(), [free_port() for _ in range(3)], world.engine()
        stays = await world.server(engine=engine, bind_port=ports[0])
        goes = await world.server(engine=engine, bind_port=ports[1])
        streams = [await opened(world, await world.client(relay.address), target) for relay in (stays, goes)]
        settings = stays.settings
        wanted = [of(stays, bind_port=ports[2]), of(stays, bind_port=target[1]), of(stays, password=Secret("other"))]
        with pytest.raises(BindError) as caught:
            await change_servers(engine, wanted)
        assert caught.value.in_use
        assert caught.value.port == target[1]
        assert engine.relays == [stays, goes]
        assert stays.settings is settings
        assert [await lives(one) for one in streams] == [True, True]
        with pytest.raises(ConnectionRefusedError):
            await world.open((LOCAL, ports[2]))

    play(scenario)


def test_a_change_that_fails_late_is_taken_back(play: Play) -> None:
    async def scenario(world: World) -> None:
        target, ports, engine = await world.echo(), [free_port() for _ in range(3)], world.engine()
        relays = [await world.server(engine=engine, bind_port=port) for port in ports]
        streams = [await opened(world, await world.client(relay.address), target) for relay in relays]
        before = [relay.settings for relay in relays]
        missing = PluginSettings("no-such-program-here")
        new = of(relays[0], bind_port=free_port())
        with pytest.raises(PluginError):
            await change_servers(engine, [of(relays[0], timeout=7.0), of(relays[1], plugin=missing), new])
        assert [relay.settings for relay in relays] == before
        assert [relay.timeout for relay in relays] == [300] * 3
        assert engine.relays == relays
        assert [await lives(one) for one in streams] == [True] * 3

    play(scenario)


def test_a_port_moves_to_all_addresses_and_back(play: Play) -> None:
    async def scenario(world: World) -> None:
        port, engine, target = free_port(), world.engine(), await world.echo()
        server = await world.server(engine=engine, bind_port=port)
        await change_servers(engine, [of(server, bind_host="0.0.0.0")])
        client = await world.client((LOCAL, port))
        assert await lives(await opened(world, client, target))
        occupied = of(server, bind_port=target[1])
        with pytest.raises(BindError):
            await change_servers(engine, [of(server), occupied])
        streams = await opened(world, client, target)
        await change_servers(engine, [of(server)])
        assert not await lives(streams)
        assert await lives(await opened(world, client, target))

    play(scenario)


def test_counters_of_a_port_that_is_opened_again_go_on(play: Play) -> None:
    async def scenario(world: World) -> None:
        engine, target = world.engine(), await world.echo()
        server = await world.server(engine=engine, bind_port=free_port())
        client, settings = await world.client(server.address), server.settings
        for count in (1, 2, 3):
            await opened(world, client, target)
            port = sample(engine).ports[server.name]
            assert (port.stages, port.carried, port.ended.get("shutdown", 0)) == (
                {"STREAM": 1}, (count, count), count - 1
            )  # fmt: skip
            await change_servers(engine, [])
            assert sample(engine).ports[server.name].carried == (count, count)
            await change_servers(engine, [settings])

    play(scenario)


# ---- a client


def test_a_client_goes_on_behind_a_port_that_is_opened_again(play: Play) -> None:
    async def scenario(world: World) -> None:
        server, target, udp = await world.server(udp=True), await world.echo(), UDPWorld(world)
        client = await world.client(server.address, bind_port=free_port())
        engine, streams = client.engine, await opened(world, client, target)
        after = msgspec.structs.replace(client.settings, udp=True, bypass_lan=True)
        other = await change_local(engine, client, after)
        assert other is not client
        assert other.address == client.address
        assert await lives(streams)
        program, origin = await udp.program(other), await udp.echo()
        assert await program.ask(b"datagram", origin.address) == b"datagram"
        assert await lives(await opened(world, other, target))
        assert engine.relays == [client, other]
        streams[1].write_eof()
        await until(lambda: engine.relays == [other])
        quick = msgspec.structs.replace(after, timeout=9.0)
        assert await change_local(engine, other, quick) is other
        assert await change_local(engine, other, quick) is other
        assert other.timeout == 9

    play(scenario)


@pytest.mark.parametrize("same_port", [True, False])
def test_a_client_that_cannot_have_what_it_wants_goes_on(play: Play, *, same_port: bool) -> None:
    async def scenario(world: World) -> None:
        server, target = await world.server(), await world.echo()
        client = await world.client(server.address, bind_port=free_port())
        streams = await opened(world, client, target)
        after: LocalSettings = msgspec.structs.replace(
            client.settings, bind_port=client.address[1] if same_port else target[1],
            bind_host="192.0.2.1" if same_port else LOCAL,
        )  # fmt: skip
        with pytest.raises(BindError):
            await change_local(client.engine, client, after)
        assert await lives(streams)
        assert await lives(await opened(world, client, target))
        assert client.engine.relays == [client]

    play(scenario)


def test_programs_that_rest_are_asked_to_come_again(play: Play) -> None:
    """A connection that is kept for another request belongs to the settings before."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async def scenario(world: World) -> None:
        server, target = await world.server(), await world.origin(serve)
        client = await world.client(server.address, bind_port=free_port())
        request = f"GET http://{LOCAL}:{target[1]}/ HTTP/1.1\r\nHost: {LOCAL}\r\n\r\n".encode()
        reader, writer = await world.open(client.address)
        writer.write(request)
        assert (await reader.readuntil(b"ok")).endswith(b"ok")
        after = msgspec.structs.replace(client.settings, bypass_lan=True)
        other = await change_local(client.engine, client, after)
        assert await reader.read() == b""
        await until(lambda: client.engine.relays == [other])

    play(scenario)


def test_parting_ends_with_the_engine(play: Play) -> None:
    async def scenario(world: World) -> None:
        server, target = await world.server(), await world.echo()
        client = await world.client(server.address, bind_port=free_port())
        await opened(world, client, target)
        await change_local(client.engine, client, msgspec.structs.replace(client.settings, bypass_lan=True))
        await client.engine.stop(0)
        assert client.engine.relays == []

    play(scenario)
