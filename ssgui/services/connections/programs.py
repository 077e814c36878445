"""Whose connections they are: the program and its process, looked up in the background as they come."""

import logging
from collections.abc import Callable

from ssgui.engine.stages import Role
from ssgui.engine.tasks import run_blocking, spawn
from ssgui.protocol.address import split_host_port
from ssgui.services.connections.records import Connection, Listener
from ssgui.system.processes.flows import Flow, ProcessLookup

_TRIES = 3  # the system may look through all processes only once in a while
_MOST_WAITING = 4096
_log = logging.getLogger("ssgui")


def _nobody(one: Connection) -> None:
    """Nobody wants to be told."""


class Programs(Listener):
    """Listens to connections. `look` is called after every pull; `port` is that of ours which programs come to.
    `found` is told of each that got a name.

    A connection that is over before anybody looked may stay nobody's: its socket is gone.
    """

    def __init__(
        self, lookup: ProcessLookup | None, port: Callable[[], int], found: Callable[[Connection], None] = _nobody
    ) -> None:
        self._lookup, self._port, self._found = lookup, port, found
        self._waiting: dict[int, tuple[Connection, int]] = {}  # and how often it was asked for
        self._looking = False

    def look(self) -> None:
        """Ask for those that nobody knows yet, unless that is being done."""
        if self._waiting and not self._looking and self._lookup is not None:
            self._looking = True
            spawn(self._ask(self._lookup), name="whose connections they are")

    async def _ask(self, lookup: ProcessLookup) -> None:
        asked, self._waiting = self._waiting, {}
        flows = {number: flow for number, (one, _) in asked.items() if (flow := _flow(one, self._port())) is not None}
        try:
            found = await run_blocking(lookup.programs, set(flows.values()))
        except OSError as error:
            _log.info("programs have no names: %s", error.strerror or error)
            self._lookup = None  # it will not tell the next time either
            return
        finally:
            self._looking = False
        for number, flow in flows.items():
            one, tries = asked[number]
            if (program := found.get(flow)) is not None:
                one.program, one.pid = program.name, program.pid
                self._found(one)
            elif tries + 1 < _TRIES and one.live:
                self._waiting.setdefault(number, (one, tries + 1))

    # ---- what happens to connections

    def opened(self, one: Connection) -> None:
        """It waits to be asked for; a server's come from elsewhere."""
        if one.role is Role.LOCAL and self._lookup is not None and len(self._waiting) < _MOST_WAITING:
            self._waiting[one.id] = one, 0


def _flow(one: Connection, port: int) -> Flow | None:
    """How the program sees it. A local program comes from the very address that it goes to."""
    host, client_port = split_host_port(one.client)
    if not client_port or not port:
        return None
    return Flow((host, client_port), (host, port), udp=one.inbound.endswith("-udp"))
