"""Diagnoses of one connection of a client: its target, its program, its streams, each provoked for real."""

import asyncio
import socket
import struct
from collections.abc import Callable

import pytest

from ssgui.rules.acl import parse_acl
from ssgui.services.diagnosis.finding import FindingKind
from ssgui.services.diagnosis.rows import CONNECTING_SECONDS, HALF_CLOSED_SECONDS, IDLE_SECONDS
from tests.engine.test_failover import full_port
from tests.engine.udp_world import UDPWorld
from tests.engine.world import World, until
from tests.services.diagnosis.test_findings import (
    NO_NAME,
    SOMEWHERE,
    K,
    Play,
    deaf,
    echoing,
    nobody,
    quick,
    refused,
    resetting,
    silent,
)
from tests.support.observer import Observer

__all__ = ["quick"]


@pytest.mark.parametrize("direct", [False, True])
def test_one_target_that_does_not_answer(play_once: Play, direct: bool) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        client.router.pause(direct)
        observer = Observer(client)
        await world.connect(client, *await world.origin(silent), payload=b"hello?")
        await until(lambda: observer.rows() and observer.rows()[0].first_up)
        assert not observer.found(ahead=9.0)
        for _ in range(2):
            await echoing(world, client)
        found = await observer.row(K.TARGET_SILENT, ahead=11.0)
        assert (found.severity, found.action, found.direct) == ("info", "close", direct)
        assert found.others == (0 if direct else 2)
        assert observer.overall(ahead=11.0) is None

    play_once(scenario)


def test_one_target_that_hangs_up(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        observer = Observer(client)
        reader, _ = await world.connect(client, *await world.origin(resetting), payload=b"hello?")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        await observer.row(K.UNANSWERED)  # of one connection nobody can tell whose fault it was
        await echoing(world, client)
        found = await observer.row(K.TARGET_SILENT)
        assert (found.words, found.others, found.action) == ("reset", 1, "always-direct")
        assert observer.overall() is None

    play_once(scenario)


def test_a_program_that_does_not_read(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        async def loud(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(bytes(40_000_000))
            await asyncio.sleep(20)

        client, _ = await world.pair()
        observer = Observer(client)
        _, writer = await world.connect(client, *await world.origin(loud))
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await until(lambda: observer.rows() and observer.rows()[0].held_down)
        assert not observer.found(ahead=0.5)
        found = await observer.row(K.PROGRAM_STALLED, ahead=2.5)
        assert found.size > 0
        assert 1.9 < found.seconds < 5
        assert (found.name, found.action) == ("", "close")
        observer.rows()[0].program = "curl"
        found = await observer.row(K.PROGRAM_STALLED, ahead=2.5)
        assert (found.name, found.action) == ("curl", "show-program")
        assert observer.overall(ahead=2.5) is None  # a download that a person paused concerns nobody else

    play_once(scenario)


def test_a_server_that_takes_no_more(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(await world.origin(deaf))
        observer = Observer(client)
        for _ in range(2):
            _, writer = await world.connect(client, *SOMEWHERE)
            writer.write(bytes(40_000_000))
        await until(lambda: len([one for one in observer.rows() if one.held_up and one.first_up]) == 2)
        assert not observer.found(ahead=0.5)
        found = await observer.row(K.PATH_FULL, ahead=4.0)
        assert found.size > 0
        assert (found.others, found.action) == (0, "test-server")
        whole = observer.overall(ahead=4.0)
        assert whole is not None
        assert whole.kind is K.PATH_FULL

    play_once(scenario)


def test_a_target_that_takes_no_more(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        observer = Observer(client)
        _, writer = await world.connect(client, *await world.origin(deaf))
        writer.write(bytes(40_000_000))
        await until(lambda: observer.rows() and observer.rows()[0].held_up and observer.rows()[0].first_up)
        await echoing(world, client)
        found = await observer.row(K.TARGET_STUCK, ahead=2.5)
        assert (found.others, found.action) == (1, "close")
        assert observer.overall(ahead=2.5) is None

    play_once(scenario)


def test_left_overs(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.read(1))
            writer.write_eof()
            await reader.read()

        client, _ = await world.pair()
        observer = Observer(client)
        await echoing(world, client)
        reader, _ = await world.connect(client, *await world.origin(half), payload=b"x")
        assert await reader.read() == b"x"
        assert not observer.found(ahead=HALF_CLOSED_SECONDS / 2)
        found = await observer.row(K.HALF_CLOSED, ahead=HALF_CLOSED_SECONDS + 2)
        assert (found.severity, found.name, found.action) == ("info", "target", "close")
        later = observer.found(ahead=IDLE_SECONDS + 2)
        assert [one.kind for one in later] == [K.IDLE, K.HALF_CLOSED]
        assert observer.overall(ahead=IDLE_SECONDS + 2) is None

    play_once(scenario)


# ---- directly


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        (nobody, K.TARGET_REFUSED),
        (lambda: (NO_NAME, 80), K.TARGET_DNS),
        (lambda: ("255.255.255.255", 80), K.TARGET_UNREACHABLE),
    ],
)
def test_targets_that_are_connected_to_directly(
    play_once: Play, target: Callable[[], tuple[str, int]], kind: FindingKind
) -> None:  # fmt: skip
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        client.router.pause(True)
        observer = Observer(client)
        address = target()
        for _ in range(3):
            with pytest.raises(ConnectionError):
                await world.connect(client, *address)
        found = await observer.row(kind)
        assert (found.target, found.server, found.direct) == ("{}:{}".format(*address), "", True)
        assert found.action == "always-proxy"
        assert observer.overall() is None  # it says nothing about the server

    play_once(scenario)


def test_a_direct_target_that_times_out(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair(timeout=0.4)
        client.router.pause(True)
        observer = Observer(client)
        address = world.enter(full_port())
        waiting = asyncio.ensure_future(world.connect(client, *address))
        assert (await observer.row(K.TARGET_TIMEOUT, ahead=CONNECTING_SECONDS)).ongoing
        with pytest.raises(ConnectionError):
            await waiting
        assert not (await observer.row(K.TARGET_TIMEOUT)).ongoing

    play_once(scenario)


# ---- this computer


def test_no_network(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(("255.255.255.255", 8388))
        online = [False]
        observer = Observer(client, online=lambda: online[0])
        await refused(world, client)
        assert (await observer.whole(K.NO_NETWORK)).server
        await observer.row(K.NO_NETWORK)
        assert observer.kind() == "offline"
        online[0] = True
        await observer.whole(K.SERVER_UNREACHABLE)

    play_once(scenario)


def test_a_program_that_speaks_something_else(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        observer = Observer(client)
        reader, writer = await world.open(client.address)
        writer.write(b"\x16\x03\x01 a greeting of TLS")
        assert await reader.read() == b""
        found = await observer.row(K.NOT_A_REQUEST)
        assert (found.severity, found.action, found.words) == ("info", "", "the first byte is 0x16")

    play_once(scenario)


def test_a_program_that_says_nothing(play_once: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssgui.engine.handler.HANDSHAKE_TIMEOUT", 0.2)

    async def scenario(world: World) -> None:
        client, _ = await world.pair(timeout=0.4)
        observer = Observer(client)
        reader, writer = await world.open(client.address)
        writer.write(b"\x05")
        assert await reader.read() == b""
        found = await observer.row(K.PROGRAM_SILENT)
        assert (found.severity, found.action) == ("info", "")

    play_once(scenario)


def test_what_was_idle_for_too_long_and_what_is_not_allowed(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        client.timeout = 0.2
        observer = Observer(client)
        reader, _ = await echoing(world, client)
        observer.rows()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        found = await observer.row(K.IDLE)
        assert 0.1 < found.seconds < 5
        assert not found.ongoing
        acl = parse_acl("[outbound_block_list]\na.example")
        denying = await world.client(client.address, engine=client.engine, acl=acl)
        with pytest.raises(ConnectionError):
            await world.connect(denying, "a.example", 80)
        assert "a.example" in (await observer.row(K.DENIED)).name

    play_once(scenario)


def test_datagrams_that_nobody_answers_prove_nothing(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()  # without UDP
        client = await world.client(server.address, udp=True)
        observer, udp = Observer(client), UDPWorld(world)
        for _ in range(4):
            program = await udp.program(client)
            program.send(b"hello?", ("192.0.2.1", 53))
        await until(lambda: len([one for one in observer.rows() if one.up]) == 4)
        assert not observer.found(ahead=100.0)
        assert observer.overall(ahead=100.0) is None
        assert observer.kind() == "ready"

    play_once(scenario)


def test_an_answer_that_was_cut(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()

        async def cutting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            beyond, into = await world.open(server.address)
            into.write(await reader.read(65536))
            writer.write((await beyond.read(65536))[:-3])
            writer.write_eof()
            await reader.read()

        client = await world.client(await world.origin(cutting))
        observer = Observer(client)
        await world.connect(client, *await world.echo(), payload=b"hello")
        await observer.row(K.CUT_SHORT)

    play_once(scenario)


def test_a_connection_that_a_network_took_with_it(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        observer = Observer(client)
        await echoing(world, client)
        handler = next(iter(client.engine.handlers.values()))
        assert handler.remote is not None  # type: ignore[attr-defined]
        handler.lost(handler.remote, OSError(113, "No route to host"))  # type: ignore[attr-defined]
        assert "No route" in (await observer.row(K.NETWORK_LOST)).words

    play_once(scenario)


def test_linger(play_once: Play) -> None:
    """A program that resets while it waits for an answer has only lost its patience."""

    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        observer = Observer(client)
        _, writer = await world.connect(client, *await world.origin(silent), payload=b"hello?")
        await until(lambda: observer.rows() and observer.rows()[0].first_up)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        await until(lambda: observer.rows()[0].ended)
        assert not observer.found()

    play_once(scenario)
