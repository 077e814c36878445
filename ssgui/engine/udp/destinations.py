"""Where datagrams go: address headers to socket addresses, names resolved while the datagrams wait.

A target's header is the same bytes in every datagram to it, so it is looked at once and then looked up. The
address that is checked is the very address that is sent to.
"""

import asyncio
import math
import socket
import time
from collections.abc import Callable

from ssgui.engine.dialer import literal
from ssgui.engine.errors import DialError
from ssgui.engine.forbidden import AddressGuard
from ssgui.engine.resolver import CACHE_SECONDS, Resolver, SockAddr
from ssgui.engine.tasks import spawn
from ssgui.engine.udp.sockets import Complaints
from ssgui.protocol.address import Address, decode_address
from ssgui.protocol.errors import BadRequestError

MOST_KNOWN = 4096
MOST_NAMES = 256  # that are asked for at once
MOST_WAITING = 16  # datagrams for one name
MOST_WAITING_BYTES = 4 << 20  # of all datagrams that wait
RETRY_SECONDS = 5.0  # after which a name that did not resolve is asked for again


class Destination:
    """A target. Without `sockaddrs` it is still asked for (`waiting` is a list), `denied` (says why), or unknown."""

    __slots__ = ("address", "denied", "expires", "sockaddrs", "waiting")

    def __init__(self, address: Address) -> None:
        self.address = address
        self.sockaddrs: list[SockAddr] = []
        self.denied = ""
        self.expires = math.inf
        self.waiting: list[tuple[int, Callable[[], None]]] | None = None


class Destinations:
    """Targets, as far as `guard` lets them be sent to."""

    def __init__(self, resolver: Resolver, guard: AddressGuard, complaints: Complaints) -> None:
        self._resolver, self._guard, self._complaints = resolver, guard, complaints
        self._known: dict[bytes | Address, Destination] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting_bytes = 0

    def find(self, header: bytes, now: float) -> Destination | None:
        """The target that `header` names; None when it names nothing. `now` is monotonic time."""
        found = self._known.get(header)
        if found is not None and found.expires > now:
            return found
        try:
            decoded = decode_address(header)
        except BadRequestError:
            return None
        return None if decoded is None else self._look(header, decoded[0])

    def at(self, address: Address, now: float) -> Destination:
        """The target at `address`, which need not fit into a header."""
        found = self._known.get(address)
        return found if found is not None and found.expires > now else self._look(address, address)

    def wait(self, destination: Destination, size: int, send: Callable[[], None]) -> None:
        """`destination` has no socket address: call `send`, which keeps `size` bytes, if it gets one."""
        if destination.denied:
            self._complaints.count("denied")
        elif destination.waiting is None:
            self._complaints.count("unresolved")
        elif len(destination.waiting) >= MOST_WAITING or self._waiting_bytes + size > MOST_WAITING_BYTES:
            self._complaints.count("full")
        else:
            self._waiting_bytes += size
            destination.waiting.append((size, send))

    def try_next(self, destination: Destination) -> bool:
        """The first socket address cannot be sent to from here; whether there is another."""
        if len(destination.sockaddrs) < 2:
            return False
        del destination.sockaddrs[0]
        return True

    def cancel(self) -> None:
        """Ask no more; what waits is lost."""
        for task in self._tasks:
            task.cancel()
        self._known.clear()

    async def close(self) -> None:
        """Wait for what was asked when `cancel` came."""
        self.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _look(self, key: bytes | Address, address: Address) -> Destination:
        destination = Destination(address)
        self._known.pop(key, None)
        if len(self._known) >= MOST_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[key] = destination
        self._locate(destination)
        return destination

    def _locate(self, destination: Destination) -> None:
        address = literal(*destination.address)
        if address is None:
            if len(self._tasks) >= MOST_NAMES:
                destination.expires = time.monotonic()
                return
            destination.waiting = []
            task = spawn(self._resolve(destination), name="a datagram's target")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            destination.expires = time.monotonic() + CACHE_SECONDS  # what a guard says may change
            self._set(destination, [address])

    async def _resolve(self, destination: Destination) -> None:
        waiting = destination.waiting or []
        found: list[SockAddr] = []
        try:
            found = await self._resolver.resolve(*destination.address)
        except (DialError, ValueError):  # ValueError: a name that no resolver takes
            pass
        finally:
            destination.waiting = None
            self._waiting_bytes -= sum(size for size, _ in waiting)
        self._set(destination, found)
        destination.expires = time.monotonic() + (CACHE_SECONDS if destination.sockaddrs else RETRY_SECONDS)
        for _, send in waiting:
            if destination.sockaddrs:
                send()
            else:
                self._complaints.count("denied" if destination.denied else "unresolved")

    def _set(self, destination: Destination, found: list[SockAddr]) -> None:
        host, port = destination.address
        verdicts = [(one, self._guard.denies(one.address[0], port, host)) for one in found]
        allowed = [one for one, denied in verdicts if not denied]
        # A datagram cannot try two addresses and see which answers, so the family that works more often goes first.
        first = socket.AF_INET6 if self._resolver.prefer_ipv6 else socket.AF_INET
        destination.sockaddrs = sorted(allowed, key=lambda one: one.family != first)
        if verdicts and not allowed:
            destination.denied = verdicts[0][1]
