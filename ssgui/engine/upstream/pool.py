"""Chooses one of a client's servers for each connection, and another when that one is dead.

A server is dead from the first connection that it did not take. It is left out then while another lives, and
tried again in the background, when there is traffic; if all are dead, the one that failed least recently is
tried by the connections themselves: nobody is refused because of what was.
"""

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from ssgui.config.models import ServerChoice
from ssgui.engine.errors import DialError
from ssgui.engine.tasks import spawn
from ssgui.engine.upstream.health import SAMPLES, Ranking, StickyTargets
from ssgui.engine.upstream.latency import Latency
from ssgui.engine.upstream.server import Upstream
from ssgui.protocol.address import Address

ROUND_SECONDS = 600.0  # measuring is traffic, and regular traffic is a fingerprint
AFTER_FAILURE = 60.0
MOST_DEAD = 3  # of the servers that one connection tries, all of them known to be dead
_JITTER = 0.2
_AT_ONCE = 4
_log = logging.getLogger(__name__)

Measure = Callable[[Upstream], Awaitable[Latency]]


@dataclass(frozen=True, slots=True)
class ServerView:
    """What is known of one server. Times are monotonic seconds; `latency` is None until it was measured."""

    name: str
    dead_since: float | None
    failures: int
    latency: Latency | None
    preferred: bool


class ServerPool:
    """The servers of one client. `measure` opens a connection through a server, see `ssgui.engine.upstream.latency`."""

    def __init__(
        self,
        upstreams: Sequence[Upstream],
        choice: ServerChoice,
        measure: Measure,
        *,
        clock: Callable[[], float] = time.monotonic,
        dice: random.Random | None = None,
    ) -> None:
        self.upstreams = tuple(upstreams)
        self._only = self.upstreams[0] if len(self.upstreams) == 1 else None
        self._measure, self._clock, self._dice = measure, clock, dice or random.Random()
        picks = {ServerChoice.FIXED: _first, ServerChoice.RANDOM: self._random, ServerChoice.AUTO: self._auto}
        self._pick = picks[choice]
        self._measures = choice is ServerChoice.AUTO and self._only is None
        self._dead = {one for one in self.upstreams if not one.health.alive}
        self._ranking: Ranking[Upstream] = Ranking()
        self._sticky: StickyTargets[Upstream] = StickyTargets()
        self._tasks: set[asyncio.Task[None]] = set()
        self._round_due, self._round_begun, self._in_round = -math.inf, -math.inf, False

    # ---- choosing

    def choose(self, target: Address) -> Upstream:
        """The server for a connection to `target`."""
        if self._only is not None:
            return self._only
        if self._measures or self._dead:
            self._look_after(self._clock())
        return self._among(self.upstreams, target)

    def next_after(self, tried: Sequence[Upstream], target: Address) -> Upstream | None:
        """Another server for a connection that could not be made through those `tried`; None when there is none."""
        left = [one for one in self.upstreams if one not in tried]
        if len(tried) >= MOST_DEAD:
            left = [one for one in left if one.health.alive]
        return self._among(left, target) if left else None

    def _among(self, some: Sequence[Upstream], target: Address) -> Upstream:
        alive = [one for one in some if one.health.alive] if self._dead else some
        if not alive:
            return min(some, key=lambda one: one.health.failed_at)
        return self._pick(alive, target)

    def _random(self, alive: Sequence[Upstream], target: Address) -> Upstream:
        return self._dice.choice(alive)

    def _auto(self, alive: Sequence[Upstream], target: Address) -> Upstream:
        now, best = self._clock(), self._ranking.best
        kept = self._sticky.get(target.host, now)
        if kept is not None and kept in alive:
            return kept
        chosen = best if best is not None and best in alive else min(alive, key=self._ranking.estimate)
        if best is not None:
            self._sticky.keep(target.host, chosen, now)
        return chosen

    # ---- what is learnt

    def failed(self, upstream: Upstream, error: DialError) -> None:
        """A connection to `upstream` could not be made."""
        if error.by_proxy:
            return
        upstream.complain(error)
        now = self._clock()
        upstream.health.failed(now)
        if upstream not in self.upstreams:
            return  # it was chosen before the servers changed
        self._dead.add(upstream)
        self._round_due = min(self._round_due, self._round_begun + AFTER_FAILURE)

    def succeeded(self, upstream: Upstream) -> None:
        """A connection to `upstream` was made."""
        if not upstream.health.alive:
            self._dead.discard(upstream)
            upstream.health.succeeded()
            _log.info("the server %s is reachable again", upstream.name)

    def view(self) -> list[ServerView]:
        """How the servers stand."""
        return [
            ServerView(one.name, one.health.dead_since, one.health.failures, one.latency, one is self._ranking.best)
            for one in self.upstreams
        ]

    # ---- in the background

    def start(self) -> None:
        """Measure at once, if measuring is what chooses."""
        if self._measures:
            self._look_after(self._clock())

    def hope(self) -> None:
        """The network changed: what is dead is tried again now, and so is the choice."""
        for one in self._dead:
            one.health.hope()
        self._round_due = -math.inf
        self.look_after()

    def look_after(self) -> None:
        """Try again what is dead and due."""
        if self._measures or self._dead:
            self._look_after(self._clock())

    async def close(self) -> None:
        """End what is under way."""
        self._measures = False
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _look_after(self, now: float) -> None:
        """There is traffic: try again what is dead, measure when it is time."""
        for one in self._dead:
            if len(self._dead) < len(self.upstreams) and one.health.begin_trial(now):
                self._spawn(self._try_again(one), f"trial of {one.name}")
        if self._measures and not self._in_round and now >= self._round_due:
            self._round_begun, self._in_round = now, True
            self._round_due = now + ROUND_SECONDS * self._dice.uniform(1 - _JITTER, 1 + _JITTER)
            self._spawn(self._measure_all(), "measuring servers")

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = spawn(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _try_again(self, upstream: Upstream) -> None:
        latency = Latency(failure="not measured")
        try:
            latency = await self._measure(upstream)
        finally:
            self._learn(upstream, latency)

    async def _measure_all(self) -> None:
        """One round: all servers, each three times while nothing is known yet."""
        gate = asyncio.Semaphore(_AT_ONCE)
        times = SAMPLES if self._ranking.best is None else 1
        measured: dict[Upstream, list[float]] = {one: [] for one in self.upstreams}

        async def measure(upstream: Upstream) -> None:
            async with gate:
                for _ in range(times):
                    latency = await self._measure(upstream)
                    self._learn(upstream, latency)
                    measured[upstream].append(latency.seconds)

        try:
            await asyncio.gather(*map(measure, self.upstreams))
        finally:
            self._in_round = False
        before = self._ranking.best
        self._ranking.settle(measured)
        if (best := self._ranking.best) is not None and best is not before:
            _log.info("using the server %s (%.0f ms)", best.name, self._ranking.estimate(best) * 1000)

    def _learn(self, upstream: Upstream, latency: Latency) -> None:
        upstream.latency = latency
        if latency.connect is not None:
            self.succeeded(upstream)
        elif not latency.by_proxy or upstream in self._dead:  # for a dead one it was a trial: there will be another
            upstream.health.failed(self._clock())
            self._dead.add(upstream)


def _first(alive: Sequence[Upstream], target: Address) -> Upstream:
    return alive[0]
