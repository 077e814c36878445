"""What every process of ours answers about its connections, over the control channel.

    {"do": "hello"}                   what process it is
    {"do": "watch"}                   its connections, as they change (`services/control/watch_wire.py`)
    {"do": "events"}                  what --events would write from now on (`events/output.py`)
    {"do": "close", "ids": [1, 2]}    ends these connections: {"closed": 2}

Nothing is kept and nothing is looked at while nobody watches.
"""

import os
import time
from collections.abc import Callable, Mapping

from ssgui import __version__
from ssgui.app.events.stream import EventStream
from ssgui.engine.engine import Engine
from ssgui.engine.stages import Role
from ssgui.protocol.address import Address
from ssgui.services.connections.programs import Programs
from ssgui.services.connections.records import Connections
from ssgui.services.control.channel import Json, Stream
from ssgui.services.control.watch import Watch, Watched, close_connections, ids_in
from ssgui.services.diagnosis.engine_sources import EngineSources
from ssgui.services.diagnosis.evidence import ServerEvidence, Verdict
from ssgui.system.processes.lookup import new_process_lookup

_ASK_SECONDS = 1.0  # the system looks through all that a program has open


class Watching:
    """The connections of `engine`, whose rows are `watched`, for those who ask. `own` says more about the process."""

    def __init__(self, engine: Engine, watched: Watched, role: str, own: Callable[[], Json] = dict) -> None:
        self._engine, self._role, self._own = engine, role, own
        self._watch = Watch(watched, self._about)
        self._events = EventStream(engine, self._watch.hello, port_of(engine))

    def streams(self) -> Mapping[str, Stream]:
        """What is answered by many lines."""
        return {"watch": self._watch.watch, "events": self._events.follow}

    async def hello(self, request: Json) -> Json:
        """What process this is."""
        return self._watch.hello()

    async def close(self, request: Json) -> Json:
        """End the connections that are named. ValueError when none are, properly."""
        return {"closed": close_connections(self._engine.handlers, ids_in(request))}

    def busy(self) -> bool:
        """Whether anybody watches."""
        return self._watch.watchers > 0

    async def stop(self) -> None:
        """Tell those who watch that it ends."""
        await self._watch.stop()

    def _about(self) -> Json:
        listens = [str(Address(*relay.address)) for relay in self._engine.relays]
        return {"role": self._role, "pid": os.getpid(), "version": __version__, "listens": listens, **self._own()}


def port_of(engine: Engine) -> Callable[[], int]:
    """Which port of a client programs come to; 0 while there is none, and for a server."""

    def port() -> int:
        relays = engine.relays
        return relays[0].address[1] if relays and relays[0].role is Role.LOCAL else 0

    return port


class EngineRows:
    """Those of an engine without a window, kept only while somebody watches."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connections: Connections | None = None
        self._asked = 0.0  # when it was last asked whose connections they are
        self._evidence, self._programs = ServerEvidence(), Programs(None, lambda: 0)

    @property
    def connections(self) -> Connections:
        assert self._connections is not None, "nobody watches"
        return self._connections

    def begin(self) -> None:
        self._connections = Connections(self._engine, history=True)
        self._programs = Programs(new_process_lookup(), port_of(self._engine), self._connections.touch)
        self._connections.listeners += [self._evidence, self._programs]

    def end(self) -> None:
        self._connections = None
        self._evidence, self._programs = ServerEvidence(), Programs(None, lambda: 0)

    def pull(self) -> None:
        self.connections.pull()
        if (now := time.monotonic()) - self._asked >= _ASK_SECONDS:
            self._asked = now
            self._programs.look()

    def verdict(self) -> Verdict | None:
        """That of the server that is best off; a server has none."""
        verdict = EngineSources(self._engine, self._evidence).judged(time.monotonic())
        return verdict if verdict.server else None
