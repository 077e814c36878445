"""What a port has carried and refused, counted from the start of the process; a port that is opened anew goes on.

Counting is a few additions when something ends. What is still open is added when somebody asks (`sample`).
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

import msgspec

from ssgui.engine.stages import Reason
from ssgui.protocol.address import join_host_port

if TYPE_CHECKING:
    from ssgui.engine.engine import Engine

_Key = TypeVar("_Key")
Bytes = tuple[int, int]  # of payload: up, down


class Tally:
    """The counters of one port. `dropped` is filled by the port's UDP side."""

    __slots__ = ("dropped", "ended", "parted", "refused", "users")

    def __init__(self) -> None:
        self.ended: dict[Reason, int] = {}  # connections
        self.parted: dict[Reason, int] = {}  # UDP associations
        self.refused: dict[Reason, int] = {}  # datagrams that did not open
        self.dropped: dict[str, int] = {}  # other datagrams, by what was wrong
        self.users: dict[str, Bytes] = {}  # of what has ended; "" where nobody has a name

    def end(self, reason: Reason, user: str, up: int, down: int, *, udp: bool = False) -> None:
        """A connection or association of `user` has ended; it carried so many bytes of payload."""
        ends = self.parted if udp else self.ended
        ends[reason] = ends.get(reason, 0) + 1
        before = self.users.get(user)
        self.users[user] = (up, down) if before is None else (before[0] + up, before[1] + down)

    def refuse(self, reason: Reason) -> None:
        """A datagram was not taken."""
        self.refused[reason] = self.refused.get(reason, 0) + 1


class PortSample(msgspec.Struct):
    """A port at one moment: its open connections by stage, its associations, and what it has counted.

    `ended` and `parted` are connections and associations by reason; `refused` and `dropped` are datagrams.
    """

    stages: dict[str, int] = {}
    associations: int = 0
    ended: dict[str, int] = {}
    parted: dict[str, int] = {}
    refused: dict[str, int] = {}
    dropped: dict[str, int] = {}
    users: dict[str, Bytes] = {}

    @property
    def carried(self) -> Bytes:
        """Of all users together."""
        return sum(up for up, _ in self.users.values()), sum(down for _, down in self.users.values())


class Sample(msgspec.Struct):
    """A process at one moment: its ports by their address, and how many sockets only wait for their end."""

    ports: dict[str, PortSample] = {}
    drain: int = 0


def sample(engine: "Engine") -> Sample:
    """How the counters of `engine` stand, what is open included."""
    found = Sample(drain=len(engine.drain))
    for name, tally in engine.tallies.items():
        found.ports[name] = PortSample(
            ended=_named(tally.ended), parted=_named(tally.parted), refused=_named(tally.refused),
            dropped=dict(tally.dropped), users=dict(tally.users),
        )  # fmt: skip
    for handler in engine.handlers.values():
        port = found.ports.setdefault(handler.relay.name, PortSample())
        if handler.is_association:
            port.associations += 1
        else:
            port.stages[handler.stage.name] = port.stages.get(handler.stage.name, 0) + 1
        _add_to(port.users, handler.user, handler.pulse()[:2])
    return found


def port_name(address: tuple[str, int]) -> str:
    """What a port is called here: its address as text."""
    return join_host_port(*address)


def total(samples: Iterable[Sample]) -> Sample:
    """The samples of several processes, which may serve the same ports, as one."""
    result = Sample()
    for one in samples:
        result.drain += one.drain
        for name, port in one.ports.items():
            result.ports[name] = _added(result.ports.get(name, PortSample()), port)
    return result


def _added(one: PortSample, other: PortSample) -> PortSample:
    users = dict(one.users)
    for user, carried in other.users.items():
        _add_to(users, user, carried)
    return PortSample(
        _sum(one.stages, other.stages), one.associations + other.associations, _sum(one.ended, other.ended),
        _sum(one.parted, other.parted), _sum(one.refused, other.refused), _sum(one.dropped, other.dropped), users,
    )  # fmt: skip


def counters_only(one: Sample) -> Sample:
    """What stays of a process that has ended: what it counted, and nothing that is open."""
    ports = {
        name: PortSample({}, 0, port.ended, port.parted, port.refused, port.dropped, port.users)
        for name, port in one.ports.items()
    }
    return Sample(ports, 0)


def _named(counts: Mapping[Reason, int]) -> dict[str, int]:
    return {str(reason): count for reason, count in counts.items()}


def _sum(one: Mapping[_Key, int], other: Mapping[_Key, int]) -> dict[_Key, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in {**one, **other}}


def _add_to(users: dict[str, Bytes], user: str, carried: Bytes) -> None:
    up, down = users.get(user, (0, 0))
    users[user] = up + carried[0], down + carried[1]
