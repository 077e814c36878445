"""Which program is at the other end of a connection that came from this machine."""

import sys
from collections.abc import Iterable
from typing import NamedTuple, Protocol

Place = tuple[str, int]


class Flow(NamedTuple):
    """A connection, or the source of datagrams, as the program's socket sees it: its own address, and ours."""

    source: Place
    target: Place
    udp: bool = False


class Program(NamedTuple):
    """Its name, as people know it, and its process. `pid` is 0 where only the name of a user is known."""

    name: str
    pid: int


class ProcessLookup(Protocol):
    """What an operating system tells. It may block for some tens of milliseconds."""

    def programs(self, flows: Iterable[Flow]) -> dict[Flow, Program]:
        """The programs of those flows of which one is known. OSError when the system refuses to tell anything."""


def new_process_lookup(platform: str = sys.platform) -> ProcessLookup | None:
    """That of this system; None where there is none."""
    match platform:
        case "linux":
            from ssgui.system.processes.linux import LinuxLookup

            return LinuxLookup()
        case "darwin":
            from ssgui.system.processes.macos import MacLookup

            return MacLookup()
        case "win32":
            from ssgui.system.processes.windows import WindowsLookup

            return WindowsLookup()
    return None
