"""This computer as a target: what leads back to it, and who may go there through a client's port.

A program on another computer that uses our port ("a LAN client") never gets to loopback or to one of this
machine's addresses: what listens only here would be open to everybody. And nobody is connected to the very
port that asked, which would go round for ever.
"""

import socket
import time
from collections.abc import Callable

from ssgui.config.models import DEFAULT_FORBIDDEN
from ssgui.engine.events import Endpoint
from ssgui.engine.forbidden import ForbiddenAddresses, spellings
from ssgui.rules.lan import is_loopback_name
from ssgui.rules.rule_set import parse_literal

_ASKED_AGAIN = 10.0  # seconds; a laptop changes networks
_MOST_KNOWN = 1024
_NOBODYS = {socket.AF_INET: "240.0.0.1", socket.AF_INET6: "100::1"}  # RFC 1112, RFC 6666
_LOOPBACK = ForbiddenAddresses(network for network in DEFAULT_FORBIDDEN if not network.is_link_local)
_THIS_LINK = ForbiddenAddresses(DEFAULT_FORBIDDEN)


def is_loopback(client: Endpoint) -> bool:
    """Whether the program at `client` runs on this computer."""
    host = client[0]
    return host.startswith(("127.", "::ffff:127.")) or host == "::1"


def can_bind(address: str) -> bool:
    """Whether this machine lets a socket have `address`: only its own ones are given."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.bind((address, 0))
    except OSError:
        return False
    return True


class OwnMachine:
    """Knows this machine's addresses: those it is told (`known`), and those a socket can be bound to now.

    Where any address can be bound (Linux, `ip_nonlocal_bind`) only those it is told count.
    """

    def __init__(
        self,
        known: frozenset[str] = frozenset(),
        *,
        bindable: Callable[[str], bool] = can_bind,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.known = known
        self._bindable, self._clock = bindable, clock
        self._answers: dict[str, tuple[float, bool]] = {}

    def has(self, address: str) -> bool:
        """Whether `address`, in any of its spellings, is this machine's; loopback is."""
        return _LOOPBACK.covers(address) or self._has_outside(address)

    def is_near(self, address: str) -> bool:
        """As `has`, or on this machine's link only (where cloud metadata services live)."""
        return _THIS_LINK.covers(address) or self._has_outside(address)

    def _has_outside(self, address: str) -> bool:
        return any(text in self.known or self._binds(text) for text in map(str, spellings(address)))

    def _binds(self, address: str) -> bool:
        now = self._clock()
        answer = self._answers.get(address)
        if answer is None or answer[0] <= now:
            if len(self._answers) >= _MOST_KNOWN:
                self._answers.clear()
            nobodys = _NOBODYS[socket.AF_INET6 if ":" in address else socket.AF_INET]
            own = self._bindable(address) and not self._bindable(nobodys)
            answer = self._answers[address] = now + _ASKED_AGAIN, own
        return answer[1]


class LanGuard:
    """For LAN clients: nothing that is this machine, or only its link's."""

    def __init__(self, machine: OwnMachine) -> None:
        self._machine = machine

    def denies(self, address: str, port: int, host: str) -> str:
        """A guard is asked like this."""
        return "lan-guard" if self._machine.is_near(address) else ""

    def denies_host(self, host: str) -> bool:
        """As far as it can be told from the host, which may be a name, without resolving it."""
        if parse_literal(host) is not None:
            return self._machine.is_near(host)
        return is_loopback_name(host)


class LoopGuard:
    """For everybody: not the port that we listen on, at any address that leads to it.

    `listening` is set once it is known; the host is an address, a wildcard for all of them.
    """

    def __init__(self, machine: OwnMachine) -> None:
        self._machine = machine
        self.listening: tuple[str, int] = ("", 0)

    def denies(self, address: str, port: int, host: str) -> str:
        """A guard is asked like this."""
        bound, own = self.listening
        if port != own or not port:
            return ""
        if _LOOPBACK.covers(address):  # a wildcard's, or one of loopback's many addresses
            leads_here = _LOOPBACK.covers(bound)
        else:
            everywhere = bound in ("0.0.0.0", "::")  # noqa: S104  compared, not bound
            leads_here = self._machine.has(address) if everywhere else bound in map(str, spellings(address))
        return "own-port" if leads_here else ""

    def denies_host(self, host: str, port: int) -> bool:
        """As far as it can be told from the host without resolving it."""
        return port == self.listening[1] and parse_literal(host) is not None and bool(self.denies(host, port, host))
