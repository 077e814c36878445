"""What findings ask beside connections, of an engine that has no app around it."""

from collections.abc import Callable

from ssgui.engine.engine import Engine
from ssgui.engine.relay import LocalRelay
from ssgui.services.diagnosis.evidence import ServerEvidence, Verdict, judge
from ssgui.services.diagnosis.server_facts import ServerFacts, facts_of

_FIRST = ("on", "failing", "suspicious", "offline", "connecting", "ready")


def _always() -> bool:
    return True


class EngineSources:
    """`online` says whether this computer has a way out."""

    def __init__(self, engine: Engine, evidence: ServerEvidence, online: Callable[[], bool] = _always) -> None:
        self._engine, self._evidence, self._online = engine, evidence, online

    @property
    def online(self) -> bool:
        """Whether this computer has a way out."""
        return self._online()

    def _relays(self) -> list[LocalRelay]:
        return [relay for relay in self._engine.relays if isinstance(relay, LocalRelay)]

    def judged(self, now: float) -> Verdict:
        """That of the server that works, or else of one that does not; "none" where there is no client."""
        evidence = self._evidence
        names = {upstream.name: None for relay in self._relays() for upstream in relay.pool.upstreams}
        verdicts = [
            judge(name, evidence.of(name) if evidence.knows(name) else None, now, online=self.online) for name in names
        ]
        return min(verdicts, key=lambda one: _FIRST.index(one.kind), default=Verdict("none"))

    def facts(self, server: str) -> ServerFacts | None:
        """What the engine knows of the server that events give this name."""
        found = (facts_of(relay, server) for relay in self._relays())
        return next((one for one in found if one is not None), None)
