"""After sleep, or on another network: what died is ended, and the server in use is tried until it answers."""

import asyncio
import logging
import time
from collections.abc import Callable

from ssgui.engine.engine import Engine
from ssgui.engine.errors import EngineError
from ssgui.engine.latency import Latency, measure
from ssgui.engine.lost import PROBE_SECONDS, Probing, end_lost
from ssgui.engine.relay import LocalRelay
from ssgui.engine.server_health import FIRST_PAUSE, LONGEST_PAUSE
from ssgui.engine.stages import Reason
from ssgui.engine.tasks import spawn
from ssgui.protocol.errors import LocalProtocolError
from ssgui.services.awake import News
from ssgui.services.evidence import ServerEvidence

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
        upstream = next((one for one in relay.pool.upstreams if one.name == name), None)
        if upstream is None:
            return
        evidence = self._evidence
        evidence.trying(name, time.monotonic())
        try:
            found = await measure(relay, upstream)
        except (EngineError, LocalProtocolError) as error:
            _log.info("the server %s cannot be tried: %s", name, error)
            evidence.gave_up(name)
        except asyncio.CancelledError:
            evidence.gave_up(name)
            raise
        else:
            self._learn(name, found)

    def _learn(self, name: str, found: Latency) -> None:
        if found.by_proxy:
            self._evidence.gave_up(name)
            return
        failure = (found.reason or Reason.NO_ANSWER) if found.failure and found.first_byte is None else None
        self._evidence.tried(name, time.monotonic(), failure)
        _log.info("the server %s %s", name, "answers" if failure is None else f"does not answer: {found.failure}")
