"""The original's tables of stages and of stream status: each row made for real, and read where the window reads it.

`tests/engine/test_status.py` reads the same from the engine. Fast Open needs a network of its own: see
`tests/engine/fast_open_cases.py`.
"""

import asyncio
from collections.abc import Callable

import pytest

from ssgui.config.models import DEFAULT_FORBIDDEN
from ssgui.engine.stages import Reason, Role, Stage, StreamStatus
from ssgui.services.connections.records import Connection, Moment
from ssgui.services.connections.segments import SegmentKind, phase, segments
from tests.engine.test_failover import full_port
from tests.engine.udp_world import UDPWorld
from tests.engine.world import Serve, StubLookup, World, reset, until
from tests.services.diagnosis.test_findings import nobody
from tests.support.observer import Observer

Play = Callable[..., None]
NONE, R, W, RW = StreamStatus.NONE, StreamStatus.READING, StreamStatus.WRITING, StreamStatus(3)
REQUEST = b"\x05\x01\x00\x05\x01\x00\x01\x01\x02\x03\x04\x00\x50"


def stages(one: Connection) -> list[Stage]:
    return [stage for stage, _ in one.timeline]


# ---- the stages of a client


def test_init_is_who_has_said_nothing(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair(timeout=0.4)  # who is silent is announced by the sweeper, which then looks often
        observer = Observer(client)
        await world.open(client.address)
        one = await observer.stands(Stage.INIT, R, NONE)
        assert (one.inbound, one.role, one.target, one.route) == ("unknown", Role.LOCAL, "", "")
        assert phase(one) is SegmentKind.HANDSHAKE

    play(scenario)


def test_addr_is_who_has_not_said_where_to(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        observer = Observer(client)
        _, writer = await world.open(client.address)
        writer.write(REQUEST[:9])
        one = await observer.stands(Stage.ADDR, R, NONE)
        assert (one.inbound, one.target) == ("socks5", "")
        assert stages(one) == [Stage.INIT, Stage.ADDR]

    play(scenario)


def test_udp_assoc_holds_the_connection(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, server = await world.pair(udp=True)
        here, there, udp = Observer(client), Observer(server), UDPWorld(world)
        origin = await udp.echo()
        program = await udp.program(client)
        assert await program.ask(b"datagram", origin.address) == b"datagram"
        await until(lambda: here.rows() and here.rows()[0].down)
        (one,) = here.rows()
        assert stages(one) == [Stage.INIT, Stage.ADDR, Stage.UDP_ASSOC]
        assert (one.up, one.down, one.stage, phase(one)) == (8, 8, Stage.UDP_ASSOC, SegmentKind.UDP)
        await until(lambda: there.rows() and there.rows()[0].down)
        (other,) = there.rows()
        assert (stages(other), other.role) == ([Stage.INIT, Stage.UDP_ASSOC], Role.SERVER)

    play(scenario)


def test_dns_asks_for_the_server_and_reads_no_more(play: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()
        client = await world.client(("a-name.invalid", server.address[1]))
        client.resolver._lookup = StubLookup(None)
        observer = Observer(client)
        _, writer = await world.open(client.address)
        writer.write(REQUEST + b"payload")
        one = await observer.stands(Stage.DNS, W, NONE)
        assert (one.target, one.route) == ("1.2.3.4:80", "proxy")
        assert one.held_up >= 7
        assert phase(one) is SegmentKind.DNS

    play(scenario)


def test_connecting_reads_on_up_to_a_bound(play: Play) -> None:
    async def scenario(world: World) -> None:
        with full_port() as address:
            client = await world.client(address)
            observer = Observer(client)
            _, writer = await world.open(client.address)
            writer.write(REQUEST)
            one = await observer.stands(Stage.CONNECTING, RW, R)
            assert phase(one) is SegmentKind.CONNECTING
            writer.write(bytes(500_000))
            one = await observer.stands(Stage.CONNECTING, W, R)
            assert 40_000 < one.held_up <= 70_000
            await client.engine.stop(0)

    play(scenario)


def test_stream_waits_until_the_first_byte(play: Play) -> None:
    async def scenario(world: World) -> None:
        gate = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(100)
            await gate.wait()
            writer.write(b"answer")
            await reader.read()

        client, _ = await world.pair()
        observer = Observer(client)
        reader, writer = await world.connect(client, *await world.origin(serve))
        one = await observer.stands(Stage.STREAM, R, R)
        assert phase(one) is SegmentKind.IDLE
        writer.write(b"question")
        await until(lambda: observer.rows() and one.first_up is not None)
        assert (phase(one), one.up, one.down) == (SegmentKind.WAIT, 8, 0)  # both flow, and nobody has anything to say
        assert (one.up_status, one.down_status) == (R, R)
        gate.set()
        assert await reader.readexactly(6) == b"answer"
        await until(lambda: observer.rows() and one.first_down is not None)
        assert phase(one) is SegmentKind.STREAM
        kinds = [part.kind for part in segments(one, one.looked)]
        assert [kind for kind in kinds if kind not in (SegmentKind.DNS, SegmentKind.CONNECTING)] == [
            SegmentKind.HANDSHAKE, SegmentKind.IDLE, SegmentKind.WAIT, SegmentKind.STREAM,
        ]  # fmt: skip
        assert [moment for _, moment in one.moments] == [Moment.FIRST_UP, Moment.FIRST_DOWN]

    play(scenario)


# ---- the stages of a server


def test_a_server_reads_the_address_in_init(play: Play) -> None:
    async def scenario(world: World) -> None:
        _, server = await world.pair()
        observer = Observer(server)
        await world.open(server.address)
        one = await observer.stands(Stage.INIT, R, NONE)
        assert (one.inbound, one.role) == ("shadowsocks", Role.SERVER)

    play(scenario)


def test_a_server_resolves_and_connects_to_the_target(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, server = await world.pair()
        server.resolver._lookup = StubLookup(None)
        observer = Observer(server)
        await world.connect(client, "a-name.invalid", 80, payload=b"hello")
        one = await observer.stands(Stage.DNS, W, NONE)
        assert (one.target, one.route, one.held_up) == ("a-name.invalid:80", "direct", 5)
        assert stages(one) == [Stage.INIT, Stage.DNS]
        await server.engine.stop(0)
        with full_port() as address:
            server = await world.server()
            client = await world.client(server.address)
            observer = Observer(server)
            await world.connect(client, *address, payload=b"hello")
            one = await observer.stands(Stage.CONNECTING, RW, R)
            assert (one.target, one.held_up) == ("{}:{}".format(*address), 5)
            await server.engine.stop(0)

    play(scenario)


# ---- the streams


async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads nothing until it is told `resume` by its own transport."""
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    await asyncio.sleep(20)


async def loud(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(bytes(40_000_000))
    await asyncio.sleep(20)


async def deaf_and_loud(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    await loud(reader, writer)


async def held(observer: Observer, up: StreamStatus, down: StreamStatus) -> Connection:
    one = await observer.stands(Stage.STREAM, up, down)
    assert bool(one.held_up) == bool(up & W)
    assert bool(one.held_down) == bool(down & W)
    assert (one.up_blocked is not None) == bool(up & W)
    assert (one.down_blocked is not None) == bool(down & W)
    return one


def test_the_address_waits_for_payload(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        observer = Observer(client)
        await world.connect(client, *await world.echo())
        one = await observer.stands(Stage.STREAM, RW, R)
        assert (one.held_up, one.first_up) == (7, None)
        await observer.stands(Stage.STREAM, R, R)
        assert not one.moments  # an address that waits is no stream that is blocked

    play(scenario)


@pytest.mark.parametrize(
    ("serve", "paused", "pushes", "up", "down"),
    [
        (deaf, False, True, W, R),  # the server, or the target behind it, is slow
        (loud, True, False, R, W),  # the program is slow
        (deaf_and_loud, True, True, W, W),
    ],
)
def test_who_is_slow(
    play: Play, serve: Serve, paused: bool, pushes: bool, up: StreamStatus, down: StreamStatus
) -> None:  # fmt: skip
    async def scenario(world: World) -> None:
        client, server = await world.pair()
        near, far = Observer(client), Observer(server)
        _, writer = await world.connect(client, *await world.origin(serve))
        if paused:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
        if pushes:
            writer.write(bytes(40_000_000))
        one = await held(near, up, down)
        await held(far, up, down)
        blocked = {moment for _, moment in one.moments} & {Moment.UP_BLOCKED, Moment.DOWN_BLOCKED}
        assert (Moment.UP_BLOCKED in blocked) == (up is W)
        assert (Moment.DOWN_BLOCKED in blocked) == (down is W)

    play(scenario)


def test_a_buffer_that_drained_flows_again(play: Play) -> None:
    async def scenario(world: World) -> None:
        served: list[asyncio.StreamReader] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            served.append(reader)
            await asyncio.sleep(20)

        client, _ = await world.pair()
        observer = Observer(client)
        _, writer = await world.connect(client, *await world.origin(serve))
        size = 40_000_000
        writer.write(bytes(size))
        one = await held(observer, W, R)
        await until(lambda: served)
        served[0]._transport.resume_reading()  # type: ignore[attr-defined]
        got = 0
        while got < size:
            got += len(await served[0].read(1 << 20))
        await observer.stands(Stage.STREAM, R, R)
        assert one.up == size
        assert one.up_blocked is None
        moments = [moment for _, moment in one.moments]
        assert moments[:2] == [Moment.FIRST_UP, Moment.UP_BLOCKED]
        assert moments[-1] is Moment.UP_FLOWS

    play(scenario)


def test_half_closed_by_the_program(play: Play) -> None:
    async def scenario(world: World) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            await asyncio.sleep(20)

        client, server = await world.pair()
        near, far = Observer(client), Observer(server)
        _, writer = await world.connect(client, *await world.origin(serve), payload=b"x")
        writer.write_eof()
        await near.stands(Stage.STREAM, NONE, R)
        await far.stands(Stage.STREAM, NONE, R)

    play(scenario)


def test_half_closed_by_the_target(play: Play) -> None:
    async def scenario(world: World) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write_eof()
            await asyncio.sleep(20)

        client, server = await world.pair()
        near, far = Observer(client), Observer(server)
        await world.connect(client, *await world.origin(serve), payload=b"x")
        await far.stands(Stage.STREAM, R, NONE)
        await near.stands(Stage.STREAM, R, NONE)

    play(scenario)


# ---- DESTROYED always has a reason


async def ended(observer: Observer) -> Connection:
    await until(lambda: [one for one in observer.rows() if one.ended is not None])
    one = next(one for one in observer.rows() if one.ended is not None)
    assert (one.stage, one.timeline[-1][0]) == (Stage.DESTROYED, Stage.DESTROYED)
    assert (one.up_status, one.down_status, one.held_up, one.held_down) == (NONE, NONE, 0, 0)
    return one


async def _once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.read(100))
    writer.write_eof()
    await reader.read()


async def _resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.read(100))
    await writer.drain()
    reset(writer)


async def by_the_program(world: World) -> Observer:
    client, _ = await world.pair()
    observer = Observer(client)
    reader, writer = await world.connect(client, *await world.echo(), payload=b"x")
    await reader.readexactly(1)
    writer.write_eof()
    assert await reader.read() == b""
    return observer


async def by_the_target(world: World) -> Observer:
    client, _ = await world.pair()
    observer = Observer(client)
    reader, writer = await world.connect(client, *await world.origin(_once), payload=b"x")
    assert await reader.read() == b"x"
    writer.write_eof()
    return observer


async def by_a_reset_of_the_program(world: World) -> Observer:
    client, _ = await world.pair()
    observer = Observer(client)
    reader, writer = await world.connect(client, *await world.echo(), payload=b"x")
    await reader.readexactly(1)
    reset(writer)
    return observer


async def by_a_reset_of_the_target(world: World) -> Observer:
    client, _ = await world.pair()
    observer = Observer(client)
    reader, _ = await world.connect(client, *await world.origin(_resetting), payload=b"x")
    with pytest.raises(ConnectionResetError):
        await reader.read()
    return observer


async def by_time(world: World) -> Observer:
    client, _ = await world.pair()
    client.timeout = 0.1
    observer = Observer(client)
    reader, _ = await world.connect(client, *await world.echo(), payload=b"x")
    assert await reader.readexactly(1) == b"x"
    with pytest.raises(ConnectionResetError):
        await reader.read()
    return observer


async def by_a_connect_that_takes_too_long(world: World) -> Observer:
    address = world.enter(full_port())
    client = await world.client(address, timeout=0.2)
    observer = Observer(client)
    _, writer = await world.open(client.address)
    writer.write(REQUEST)
    return observer


async def by_a_refusal(world: World) -> Observer:
    client = await world.client(nobody())
    observer = Observer(client)
    _, writer = await world.open(client.address)
    writer.write(REQUEST)
    return observer


async def by_a_name_that_is_none(world: World) -> Observer:
    client = await world.client(("a-name.invalid", 1))
    client.resolver._lookup = StubLookup(OSError("no such name"))
    observer = Observer(client)
    _, writer = await world.open(client.address)
    writer.write(REQUEST)
    return observer


async def by_a_wrong_key(world: World) -> Observer:
    server = await world.server()
    client = await world.client(server.address, password="another password")
    observer = Observer(server)
    await world.connect(client, "192.0.2.1", 80, payload=b"hello")
    return observer


async def by_policy(world: World) -> Observer:
    client, server = await world.pair(forbidden=DEFAULT_FORBIDDEN)
    observer = Observer(server)
    await world.connect(client, *await world.echo(), payload=b"hello")
    return observer


async def by_a_person(world: World) -> Observer:
    client, _ = await world.pair()
    observer = Observer(client)
    reader, _ = await world.connect(client, *await world.echo(), payload=b"x")
    await reader.readexactly(1)
    next(iter(client.engine.handlers.values())).destroy(Reason.CLOSED_BY_USER)
    return observer


async def by_our_end(world: World) -> Observer:
    client, _ = await world.pair()
    observer = Observer(client)
    reader, _ = await world.connect(client, *await world.echo(), payload=b"x")
    await reader.readexactly(1)
    await client.engine.stop(0)
    return observer


STREAMED = [Stage.INIT, Stage.ADDR, Stage.DNS, Stage.CONNECTING, Stage.STREAM, Stage.DESTROYED]


@pytest.mark.parametrize(
    ("make", "reason", "way"),
    [
        (by_the_program, Reason.FINISHED, STREAMED),
        (by_the_target, Reason.FINISHED, STREAMED),
        (by_a_reset_of_the_program, Reason.CLIENT_RESET, STREAMED),
        (by_a_reset_of_the_target, Reason.SERVER_RESET, STREAMED),
        (by_a_connect_that_takes_too_long, Reason.CONNECT_TIMEOUT, [*STREAMED[:4], Stage.DESTROYED]),
        (by_a_refusal, Reason.CONNECT_REFUSED, [*STREAMED[:4], Stage.DESTROYED]),
        (by_a_name_that_is_none, Reason.DNS_FAILED, [*STREAMED[:3], Stage.DESTROYED]),
        (by_time, Reason.IDLE_TIMEOUT, STREAMED),
        (by_a_wrong_key, Reason.AUTH_FAILED, [Stage.INIT, Stage.DESTROYED]),
        (by_policy, Reason.DENIED, [Stage.INIT, Stage.DNS, Stage.DESTROYED]),
        (by_a_person, Reason.CLOSED_BY_USER, STREAMED),
        (by_our_end, Reason.SHUTDOWN, STREAMED),
    ],
)
def test_destroyed(
    play: Play, monkeypatch: pytest.MonkeyPatch, make: Callable[[World], object], reason: Reason, way: list[Stage]
) -> None:  # fmt: skip
    monkeypatch.setattr("ssgui.engine.handler.CONNECT_TIMEOUT", 0.1)

    async def scenario(world: World) -> None:
        one = await ended(await make(world))  # type: ignore[misc]
        assert (one.reason, stages(one)) == (reason, way)
        spent = [end - start for (_, start), (_, end) in zip(one.timeline, one.timeline[1:], strict=False)]
        assert all(seconds >= 0 for seconds in spent)

    play(scenario)
