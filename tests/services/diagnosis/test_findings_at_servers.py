"""Diagnoses of a server's own connections, provoked for real and named right."""

import time
from collections.abc import Callable

from ssgui.config.models import DEFAULT_FORBIDDEN
from ssgui.config.secret import Secret
from ssgui.protocol.sip022 import METHODS_2022, parse_key
from ssgui.services.diagnosis.finding import FindingKind
from ssgui.services.diagnosis.findings import MANY_STRANGERS
from tests.engine.test_2022 import make_key
from tests.engine.test_probes import first_flight
from tests.engine.world import StubLookup, World, until
from tests.protocol.sip022_wires import Sealer
from tests.services.diagnosis.test_findings import ask, deaf, nobody
from tests.support.observer import Observer

Play = Callable[..., None]
K = FindingKind


def test_strangers_are_counted(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()
        client = await world.client(server.address, password="another password")
        observer = Observer(server)
        await ask(world, client, 1)
        found = await observer.row(K.STRANGER)
        assert (found.name, found.count, found.others, found.words) == ("127.0.0.1", 1, 0, "auth-failed")
        assert observer.overall() is None
        await ask(world, client, MANY_STRANGERS - 1)
        found = await observer.whole(K.STRANGER)
        assert (found.name, found.count) == ("127.0.0.1", MANY_STRANGERS)

    play_once(scenario)


def test_a_first_flight_that_was_played_again(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        server, target = await world.server(), await world.echo()
        observer, flight = Observer(server), first_flight(target)
        for _ in range(2):
            _, writer = await world.open(server.address)
            writer.write(flight)
        found = await observer.row(K.REPLAY)
        assert found.severity == "err"
        assert found.name.startswith("127.0.0.1:")

    play_once(scenario)


def test_a_client_of_another_time(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        method, key = METHODS_2022["2022-blake3-aes-128-gcm"], make_key("2022-blake3-aes-128-gcm")
        server = await world.server(method=method.name, password=Secret(key))
        observer = Observer(server)
        _, writer = await world.open(server.address)
        sealer = Sealer(method, parse_key(method, key), bytes(16))
        writer.write(sealer.request(b"\x01\x7f\0\0\1\0\x50", 0, b"x", now=int(time.time()) - 8 * 3600))
        found = await observer.row(K.CLIENT_CLOCK)
        assert found.words == "the client's clock is 8 h behind"

    play_once(scenario)


def test_targets_that_cannot_be_had(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        client, server = await world.pair()
        observer = Observer(server)
        address = nobody()
        await ask(world, client, 1, address)
        found = await observer.row(K.TARGET_REFUSED)
        assert (found.target, found.action, found.direct) == ("{}:{}".format(*address), "", True)
        server.resolver._lookup = StubLookup(OSError("no such name"))
        await ask(world, client, 1, ("a-name.invalid", 80))
        assert (await observer.row(K.TARGET_DNS)).target == "a-name.invalid:80"
        server.resolver._lookup = StubLookup(None)
        await ask(world, client, 1, ("another.invalid", 80))
        assert (await observer.row(K.TARGET_DNS, ahead=3.0)).ongoing
        assert observer.overall() is None

    play_once(scenario)


def test_a_target_that_is_forbidden(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        client, server = await world.pair(forbidden=DEFAULT_FORBIDDEN)
        observer = Observer(server)
        await ask(world, client, 1, await world.echo())
        assert (await observer.row(K.DENIED)).words == "forbidden address"

    play_once(scenario)


def test_a_client_that_does_not_read_and_a_target_that_takes_no_more(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()
        observer = Observer(server)
        client = await world.client(server.address)
        _, writer = await world.connect(client, *await world.origin(deaf))
        writer.write(bytes(40_000_000))
        await until(lambda: observer.rows() and observer.rows()[0].held_up)
        found = await observer.row(K.TARGET_STUCK, ahead=2.5)
        assert found.direct
        reader, writer = await world.connect(client, *await world.echo())
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(bytes(40_000_000))
        await until(lambda: observer.rows()[-1].held_down)
        assert (await observer.row(K.CLIENT_STALLED, ahead=2.5)).size > 0
        assert not reader.at_eof()

    play_once(scenario)
