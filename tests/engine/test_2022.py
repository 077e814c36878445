"""Shadowsocks 2022 through the engine: both ends, users and what they used, clocks that are off."""

import asyncio
import base64
import hashlib
import logging
import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from ssgui.config.models import PluginSettings, ServerSettings, ServerUser
from ssgui.config.secret import Secret
from ssgui.engine.port_salts import PortSalts
from ssgui.engine.server_relay import ServerRelay
from ssgui.engine.tally import sample
from ssgui.engine.tunnel import client_tunnel, server_tunnel
from ssgui.protocol.address import encode_address
from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.sip022 import METHODS_2022, parse_keys
from ssgui.protocol.sip022_datagrams import ClientDatagrams2022
from tests.engine.udp_world import Peer, UDPWorld
from tests.engine.world import World, digest_then_answer, until
from tests.protocol.sip022_wires import Sealer

Play = Callable[..., None]
METHODS = list(METHODS_2022)
AES = [name for name, method in METHODS_2022.items() if method.has_identities]


def make_key(method: str) -> str:
    return base64.b64encode(os.urandom(METHODS_2022[method].key_size)).decode()


class Keys:
    """Of a server with two users."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.server, self.ann, self.bob, self.eve = (make_key(method) for _ in range(4))
        self.users = (ServerUser("ann", Secret(self.ann)), ServerUser("bob", Secret(self.bob)))

    async def relay(self, world: World, **settings: Any) -> ServerRelay:
        return await world.server(method=self.method, password=Secret(self.server), users=self.users, **settings)


@pytest.mark.parametrize("method", METHODS)
def test_a_client_and_a_server(play: Play, method: str) -> None:
    async def scenario(world: World) -> None:
        key = make_key(method)
        server = await world.server(method=method, password=Secret(key), udp=True)
        client = await world.client(server.address, method=method, password=key, udp=True)
        reader, writer = await world.connect(client, *await world.echo(), b"hello")
        assert await reader.readexactly(5) == b"hello"
        data = os.urandom(700_000)
        writer.write(data)
        assert await reader.readexactly(len(data)) == data
        writer.write_eof()
        assert await reader.read() == b""
        assert [one.reason for one in await world.closed(server)] == ["finished"]
        assert [one.reason for one in await world.closed(client)] == ["finished"]
        udp = UDPWorld(world)
        program, origin = await udp.program(client), await udp.echo()
        for size in (1, 1400, 20_000):
            assert await program.ask(bytes(size), origin.address) == bytes(size)

    play(scenario)


def test_bulk_fits_the_buffers(play: Play) -> None:
    async def scenario(world: World) -> None:
        key = make_key(METHODS[0])
        server = await world.server(method=METHODS[0], password=Secret(key))
        client = await world.client(server.address, method=METHODS[0], password=key)
        reader, writer = await world.connect(client, *await world.origin(digest_then_answer))
        data = os.urandom(24 * 1024 * 1024)
        writer.write(data)
        writer.write_eof()
        assert await reader.read() == hashlib.sha256(data).digest()

    play(scenario)


def test_a_server_that_speaks_first(play: Play) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready")
        await reader.read()

    async def scenario(world: World) -> None:
        key = make_key(METHODS[0])
        server = await world.server(method=METHODS[0], password=Secret(key))
        client = await world.client(server.address, method=METHODS[0], password=key)
        reader, _ = await world.connect(client, *await world.origin(greet))
        assert await reader.readexactly(9) == b"220 ready"

    play(scenario)


@pytest.mark.parametrize("method", METHODS)
def test_with_a_wrong_key_nothing_arrives(play: Play, method: str) -> None:
    async def scenario(world: World) -> None:
        server = await world.server(method=method, password=Secret(make_key(method)), udp=True)
        client = await world.client(server.address, method=method, password=make_key(method), udp=True)
        touched: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            touched.append(await reader.read(1))

        await world.connect(client, *await world.origin(serve), b"hello")
        assert [one.reason for one in await world.closed(server)] == ["auth-failed"]
        udp = UDPWorld(world)
        program, origin = await udp.program(client), await udp.echo()
        program.send(b"x", origin.address)
        await program.peer.silence()
        assert not touched
        assert not origin.received
        assert server.udp is not None
        assert server.udp.complaints.counts == {"bad": 1}

    play(scenario)


# ---- users


def usage(server: ServerRelay) -> dict[str, tuple[int, int]]:
    """Bytes of payload of every user, up and down; what is open is counted too."""
    users = sample(server.engine).ports[server.name].users
    return {name: carried for name, carried in users.items() if name}


@pytest.mark.parametrize("method", AES)
def test_users_are_told_apart_and_counted(play: Play, method: str) -> None:
    async def scenario(world: World) -> None:
        keys, udp = Keys(method), UDPWorld(world)
        server = await keys.relay(world, udp=True)
        assert usage(server) == {"ann": (0, 0), "bob": (0, 0)}
        clients = {
            name: await world.client(server.address, method=method, password=f"{keys.server}:{own}", udp=True)
            for name, own in (("ann", keys.ann), ("bob", keys.bob))
        }
        target, origin = await world.echo(), await udp.echo()
        reader, writer = await world.connect(clients["ann"], *target, b"12345")
        assert await reader.readexactly(5) == b"12345"
        assert usage(server) == {"ann": (5, 5), "bob": (0, 0)}
        reader_of_bob, writer_of_bob = await world.connect(clients["bob"], *target, b"123")
        assert await reader_of_bob.readexactly(3) == b"123"
        writer.write_eof()
        assert await reader.read() == b""
        assert [one.user for one in await world.closed(server)] == ["ann"]
        assert usage(server) == {"ann": (5, 5), "bob": (3, 3)}
        program = await udp.program(clients["ann"])
        assert await program.ask(b"datagram", origin.address) == b"datagram"
        assert usage(server) == {"ann": (13, 13), "bob": (3, 3)}
        writer_of_bob.write(b"4")
        await until(lambda: usage(server)["bob"] == (4, 4))
        assert {view.user for view in server.engine.snapshot()} == {"ann", "bob"}
        await server.engine.stop(0)
        assert usage(server) == {"ann": (13, 13), "bob": (4, 4)}

    play(scenario)


def test_a_stranger_among_users(play: Play) -> None:
    async def scenario(world: World) -> None:
        keys = Keys(AES[0])
        server = await keys.relay(world)
        passwords = (f"{keys.server}:{keys.eve}", f"{keys.eve}:{keys.ann}", keys.server, keys.ann)
        for count, password in enumerate(passwords, 1):
            client = await world.client(server.address, method=AES[0], password=password)
            await world.connect(client, "127.0.0.1", 9, b"a long enough hello")
            ends = await world.closed(server, count)
            assert (ends[-1].reason, ends[-1].user) == ("auth-failed", "")
        assert usage(server) == {"ann": (0, 0), "bob": (0, 0)}

    play(scenario)


# ---- datagrams


def packets(method: str, *keys: str) -> ClientDatagrams2022:
    """A client by hand."""
    found = METHODS_2022[method]
    return ClientDatagrams2022(
        found, parse_keys(found, ":".join(keys)), clock=time.time, monotonic=time.monotonic, random=os.urandom
    )


@pytest.mark.parametrize("method", METHODS)
def test_answers_follow_a_client_that_roams_and_no_stranger(play: Play, method: str) -> None:
    async def scenario(world: World) -> None:
        key, udp = make_key(method), UDPWorld(world)
        server = await world.server(method=method, password=Secret(key), udp=True)
        home, abroad, stranger, origin = [await udp.peer() for _ in range(4)]
        client, header = packets(method, key), encode_address(*origin.address)

        async def ask(peer: Peer) -> tuple[bytes, tuple[str, int]]:
            packet = client.seal(header + b"question")
            peer.send(packet, server.address)
            data, source = await origin.next()
            assert data == b"question"
            return packet, source

        packet, source = await ask(home)
        origin.send(b"one", source)
        assert bytes(client.open((await home.next())[0])) == header + b"one"
        assert (await ask(abroad))[1] == source
        stranger.send(packet, server.address)
        await origin.silence()
        origin.send(b"two", source)
        assert bytes(client.open((await abroad.next())[0])) == header + b"two"
        await stranger.silence()
        assert len(home.received) == 1
        assert len(server.engine.snapshot()) == 1
        assert server.udp is not None
        assert server.udp.complaints.counts == {"bad": 1}

    play(scenario)


def test_datagrams_of_strangers_are_not_answered(play: Play) -> None:
    async def scenario(world: World) -> None:
        keys, udp = Keys(AES[0]), UDPWorld(world)
        server = await keys.relay(world, udp=True)
        stranger, origin = await udp.peer(), await udp.echo()
        plain = encode_address(*origin.address) + b"a long enough datagram"
        for chain in ((keys.server, keys.eve), (keys.eve, keys.ann), (keys.server,), (keys.ann,)):
            stranger.send(packets(AES[0], *chain).seal(plain), server.address)
        good = packets(AES[0], keys.server, keys.ann).seal(plain)
        for place in range(len(good)):
            stranger.send(good[:place] + bytes((good[place] ^ 1,)) + good[place + 1 :], server.address)
            stranger.send(good[:place], server.address)
        await stranger.silence()
        assert not origin.received
        assert not server.engine.snapshot()
        stranger.send(good, server.address)
        assert (await origin.next())[0] == b"a long enough datagram"

    play(scenario)


# ---- clocks


def test_a_client_whose_clock_is_off_is_named(play: Play) -> None:
    async def scenario(world: World) -> None:
        method = METHODS_2022[METHODS[0]]
        key = os.urandom(method.key_size)
        server = await world.server(method=method.name, password=Secret(base64.b64encode(key).decode()))
        _, writer = await world.open(server.address)
        now = int(time.time()) - 3600 * 8
        writer.write(Sealer(method, key, os.urandom(16)).request(b"\x01\x7f\0\0\1\0\x50", 0, b"x", now=now))
        end = (await world.closed(server))[0]
        assert (end.reason, end.detail) == ("clock-skew", "the client's clock is 8 h behind")

    play(scenario)


@pytest.mark.parametrize("offset", [5, 20, 47, -47])
def test_a_server_whose_clock_differs(play: Play, caplog: pytest.LogCaptureFixture, offset: int) -> None:
    async def scenario(world: World) -> None:
        method = METHODS_2022[METHODS[0]]
        key = os.urandom(method.key_size)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            salt = await reader.readexactly(16)
            now = int(time.time()) + offset
            writer.write(Sealer(method, key, os.urandom(16)).answer(salt, b"answer", now=now))
            await reader.read()
            writer.write_eof()

        address = await world.origin(serve)
        client = await world.client(address, method=method.name, password=base64.b64encode(key).decode())
        with caplog.at_level(logging.WARNING):
            for count in (1, 2):
                reader, writer = await world.connect(client, "example.com", 80, b"hello")
                if abs(offset) < 30:
                    assert await reader.readexactly(6) == b"answer"
                    writer.close()
                end = (await world.closed(client, count))[-1]
                if abs(offset) > 30:
                    assert end.reason == "clock-skew"
                    words = "behind" if offset > 0 else "ahead of"
                    assert end.detail in [f"your clock is {abs(offset) + n} s {words} the server's" for n in (-1, 0, 1)]
        heard = client.pool.upstreams[0].clock_offset
        assert heard is not None
        assert abs(heard - offset) <= 1
        said = [record.getMessage() for record in caplog.records]
        assert len(said) == (abs(offset) > 10), said
        assert all(line.startswith("your clock is ") for line in said)
        caplog.clear()

    play(scenario)


# ---- settings


def test_only_the_aes_methods_of_2022_have_users() -> None:
    for method in ("2022-blake3-chacha20-poly1305", "aes-256-gcm"):
        key = base64.b64encode(bytes(32)).decode()
        users = (ServerUser("ann", Secret(base64.b64encode(bytes(31) + b"x").decode())),)
        with pytest.raises(LocalProtocolError, match="only the AES methods of 2022"):
            server_tunnel(ServerSettings("127.0.0.1", 0, method, Secret(key), users=users), PortSalts())


def test_a_user_whose_key_is_none_is_named_and_the_key_is_not() -> None:
    users = (ServerUser("ann", Secret("c2VjcmV0")),)
    with pytest.raises(LocalProtocolError, match="the key of the user 'ann' has 6 bytes") as caught:
        server_tunnel(ServerSettings("", 0, AES[0], Secret(make_key(AES[0])), users=users), PortSalts())
    assert "c2VjcmV0" not in str(caught.value)


def test_a_bad_key_is_refused_on_both_ends() -> None:
    with pytest.raises(LocalProtocolError, match="no base64"):
        client_tunnel(METHODS[0], "not a key!")
    with pytest.raises(LocalProtocolError, match="no base64"):
        server_tunnel(ServerSettings("", 0, METHODS[0], Secret("not a key!")), PortSalts())


@pytest.mark.parametrize(
    ("plugin", "switch", "segmented"),
    [(False, None, False), (True, None, True), (True, False, False), (False, True, True)],
)
def test_a_header_in_pieces_is_for_plugins_and_who_allows_it(
    plugin: bool, switch: bool | None, segmented: bool
) -> None:
    key = make_key(METHODS[0])
    settings = ServerSettings(
        "", 0, METHODS[0], Secret(key), plugin=PluginSettings("any") if plugin else None, segmented_header=switch
    )
    decoder = server_tunnel(settings, PortSalts()).server_decoder()
    decoder.decode(memoryview(b"few"), memoryview(bytearray(3)))
    assert (decoder.error is None) is segmented
