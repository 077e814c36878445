"""Which programs tell others where they go: names that they look up themselves, datagrams, and ways past the server.

A program that gives us an address instead of a name has asked a name server of this network for it, whom we do not
see. Private addresses are nobody's business but this network's, and do not count.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from ssgui.engine.stages import Role, Stage
from ssgui.protocol.address import split_host_port
from ssgui.rules.address_forms import literal
from ssgui.rules.lan import is_lan
from ssgui.services.connections.records import Connection, Listener

UNKNOWN = ""  # the program whose name nobody knows
MOST_PROGRAMS = 256
_SETTLE = 3.0  # seconds after its end in which a connection may still learn whose it was
_QUIC, _DNS, _UDP = 443, 53, Stage.UDP_ASSOC


@dataclass(slots=True)
class Habits:
    """Of one program: how many of its requests were what. One request may be several things."""

    program: str
    requests: int = 0
    by_address: int = 0  # to a public address: it had looked the name up
    datagrams: int = 0
    quic: int = 0
    dns: int = 0  # questions to a name server, by whatever protocol
    direct_ipv6: int = 0  # past the server, with an address that is this computer's alone

    @property
    def share(self) -> float:
        """Of requests that gave away a name to somebody else, 0 to 1."""
        return self.by_address / self.requests if self.requests else 0.0

    def add(self, one: Connection) -> None:
        """Another request."""
        host, port, number = _place(one.target)
        if not host:
            return
        udp = one.inbound.endswith("-udp") or (_UDP in [stage for stage, _ in one.timeline])
        self.requests += 1
        self.datagrams += udp
        self.quic += udp and port == _QUIC
        self.dns += port == _DNS
        self.by_address += number and port != _DNS  # a name server has no name to look up
        self.direct_ipv6 += one.route == "direct" and number and ":" in host


class Leaks(Listener):
    """Listens to connections. `report` puts together what ended and what lives."""

    def __init__(self) -> None:
        self._ended: dict[str, Habits] = {}
        self._fresh: deque[Connection] = deque()  # their programs may not be known yet

    def report(self, live: Iterable[Connection], now: float) -> list[Habits]:
        """The habits of every program, those with most requests first."""
        self._settle(now)
        found = {name: replace(habits) for name, habits in self._ended.items()}
        for one in (*self._fresh, *live):
            if one.role is Role.LOCAL:
                found.setdefault(one.program, Habits(one.program)).add(one)
        return sorted((one for one in found.values() if one.requests), key=lambda one: (-one.requests, one.program))

    def forget(self) -> None:
        """Begin anew."""
        self._ended.clear()
        self._fresh.clear()

    def _settle(self, now: float) -> None:
        while self._fresh and now - (self._fresh[0].ended or 0.0) >= _SETTLE:
            one = self._fresh.popleft()
            name = one.program if one.program in self._ended or len(self._ended) < MOST_PROGRAMS else UNKNOWN
            self._ended.setdefault(name, Habits(name)).add(one)

    # ---- what happens to connections

    def closed(self, one: Connection) -> None:
        """It waits a little for the name of its program."""
        if one.role is Role.LOCAL and one.target:
            self._fresh.append(one)
            self._settle(one.ended or 0.0)


def total(habits: Iterable[Habits]) -> Habits:
    """All programs as one."""
    every = Habits("")
    for one in habits:
        every.requests += one.requests
        every.by_address += one.by_address
        every.datagrams += one.datagrams
        every.quic += one.quic
        every.dns += one.dns
        every.direct_ipv6 += one.direct_ipv6
    return every


@lru_cache(maxsize=2048)
def _place(target: str) -> tuple[str, int, bool]:
    """Host, port, and whether the host is an address; no host where it is nobody's business but this network's."""
    host, port = split_host_port(target)
    if is_lan(host):
        return "", 0, False
    return host, port, literal(host) is not None
