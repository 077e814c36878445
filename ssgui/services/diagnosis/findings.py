"""Why is it slow, why is it broken: of each connection, and of the whole.

Nothing is asked of anybody for it, and nothing is kept here: rules look at what the connections did (`evidence`), at
the clock, and at what the engine knows of its servers. The decision on evidence and findings says what names what.
"""

from typing import Protocol

from ssgui.engine.stages import Role
from ssgui.services.connections.records import Connection, Connections
from ssgui.services.diagnosis.clock import ClockEvidence
from ssgui.services.diagnosis.endings import of_ended
from ssgui.services.diagnosis.evidence import ServerEvidence, Verdict
from ssgui.services.diagnosis.finding import Finding, FindingKind
from ssgui.services.diagnosis.rows import RowCase, no_network, of_live
from ssgui.services.diagnosis.server_facts import ServerFacts
from ssgui.services.diagnosis.servers import ServerCase, of_server, refined
from ssgui.services.diagnosis.strangers import Strangers

MANY_STRANGERS = 10  # of one address, in ten minutes
_OUTAGE_SECONDS = 30.0
_LOOK_SECONDS = 1.0  # between two looks at all connections


class Sources(Protocol):
    """What is known beside connections."""

    @property
    def online(self) -> bool:
        """Whether this computer has a way out."""

    def judged(self, now: float) -> Verdict:
        """The state of the server in use."""

    def facts(self, server: str) -> ServerFacts | None:
        """Of the server that events give this name; None where it is not used any more."""


class Findings:
    """Judges when it is asked; `evidence` (and `strangers`, where there are servers) must listen to `connections`."""

    def __init__(
        self, connections: Connections, evidence: ServerEvidence, clock: ClockEvidence, sources: Sources,
        strangers: Strangers | None = None,
    ) -> None:  # fmt: skip
        self._connections, self._evidence, self._clock, self._sources = connections, evidence, clock, sources
        self._strangers = strangers
        self._looked, self._full = float("-inf"), list[Finding]()
        self._cases: dict[str, ServerCase] = {}  # of one moment: many connections are looked at in it
        self._moment = float("-inf")

    def of(self, one: Connection, now: float) -> Finding | None:
        """What is wrong with one connection; None for nothing."""
        server = self._case(one.server, now) if one.route == "proxy" and one.server else None
        over = one.ended is not None and now - one.ended > _OUTAGE_SECONDS  # it ended before this outage, perhaps
        online = self._sources.online or one.role is Role.SERVER or over
        case = RowCase(one, now, server, online, self._strangers)
        return of_live(case) if one.live else of_ended(case)

    def verdict(self, now: float) -> Verdict:
        """The state of the server in use, with why it is suspicious."""
        verdict = self._sources.judged(now)
        return refined(verdict, self._case(verdict.server, now)) if verdict.kind == "suspicious" else verdict

    def overall(self, now: float) -> Finding | None:
        """What is wrong with all of it; None for nothing. It says what the header says, and more."""
        verdict = self._sources.judged(now)
        if verdict.kind == "offline":
            return no_network(verdict.server)
        if verdict.kind in ("failing", "suspicious", "on", "ready", "connecting"):
            found = of_server(self._case(verdict.server, now), verdict)
            return found or self._path_is_full(now) or self._visitors(now)
        return self._visitors(now)

    def _case(self, server: str, now: float) -> ServerCase:
        if now != self._moment:
            self._cases.clear()
            self._moment = now
        if (known := self._cases.get(server)) is None:
            known = self._cases[server] = self._new_case(server, now)
        return known

    def _new_case(self, server: str, now: float) -> ServerCase:
        facts = self._sources.facts(server)
        clock = self._clock.state(facts.clock if facts is not None else None)
        evidence = self._evidence
        return ServerCase(server, now, evidence.of(server), facts, clock, evidence.direct)

    def _path_is_full(self, now: float) -> Finding | None:
        """Whether all that is sent through a server waits, and not only one connection."""
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            blocked = [one for one in self._connections.live.values() if one.up_blocked is not None]
            found = [finding for one in blocked if (finding := self.of(one, now)) is not None]
            self._full = [one for one in found if one.kind is FindingKind.PATH_FULL]
            if len(self._full) < len(blocked):
                self._full = []
        return self._full[0] if len(self._full) > 1 else None

    def _visitors(self, now: float) -> Finding | None:
        """Somebody knocks at our server again and again."""
        if self._strangers is None:
            return None
        host, count = self._strangers.most(now)
        if count < MANY_STRANGERS:
            return None
        _, others = self._strangers.count(host, now)
        return Finding(FindingKind.STRANGER, "warn", count=count, others=others, name=host)
