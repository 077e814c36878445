"""Connections as the programs at their other ends have them, and what is known of these programs."""

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
