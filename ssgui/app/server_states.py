"""What is known about each server of the list: latency, last result, traffic of today, and how real traffic fares."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from ssgui.app.local_proxy import unique_names, usable
from ssgui.config.app_config import Server
from ssgui.engine.stages import Reason
from ssgui.services.connections.meter import Meter
from ssgui.services.diagnosis.evidence import Evidence, ServerEvidence
from ssgui.services.diagnosis.server_quality import Quality, ServerQuality

_KEPT = 60  # tests
_UNMEASURED = Quality()


class Result(StrEnum):
    """The last thing that is known."""

    UNTESTED = "untested"
    WORKS = "works"
    FAILED = "failed"
    UNSUPPORTED = "unsupported"
    NO_PASSWORD = "no-password"  # noqa: S105
    GONE = "gone"
    TESTING = "testing"


@dataclass(frozen=True, slots=True)
class ServerState:
    """One row's right half. Latency in seconds, `age` in seconds since the result, `today` in bytes."""

    result: Result = Result.UNTESTED
    latency: float | None = None
    age: float = 0.0
    why: str = ""
    reason: Reason | None = None
    today: int = 0


@dataclass(frozen=True, slots=True)
class ServerFigures:
    """What the details of one server begin with, each with its course, oldest first.

    `latency` is the median of the last tests in seconds, `succeeded` the share (0 to 1) of the last tests and
    connections that worked; None for what is not known. `today` is bytes. `real` is what connections met.
    """

    latency: float | None = None
    latencies: tuple[float, ...] = ()
    succeeded: float | None = None
    successes: tuple[float, ...] = ()
    today: int = 0
    traffic: tuple[int, ...] = ()
    real: Quality = _UNMEASURED


@dataclass(slots=True)
class _Test:
    at: float
    latency: float | None
    failure: str


class ServerStates:
    """Puts tests, evidence and traffic together. Keyed by server id."""

    def __init__(
        self, evidence: ServerEvidence, meter: Meter, quality: ServerQuality,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._evidence, self._meter, self._quality, self._clock = evidence, meter, quality, clock
        self._tests: dict[str, _Test] = {}
        self._latencies: dict[str, deque[float | None]] = {}
        self.testing: set[str] = set()

    def tested(self, identity: str, latency: float | None, failure: str = "") -> None:
        """A test ended: how long until the first byte, or what went wrong."""
        self.testing.discard(identity)
        self._tests[identity] = _Test(self._clock(), latency, failure)
        self._latencies.setdefault(identity, deque(maxlen=_KEPT)).append(latency)

    def forget(self, identity: str) -> None:
        """Its settings changed."""
        self._tests.pop(identity, None)
        self._latencies.pop(identity, None)

    def latency(self, identity: str) -> float | None:
        """What the last test of this server measured, in seconds."""
        test = self._tests.get(identity)
        return test.latency if test is not None else None

    def figures(self, server: Server, name: str) -> ServerFigures:
        """What is known of one server, which events call `name`."""
        tests = self._latencies.get(server.id, ())
        latencies = tuple(one for one in tests if one is not None)
        ended = self._evidence.of(name).ended if self._evidence.knows(name) else ()
        worked = [one is not None for one in tests] + list(ended)
        shares = tuple(sum(part) / len(part) for at in range(len(worked)) if (part := worked[max(0, at - 9) : at + 1]))
        traffic = self._meter.servers.get(name)
        today = traffic.up + traffic.down if traffic is not None else 0
        course = (*self._meter.courses.get(name, ()), today) if traffic is not None else ()
        return ServerFigures(
            median(latencies) if latencies else None, latencies,
            sum(worked) / len(worked) if worked else None, shares, today, course,
            self._quality.of(name, self._clock()),
        )  # fmt: skip

    def all(self, servers: tuple[Server, ...], legacy: Iterable[str] = ()) -> dict[str, ServerState]:
        """The state of each of `servers`; `legacy` names the old methods that are allowed."""
        names = unique_names(servers)
        alike: dict[tuple[str, bool, bool], ServerState] = {}  # of which nothing is known: in long lists nearly all
        states = {}
        ids = self._tests.keys() | self.testing
        known = self._meter.servers.keys() | self._evidence.known()
        for server in servers:
            identity = server.id
            name = names[identity]
            if identity in ids or name in known:
                states[identity] = self._state(server, name, legacy)
                continue
            kind = server.method, not server.password, server.gone
            state = alike.get(kind)
            if state is None:
                state = alike[kind] = self._state(server, name, legacy)
            states[identity] = state
        return states

    def _state(self, server: Server, name: str, legacy: Iterable[str]) -> ServerState:
        traffic = self._meter.servers.get(name)
        today = traffic.up + traffic.down if traffic is not None else 0
        test = self._tests.get(server.id)
        latency = test.latency if test is not None else None
        if server.id in self.testing:
            return ServerState(Result.TESTING, latency, today=today)
        if server.gone:
            return ServerState(Result.GONE, latency, today=today)
        if not server.password:
            return ServerState(Result.NO_PASSWORD, today=today)
        if not usable(server, legacy):
            return ServerState(Result.UNSUPPORTED, today=today)
        return self._judged(name, test, latency, today)

    def _judged(self, name: str, test: _Test | None, latency: float | None, today: int) -> ServerState:
        """The newer of a test and of what real traffic showed."""
        now = self._clock()
        evidence = self._evidence.of(name) if self._evidence.knows(name) else Evidence()
        failed_at, reason = evidence.failures[-1][:2] if evidence.failures else (-1.0, None)
        worked_at = evidence.last_byte if evidence.last_byte is not None else -1.0
        if test is not None and test.at >= max(failed_at, worked_at):
            result = Result.WORKS if test.latency is not None else Result.FAILED
            return ServerState(result, latency, now - test.at, test.failure, today=today)
        if worked_at > failed_at:
            return ServerState(Result.WORKS, latency, now - worked_at, today=today)
        if reason is not None:
            return ServerState(Result.FAILED, latency, now - failed_at, reason=reason, today=today)
        return ServerState(Result.UNTESTED, latency, today=today)
