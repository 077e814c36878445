"""The bounds of UDP: sizes, numbers, times, names and forbidden addresses."""

import asyncio
import errno
import gc
import os
import socket
from collections.abc import Awaitable, Callable

import pytest

from ssgui.config.models import DEFAULT_FORBIDDEN
from ssgui.engine.errors import BindError
from ssgui.engine.stages import Reason
from ssgui.engine.udp import association as udp_association
from ssgui.engine.udp import local as udp_local
from ssgui.engine.udp import program as udp_program
from ssgui.engine.udp import server as udp_server
from ssgui.engine.udp import sockets as udp_socket
from ssgui.engine.udp.association import Association, TargetSocket
from ssgui.engine.udp.handler import UDPHandler
from ssgui.engine.udp.program import ServerSocket
from ssgui.engine.udp.relay import UDPRelay
from tests.engine.udp_world import UDPWorld
from tests.engine.world import StubLookup, World, until

Play = Callable[[Callable[[World], Awaitable[None]]], None]


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
        for module in (udp_program, udp_association):
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


def test_a_port_that_is_taken_for_udp_is_an_error_and_nothing_stays_open(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        with socket.create_server(("127.0.0.1", 0)) as free:
            taken = await udp.peer(port=free.getsockname()[1])
        with pytest.raises(BindError, match=r"UDP 127\.0\.0\.1") as caught:
            await world.server(udp=True, bind_port=taken.address[1])
        assert caught.value.in_use
        with socket.create_server(taken.address):
            pass  # the TCP port is free again

    play(scenario)


def test_nothing_of_an_association_is_left_for_the_collector(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, server = await world.pair(udp=True, udp_timeout=0.1)
        program = await udp.program(client)
        origin = await udp.echo()
        kinds = (UDPHandler, Association, TargetSocket, ServerSocket)

        def left() -> list[str]:
            return [type(one).__name__ for one in gc.get_objects() if isinstance(one, kinds)]

        gc.collect()
        gc.disable()
        try:
            await program.ask(b"x", origin.address)
            assert set(left()) == {
                "LocalAssociation", "ServerAssociation", "ServerSocket", "TargetSocket", "UDPHandler",
            }  # fmt: skip
            await world.closed(server)
            await until(lambda: not left())
        finally:
            gc.enable()

    play(scenario)
