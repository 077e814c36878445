"""After sleep, or on another network: what died is ended, and the server in use is tried until it answers. A server
whose key is doubted is tried once.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from ssgui.app.trials import try_server
from ssgui.engine.engine import Engine
from ssgui.engine.errors import EngineError
from ssgui.engine.lost import PROBE_SECONDS, Probing, end_lost
from ssgui.engine.relay import LocalRelay
from ssgui.engine.tasks import spawn
from ssgui.engine.upstream.health import FIRST_PAUSE, LONGEST_PAUSE
from ssgui.engine.upstream.server import Upstream
from ssgui.protocol.errors import LocalProtocolError
from ssgui.services.awake import News
from ssgui.services.diagnosis.evidence import ServerEvidence, is_doubtful
from ssgui.services.diagnosis.server_facts import find_upstream

MOST_TRIALS = 10  # regular traffic is a fingerprint; programs try again when somebody needs them
_log = logging.getLogger("ssgui")


class Mender:
    """Ends connections of `engine` that the network took with it, and lets servers that were given up hope again."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._probing: Probing | None = None
        self._timer: asyncio.TimerHandle | None = None

    def heard(self, news: News) -> None:
        """Something happened."""
        lost = end_lost(self._engine.handlers.values(), news.state.has, moved=news.moved)
        if lost:
            _log.info("%d connections ended: their address is not this computer's any more", lost)
        if not news.turned:
            return
        what = "woke up" if news.slept else "has another network" if news.state.online else "is offline"
        _log.info("this computer %s", what)
        self.end()
        if news.state.online:
            self._probing = Probing(self._engine.handlers.values())
            self._timer = asyncio.get_running_loop().call_later(PROBE_SECONDS * 2, self.end)
            for relay in self._engine.relays:
                if isinstance(relay, LocalRelay):
                    relay.pool.hope()

    def end(self) -> None:
        """Ask no more whether connections live."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._probing is not None:
            self._probing.end()
            self._probing = None


Wanted = Callable[[], tuple[LocalRelay, str] | None]


class Revival:
    """Tries the server that `wanted` names, at once and then ever less often, until bytes came back through it."""

    def __init__(self, wanted: Wanted, evidence: ServerEvidence, first_pause: float = FIRST_PAUSE) -> None:
        self._wanted, self._evidence, self._first_pause = wanted, evidence, first_pause
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Begin, or begin anew."""
        self.end()
        self._task = spawn(self._revive(), name="trying the server again")

    def end(self) -> None:
        """Give up."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _revive(self) -> None:
        pause, begun = self._first_pause, time.monotonic()
        for _ in range(MOST_TRIALS):
            wanted = self._wanted()
            if wanted is None or self._answered(wanted[1], begun):
                return
            await self._try(*wanted)
            if self._answered(wanted[1], begun):
                return
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    def _answered(self, name: str, begun: float) -> bool:
        last = self._evidence.of(name).last_byte
        return last is not None and last >= begun

    async def _try(self, relay: LocalRelay, name: str) -> None:
        upstream = find_upstream(relay, name)
        if upstream is None:
            return
        try:
            await try_server(relay, upstream, self._evidence)
        except (EngineError, LocalProtocolError) as error:
            _log.info("the server %s cannot be tried: %s", name, error)


class Doubts:
    """Tries a server once by itself, where no byte ever came back since its key was set, and by now one should have.

    The test tells a wrong key from programs that only wait for targets that are slow. `may` says whether now is a time
    for that.
    """

    def __init__(
        self, relay: Callable[[], LocalRelay | None], evidence: ServerEvidence, may: Callable[[], bool]
    ) -> None:
        self._relay, self._evidence, self._may = relay, evidence, may
        self._task: asyncio.Task[None] | None = None

    def look(self, now: float) -> None:
        """Begin a trial if there is one to make."""
        relay = self._relay()
        if self._task is not None or relay is None or not self._may():
            return
        for name in self._evidence.known():
            evidence = self._evidence.of(name)
            if is_doubtful(evidence, now) and (upstream := find_upstream(relay, name)) is not None:
                evidence.tested = True
                self._task = spawn(self._try(relay, upstream), name="trying a server that is doubted")
                self._task.add_done_callback(self._ended)
                return

    def end(self) -> None:
        """Give up."""
        if self._task is not None:
            self._task.cancel()

    def _ended(self, _task: asyncio.Task[None]) -> None:
        self._task = None

    async def _try(self, relay: LocalRelay, upstream: Upstream) -> None:
        try:
            await try_server(relay, upstream, self._evidence, confirms=True)
        except (EngineError, LocalProtocolError) as error:
            _log.info("the server %s cannot be tried: %s", upstream.name, error)
