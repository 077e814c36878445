"""What is known about a server, from what its connections did: the ground under every word of the header.

"Connected" means that bytes came back. Nothing here rests on a timer alone, a port that is open, or a process
that runs.
"""

from collections import deque
from collections.abc import Set
from dataclasses import dataclass, field

from ssgui.engine.stages import Reason, Stage
from ssgui.services.connections import Connection

FRESH_SECONDS = 60.0  # after which "connected" is only "ready"
_TRIAL = 0  # among the numbers of handlers, which begin at 1
FAILING_AFTER = 2  # attempts in a row that did not reach the server
SUSPICIOUS_AFTER = 3  # connections in a row that it took, and that got not one byte back
_ON_THE_WAY = frozenset({Stage.DNS, Stage.CONNECTING})
_UNREACHED = frozenset({
    Reason.CONNECT_REFUSED, Reason.CONNECT_TIMEOUT, Reason.UNREACHABLE, Reason.DNS_FAILED, Reason.PLUGIN_FAILED,
})  # fmt: skip


@dataclass(slots=True)
class Evidence:
    """Of one server, since it was put to use or its settings changed. Times are monotonic seconds."""

    last_byte: float | None = None
    attempts: int = 0  # since the last success
    failures: deque[tuple[float, Reason]] = field(default_factory=lambda: deque(maxlen=50))
    unanswered: int = 0  # connections in a row without a byte
    answered: int = 0
    ended: deque[bool] = field(default_factory=lambda: deque(maxlen=100))  # the last connections: whether they worked
    waiting: dict[int, float] = field(default_factory=dict)  # handlers that are on their way, since when

    def failed_in_a_row(self) -> int:
        """Attempts since the last byte that did not reach the server."""
        return len(self.failures)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One of the header's states as data; the window puts it into words.

    `kind`: on, ready, connecting, failing, suspicious, offline, off, none, paused, blocked. `seconds` is the age of
    the evidence (of "off" only while it is fresh), the time of trying, or what is left of a pause; `count` of
    `attempts` what went wrong, `reason` how; `why` a server is blocked: plugin, password, sealed, method, way.
    """

    kind: str
    server: str = ""
    seconds: float = 0.0
    count: int = 0
    attempts: int = 0
    reason: Reason | None = None
    why: str = ""


class ServerEvidence:
    """Listens to connections and keeps the evidence of each server, by the name that events give it."""

    def __init__(self) -> None:
        self._servers: dict[str, Evidence] = {}

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
        self._servers.pop(server, None)

    def outdated(self) -> None:
        """The network changed, or the machine slept: what was seen before proves nothing any more."""
        for evidence in self._servers.values():
            evidence.last_byte = None
            evidence.failures.clear()
            evidence.attempts = evidence.unanswered = 0

    # ---- trials of our own

    def trying(self, server: str, now: float) -> None:
        """A trial begins."""
        self.of(server).waiting.setdefault(_TRIAL, now)

    def tried(self, server: str, now: float, failure: Reason | None) -> None:
        """A trial ended: bytes came back, or `failure` says why none did."""
        evidence = self.of(server)
        evidence.waiting.pop(_TRIAL, None)
        if failure is None:
            self._byte(evidence, now)
        elif failure in _UNREACHED:
            evidence.attempts += 1
            evidence.failures.append((now, failure))
        else:
            evidence.attempts += 1
            evidence.unanswered += 1
            evidence.ended.append(False)

    def gave_up(self, server: str) -> None:
        """A trial was cancelled: nothing is known."""
        self.of(server).waiting.pop(_TRIAL, None)

    @staticmethod
    def _byte(evidence: Evidence, now: float) -> None:
        evidence.last_byte = now
        evidence.failures.clear()
        evidence.attempts = evidence.unanswered = 0

    # ---- what happens to connections

    def opened(self, one: Connection) -> None:
        """Nothing is known yet about where it goes."""

    def moved(self, one: Connection) -> None:
        if one.stage in _ON_THE_WAY and one.route == "proxy":
            self.of(one.server).waiting.setdefault(one.id, one.timeline[-1][1])

    def received(self, one: Connection, up: int, down: int, now: float) -> None:
        if down and one.route == "proxy":
            evidence = self.of(one.server)
            self._byte(evidence, now)
            evidence.waiting.pop(one.id, None)

    def closed(self, one: Connection) -> None:
        if one.route != "proxy" or not one.server:
            return
        evidence = self.of(one.server)
        evidence.waiting.pop(one.id, None)
        assert one.ended is not None
        good = worked(one)
        if good is None:
            return
        evidence.ended.append(good)
        if good:
            evidence.answered += 1
            return
        evidence.attempts += 1
        if one.reason in _UNREACHED:
            evidence.failures.append((one.ended, one.reason))
        else:
            evidence.unanswered += 1


def worked(one: Connection) -> bool | None:
    """Whether `one`, which has ended, got anything back; None where its end says nothing about the other side."""
    if one.reason in _UNREACHED:
        return False
    if one.down:
        return True
    unanswered = one.reason is Reason.NO_ANSWER or (one.up and one.reason is Reason.SERVER_RESET)
    return False if unanswered else None


def judge(
    server: str, evidence: Evidence | None, now: float, *, off: bool = False, online: bool = True, blocked: str = ""
) -> Verdict:  # fmt: skip
    """The state to show for the server in use ("" for none); `blocked` says why nothing can go through it."""
    if not server:
        return Verdict("none")
    last = evidence.last_byte if evidence is not None else None
    fresh = last is not None and now - last < FRESH_SECONDS
    if off:
        return Verdict("off", server, now - last if last is not None and fresh else 0.0)
    if blocked:
        return Verdict("blocked", server, why=blocked)
    if not online and not fresh:  # bytes that come back prove more than any system says
        return Verdict("offline", server)
    if evidence is None:
        return Verdict("ready", server)
    failed = evidence.failed_in_a_row()
    if failed >= FAILING_AFTER:
        return Verdict("failing", server, 0.0, failed, evidence.attempts, evidence.failures[-1][1])
    if evidence.unanswered >= SUSPICIOUS_AFTER and not evidence.answered and evidence.last_byte is None:
        return Verdict("suspicious", server, 0.0, evidence.unanswered, evidence.attempts)
    if fresh:
        assert evidence.last_byte is not None
        return Verdict("on", server, now - evidence.last_byte)
    if evidence.waiting:
        return Verdict("connecting", server, now - min(evidence.waiting.values()))
    return Verdict("ready", server, now - evidence.last_byte if evidence.last_byte is not None else 0.0)
