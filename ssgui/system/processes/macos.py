"""macOS: `lsof`, which the system brings, knows which process has which connection.

Written after its manual (the output for other programs, -F); never run on a Mac.
"""

import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence

from ssgui.protocol.address import split_host_port
from ssgui.system.processes.flows import Flow, Place, Program
from ssgui.system.processes.proc import printable

_LSOF = "/usr/sbin/lsof"
_SECONDS = 5.0
Run = Callable[[Sequence[str]], str]


def _run(command: Sequence[str]) -> str:
    """What `command` writes; `lsof` ends with 1 when there is nothing to tell of."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False)
    return done.stdout.decode("utf-8", "replace")


class MacLookup:
    """Asks once for all flows."""

    def __init__(self, run: Run = _run) -> None:
        self._run = run

    def programs(self, flows: Iterable[Flow]) -> dict[Flow, Program]:
        """See `ProcessLookup`."""
        wanted = list(flows)
        ports = sorted({flow.source[1] for flow in wanted})
        if not ports:
            return {}
        # No names of hosts or ports: nothing is looked up. c is the command, n the ends, P the protocol.
        command = [_LSOF, "-nP", f"-i:{','.join(map(str, ports))}", "+c", "0", "-F", "pcPn"]
        try:
            said = self._run(command)
        except subprocess.TimeoutExpired:
            raise OSError(f"lsof did not come to an end within {_SECONDS:g} s") from None
        found: dict[tuple[bool, Place, Place | None], Program] = {}
        for program, udp, source, target in _sockets(said):
            found[udp, source, None if udp else target] = program
        return {flow: owner for flow in wanted if (owner := _program(flow, found)) is not None}


def _program(flow: Flow, found: dict[tuple[bool, Place, Place | None], Program]) -> Program | None:
    if not flow.udp:
        return found.get((False, flow.source, flow.target))
    return found.get((True, flow.source, None)) or found.get((True, ("*", flow.source[1]), None))


def _sockets(said: str) -> Iterator[tuple[Program, bool, Place, Place | None]]:
    """(program, udp, its end, the other) of every line of ends; a process comes before its files."""
    pid, name, udp = 0, "", False
    for line in said.splitlines():
        field, value = line[:1], line[1:]
        if field == "p":
            pid, name = int(value) if value.isdecimal() else 0, ""
        elif field == "c":
            name = printable(value.replace("\\x20", " "))
        elif field == "P":
            udp = value == "UDP"
        elif field == "n" and pid and name:
            here, arrow, there = value.partition("->")
            source, target = _place(here), _place(there) if arrow else None
            if source is not None:
                yield Program(name, pid), udp, source, target


def _place(text: str) -> Place | None:
    host, port = split_host_port(text)
    return (host, port) if port else None
