"""Who looks at an engine as the window does: rows, evidence and findings, pulled as often as a test wants."""

import time
from collections.abc import Callable

from ssgui.engine.relay import LocalRelay
from ssgui.engine.server_relay import ServerRelay
from ssgui.engine.stages import Stage, StreamStatus
from ssgui.services.connections.records import Connection, Connections
from ssgui.services.diagnosis.clock import ClockEvidence
from ssgui.services.diagnosis.engine_sources import EngineSources
from ssgui.services.diagnosis.evidence import ServerEvidence
from ssgui.services.diagnosis.finding import Finding, FindingKind
from ssgui.services.diagnosis.findings import Findings
from ssgui.services.diagnosis.strangers import Strangers
from tests.engine.world import until


class Observer:
    """Of the engine of one relay."""

    def __init__(self, relay: LocalRelay | ServerRelay, *, online: Callable[[], bool] = lambda: True) -> None:
        self.connections = Connections(relay.engine)
        self.evidence, self.strangers = ServerEvidence(), Strangers()
        self.connections.listeners += [self.evidence, self.strangers]
        self.clock = ClockEvidence(wall=lambda: time.time(), synchronised=lambda: None)
        sources = EngineSources(relay.engine, self.evidence, online)
        self.findings = Findings(self.connections, self.evidence, self.clock, sources, self.strangers)

    def rows(self) -> list[Connection]:
        """All connections, as they are now, the oldest first."""
        self.connections.pull()
        rows = [*self.connections.ended.values(), *self.connections.live.values()]
        return sorted(rows, key=lambda one: one.id)

    def found(self, *, ahead: float = 0.0) -> list[Finding]:
        """What is wrong with connections, one by one."""
        rows, now = self.rows(), time.monotonic() + ahead
        return [finding for one in rows if (finding := self.findings.of(one, now)) is not None]

    def overall(self, *, ahead: float = 0.0) -> Finding | None:
        """What is wrong with all of it."""
        self.connections.pull()
        return self.findings.overall(time.monotonic() + ahead)

    def kind(self) -> str:
        """What the header says."""
        self.connections.pull()
        return self.findings.verdict(time.monotonic()).kind

    async def row(self, kind: FindingKind, *, ahead: float = 0.0) -> Finding:
        """The finding of the newest connection that has one, when it is of this kind; it is `ahead` seconds later."""
        await self._until(lambda: [one.kind for one in self.found(ahead=ahead)][-1:] == [kind], kind, 10)
        return self.found(ahead=ahead)[-1]

    async def whole(self, kind: FindingKind, seconds: float = 10) -> Finding:
        """That of the whole, when it is of this kind."""
        await self._until(lambda: (one := self.overall()) is not None and one.kind is kind, kind, seconds)
        found = self.overall()
        assert found is not None
        return found

    async def stands(self, stage: Stage, up: StreamStatus, down: StreamStatus) -> Connection:
        """The only live connection, when it stands like this."""

        def there() -> bool:
            self.rows()
            live = self.connections.live.values()
            return [(one.stage, one.up_status, one.down_status) for one in live] == [(stage, up, down)]

        await self._until(there, f"{stage!r} {up!r} {down!r}", 10)
        (one,) = self.connections.live.values()
        return one

    async def _until(self, true: Callable[[], bool], what: object, seconds: float) -> None:
        try:
            await until(true, seconds)
        except TimeoutError:
            raise AssertionError(f"waited for {what}; rows {self.rows()}, found {self.found()}") from None
