"""Every way a connection can end, made for real, and the reason that is given for it."""

import asyncio
import os
import socket
from collections.abc import Callable

import pytest

from ssgui.config.models import DEFAULT_FORBIDDEN
from ssgui.engine import handler as handler_module
from ssgui.engine.handler import TCPRelayHandler
from ssgui.engine.stages import Reason, Stage
from ssgui.protocol.address import encode_address
from tests.engine.test_probes import first_flight
from tests.engine.world import StubLookup, World, reset, until

Play = Callable[..., None]


def dead_port() -> tuple[str, int]:
    """An address where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        address: tuple[str, int] = sock.getsockname()
        return address


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_dead_server_is_a_true_reply(play: Play, host: str) -> None:
    async def scenario(world: World) -> None:
        client = await world.client((host, dead_port()[1]))
        with pytest.raises(ConnectionError) as caught:
            await world.connect(client, "192.0.2.1", 80)
        assert caught.value.args == (5,)
        assert (await world.closed(client))[0].reason is Reason.CONNECT_REFUSED
        assert Stage.STREAM not in world.stages(client)

    play(scenario)


def test_a_server_whose_name_does_not_resolve(play: Play) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(("no-such-host.invalid.", 1))

        client.resolver._lookup = StubLookup(socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
        with pytest.raises(ConnectionError) as caught:
            await world.connect(client, "192.0.2.1", 80)
        assert caught.value.args == (4,)
        assert (await world.closed(client))[0].reason is Reason.DNS_FAILED

    play(scenario)


def test_a_refused_target_resets_the_program(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, server = await world.pair()
        reader, _ = await world.connect(client, *dead_port(), payload=b"GET /")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        assert (await world.closed(server))[0].reason is Reason.CONNECT_REFUSED
        assert (await world.closed(client))[0].reason is Reason.SERVER_RESET

    play(scenario)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "0.0.0.0"])
def test_a_forbidden_target_is_denied(play: Play, host: str) -> None:
    async def scenario(world: World) -> None:
        target = await world.echo()
        client, server = await world.pair(forbidden=DEFAULT_FORBIDDEN)
        await world.connect(client, host, target[1], payload=b"x")
        assert (await world.closed(server))[0].reason is Reason.DENIED

    play(scenario)


def test_a_wrong_password(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()
        client = await world.client(server.address, password="another")
        _, writer = await world.connect(client, *await world.echo(), payload=b"hello")
        assert (await world.closed(server))[0].reason is Reason.AUTH_FAILED
        writer.close()
        ended = (await world.closed(client))[0]
        assert (ended.reason, ended.up, ended.down) == (Reason.NO_ANSWER, 5, 0)

    play(scenario)


def test_a_connection_that_says_nothing_either_way_is_finished(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, server = await world.pair()
        _, writer = await world.connect(client, *await world.echo())
        writer.close()
        assert (await world.closed(client))[0].reason is Reason.FINISHED
        assert (await world.closed(server))[0].reason is Reason.FINISHED

    play(scenario)


def test_idle_time_out(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()
        client = await world.client(server.address, timeout=0.4)
        reader, writer = await world.connect(client, *await world.echo())
        for _ in range(3):
            writer.write(b"x")
            assert await reader.readexactly(1) == b"x"
            await asyncio.sleep(0.25)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        assert (await world.closed(client))[0].reason is Reason.IDLE_TIMEOUT

    play(scenario)


def test_a_half_closed_connection_has_a_limit_of_its_own(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler_module, "HALF_CLOSED_TIMEOUT", 0.2)

    async def scenario(world: World) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            await asyncio.sleep(20)

        server = await world.server(timeout=0)
        client = await world.client(server.address, timeout=0)
        _, writer = await world.connect(client, *await world.origin(serve), payload=b"x")
        writer.write_eof()
        assert (await world.closed(server))[0].reason in (Reason.IDLE_TIMEOUT, Reason.CLIENT_RESET)
        assert (await world.closed(client))[0].reason in (Reason.IDLE_TIMEOUT, Reason.SERVER_RESET)

    play(scenario)


@pytest.mark.parametrize("size", [300_000, 30_000_000])
def test_who_reads_late_still_gets_everything(play: Play, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(handler_module, "HALF_CLOSED_TIMEOUT", 0.2)

    async def scenario(world: World) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(data)
            await writer.drain()
            writer.write_eof()
            await reader.read()

        data = os.urandom(size)
        server = await world.server(timeout=0)
        client = await world.client(server.address, timeout=0)
        reader, writer = await world.connect(client, *await world.origin(serve), payload=b"x")
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        if size < 1_000_000:  # all of it fits into the kernel's buffers: only our FIN has been heard of
            assert (await world.closed(client))[0].reason is Reason.IDLE_TIMEOUT
        else:
            await asyncio.sleep(2.5)
            assert world.stages(client)[-1:] != [Stage.DESTROYED]
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert await reader.read() == data

    play(scenario)


def test_a_handshake_that_is_never_finished(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler_module, "HANDSHAKE_TIMEOUT", 0.2)

    async def scenario(world: World) -> None:
        client = await world.client(dead_port())
        silent, _ = await world.open(client.address)
        halfway, writer = await world.open(client.address)
        writer.write(b"\x05\x01\x00\x05\x01\x00")
        assert await halfway.read() == b"\x05\x00"
        assert await silent.read() == b""
        assert {one.reason for one in await world.closed(client, 2)} == {Reason.HANDSHAKE_TIMEOUT}

    play(scenario)


def test_a_dial_that_takes_too_long(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler_module, "CONNECT_TIMEOUT", 0.2)

    async def scenario(world: World) -> None:
        # A listener whose queue is full: the kernel drops further SYNs, as a dead network would.
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            fillers = []
            for _ in range(4):
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex(full.getsockname())
                fillers.append(filler)
            client = await world.client(full.getsockname())
            with pytest.raises(ConnectionError) as caught:
                await world.connect(client, "192.0.2.1", 80)
            for filler in fillers:
                filler.close()
        assert caught.value.args == (6,)
        assert (await world.closed(client))[0].reason is Reason.CONNECT_TIMEOUT

    play(scenario)


@pytest.mark.parametrize("cut", [1, 20, 40, 60])
def test_a_truncated_answer_is_a_reset_never_a_clean_end(play: Play, cut: int) -> None:
    async def scenario(world: World) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readexactly(32)
            salt_and_chunk = first_flight(("127.0.0.1", 80))
            writer.write(salt_and_chunk[:cut])
            writer.write_eof()

        client = await world.client(await world.origin(serve))
        reader, _ = await world.connect(client, "192.0.2.1", 80, payload=b"x")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        assert (await world.closed(client))[0].reason is Reason.TRUNCATED

    play(scenario)


def test_a_truncated_request_is_a_reset_for_the_target(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()
        heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.set_result(await reader.readexactly(5))
            try:
                await reader.read()
            except ConnectionResetError:
                lost.set_result(None)

        _, writer = await world.open(server.address)
        writer.write(first_flight(await world.origin(serve)))
        await heard
        writer.write(b"half a chunk")
        writer.write_eof()
        await lost
        assert (await world.closed(server))[0].reason is Reason.TRUNCATED

    play(scenario)


def test_an_answer_that_another_key_sealed(play: Play) -> None:
    async def scenario(world: World) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readexactly(32)
            writer.write(os.urandom(200))
            await reader.read()

        client = await world.client(await world.origin(serve))
        reader, _ = await world.connect(client, "192.0.2.1", 80, payload=b"x")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        assert (await world.closed(client))[0].reason is Reason.AUTH_FAILED

    play(scenario)


def test_a_client_is_not_fooled_by_its_own_bytes(play: Play) -> None:
    async def scenario(world: World) -> None:
        async def mirror(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.read(65536))
            await reader.read()

        client = await world.client(await world.origin(mirror))
        reader, _ = await world.connect(client, "192.0.2.1", 80, payload=b"secret")
        with pytest.raises(ConnectionResetError):
            assert not await reader.read()
        assert (await world.closed(client))[0].reason is Reason.REPLAY

    play(scenario)


def test_what_is_not_socks5_is_closed(play: Play) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(dead_port())
        reader, writer = await world.open(client.address)
        writer.write(b"\x16\x03\x01")
        assert await reader.read() == b""
        assert (await world.closed(client))[0].reason is Reason.BAD_REQUEST

    play(scenario)


def test_commands_that_are_refused_get_a_whole_reply(play: Play) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(dead_port())
        for command in (2, 3, 9):
            reader, writer = await world.open(client.address)
            writer.write(b"\x05\x01\x00\x05" + bytes((command, 0)) + encode_address("127.0.0.1", 80))
            assert await reader.read() == b"\x05\x00" + b"\x05\x07\x00\x01" + bytes(6)
            writer.close()
        await world.closed(client, 3)
        await until(lambda: not client.engine.lingering.waiting)

    play(scenario)


def test_users_and_passwords(play: Play) -> None:
    async def scenario(world: World) -> None:
        from ssgui.config.secret import Secret

        server = await world.server()
        client = await world.client(server.address, users=(("me", Secret("pass")),))
        for password, status in ((b"pass", 0), (b"nope", 1)):
            reader, writer = await world.open(client.address)
            writer.write(b"\x05\x01\x02" + b"\x01\x02me\x04" + password)
            assert await reader.readexactly(4) == b"\x05\x02\x01" + bytes((status,))
            if status:
                assert await reader.read() == b""
            writer.close()

    play(scenario)


def test_stopping_resets_what_is_open(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, server = await world.pair()
        reader, _ = await world.connect(client, *await world.echo(), payload=b"x")
        await reader.readexactly(1)
        await client.engine.stop(0.05)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        assert (await world.closed(client))[0].reason is Reason.SHUTDOWN
        assert (await world.closed(server))[0].reason is Reason.CLIENT_RESET
        with pytest.raises(OSError, match="Connect call failed"):
            await world.open(client.address)

    play(scenario)


def test_a_handler_that_raises_loses_only_its_own_connection(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        origin = await world.echo()
        healthy = await world.connect(client, *origin, payload=b"x")
        await healthy[0].readexactly(1)
        broken_reader, broken = await world.connect(client, *origin, payload=b"y")
        await broken_reader.readexactly(1)
        handler = max(client.engine.handlers.items())[1]
        assert isinstance(handler, TCPRelayHandler)
        leg = handler.local
        assert leg is not None

        def explode() -> None:
            raise RuntimeError("a bug")

        leg.on_readable = explode
        broken.write(b"z")
        with pytest.raises(ConnectionResetError):
            await broken_reader.read()
        healthy[1].write(b"still fine")
        assert await healthy[0].readexactly(10) == b"still fine"

    play(scenario)


def test_a_reset_while_the_other_side_is_slow_is_heard(play: Play) -> None:
    async def scenario(world: World) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            await asyncio.sleep(20)

        client, _ = await world.pair()
        _, writer = await world.connect(client, *await world.origin(serve))
        writer.write(bytes(30_000_000))
        await until(lambda: any(view.held_up for view in client.engine.snapshot()))
        reset(writer)
        if world.hears_resets_while_paused:
            assert (await world.closed(client))[0].reason is Reason.CLIENT_RESET

    play(scenario)
