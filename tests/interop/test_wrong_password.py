"""A password that Debian's ss-server does not have: named by what it does, and by a test through it."""

import asyncio
import time
from collections.abc import Callable

import pytest

from ssgui.app.trials import try_server
from ssgui.services.diagnosis.finding import FindingKind
from tests.engine.world import World, until
from tests.services.diagnosis.test_findings import ask
from tests.support.observer import Observer
from tests.support.playing import play_once
from tests.support.processes import libev_server

__all__ = ["play_once"]
Play = Callable[..., None]


@pytest.mark.parametrize(
    ("theirs", "ours"), [("aes-256-gcm", "aes-256-gcm"), ("aes-256-gcm", "chacha20-ietf-poly1305")]
)
def test_a_wrong_password_or_method(
    play_once: Play, monkeypatch: pytest.MonkeyPatch, theirs: str, ours: str
) -> None:  # fmt: skip
    monkeypatch.setattr("ssgui.engine.upstream.latency.MEASURE_SECONDS", 0.5)

    async def scenario(world: World) -> None:
        password = "another password" if theirs == ours else "a password of the tests"
        with libev_server(method=theirs) as server:
            client = await world.client(server, method=ours, password=password)
            observer = Observer(client)
            await ask(world, client, 3)
            await until(lambda: len([one for one in observer.rows() if one.acked]) == 3)
            found = observer.overall(ahead=11.0)
            assert found is not None
            assert (found.kind, found.severity, found.count) == (FindingKind.WRONG_KEY, "warn", 3)
            assert observer.overall() is None  # they may yet be answered
            await try_server(client, client.pool.upstreams[0], observer.evidence, confirms=True)
            found = await observer.whole(FindingKind.WRONG_KEY)
            assert (found.severity, found.confirmed) == ("err", True)
            assert {one.kind for one in observer.found(ahead=2.0)} == {FindingKind.WRONG_KEY}
            assert observer.kind() == "suspicious"

    play_once(scenario)


def test_the_right_one(play_once: Play) -> None:
    async def scenario(world: World) -> None:
        with libev_server() as server:
            client = await world.client(server)
            observer = Observer(client)
            reader, _ = await world.connect(client, *await world.echo(), payload=b"hello")
            async with asyncio.timeout(5):
                assert await reader.readexactly(5) == b"hello"
            await until(lambda: observer.kind() == "on")
            assert observer.findings.overall(time.monotonic() + 11.0) is None
            assert not observer.found(ahead=11.0)

    play_once(scenario)
