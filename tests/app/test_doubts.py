"""A key under which no byte ever came back is tried once by itself; what the header and the banner say then is one."""

import asyncio
import sys
import time
from pathlib import Path

import msgspec
import pytest

from ssgui.app.consent import agree
from ssgui.app.context import AppContext
from ssgui.app.server_states import ServerStates
from ssgui.app.server_tests import ServerTests
from ssgui.config.app_config import Mode
from ssgui.config.secret import Secret
from ssgui.engine.engine import Engine
from ssgui.services.diagnosis.evidence import Evidence
from ssgui.services.diagnosis.finding import Finding, FindingKind
from tests.app.test_revival import HERE, NOTHING, Life, life, quick
from tests.engine.test_plugin import CARRIER, alive
from tests.engine.world import METHOD, until
from tests.services.diagnosis.test_findings import ask, silent

__all__ = ["quick"]
ANOTHER = Secret("another password")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssgui.services.diagnosis.evidence.DOUBT_SECONDS", 0.2)
    monkeypatch.setattr("ssgui.engine.upstream.latency.MEASURE_SECONDS", 0.4)
    stop = Engine.stop
    monkeypatch.setattr(Engine, "stop", lambda self, _grace=0: stop(self, 0))  # what is open here stays open


def evidence_of(one: Life) -> Evidence:
    server = one.context.server
    assert server is not None
    return one.context.evidence.of(one.context.name_of(server))


def look(context: AppContext) -> Finding | None:
    """What the window does."""
    context.connections.pull()
    context.doubts.look(time.monotonic())
    return context.findings.overall(time.monotonic())


async def one_question(one: Life, target: tuple[str, int] = ("192.0.2.1", 80)) -> None:
    assert one.context.proxy.relay is not None
    await ask(one.world, one.context.proxy.relay, 1, target)


async def finding(one: Life) -> Finding:
    await until(lambda: look(one.context))
    found = look(one.context)
    assert found is not None
    return found


async def test_a_wrong_password_is_named_after_one_connection_and_one_test(tmp_path: Path) -> None:
    async with life(tmp_path) as one:
        server = await one.world.server(bind_port=one.port, password=ANOTHER)
        await one_question(one)
        found = await finding(one)
        assert (found.kind, found.severity, found.action) == (FindingKind.WRONG_KEY, "err", "open-server")
        assert found.confirmed
        verdict = one.context.verdict()
        assert (verdict.kind, verdict.why) == ("suspicious", "key")
        reasons = [closed.reason for closed in await one.world.closed(server, 2)]
        assert reasons == ["auth-failed"] * 2  # the program's, and ours
        await asyncio.sleep(0.3)  # in which nobody tries it again
        look(one.context)
        assert len(await one.world.closed(server, 2)) == 2


async def test_another_key_is_tried_anew(tmp_path: Path) -> None:
    async with life(tmp_path) as one:
        server = await one.world.server(bind_port=one.port, password=ANOTHER)
        await one_question(one)
        await finding(one)
        config = one.context.config
        good = msgspec.structs.replace(config.servers[0], password=ANOTHER)
        one.context.change(msgspec.structs.replace(config, servers=(good,)))
        await one.context.settled()
        assert look(one.context) is None
        assert one.context.verdict().kind == "ready"
        old = next(iter([*one.context.connections.live.values(), *one.context.connections.ended.values()]))
        judged = one.context.findings.of(old, time.monotonic() + 11.0)
        assert judged is not None
        assert judged.kind is FindingKind.UNANSWERED  # it had another key: nobody knows
        target = await one.world.origin(silent)
        await one_question(one, target)
        await until(lambda: look(one.context) is None and one.context.verdict().kind == "on")  # the test was answered
        assert server.engine.handlers


async def test_who_waits_for_a_slow_target_has_no_wrong_password(tmp_path: Path) -> None:
    async with life(tmp_path) as one:
        await one.world.server(bind_port=one.port)
        target = await one.world.origin(silent)
        for _ in range(4):
            await one_question(one, target)
        seen = set()

        def answered() -> bool:
            seen.add(look(one.context))
            return one.context.verdict().kind == "on"

        await until(answered)
        assert seen == {None}
        evidence = evidence_of(one)
        assert (evidence.proven, evidence.tested) == (True, True)


@pytest.mark.parametrize("why", ["off", "offline", "paused"])
async def test_nothing_is_tried_unless_it_could_tell_something(tmp_path: Path, why: str) -> None:
    async with life(tmp_path, Mode.OFF if why == "off" else Mode.GLOBAL) as one:
        server = await one.world.server(bind_port=one.port, password=ANOTHER)
        await one_question(one)
        await one.world.closed(server)
        if why == "offline":
            one.state = NOTHING
            await until(lambda: not one.context.online)
        elif why == "paused":
            one.context.pause.begin()
        await asyncio.sleep(0.3)
        found = look(one.context)
        assert found is None if why != "offline" else found and found.kind is FindingKind.NO_NETWORK
        assert one.context.doubts._task is None
        assert not evidence_of(one).tested
        one.state = HERE


async def test_a_test_that_a_person_starts_is_evidence_too(tmp_path: Path) -> None:
    async with life(tmp_path) as one:
        server = await one.world.server(bind_port=one.port, password=ANOTHER)
        context = one.context
        tests = ServerTests(context, ServerStates(context.evidence, context.meter, context.quality), lambda: None)
        tests.start(["1"])
        found = await finding(one)
        assert (found.kind, found.count, found.confirmed) == (FindingKind.WRONG_KEY, 1, True)
        await server.engine.stop(0)
        await one.world.server(bind_port=one.port, method=METHOD)
        tests.start(["1"])
        await until(lambda: context.verdict().kind == "on")
        assert look(context) is None


async def test_a_server_that_is_not_in_use_is_tested_through_its_plugin(tmp_path: Path) -> None:
    path = tmp_path / "carrier"
    path.write_text(CARRIER.format(python=sys.executable))
    path.chmod(0o755)
    async with life(tmp_path) as one:
        await one.world.server(bind_port=one.port)
        context = one.context
        other = msgspec.structs.replace(context.config.servers[0], id="2", remarks="other", plugin=str(path))
        config = msgspec.structs.replace(context.config, servers=(*context.config.servers, other))
        context.change(agree(config, other))
        await context.settled()
        states = ServerStates(context.evidence, context.meter, context.quality)
        ServerTests(context, states, lambda: None).start(["2"])
        await until(lambda: "2" not in states.testing)
        assert states.latency("2") is not None
        await until(lambda: not alive(str(path)))
        assert not context.evidence.of("other").proven  # nobody uses it
