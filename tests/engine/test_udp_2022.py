"""UDP of Shadowsocks 2022: sessions that move, servers that start anew, users."""

import base64
import os
from collections.abc import Awaitable, Callable

import pytest

from ssgui.config.models import ServerUser
from ssgui.config.secret import Secret
from ssgui.engine.stages import Reason
from ssgui.engine.tunnel import client_tunnel
from ssgui.protocol.address import encode_address
from tests.engine.udp_world import UDPWorld
from tests.engine.world import World, until

Play = Callable[[Callable[[World], Awaitable[None]]], None]
METHODS = {
    "2022-blake3-aes-128-gcm": 16,
    "2022-blake3-aes-256-gcm": 32,
    "2022-blake3-chacha20-poly1305": 32,
}
METHOD = "2022-blake3-aes-128-gcm"


def key(size: int, fill: int) -> str:
    return base64.b64encode(bytes([fill]) * size).decode()


KEY, OTHER = key(16, 1), key(16, 2)


@pytest.mark.parametrize("method", METHODS)
def test_an_echo_of_every_size(play: Play, method: str) -> None:
    password = key(METHODS[method], 7)

    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        server = await world.server(udp=True, method=method, password=Secret(password))
        client = await world.client(server.address, udp=True, method=method, password=password)
        origin = await udp.echo()
        program = await udp.program(client)
        for size in (1, 1200, 60_000, 65_400):
            data = os.urandom(size)
            assert await program.ask(data, origin.address) == data
        assert await program.ask(b"by name", ("localhost", origin.address[1])) == b"by name"
        assert len({source for _, source in origin.received}) == 1

    play(scenario)


def test_with_a_wrong_key_nothing_arrives_and_nothing_is_answered(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        server = await world.server(udp=True, method=METHOD, password=Secret(KEY))
        client = await world.client(server.address, udp=True, method=METHOD, password=OTHER)
        origin = await udp.echo()
        program = await udp.program(client)
        program.send(b"x", origin.address)
        await program.peer.silence()
        assert not origin.received
        assert server.udp is not None
        assert server.udp.complaints.counts == {"bad": 1}

    play(scenario)


def test_a_session_roams_and_no_packet_counts_twice(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        server = await world.server(udp=True, method=METHOD, password=Secret(KEY))
        origin = await udp.peer()
        header = encode_address(*origin.address)
        codec = client_tunnel(METHOD, KEY).client_datagrams()
        home, away, thief = await udp.peer(), await udp.peer(), await udp.peer()
        first = codec.seal(header + b"from home")
        home.send(first, server.address)
        data, ours = await origin.next()
        assert data == b"from home"
        away.send(codec.seal(header + b"from away"), server.address)
        assert await origin.next() == (b"from away", ours)
        thief.send(first, server.address)
        await until(lambda: server.udp is not None and server.udp.complaints.counts == {"bad": 1})
        origin.send(b"answer", ours)
        packet, _ = await away.next()
        assert bytes(codec.open(packet)) == header + b"answer"
        await thief.silence()
        await home.silence()
        (seen,) = server.engine.snapshot()
        assert (seen.up, seen.down) == (18, 6)

    play(scenario)


def test_a_server_that_starts_anew_is_another_session(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        server = await world.server(udp=True, method=METHOD, password=Secret(KEY))
        address = server.address
        client = await world.client(address, udp=True, method=METHOD, password=KEY)
        origin = await udp.echo()
        program = await udp.program(client)
        assert await program.ask(b"one", origin.address) == b"one"
        await server.engine.stop(0)
        await world.server(udp=True, method=METHOD, password=Secret(KEY), bind_port=address[1])
        assert await program.ask(b"two", origin.address) == b"two"

    play(scenario)


def test_a_session_that_was_idle_comes_back(play: Play) -> None:
    """The server has ended its association several times by then; to the client it is one session still."""

    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        server = await world.server(udp=True, method=METHOD, password=Secret(KEY), udp_timeout=0.05)
        client = await world.client(server.address, udp=True, method=METHOD, password=KEY)
        origin = await udp.echo()
        program = await udp.program(client)
        for count in range(1, 5):
            assert await program.ask(b"again", origin.address) == b"again"
            ends = await world.closed(server, count)
            assert ends[-1].reason is Reason.IDLE_TIMEOUT
        assert len({source for _, source in origin.received}) == 4

    play(scenario)


def test_users_are_told_apart(play: Play) -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        users = tuple(ServerUser(name, Secret(key(16, fill))) for name, fill in (("ann", 3), ("bob", 4)))
        server = await world.server(udp=True, method=METHOD, password=Secret(KEY), users=users)
        origin = await udp.echo()
        for fill, size in ((3, 10), (4, 20), (5, 30)):
            password = f"{KEY}:{key(16, fill)}"
            client = await world.client(server.address, udp=True, method=METHOD, password=password)
            program = await udp.program(client)
            program.send(bytes(size), origin.address)
            if fill < 5:
                assert (await program.receive())[0] == bytes(size)
            else:
                await program.peer.silence()
        assert {view.user: (view.up, view.down) for view in server.engine.snapshot()} == {
            "ann": (10, 10),
            "bob": (20, 20),
        }

    play(scenario)
