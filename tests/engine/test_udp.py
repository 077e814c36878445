"""UDP through a client and a server: who is heard, who is not, and how long."""

import asyncio
import errno
import os
import socket
from collections.abc import Awaitable, Callable

import pytest

from ssgui.config.models import DEFAULT_FORBIDDEN
from ssgui.engine import udp_association, udp_lease, udp_local, udp_server, udp_socket
from ssgui.engine.events import Closed, Opened, StageChanged
from ssgui.engine.stages import Reason, Stage
from ssgui.engine.udp_local import LocalAssociation
from ssgui.engine.udp_relay import UDPRelay
from ssgui.protocol.address import encode_address
from ssgui.rules.acl import Match, Route
from tests.engine.udp_world import UDPWorld
from tests.engine.world import StubLookup, World, until

Play = Callable[[Callable[[World], Awaitable[None]]], None]


def test_an_echo_and_its_story(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, server = await world.pair(udp=True)
        origin = await udp.echo()
        program = await udp.program(client)
        program.send(b"hello", origin.address)
        assert await program.receive() == (b"hello", origin.address)
        program.send(b"more", origin.address)
        assert (await program.receive())[0] == b"more"
        (seen,) = client.engine.snapshot()
        assert (seen.stage, seen.up, seen.down, seen.inbound) == (Stage.UDP_ASSOC, 9, 9, "socks5")
        assert (seen.target, seen.route) == (f"127.0.0.1:{origin.address[1]}", "proxy")
        (seen,) = server.engine.snapshot()
        assert (seen.stage, seen.up, seen.down, seen.inbound) == (Stage.UDP_ASSOC, 9, 9, "shadowsocks-udp")
        assert seen.first_up is not None
        assert seen.first_down is not None
        await server.engine.stop(0)
        await client.engine.stop(0)
        events = world.events(server)
        assert [type(event) for event in events] == [Opened, StageChanged, StageChanged, Closed]
        assert world.stages(server) == [Stage.UDP_ASSOC, Stage.DESTROYED]
        assert world.stages(client) == [Stage.ADDR, Stage.UDP_ASSOC, Stage.DESTROYED]
        for relay in (client, server):
            (end,) = await world.closed(relay)
            assert (end.reason, end.up, end.down) == (Reason.SHUTDOWN, 9, 9)

    play(scenario)


def test_a_name_is_resolved_by_the_server(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, _ = await world.pair(udp=True)
        origin = await udp.echo()
        program = await udp.program(client)
        for number in range(3):  # the first ones wait together for the address
            program.send(b"%d" % number, ("localhost", origin.address[1]))
        answers = [await program.receive() for _ in range(3)]
        assert answers == [(b"%d" % number, origin.address) for number in range(3)]

    play(scenario)


def test_a_cone(play: Play) -> None:
    """Two targets see one port, and a third, whom nobody asked, may answer to it."""

    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, _ = await world.pair(udp=True)
        first, second, third = await udp.echo(), await udp.echo(), await udp.peer()
        program = await udp.program(client)
        await program.ask(b"a", first.address)
        await program.ask(b"b", second.address)
        assert first.received[0][1] == second.received[0][1]
        third.send(b"surprise", first.received[0][1])
        assert await program.receive() == (b"surprise", third.address)

    play(scenario)


@pytest.mark.parametrize("head", [b"\0\0\1", b"\0\1\0", b"\1\0\0"])
def test_fragments_and_oddities_are_dropped(play: Play, head: bytes) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, _ = await world.pair(udp=True)
        origin = await udp.echo()
        program = await udp.program(client)
        program.send(b"odd", origin.address, head)
        for size in range(10):
            program.peer.send((b"\0\0\0" + encode_address(*origin.address))[:size], program.relay)
        program.peer.send(b"\0\0\0\3\0\0\1", program.relay)
        program.peer.send(b"\0\0\0\x11" + bytes(20), program.relay)
        assert await program.ask(b"even", origin.address) == b"even"
        assert [data for data, _ in origin.received] == [b"even"]

    play(scenario)


def test_an_association_ends_with_its_connection(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp_lease, "GRACE", 0.3)

    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, _ = await world.pair(udp=True)
        origin = await udp.echo()
        program = await udp.program(client)
        assert await program.ask(b"before", origin.address) == b"before"
        program.writer.close()
        assert await program.ask(b"in the grace", origin.address) == b"in the grace"
        (end,) = await world.closed(client)
        assert (end.reason, end.up, end.down) == (Reason.FINISHED, 18, 18)
        program.send(b"after", origin.address)
        await program.peer.silence()
        assert client.udp is not None
        assert not client.udp.associations
        assert client.udp.complaints.counts == {"stranger": 1}

    play(scenario)


def test_a_reset_ends_an_association_too(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp_lease, "GRACE", 0.05)

    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, _ = await world.pair(udp=True)
        program = await udp.program(client)
        program.writer.transport.abort()
        (end,) = await world.closed(client)
        assert end.reason in (Reason.FINISHED, Reason.CLIENT_RESET)

    play(scenario)


def test_only_who_has_asked_is_heard(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, _ = await world.pair(udp=True)
        origin = await udp.echo()
        stranger = await udp.peer(host="127.0.0.2")
        datagram = b"\0\0\0" + encode_address(*origin.address) + b"who"
        stranger.send(datagram, client.address)
        program = await udp.program(client)
        stranger.send(datagram, client.address)
        assert await program.ask(b"me", origin.address) == b"me"
        await stranger.silence()
        assert [data for data, _ in origin.received] == [b"me"]

    play(scenario)


def test_leases_are_told_apart_by_the_port_that_was_named(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, _ = await world.pair(udp=True)
        origin = await udp.echo()
        plain = await udp.program(client)
        named = await udp.program(client, named_port=True)
        assert await named.ask(b"named", origin.address) == b"named"
        assert await plain.ask(b"it", origin.address) == b"it"
        assert [view.up for view in client.engine.snapshot()] == [2, 5]

    play(scenario)


def test_udp_off_is_refused(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, _ = await world.pair()
        with pytest.raises(ConnectionError, match="7"):
            await udp.program(client)
        (end,) = await world.closed(client)
        assert end.reason is Reason.BAD_REQUEST

    play(scenario)


def test_the_largest_datagrams(play: Play) -> None:
    """What fits into a packet with salt, tag and address goes; what does not is dropped, and the rest goes on."""

    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, _ = await world.pair(udp=True)
        origin = await udp.echo()
        program = await udp.program(client)
        largest = os.urandom(65_507 - 32 - 16 - 7)
        assert await program.ask(largest, origin.address) == largest
        program.send(largest + b"x", origin.address)
        assert await program.ask(b"small", origin.address) == b"small"
        assert client.udp is not None
        assert client.udp.complaints.counts == {"too-large": 1}

    play(scenario)


def test_an_answer_that_is_too_large_is_dropped(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, server = await world.pair(udp=True)
        origin = await udp.peer(lambda data: bytes(65_507) if data == b"large" else data)
        program = await udp.program(client)
        program.send(b"large", origin.address)
        assert await program.ask(b"small", origin.address) == b"small"
        assert server.udp is not None
        assert server.udp.complaints.counts == {"too-large": 1}

    play(scenario)


def test_a_target_that_refuses_harms_nobody(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, _ = await world.pair(udp=True)
        origin = await udp.echo()
        gone = await udp.peer()
        nobody = gone.address
        gone.close()
        program = await udp.program(client)
        for number in range(40):
            program.send(b"x", nobody)
            assert await program.ask(b"%d" % number, origin.address) == b"%d" % number

    play(scenario)


def test_a_server_that_is_not_there_yet(play: Play) -> None:
    """What is sent meanwhile is lost (the system says refused); then the same association works."""

    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        server = await world.server(udp=True)
        address = server.address
        await server.engine.stop(0)
        client = await world.client(address, udp=True)
        origin = await udp.echo()
        program = await udp.program(client)
        for _ in range(20):
            program.send(b"lost", origin.address)
            await asyncio.sleep(0.002)
        await world.server(bind_port=address[1], udp=True)
        assert await program.ask(b"found", origin.address) == b"found"
        assert client.udp is not None
        (association,) = client.udp.associations.values()
        assert isinstance(association, LocalAssociation)

    play(scenario)


def test_a_restarted_server_goes_on(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, server = await world.pair(udp=True)
        origin = await udp.echo()
        program = await udp.program(client)
        assert await program.ask(b"one", origin.address) == b"one"
        address = server.address
        await server.engine.stop(0)
        await world.server(bind_port=address[1], udp=True)
        assert await program.ask(b"two", origin.address) == b"two"

    play(scenario)


@pytest.mark.parametrize("role", ["client", "server"])
def test_the_least_recently_used_makes_room(play: Play, monkeypatch: pytest.MonkeyPatch, role: str) -> None:
    if role == "client":
        monkeypatch.setattr(udp_local, "MOST_ASSOCIATIONS", 3)
    else:
        monkeypatch.setattr(udp_server, "MOST_ASSOCIATIONS", 3)
        monkeypatch.setattr(udp_server, "SHARE", 1)

    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, server = await world.pair(udp=True)
        origin = await udp.echo()
        programs = [await udp.program(client) for _ in range(4)]
        for program in programs:
            await program.ask(b"x", origin.address)
            await programs[0].ask(b"me too", origin.address)
        tried = client if role == "client" else server
        assert tried.udp is not None
        assert len(tried.udp.associations) == 3
        ports = [address[1] for data, address in origin.received if data == b"me too"]
        assert len(set(ports)) == 1, "the one that is used all the time is not ended"
        assert await programs[1].ask(b"again", origin.address) == b"again"
        assert len(tried.udp.associations) == 3
        if role == "server":
            ends = await world.closed(server, 2)
            assert {(end.reason, end.detail) for end in ends} == {(Reason.FINISHED, "ended to make room for others")}

    play(scenario)


def test_one_address_cannot_take_all_associations(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp_server, "MOST_ASSOCIATIONS", 8)

    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, server = await world.pair(udp=True)
        origin = await udp.echo()
        assert server.udp is not None
        for _ in range(5):
            await (await udp.program(client)).ask(b"x", origin.address)
            assert len(server.udp.associations) <= 2

    play(scenario)


def test_idle_associations_end_and_those_for_dns_soon(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        origin = await udp.echo()
        monkeypatch.setattr(udp_association, "_DNS_BYTES", origin.address[1].to_bytes(2, "big"))
        client, server = await world.pair(udp=True)
        for relay in (client.udp, server.udp):
            assert isinstance(relay, UDPRelay)
            relay.dns_seconds = 0.2
        other = await udp.echo()
        names, game = await udp.program(client), await udp.program(client)
        await names.ask(b"name?", origin.address)
        await game.ask(b"move", other.address)
        (end,) = await world.closed(server)
        assert (end.reason, end.target) == (Reason.IDLE_TIMEOUT, f"127.0.0.1:{origin.address[1]}")
        assert client.udp is not None
        assert server.udp is not None
        await until(lambda: len(client.udp.associations) == 1)  # type: ignore[union-attr]
        assert len(server.udp.associations) == 1
        assert len(client.engine.snapshot()) == 2, "the program's connection is its lease still"
        assert await names.ask(b"again?", origin.address) == b"again?"

    play(scenario)


def test_idle_time_is_the_one_that_was_set(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, server = await world.pair(udp=True, udp_timeout=0.3)
        program = await udp.program(client)
        origin = await udp.echo()
        for _ in range(8):
            await program.ask(b"still here", origin.address)
            await asyncio.sleep(0.1)
        (end,) = await world.closed(server)
        assert (end.reason, end.up) == (Reason.IDLE_TIMEOUT, 80)

    play(scenario)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::ffff:127.0.0.1"])
def test_forbidden_addresses_are_not_sent_to(play: Play, host: str) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        server = await world.server(udp=True, forbidden=DEFAULT_FORBIDDEN)
        client = await world.client(server.address, udp=True)
        origin = await udp.echo()
        program = await udp.program(client)
        program.send(b"x", (host, origin.address[1]))
        await program.peer.silence()
        assert not origin.received
        assert server.udp is not None
        await until(lambda: server.udp.complaints.counts == {"denied": 1})  # type: ignore[union-attr]

    play(scenario)


def test_a_name_that_nobody_resolves_holds_little(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, server = await world.pair(udp=True)
        server.resolver._lookup = StubLookup(None)
        origin = await udp.echo()
        program = await udp.program(client)
        for _ in range(40):
            program.send(bytes(1000), ("never.test", 9))
        for number in range(300):
            program.send(b"x", (f"{number}.test", 9))
            if number % 20 == 0:
                assert await program.ask(b"%d" % number, origin.address) == b"%d" % number
        assert await program.ask(b"me", origin.address) == b"me"
        assert server.udp is not None
        counts = server.udp.complaints.counts
        assert counts["full"] == 40 - 16
        assert counts["unresolved"] == 300 + 1 - 256

    play(scenario)


def test_a_name_that_fails_is_asked_for_again_later(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, server = await world.pair(udp=True)
        server.resolver._lookup = StubLookup(OSError("no such name"))
        origin = await udp.echo()
        program = await udp.program(client)
        program.send(b"x", ("nowhere.test", 9))
        assert await program.ask(b"me", origin.address) == b"me"
        program.send(b"x", ("nowhere.test", 9))
        assert await program.ask(b"me", origin.address) == b"me"
        assert server.udp is not None
        await until(lambda: server.udp.complaints.counts == {"unresolved": 2})  # type: ignore[union-attr]

    play(scenario)


def test_with_a_wrong_key_nothing_arrives_and_nothing_is_answered(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        _, server = await world.pair(udp=True)
        wrong = await world.client(server.address, udp=True, password="not the password")
        origin = await udp.echo()
        program = await udp.program(wrong)
        program.send(b"x", origin.address)
        stranger = await udp.peer()
        for size in (1, 15, 55, 1000, 65_000):
            stranger.send(os.urandom(size), server.address)
        await stranger.silence()
        await program.peer.silence()
        assert not origin.received
        assert not server.engine.snapshot()
        assert server.udp is not None
        assert server.udp.complaints.counts == {"bad": 6}

    play(scenario)


def test_answers_that_do_not_open_are_dropped(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        liar = await udp.peer(lambda data: os.urandom(len(data)))
        client = await world.client(liar.address, udp=True)
        program = await udp.program(client)
        program.send(b"x", ("127.0.0.1", 9))
        await liar.next()
        await program.peer.silence()

    play(scenario)


def test_direct_and_rejected_targets(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, server = await world.pair(udp=True)
        routes = {"127.0.0.1": Match(Route.DIRECT, "one"), "localhost": Match(Route.DIRECT, "two")}
        monkeypatch.setattr(
            client.router, "route", lambda target, _client: routes.get(target.host, Match(Route.REJECT, "three"))
        )
        origin = await udp.echo()
        program = await udp.program(client)
        program.send(b"direct", origin.address)
        assert await program.receive() == (b"direct", origin.address)
        program.send(b"by name", ("localhost", origin.address[1]))
        assert await program.receive() == (b"by name", origin.address)
        assert len({address for _, address in origin.received}) == 1
        program.send(b"nowhere", ("127.0.0.3", origin.address[1]))
        assert await program.ask(b"direct", origin.address) == b"direct"
        (seen,) = client.engine.snapshot()
        assert (seen.route, seen.rule, seen.server) == ("direct", "one", "")
        assert not world.events(server)
        assert client.udp is not None
        assert client.udp.complaints.counts == {"rejected": 1}

    play(scenario)


def test_a_tunnel(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        origin = await udp.echo()
        server = await world.server(udp=True)
        client = await world.client(server.address, udp=True, tunnel=origin.address, udp_timeout=0.5)
        peers = [await udp.peer() for _ in range(3)]
        for number, peer in enumerate(peers):
            peer.send(b"%d" % number, client.address)
            assert await peer.next() == (b"%d" % number, client.address)
        assert len({address for _, address in origin.received}) == 3
        views = client.engine.snapshot()
        assert [(view.inbound, view.stage, view.up, view.down) for view in views] == [
            ("tunnel-udp", Stage.UDP_ASSOC, 1, 1)
        ] * 3
        ends = await world.closed(client, 3)
        assert {end.reason for end in ends} == {Reason.IDLE_TIMEOUT}
        assert world.stages(client)[:2] == [Stage.ADDR, Stage.UDP_ASSOC]

    play(scenario)


def test_without_descriptors_datagrams_are_lost_and_little_is_said(
    play: Play, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(family: int) -> socket.socket:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, server = await world.pair(udp=True)
        origin = await udp.echo()
        program = await udp.program(client)
        for module in (udp_local, udp_association):
            monkeypatch.setattr(module, "outgoing_socket", full)
            for _ in range(5):
                program.send(b"lost", origin.address)
            await program.peer.silence()
            monkeypatch.setattr(module, "outgoing_socket", udp_socket.outgoing_socket)
            assert await program.ask(b"x", origin.address) == b"x"
            assert server.udp is not None
            for association in list(server.udp.associations.values()):
                association.close()
        assert [record.message for record in caplog.records if "no socket" in record.message] == [
            "UDP: no socket for an association: Too many open files (1 dropped)"
        ] * 2

    play(scenario)
