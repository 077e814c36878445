"""A connection that ended is judged by what was known around its end, not by what is so now."""

from typing import Any

from ssgui.engine.stages import Reason, Stage
from ssgui.services.connections.records import Connection, Connections
from ssgui.services.diagnosis.clock import ClockEvidence
from ssgui.services.diagnosis.evidence import ServerEvidence, Verdict
from ssgui.services.diagnosis.finding import FindingKind
from ssgui.services.diagnosis.findings import Findings
from ssgui.services.diagnosis.outcomes import How
from ssgui.services.diagnosis.server_facts import ServerFacts
from tests.support.sample import StillEngine

TOKYO = "Tokyo 1"
K = FindingKind


class World:
    """A server, and nobody who looks at an engine."""

    def __init__(self) -> None:
        self.online, self.evidence = True, ServerEvidence(lambda: 0.0)
        clock = ClockEvidence(synchronised=lambda: None)
        self.findings = Findings(Connections(StillEngine()), self.evidence, clock, self)

    def judged(self, now: float) -> Verdict:
        return Verdict("ready", TOKYO)

    def facts(self, server: str) -> ServerFacts | None:
        return ServerFacts("tokyo.example", 8388)

    def heard(self, host: str, at: float) -> None:
        self.evidence.received(row(Reason.FINISHED, target=f"{host}:443"), 0, 1, at)

    def kind(self, one: Connection, now: float) -> FindingKind | None:
        found = self.findings.of(one, now)
        return found.kind if found is not None else None


def row(reason: Reason | None, **values: Any) -> Connection:
    """From 90 to 100 s."""
    one = Connection(1, 1, "socks5", "127.0.0.1:5", 90.0, target="www.example.org:443", route="proxy", server=TOKYO)
    one.stage, one.reason, one.ended, one.up, one.first_up = Stage.DESTROYED, reason, 100.0, 10, 91.0
    one.timeline = [(Stage.INIT, 90.0), (Stage.DNS, 90.1), (Stage.STREAM, 90.5), (Stage.DESTROYED, 100.0)]
    for name, value in values.items():
        setattr(one, name, value)
    return one


def test_others_count_that_answered_around_then() -> None:
    for at, kind in ((80.0, K.UNANSWERED), (95.0, K.TARGET_SILENT), (103.0, K.TARGET_SILENT), (110.0, K.UNANSWERED)):
        world = World()
        world.heard("other.example", at)
        assert world.kind(row(Reason.NO_ANSWER), 111.0) is kind
        assert world.kind(row(Reason.NO_ANSWER), 5000.0) is kind
    world = World()
    world.heard("www.example.org", 95.0)  # itself, over another connection
    assert world.kind(row(Reason.NO_ANSWER), 111.0) is K.UNANSWERED


def test_the_silence_of_now_says_nothing_about_what_was_before() -> None:
    world = World()
    world.heard("other.example", 85.0)
    evidence = world.evidence.of(TOKYO)
    evidence.unanswered.extend([(100.0, How.CLOSED)] * 3)
    assert world.kind(row(Reason.NO_ANSWER), 200.0) is K.SERVER_SILENT
    world.heard("other.example", 300.0)
    evidence.unanswered.extend([(400.0, How.CLOSED)] * 3)
    assert world.kind(row(Reason.NO_ANSWER), 500.0) is K.UNANSWERED


def test_an_outage_of_now_is_not_the_reason_for_then() -> None:
    world = World()
    world.online = False
    assert world.kind(row(Reason.CONNECT_TIMEOUT), 105.0) is K.NO_NETWORK
    assert world.kind(row(Reason.CONNECT_TIMEOUT), 200.0) is K.SERVER_TIMEOUT
    assert world.kind(row(Reason.CONNECT_REFUSED), 105.0) is K.SERVER_REFUSED  # somebody was there to say so


def test_what_ended_well_has_no_finding() -> None:
    world = World()
    for reason in (Reason.FINISHED, Reason.CLOSED_BY_USER, Reason.SHUTDOWN, None):
        assert world.kind(row(reason, down=5), 105.0) is None
