"""With a method of 2022 a clock that is off looks like a wrong key: what is said, and by which evidence."""

import asyncio
import base64
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate

import pytest

from ssgui.engine.relay import LocalRelay
from ssgui.protocol.sip022 import METHODS_2022
from ssgui.services.diagnosis.clock import Clock
from ssgui.services.diagnosis.finding import Finding, FindingKind
from tests.engine.test_2022 import make_key
from tests.engine.world import World, until
from tests.protocol.sip022_wires import Sealer
from tests.services.diagnosis.test_findings import ask
from tests.support.observer import Observer
from tests.support.ports import free_port
from tests.support.processes import Program, ssgui_program

Play = Callable[..., None]
K = FindingKind
METHOD = "2022-blake3-aes-128-gcm"
KEY = make_key(METHOD)


@contextmanager
def server_of_another_time(seconds: float) -> Iterator[Program]:
    """Our server in a process of its own, whose clock is off."""
    port = free_port()
    flags = ["-s", "127.0.0.1", "-p", str(port), "-m", METHOD, "--forbidden-ip", ""]
    command = [sys.executable, "-m", "tests.support.shifted", str(seconds)]
    with ssgui_program(command, "server", port, flags, KEY) as program:
        yield program


async def suspected(world: World, server: tuple[str, int], password: str = KEY) -> tuple[LocalRelay, Observer]:
    """A client that has asked three times, and an observer who has seen that."""
    client = await world.client(server, method=METHOD, password=password)
    observer = Observer(client)
    await ask(world, client, 3)
    await until(lambda: len([one for one in observer.rows() if one.first_up]) == 3)
    return client, observer


def whole(observer: Observer) -> Finding:
    found = observer.overall(ahead=11.0)
    assert found is not None
    rows = observer.found(ahead=11.0)
    assert {one.kind for one in rows} == {found.kind}
    return found


@pytest.mark.parametrize("offset", [480, pytest.param(-480, marks=pytest.mark.long)])
def test_a_clock_that_is_off_and_nobody_knows(play_once: Play, offset: int) -> None:
    async def scenario(world: World) -> None:
        with server_of_another_time(offset) as server:
            _, observer = await suspected(world, server.address)
            (seen,) = {one.reason for one in server.events.wait_closed(3)}
            assert seen == "clock-skew"  # which is what the server knows
            found = whole(observer)
            assert (found.kind, found.action, found.ahead) == (K.KEY_OR_CLOCK, "check-clock", None)
            verdict = observer.findings.verdict(time.monotonic() + 11.0)
            assert (verdict.kind, verdict.why) == ("suspicious", "key-or-clock")

    play_once(scenario)


@pytest.mark.parametrize("offset", [480, pytest.param(-480, marks=pytest.mark.long)])
def test_a_clock_that_is_off_and_a_page_told_it(
    play_once: Play, monkeypatch: pytest.MonkeyPatch, offset: int
) -> None:  # fmt: skip
    real = time.time

    async def scenario(world: World) -> None:
        with server_of_another_time(0) as server:
            monkeypatch.setattr(time, "time", lambda: real() + offset)  # this computer's clock is off
            _, observer = await suspected(world, server.address)
            (seen,) = {one.reason for one in server.events.wait_closed(3)}
            assert seen == "clock-skew"
            assert whole(observer).kind is K.KEY_OR_CLOCK
            observer.clock.heard_date(formatdate(real(), usegmt=True))
            found = whole(observer)
            assert (found.kind, found.severity, found.source) == (K.CLOCK_OFF, "err", "date")
            assert found.ahead is not None
            assert abs(found.ahead + offset) < 2
            assert observer.findings.verdict(time.monotonic() + 11.0).why == "clock"
            monkeypatch.setattr(time, "time", real)  # it is set right: what was read then still holds
            assert observer.clock.state().clock is Clock.RIGHT
            assert whole(observer).kind is K.KEY_OR_CLOCK

    play_once(scenario)


def test_a_wrong_key_and_a_clock_that_is_right(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        with server_of_another_time(0) as server:
            _, observer = await suspected(world, server.address, make_key(METHOD))
            (seen,) = {one.reason for one in server.events.wait_closed(3)}
            assert seen == "auth-failed"
            observer.clock.heard_date(formatdate(time.time(), usegmt=True))
            found = whole(observer)
            assert (found.kind, found.action) == (K.KEY_OR_CLOCK, "open-server")
            assert found.ahead is not None
            assert abs(found.ahead) < 2

    play_once(scenario)


def lenient(offset: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]:
    """A server that takes any time, and says its own."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        salt = await reader.readexactly(16)
        sealer = Sealer(METHODS_2022[METHOD], base64.b64decode(KEY), os.urandom(16))
        writer.write(sealer.answer(salt, b"answer", now=int(time.time()) + offset))
        await reader.read()
        writer.write_eof()

    return serve


def test_a_server_that_tells_its_time(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(await world.origin(lenient(47)), method=METHOD, password=KEY)  # type: ignore[arg-type]
        observer = Observer(client)
        await ask(world, client, 1)
        found = await observer.row(K.CLOCK_OFF)
        assert found.ahead is not None
        assert abs(found.ahead - 47) < 3
        assert found.source == "server"
        await ask(world, client, 2)
        found = await observer.whole(K.CLOCK_OFF)
        assert found.count == 3
        assert observer.findings.verdict(time.monotonic()).why == "clock"

    play_once(scenario)


def test_a_clock_that_drifts_away(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(await world.origin(lenient(20)), method=METHOD, password=KEY)  # type: ignore[arg-type]
        observer = Observer(client)
        reader, _ = await world.connect(client, "192.0.2.1", 80, payload=b"a question")
        assert await reader.readexactly(6) == b"answer"
        found = await observer.whole(K.CLOCK_DRIFTS)
        assert found.ahead is not None
        assert abs(found.ahead - 20) < 3
        assert (observer.kind(), found.action) == ("on", "check-clock")
        assert not observer.found()

    play_once(scenario)
