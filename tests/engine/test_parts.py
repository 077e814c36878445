"""Small parts of the engine: deadlines, journal, forbidden addresses, tasks, resolver."""

import asyncio
import socket
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.config.models import DEFAULT_FORBIDDEN
from ssgui.engine import resolver as resolver_module
from ssgui.engine.deadlines import DeadlineQueue
from ssgui.engine.dialer import literal
from ssgui.engine.errors import DialError, DialFailure, dial_error
from ssgui.engine.events import Closed, StageChanged, closed
from ssgui.engine.forbidden import ForbiddenAddresses
from ssgui.engine.journal import Journal
from ssgui.engine.resolver import Resolver, SockAddr, SystemLookup
from ssgui.engine.stages import TRANSITIONS, Reason, Role, Stage
from ssgui.engine.tasks import BLOCKING_THREADS, run_blocking, spawn
from ssgui.protocol.address import Address
from tests.engine.world import until

# ---- deadlines


async def test_deadlines_ring_in_order_and_not_for_what_was_removed() -> None:
    rung: list[str] = []
    queue: DeadlineQueue[str] = DeadlineQueue(asyncio.get_running_loop(), 0.05, rung.append)
    now = asyncio.get_running_loop().time()
    queue.add("a", now - 0.02)
    queue.add("b", now)
    queue.add("c")
    assert queue.remove("b")
    assert not queue.remove("b")
    await until(lambda: len(rung) == 2)
    assert rung == ["a", "c"]
    assert not len(queue)


async def test_a_deadline_that_fails_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    rung: list[str] = []
    troubles: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: troubles.append(context["exception"]))

    def ring(item: str) -> None:
        rung.append(item)
        if item == "a":
            raise RuntimeError("a bug")

    queue: DeadlineQueue[str] = DeadlineQueue(loop, 0.01, ring)
    queue.add("a")
    queue.add("b")
    await until(lambda: rung == ["a", "b"])
    assert len(troubles) == 1


async def test_deadlines_can_be_cleared() -> None:
    rung: list[str] = []
    queue: DeadlineQueue[str] = DeadlineQueue(asyncio.get_running_loop(), 0.01, rung.append)
    queue.add("a")
    queue.add("b")
    assert queue.pop_oldest() == "a"
    assert queue.clear() == ["b"]
    await asyncio.sleep(0.03)
    assert rung == []


# ---- journal


@given(st.integers(1, 8), st.lists(st.integers(0, 5)))
def test_the_journal_loses_the_oldest_and_says_how_many(size: int, bursts: list[int]) -> None:
    journal, told, asked = Journal(size), 0, 0
    for burst in bursts:
        for _ in range(burst):
            journal.record(StageChanged, told, 0.0, Stage.DNS, "", "")
            told += 1
        events, following, dropped = journal.read_since(asked)
        expected = list(range(asked, told))
        assert [event.id for event in events] == expected[max(0, len(expected) - size) :]
        assert dropped == max(0, len(expected) - size)
        asked = following
    assert asked == told == journal.sequence


def test_the_journal_passes_over_what_is_not_wanted() -> None:
    journal = Journal()
    journal.record(StageChanged, 1, 0.0, Stage.DNS, "", "")
    timeline = ((Stage.INIT, 1.0), (Stage.DNS, 1.5), (Stage.DESTROYED, 3.5))
    journal.record(closed, 1, timeline, Reason.DNS_FAILED, 3, 0, Address("a", 1), ("b", 2), "", "")
    (event,) = journal.read_since(0, Closed)[0]
    assert event == Closed(1, 3.5, Reason.DNS_FAILED, 3, 0, timeline, "a:1", "b:2")
    assert isinstance(event, Closed)
    assert event.stages == {"INIT": 0.5, "DNS": 2.0}


# ---- stages


def test_every_stage_can_be_destroyed_and_nothing_comes_after() -> None:
    for role in Role:
        for stage, following in TRANSITIONS[role].items():
            assert (Stage.DESTROYED in following) == (stage is not Stage.DESTROYED)
    assert Stage.ADDR in TRANSITIONS[Role.LOCAL][Stage.INIT]
    assert Stage.ADDR not in TRANSITIONS[Role.SERVER]


# ---- forbidden addresses


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "169.254.169.254", "::1", "::", "fe80::1", "fe80::1%lo",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::127.0.0.1", "64:ff9b:1::7f00:1", "::127.0.0.1",
    ],
)  # fmt: skip
def test_forbidden(address: str) -> None:
    assert ForbiddenAddresses(DEFAULT_FORBIDDEN).covers(address)
    assert not ForbiddenAddresses(()).covers(address)


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "64:ff9b::192.0.2.1", "10.0.0.1"])
def test_not_forbidden(address: str) -> None:
    assert not ForbiddenAddresses(DEFAULT_FORBIDDEN).covers(address)


# ---- errors and literals


def test_errors_of_dialling() -> None:
    assert dial_error(ConnectionRefusedError(111, "refused"), "a", 1).kind is DialFailure.REFUSED
    assert dial_error(TimeoutError(), "a", 1).kind is DialFailure.TIMEOUT
    assert dial_error(OSError(110, "timed out"), "a", 1).kind is DialFailure.TIMEOUT
    assert dial_error(OSError(101, "no network"), "a", 1).reason is Reason.UNREACHABLE


def test_literals() -> None:
    assert literal("192.0.2.1", 80) == SockAddr(socket.AF_INET, ("192.0.2.1", 80))
    found = literal("2001:db8::1", 80)
    assert found is not None
    assert found.address[:2] == ("2001:db8::1", 80)
    for name in ("example.com", "127.1", "0x7f000001", "", "1.2.3.4.5", "::g", "a:b"):
        assert literal(name, 80) is None


# ---- tasks


async def test_a_task_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise RuntimeError("a bug")

    task = spawn(fail(), name="the failing one")
    await asyncio.wait((task,))
    await asyncio.sleep(0)
    assert "the failing one" in caplog.text


async def test_blocking_work_has_a_result_or_an_error() -> None:
    assert await run_blocking(max, 1, 2) == 2
    with pytest.raises(ZeroDivisionError):
        await run_blocking(divmod, 1, 0)


async def test_blocking_work_is_bounded() -> None:
    running = most = 0

    def work() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.02)
        running -= 1

    await asyncio.gather(*(run_blocking(work) for _ in range(3 * BLOCKING_THREADS)))
    assert most <= BLOCKING_THREADS


def test_blocking_work_does_not_hold_up_the_end() -> None:
    code = (
        "import asyncio, time\nfrom ssgui.engine.tasks import run_blocking, spawn\n"
        "async def main():\n    spawn(run_blocking(time.sleep, 60), name='sleeper')\n    await asyncio.sleep(0.1)\n"
        "asyncio.run(main())\n"
    )
    start = time.monotonic()
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=30)
    assert time.monotonic() - start < 15


# ---- resolver


class Lookup:
    """Counts questions and answers with `found`."""

    def __init__(self, *found: SockAddr, hang: bool = False) -> None:
        self.found, self.hang, self.asked = list(found), hang, 0

    async def lookup(self, host: str, port: int) -> list[SockAddr]:
        self.asked += 1
        if self.hang:
            await asyncio.Event().wait()
        return list(self.found)

    def close(self) -> None:
        """Nothing is open."""


V4 = SockAddr(socket.AF_INET, ("192.0.2.1", 80))
V6 = SockAddr(socket.AF_INET6, ("2001:db8::1", 80, 0, 0))


async def test_answers_are_kept_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    lookup = Lookup(V4)
    resolver = Resolver(lookup)
    assert await resolver.resolve("a", 80) == await resolver.resolve("a", 80) == [V4]
    assert lookup.asked == 1
    monkeypatch.setattr(resolver_module, "CACHE_SECONDS", -1.0)
    await resolver.resolve("b", 80)
    await resolver.resolve("b", 80)
    assert lookup.asked == 3


async def test_the_memory_of_answers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver_module, "CACHE_SIZE", 2)
    resolver = Resolver(Lookup(V4))
    for name in "abcd":
        await resolver.resolve(name, 80)
    assert len(resolver._cache) == 2


async def test_ipv6_first_if_preferred() -> None:
    assert await Resolver(Lookup(V4, V6), prefer_ipv6=True).resolve("a", 80) == [V6, V4]
    assert await Resolver(Lookup(V4, V6)).resolve("a", 80) == [V4, V6]


async def test_no_answer_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver_module, "DNS_TIMEOUT", 0.02)
    with pytest.raises(DialError, match="no answer from DNS") as caught:
        await Resolver(Lookup(hang=True)).resolve("a", 80)
    assert caught.value.kind is DialFailure.DNS


@pytest.mark.parametrize("name", ["a" * 300, "a..b", "\udcff"])
async def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(DialError):
        await Resolver(SystemLookup()).resolve(name, 80)


async def test_no_address_is_a_failure() -> None:
    with pytest.raises(DialError, match="no address"):
        await Resolver(Lookup()).resolve("a", 80)
