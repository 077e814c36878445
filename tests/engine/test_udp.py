"""UDP through a client and a server: who is heard, who is not, and how long."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Hashable

import pytest

from ssgui.config.models import ServerChoice, ServerProfile, UpstreamProxy
from ssgui.config.secret import Secret
from ssgui.engine.errors import BindError
from ssgui.engine.events import Closed, Opened, StageChanged
from ssgui.engine.stages import Reason, Stage
from ssgui.engine.tunnel import AeadTunnel, client_tunnel
from ssgui.engine.udp import lease as udp_lease
from ssgui.engine.udp.local import SocksUDPRelay
from ssgui.engine.udp.program import LocalAssociation
from ssgui.protocol.address import encode_address
from ssgui.protocol.codecs import OpenedDatagram
from ssgui.rules.acl import Match, Route
from tests.engine.udp_world import UDPWorld
from tests.engine.world import METHOD, PASSWORD, StubLookup, World, until
from tests.support.ports import free_port

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


def test_nobody_can_connect_before_udp_is_open_too(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that sees the port listen may ask for UDP at once."""
    refused: list[OSError] = []

    async def scenario(world: World) -> None:
        opened = SocksUDPRelay.listen

        async def later(self: SocksUDPRelay, host: str, port: int) -> None:
            try:
                await world.open((host, port))
            except ConnectionRefusedError as error:
                refused.append(error)
            await opened(self, host, port)

        monkeypatch.setattr(SocksUDPRelay, "listen", later)
        client, _ = await world.pair(udp=True)
        assert len(refused) == 1
        await UDPWorld(world).program(client)

    play(scenario)


def test_a_port_that_two_have_bound_belongs_to_who_listens_first(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux lets both bind it, until one listens."""

    async def scenario(world: World) -> None:
        opened = SocksUDPRelay.listen
        with socket.socket() as rival:
            rival.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

            async def later(self: SocksUDPRelay, host: str, port: int) -> None:
                rival.bind((host, port))
                rival.listen()
                await opened(self, host, port)

            monkeypatch.setattr(SocksUDPRelay, "listen", later)
            with pytest.raises(BindError) as raised:
                await world.client(("127.0.0.1", 9), udp=True, bind_port=free_port())
        assert raised.value.in_use

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


class SessionDatagrams:
    """A codec that knows clients by an ID in their packets, as the 2022 edition does."""

    def __init__(self) -> None:
        self.forgotten: list[bytes] = []

    def open(self, packet: bytes | memoryview, source: Hashable) -> OpenedDatagram:
        return OpenedDatagram(bytes(packet[:1]), packet[1:], "ann")

    def seal(self, session: Hashable, plain: bytes | memoryview) -> bytes:
        assert isinstance(session, bytes)
        return session + bytes(plain)

    def forget(self, session: Hashable) -> None:
        assert isinstance(session, bytes)
        self.forgotten.append(session)


def test_a_session_roams(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answers go to where the session's last packet came from, also those to earlier packets."""
    codec = SessionDatagrams()
    monkeypatch.setattr(AeadTunnel, "server_datagrams", lambda _self: codec)

    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        server = await world.server(udp=True)
        origin = await udp.peer()
        header = encode_address(*origin.address)
        home, away, other = await udp.peer(), await udp.peer(), await udp.peer()
        home.send(b"1" + header + b"from home", server.address)
        data, ours = await origin.next()
        assert data == b"from home"
        other.send(b"2" + header + b"from another", server.address)
        assert (await origin.next())[1] != ours
        away.send(b"1" + header + b"from away", server.address)
        assert await origin.next() == (b"from away", ours)
        origin.send(b"answer", ours)
        assert await away.next() == (b"1" + header + b"answer", server.address)
        await home.silence()
        assert [view.user for view in server.engine.snapshot()] == ["ann", "ann"]
        await server.engine.stop(0)
        assert sorted(codec.forgotten) == [b"1", b"2"]
        assert {end.user for end in await world.closed(server, 2)} == {"ann"}

    play(scenario)


def test_one_port_for_both(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, server = await world.pair(udp=True)
        for relay in (client, server):
            assert relay.udp is not None
            assert relay.udp.address == relay.address

    play(scenario)


@pytest.mark.parametrize(("bind", "connect"), [("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("::", "::1")])
def test_on_a_wildcard_the_answer_names_an_address(play: Play, bind: str, connect: str) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        server = await world.server(udp=True)
        client = await world.client(server.address, udp=True, bind_host=bind)
        origin = await udp.echo()
        peer = await udp.peer(host=connect)
        reader, writer = await world.open((connect, client.address[1]))
        writer.write(b"\x05\x01\x00" + b"\x05\x03\x00" + encode_address("0.0.0.0", 0))
        expected = b"\x05\x00" + b"\x05\x00\x00" + encode_address(connect, client.address[1])
        assert await reader.readexactly(len(expected)) == expected
        peer.send(b"\0\0\0" + encode_address(*origin.address) + b"x", (connect, client.address[1]))
        assert (await peer.next())[0] == b"\0\0\0" + encode_address(*origin.address) + b"x"

    play(scenario)


def test_targets_of_both_families_and_what_a_mapped_address_becomes(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, _ = await world.pair(udp=True)
        four, six = await udp.echo(), await udp.echo("::1")
        program = await udp.program(client)
        assert await program.ask(b"4", four.address) == b"4"
        program.send(b"6", six.address)
        assert await program.receive() == (b"6", six.address)
        assert client.udp is not None
        (association,) = client.udp.associations.values()
        mapped = b"\x04" + bytes(10) + b"\xff\xff" + encode_address(*four.address)[1:]
        association.answer(mapped, mapped + b"mapped")
        assert await program.receive() == (b"mapped", four.address)

    play(scenario)


def test_payload_on_the_lease_is_discarded(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, _ = await world.pair(udp=True)
        program = await udp.program(client)
        program.writer.write(bytes(1_000_000))
        await program.writer.drain()
        assert await program.ask(b"x", (await udp.echo()).address) == b"x"
        (seen,) = client.engine.snapshot()
        assert (seen.up, seen.down) == (1, 1)

    play(scenario)


def test_an_upstream_proxy_carries_no_datagrams(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        server = await world.server(udp=True)
        client = await world.client(server.address, udp=True, upstream_proxy=UpstreamProxy("http", "127.0.0.1", 9))
        with pytest.raises(ConnectionError, match="7"):
            await udp.program(client)

    play(scenario)
    assert "UDP is off" in caplog.text


def test_a_server_that_died_is_left_for_another(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        first, second = await world.server(udp=True), await world.server(udp=True)
        profiles = [
            ServerProfile(host=one.address[0], port=one.address[1], method=METHOD, password=Secret(PASSWORD))
            for one in (first, second)
        ]
        client = await world.client(
            first.address, udp=True, servers=tuple(profiles), choice=ServerChoice.FIXED, udp_timeout=0.8
        )
        origin = await udp.echo()
        program = await udp.program(client)
        assert await program.ask(b"one", origin.address) == b"one"
        await first.engine.stop(0)
        program.send(b"lost", origin.address)
        tcp = await world.echo()
        await world.connect(client, *tcp, payload=b"tcp finds out")
        for _ in range(100):
            program.send(b"two", origin.address)
            try:
                await program.receive(0.1)
                break
            except TimeoutError:
                continue
        assert {view.up for view in second.engine.snapshot() if view.inbound == "shadowsocks-udp"} == {3}

    play(scenario)


@pytest.mark.parametrize("name", ["localhost", "xn--bcher-kva.test", "bücher.test"])
def test_a_server_that_has_a_name(play: Play, name: str) -> None:
    """Programs' datagrams wait for its address; a name that does not resolve takes nothing down."""

    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        server = await world.server(udp=True)
        client = await world.client((name, server.address[1]), udp=True)
        if name != "localhost":
            client.resolver._lookup = StubLookup(OSError("no such name"))
        origin = await udp.echo()
        program = await udp.program(client)
        for number in range(3):
            program.send(b"%d" % number, origin.address)
        if name == "localhost":
            assert [(await program.receive())[0] for _ in range(3)] == [b"0", b"1", b"2"]
        else:
            await until(lambda: client.udp is not None and client.udp.complaints.counts == {"unresolved": 3})

    play(scenario)


def test_a_packet_that_is_played_again_is_not_answered(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        server = await world.server(udp=True)
        origin = await udp.echo()
        codec = client_tunnel(METHOD, PASSWORD).client_datagrams()
        packet = codec.seal(encode_address(*origin.address) + b"once")
        client, thief = await udp.peer(), await udp.peer()
        client.send(packet, server.address)
        answer, _ = await client.next()
        for replayed in (packet, answer):
            thief.send(replayed, server.address)
        await thief.silence()
        assert [data for data, _ in origin.received] == [b"once"]
        assert server.udp is not None
        assert server.udp.complaints.counts == {"bad": 2}

    play(scenario)
