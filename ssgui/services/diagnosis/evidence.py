"""What is known about a server, from what its connections did: the ground under every word of the header.

"Connected" means that bytes came back. Nothing here rests on a timer alone, a port that is open, or a process
that runs. The decision on evidence and findings (`docs/decisions`) says what names what.
"""

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from ssgui.engine.stages import Reason, Stage
from ssgui.services.connections.records import Connection, Listener
from ssgui.services.diagnosis.outcomes import ANSWER_SECONDS, UNREACHED, How, by_way, dialled_for, unanswered, worked

FRESH_SECONDS = 60.0  # after which "connected" is only "ready"
_TRIAL = 0  # among the numbers of handlers, which begin at 1
FAILING_AFTER = 2  # attempts in a row that did not reach the server
SUSPICIOUS_AFTER = 3  # connections in a row that it took, and that got not one byte back
DOUBT_SECONDS = 4.0  # after which a key that was never good is worth a test
DOUBTFUL_AFTER = 2
_HISTORY = 1024  # answers of targets; of each, one a second
_NOTED_EVERY = 1.0
_UDP = Stage.UDP_ASSOC
_ON_THE_WAY = frozenset({Stage.DNS, Stage.CONNECTING})


class Failure(NamedTuple):
    """An attempt that did not reach the server, and how long it took. `way`: a proxy on the way there failed."""

    t: float
    reason: Reason
    seconds: float = 0.0
    way: bool = False


@dataclass(slots=True)
class Evidence:
    """Of one server, since it was put to use or its settings changed (`since`). Times are monotonic seconds."""

    since: float = 0.0
    last_byte: float | None = None
    proven: bool = False  # a byte came back at least once: the key is good
    tested: bool = False  # it was tried once by itself, because it was doubted
    attempts: int = 0  # since the last success
    failures: deque[Failure] = field(default_factory=lambda: deque(maxlen=50))
    unanswered: deque[tuple[float, How]] = field(default_factory=lambda: deque(maxlen=50))  # in a row
    sent: int = 0  # bytes of these that the server's kernel acknowledged, as far as the system tells
    confirmed: float | None = None  # when a trial of our own reached the server, and got nothing back
    ended: deque[bool] = field(default_factory=lambda: deque(maxlen=100))  # the last connections: whether they worked
    waiting: dict[int, float] = field(default_factory=dict)  # handlers that are on their way, since when
    asked: dict[int, Connection] = field(default_factory=dict)  # that have sent something, and wait for the first byte
    heard: OrderedDict[str, float] = field(default_factory=OrderedDict)  # targets that bytes came from, and about when
    history: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=_HISTORY))  # the same, one by one

    def failed_in_a_row(self) -> int:
        """Attempts since the last byte that did not reach the server."""
        return len(self.failures)

    @property
    def on_trial(self) -> bool:
        """Whether a trial of our own is under way."""
        return _TRIAL in self.waiting

    def silent(self, now: float, seconds: float = ANSWER_SECONDS) -> list[Connection]:
        """Live connections whose first bytes arrived at least that long ago, and were not answered."""
        for number in [number for number, one in self.asked.items() if not one.live]:  # its end was missed
            del self.asked[number]
        return [
            one
            for one in self.asked.values()
            if one.acked != 0 and one.first_up is not None and now - one.first_up >= seconds
        ]

    def others(self, target: str, since: float, until: float = math.inf) -> int:
        """How many other targets bytes came from through this server then, as far as that is remembered."""
        return len({other for at, other in self.history if since <= at <= until} - {target})

    def hear(self, target: str, now: float) -> None:
        """Bytes came from `target`."""
        noted = self.heard.get(target)
        if noted is None or now - noted >= _NOTED_EVERY:
            self.heard[target] = now
            self.history.append((now, target))
            if len(self.heard) > _HISTORY:
                self.heard.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One of the header's states as data; the window puts it into words.

    `kind`: on, ready, connecting, failing, suspicious, offline, off, none, paused, blocked. `seconds` is the age of
    the evidence (of "off" only while it is fresh), the time of trying, what is left of a pause, or how far the clock
    is behind; `count` of `attempts` what went wrong, `reason` how. `why` a server is blocked: plugin, password,
    sealed, method, way. Why it is failing: "", or way (a proxy on the way there). Why it is suspicious: key,
    key-or-clock, clock, unreadable, plugin.
    """

    kind: str
    server: str = ""
    seconds: float = 0.0
    count: int = 0
    attempts: int = 0
    reason: Reason | None = None
    why: str = ""


class ServerEvidence(Listener):
    """Listens to connections and keeps the evidence of each server, by the name that events give it.

    `direct` is that of targets that are connected to directly.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._servers: dict[str, Evidence] = {}
        self.direct = Evidence()

    def of(self, server: str) -> Evidence:
        """The evidence of one server."""
        found = self._servers.get(server)
        if found is None:
            found = self._servers[server] = Evidence()
        return found

    def knows(self, server: str) -> bool:
        """Whether there may be any."""
        return server in self._servers

    def known(self) -> Set[str]:
        """The names of all of which there may be some."""
        return self._servers.keys()

    def forget(self, server: str) -> None:
        """Its settings changed: what was known is about another key."""
        if server in self._servers:
            self._servers[server] = Evidence(self._clock())

    def outdated(self) -> None:
        """The network changed, or the machine slept: what was seen before proves nothing any more."""
        for evidence in (self.direct, *self._servers.values()):
            evidence.last_byte = None
            _begin_anew(evidence)
            evidence.heard.clear()
            evidence.history.clear()

    # ---- trials of our own

    def trying(self, server: str, now: float) -> None:
        """A trial begins."""
        self.of(server).waiting.setdefault(_TRIAL, now)

    def tried(self, server: str, now: float, failure: Reason | None, *, confirms: bool = False) -> None:
        """A trial ended: bytes came back, or `failure` says why none did; where the server was doubted, it confirms."""
        evidence = self.of(server)
        begun = evidence.waiting.pop(_TRIAL, now)
        if failure is None:
            _heard(evidence, now)
            return
        evidence.attempts += 1
        if failure in UNREACHED:
            evidence.failures.append(Failure(now, failure, now - begun))
        else:
            evidence.failures.clear()  # it was reached
            evidence.unanswered.append((now, How.SILENT))
            if confirms:
                evidence.confirmed = now

    def gave_up(self, server: str) -> None:
        """A trial was cancelled: nothing is known."""
        self.of(server).waiting.pop(_TRIAL, None)

    # ---- what happens to connections

    def moved(self, one: Connection) -> None:
        if one.stage in _ON_THE_WAY and one.route == "proxy":
            self.of(one.server).waiting.setdefault(one.id, one.timeline[-1][1])

    def received(self, one: Connection, up: int, down: int, now: float) -> None:
        evidence = (self._servers.get(one.server) or self.of(one.server)) if one.route == "proxy" else self.direct
        if down:
            evidence.hear(one.target, now)
            if evidence.last_byte != now:  # thousands may tell of the same moment
                _heard(evidence, now)
            if evidence.waiting:
                evidence.waiting.pop(one.id, None)
            if evidence.asked:
                evidence.asked.pop(one.id, None)
        elif one.first_down is None and one.stage is not _UDP and one.route == "proxy":
            evidence.asked[one.id] = one  # perhaps before there is a way: then it has no `first_up` yet

    def closed(self, one: Connection) -> None:
        if one.route != "proxy" or not one.server:
            return
        evidence = self.of(one.server)
        evidence.waiting.pop(one.id, None)
        evidence.asked.pop(one.id, None)
        assert one.ended is not None
        if one.reason is not None and (one.reason in UNREACHED or by_way(one)):
            evidence.attempts += 1
            evidence.failures.append(Failure(one.ended, one.reason, dialled_for(one), by_way(one)))
        elif (how := unanswered(one)) is not None:
            evidence.attempts += 1
            evidence.failures.clear()  # it was reached
            evidence.unanswered.append((one.ended, how))
            evidence.sent += one.acked or 0
        if (good := worked(one)) is not None:
            evidence.ended.append(good)


def _heard(evidence: Evidence, now: float) -> None:
    """A byte came back."""
    evidence.last_byte, evidence.proven = now, True
    if evidence.attempts:
        _begin_anew(evidence)


def _begin_anew(evidence: Evidence) -> None:
    evidence.failures.clear()
    evidence.unanswered.clear()
    evidence.attempts = evidence.sent = 0
    evidence.confirmed = None


# ---- what follows


def is_fresh(evidence: Evidence, now: float) -> bool:
    """Whether bytes came back a short while ago."""
    return evidence.last_byte is not None and now - evidence.last_byte < FRESH_SECONDS


def count_unanswered(evidence: Evidence, now: float) -> int:
    """Connections in a row that the server took and did not answer, those that still wait included."""
    return len(evidence.unanswered) + len(evidence.silent(now))


def is_suspect(evidence: Evidence, now: float) -> bool:
    """Whether the key or the method may be wrong: the server takes bytes, and none ever came back."""
    if evidence.proven:
        return False
    return evidence.confirmed is not None or count_unanswered(evidence, now) >= SUSPICIOUS_AFTER


def is_doubtful(evidence: Evidence, now: float) -> bool:
    """Whether a test would tell something: no byte ever came back, and by now one should have."""
    if evidence.proven or evidence.tested or evidence.failures:
        return False
    return len(evidence.unanswered) >= DOUBTFUL_AFTER or bool(evidence.silent(now, DOUBT_SECONDS))


def fell_silent(evidence: Evidence, now: float) -> Reason | None:
    """How a server that did answer does not any more; None while nothing says so."""
    if not evidence.proven or is_fresh(evidence, now) or count_unanswered(evidence, now) < SUSPICIOUS_AFTER:
        return None
    hows = {how for _, how in evidence.unanswered}
    if How.CLOCK in hows:
        return Reason.CLOCK_SKEW
    return Reason.SERVER_RESET if hows == {How.RESET} and not evidence.silent(now) else Reason.NO_ANSWER


def judge(
    server: str, evidence: Evidence | None, now: float, *, off: bool = False, online: bool = True, blocked: str = ""
) -> Verdict:  # fmt: skip
    """The state to show for the server in use ("" for none); `blocked` says why nothing can go through it."""
    if not server:
        return Verdict("none")
    last = evidence.last_byte if evidence is not None else None
    fresh = evidence is not None and is_fresh(evidence, now)
    if off:
        return Verdict("off", server, now - last if last is not None and fresh else 0.0)
    if blocked:
        return Verdict("blocked", server, why=blocked)
    if not online and not fresh:  # bytes that come back prove more than any system says
        return Verdict("offline", server)
    if evidence is None:
        return Verdict("ready", server)
    if (failed := evidence.failed_in_a_row()) >= FAILING_AFTER:
        latest = evidence.failures[-1]
        return Verdict("failing", server, 0.0, failed, evidence.attempts, latest.reason, "way" if latest.way else "")
    if is_suspect(evidence, now) and not evidence.on_trial:
        return Verdict("suspicious", server, 0.0, count_unanswered(evidence, now), evidence.attempts, why="key")
    if fresh:
        assert last is not None
        return Verdict("on", server, now - last)
    if (reason := fell_silent(evidence, now)) is not None:
        count = count_unanswered(evidence, now)
        return Verdict("failing", server, 0.0, count, max(count, evidence.attempts), reason)
    if evidence.waiting:
        return Verdict("connecting", server, now - min(evidence.waiting.values()))
    return Verdict("ready", server, now - last if last is not None else 0.0)
