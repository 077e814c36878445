"""The choice among servers: health, ranking and stickiness without waiting, and the pool with made-up latencies."""

import asyncio
import math
import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.config.models import ServerChoice, ServerProfile
from ssgui.config.secret import Secret
from ssgui.engine.errors import DialError, DialFailure
from ssgui.engine.upstream import pool as server_pool
from ssgui.engine.upstream.health import Ranking, ServerHealth, StickyTargets
from ssgui.engine.upstream.latency import Latency
from ssgui.engine.upstream.pool import ServerPool
from ssgui.engine.upstream.server import Upstream
from ssgui.protocol.address import Address

TARGET = Address("example.com", 443)
ERROR = DialError(DialFailure.REFUSED, "h", 1)

# ---- health


def test_a_server_is_tried_again_later_and_later() -> None:
    health, now, pauses = ServerHealth(), 100.0, []
    health.failed(now)
    for _ in range(9):
        pause = 0.0
        while not health.begin_trial(now + pause):
            pause += 0.5
        assert not health.begin_trial(now + pause + 1000)  # one at a time
        pauses.append(pause)
        now += pause
        health.failed(now)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert (health.dead_since, health.failures) == (100.0, 10)
    health.succeeded()
    assert health.alive
    assert health.failures == 0
    assert not health.begin_trial(now + 1000)
    health.failed(now)
    assert health.begin_trial(now + 1)


def test_connections_that_fail_together_count_once() -> None:
    health = ServerHealth()
    for number in range(100):
        health.failed(number / 1000)
    assert health.failures == 1
    assert health.failed_at == 0.099
    assert health.begin_trial(1.0)


# ---- ranking


def rounds(ranking: Ranking[str], *latencies: dict[str, float]) -> list[str | None]:
    """The best after each round of one measurement each."""
    best = []
    for one in latencies:
        ranking.settle({name: [value] for name, value in one.items()})
        best.append(ranking.best)
    return best


def test_the_first_round_decides_by_medians() -> None:
    ranking: Ranking[str] = Ranking()
    ranking.settle({"a": [0.1, 0.1, 9.0], "b": [0.01, 0.2, 0.2]})
    assert ranking.best == "a"
    assert (ranking.estimate("a"), ranking.estimate("b"), ranking.estimate("c")) == (0.1, 0.2, math.inf)


def test_a_better_one_is_followed_after_three_rounds() -> None:
    ranking: Ranking[str] = Ranking()
    ranking.settle({"a": [0.1] * 3, "b": [0.2] * 3})
    better = {"a": 0.1, "b": 0.05}
    # Its median is better from the second round on; three of these must come in a row.
    assert rounds(ranking, *[better] * 5) == ["a", "a", "a", "b", "b"]


def test_slightly_better_is_not_enough() -> None:
    ranking: Ranking[str] = Ranking()
    ranking.settle({"a": [0.1] * 3, "b": [0.2] * 3})
    assert set(rounds(ranking, *[{"a": 0.1, "b": 0.081}] * 20)) == {"a"}


def test_a_row_that_is_broken_begins_again() -> None:
    ranking: Ranking[str] = Ranking()
    ranking.settle({"a": [0.1] * 3, "b": [0.05] * 2 + [0.2]})
    assert ranking.best == "b"
    ranking = Ranking()
    ranking.settle({"a": [0.1] * 3, "b": [0.2] * 3, "c": [0.2] * 3})
    fast_b, fast_c = {"a": 0.1, "b": 0.01, "c": 0.2}, {"a": 0.1, "b": 0.2, "c": 0.01}
    assert set(rounds(ranking, *[fast_b, fast_b, fast_c, fast_c, fast_b, fast_b, fast_c, fast_c] * 3)) == {"a"}


def test_one_that_fails_is_left_and_one_slip_is_not() -> None:
    ranking: Ranking[str] = Ranking()
    ranking.settle({"a": [0.1] * 3, "b": [0.3] * 3})
    dead = {"a": math.inf, "b": 0.3}
    assert rounds(ranking, dead, {"a": 0.1, "b": 0.3}) == ["a", "a"]
    assert rounds(ranking, dead, dead) == ["b", "b"]


def test_a_round_without_any_answer_says_nothing() -> None:
    ranking: Ranking[str] = Ranking()
    nothing = {"a": math.inf, "b": math.inf}
    assert rounds(ranking, nothing) == [None]
    ranking.settle({"a": [0.1] * 3, "b": [0.3] * 3})
    assert rounds(ranking, *[nothing] * 9) == ["a"] * 9
    assert ranking.estimate("a") == 0.1


@given(st.lists(st.tuples(st.floats(0.08, 0.12), st.floats(0.08, 0.12)), min_size=3, max_size=200))
def test_noise_does_not_make_it_jump(measured: list[tuple[float, float]]) -> None:
    """Two equal servers with a fifth of noise each way: between two jumps there are three rounds at least."""
    ranking: Ranking[str] = Ranking()
    best = rounds(ranking, *[{"a": a, "b": b} for a, b in measured])
    jumps = [number for number, (before, after) in enumerate(pairwise(best)) if before != after]
    assert all(later - earlier >= 3 for earlier, later in pairwise(jumps))


def test_noise_hardly_ever_makes_it_jump() -> None:
    dice, ranking = random.Random(7), Ranking[str]()
    best = rounds(ranking, *[{name: dice.gauss(0.1, 0.01) for name in "abcd"} for _ in range(1000)])
    assert sum(before != after for before, after in pairwise(best)) <= 2


# ---- stickiness


def test_a_target_keeps_its_server_for_a_while() -> None:
    sticky: StickyTargets[str] = StickyTargets()
    sticky.keep("x", "a", 0)
    assert sticky.get("x", 599) == "a"
    assert sticky.get("x", 1198) == "a"
    assert sticky.get("x", 1798) is None
    sticky.keep("x", "a", 0)
    for now in range(0, 3600, 60):
        assert sticky.get("x", now) == "a"
    assert sticky.get("x", 3600) is None
    assert sticky.get("y", 0) is None


def test_kept_targets_are_bounded() -> None:
    sticky: StickyTargets[str] = StickyTargets()
    sticky.keep("first", "a", 0)
    for number in range(2000):
        sticky.keep(str(number), "a", 0)
        sticky.get("first", 0)
    assert len(sticky) == 1024
    assert sticky.get("first", 0) == "a"
    assert sticky.get("0", 0) is None


# ---- the pool


class Bench:
    """A pool with made-up latencies and a clock that stands still until it is moved."""

    def __init__(self, choice: ServerChoice, count: int = 3, seed: int = 1) -> None:
        self.now = 1000.0
        self.latencies: dict[str, float] = {name: 0.1 * (place + 1) for place, name in enumerate("abcdefgh"[:count])}
        self.measured: list[str] = []
        self.upstreams = [
            Upstream(ServerProfile(name, 1, "aes-256-gcm", Secret("x"), remarks=name)) for name in self.latencies
        ]
        self.pool = ServerPool(self.upstreams, choice, self.measure, clock=lambda: self.now, dice=random.Random(seed))

    async def measure(self, upstream: Upstream) -> Latency:
        await asyncio.sleep(0)
        self.measured.append(upstream.name)
        seconds = self.latencies[upstream.name]
        return Latency(failure="refused") if math.isinf(seconds) else Latency(seconds / 2, seconds)

    def choose(self, host: str = "example.com") -> str:
        return self.pool.choose(Address(host, 443)).name

    def fail(self, name: str) -> None:
        self.pool.failed(next(one for one in self.upstreams if one.name == name), ERROR)

    async def settle(self) -> None:
        """Let what was begun in the background end."""
        while self.pool._tasks:
            await asyncio.gather(*self.pool._tasks)


async def test_fixed_uses_the_first_while_it_lives() -> None:
    bench = Bench(ServerChoice.FIXED)
    assert {bench.choose() for _ in range(20)} == {"a"}
    bench.fail("a")
    assert {bench.choose() for _ in range(20)} == {"b"}
    bench.fail("b")
    assert bench.choose() == "c"
    await bench.settle()
    assert bench.measured == []
    bench.now += 1  # the trial of what is dead happens beside the connection, when there is one
    assert bench.choose() == "c"
    await bench.settle()
    assert sorted(bench.measured) == ["a", "b"]
    assert bench.choose() == "a"


async def test_one_that_stays_dead_is_tried_seldom() -> None:
    bench = Bench(ServerChoice.FIXED)
    bench.latencies["a"] = math.inf
    bench.fail("a")
    for _ in range(600):
        bench.now += 1
        assert bench.choose() == "b"
        await bench.settle()
    assert 13 <= len(bench.measured) <= 16  # 1 2 4 8 16 32 60 60 ...
    assert bench.pool.view()[0].failures == len(bench.measured) + 1
    bench.latencies["a"] = 0.1
    bench.now += 60
    bench.choose()
    await bench.settle()
    assert bench.choose() == "a"


async def test_random_is_random_for_each_connection() -> None:
    bench = Bench(ServerChoice.RANDOM)
    counted = Counter(bench.choose() for _ in range(3000))
    assert all(900 < counted[name] < 1100 for name in "abc")
    bench.fail("b")
    assert {bench.choose() for _ in range(100)} == {"a", "c"}


async def test_nobody_is_refused_when_all_are_dead() -> None:
    bench = Bench(ServerChoice.FIXED)
    for name in "bca":
        bench.fail(name)
        bench.now += 0.1
    assert bench.choose() == "b"
    bench.fail("b")
    assert bench.choose() == "c"
    bench.pool.succeeded(bench.upstreams[0])
    assert bench.choose() == "a"
    await bench.settle()


async def test_the_next_after_those_that_failed() -> None:
    bench = Bench(ServerChoice.FIXED, 6)
    a, b, c, d, e, f = bench.upstreams
    pool = bench.pool
    bench.fail("a")
    assert pool.next_after([a], TARGET) is b
    bench.fail("b")
    bench.fail("c")
    assert pool.next_after([a], TARGET) is d
    for name in "def":
        bench.now += 1
        bench.fail(name)
    assert pool.next_after([f], TARGET) is a  # all are dead: the one that failed least recently
    assert pool.next_after([f, a, b], TARGET) is None
    pool.succeeded(e)
    assert pool.next_after([f, a, b], TARGET) is e
    assert pool.next_after([f, a, b, c, d, e], TARGET) is None


async def test_one_server_is_never_measured() -> None:
    for choice in ServerChoice:
        bench = Bench(choice, 1)
        bench.pool.start()
        bench.fail("a")
        bench.now += 1000
        assert bench.choose() == "a"
        assert not bench.pool._tasks


async def test_auto_follows_what_it_measured() -> None:
    bench = Bench(ServerChoice.AUTO)
    bench.latencies.update(a=0.3, b=0.1, c=0.2)
    assert bench.choose() == "a"  # nothing is known yet
    await bench.settle()
    assert Counter(bench.measured) == {"a": 3, "b": 3, "c": 3}
    assert bench.choose() == "b"
    assert [view.preferred for view in bench.pool.view()] == [False, True, False]
    assert bench.pool.view()[1].latency == Latency(0.05, 0.1)
    bench.fail("b")
    assert bench.choose() == "c"
    await bench.pool.close()


async def test_auto_keeps_a_targets_server_for_a_while() -> None:
    bench = Bench(ServerChoice.AUTO)
    bench.pool.start()
    await bench.settle()
    assert bench.choose("site") == "a"
    for _ in range(5):
        bench.pool._ranking.settle({bench.upstreams[0]: [0.5], bench.upstreams[1]: [0.2]})
    for _ in range(7):
        bench.now += 500
        assert bench.choose("site") == "a"
        assert bench.choose(f"new at {bench.now}") == "b"
    bench.now += 500
    assert bench.choose("site") == "b"
    assert bench.choose("site") == "b"
    await bench.settle()


async def test_auto_measures_seldom_and_only_with_traffic() -> None:
    bench = Bench(ServerChoice.AUTO)
    bench.pool.start()
    await bench.settle()
    assert len(bench.measured) == 9
    begun = bench.now
    for _ in range(100):
        bench.now += 60
        bench.choose()
        await bench.settle()
    found = len(bench.measured) // 3 - 3
    assert 100 * 60 / 780 <= found <= 100 * 60 / 480
    bench.measured.clear()
    bench.now = begun + 100_000  # nobody was there
    await bench.settle()
    assert not bench.measured
    bench.choose()
    await bench.settle()
    assert len(bench.measured) == 3


async def test_auto_measures_soon_after_a_failure_but_not_at_once() -> None:
    bench = Bench(ServerChoice.AUTO)
    bench.pool.start()
    await bench.settle()
    bench.measured.clear()
    bench.latencies["a"] = math.inf
    bench.now += 1
    bench.fail("a")
    bench.choose()
    await bench.settle()
    assert bench.measured == []
    bench.now += server_pool.AFTER_FAILURE
    bench.choose()
    await bench.settle()
    assert Counter(bench.measured)["b"] == 1
    await bench.pool.close()


async def test_auto_without_any_answer_still_chooses() -> None:
    bench = Bench(ServerChoice.AUTO)
    bench.latencies = dict.fromkeys(bench.latencies, math.inf)
    bench.pool.start()
    await bench.settle()
    assert bench.choose() in "abc"
    bench.latencies = dict.fromkeys(bench.latencies, 0.1)
    bench.now += 2000
    bench.choose()
    await bench.settle()
    assert all(view.dead_since is None for view in bench.pool.view())


async def test_closing_ends_what_is_under_way() -> None:
    bench = Bench(ServerChoice.AUTO)

    async def never(upstream: Upstream) -> Latency:
        await asyncio.Event().wait()
        return Latency()

    bench.pool._measure = never
    bench.pool.start()
    tasks = set(bench.pool._tasks)
    await asyncio.sleep(0)
    await bench.pool.close()
    assert tasks
    assert all(task.cancelled() for task in tasks)
    assert not bench.pool._tasks


@pytest.mark.parametrize("choice", list(ServerChoice))
async def test_a_measurement_with_a_bug_does_not_end_the_choice(
    choice: ServerChoice, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(choice)

    async def broken(upstream: Upstream) -> Latency:
        raise RuntimeError("a bug")

    bench.pool._measure = broken
    bench.fail("a")
    for _ in range(5):
        bench.now += 100
        assert bench.choose() in "bc"
        await asyncio.sleep(0.001)
    assert "a bug" in caplog.text
    await bench.pool.close()
