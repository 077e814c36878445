"""Names to addresses. A server asks the network itself (aiodns); a client asks the system, in a thread.

A client resolves only the name of its server (and of what goes direct), never that of a target.
"""

import asyncio
import socket
from typing import Any, NamedTuple, Protocol, cast

from ssgui.engine.errors import DialError, DialFailure
from ssgui.engine.events import Endpoint
from ssgui.engine.tasks import run_blocking

DNS_TIMEOUT = 5.0
CACHE_SECONDS = 60.0
CACHE_SIZE = 1024


class SockAddr(NamedTuple):
    """Where to connect to: the family and what `connect` takes."""

    family: int
    address: Endpoint


class Lookup(Protocol):
    """One way to ask."""

    async def lookup(self, host: str, port: int) -> list[SockAddr]:
        """All addresses of `host`; raises OSError, or returns none."""

    def close(self) -> None:
        """Stop asking."""


class SystemLookup:
    """The system's resolver, hosts file and all."""

    async def lookup(self, host: str, port: int) -> list[SockAddr]:
        found = await run_blocking(socket.getaddrinfo, host, port, 0, socket.SOCK_STREAM)
        return [SockAddr(family, cast("Endpoint", address)) for family, _, _, _, address in found]

    def close(self) -> None:
        """Nothing is kept open."""


class NetworkLookup:
    """aiodns: no thread per question. Default tries, for c-ares cuts its time-out after quick answers.

    Only servers need it, so it is imported when the first of them is made.
    """

    def __init__(self, nameservers: tuple[str, ...] = ()) -> None:
        import aiodns

        self._aiodns = aiodns
        self._nameservers = nameservers
        self._resolver: aiodns.DNSResolver | None = None

    async def lookup(self, host: str, port: int) -> list[SockAddr]:
        if self._resolver is None:
            self._resolver = self._aiodns.DNSResolver(nameservers=list(self._nameservers) or None)
        try:
            found = await self._resolver.getaddrinfo(host, port=port, type=socket.SOCK_STREAM)
        except self._aiodns.error.DNSError as error:
            raise OSError(str(error.args[-1])) from error
        return [SockAddr(node.family, _text_address(node.addr)) for node in found.nodes]

    def close(self) -> None:
        if self._resolver is not None:
            self._resolver.cancel()


def _text_address(address: tuple[Any, ...]) -> Endpoint:
    host = address[0]
    return cast("Endpoint", (host.decode() if isinstance(host, bytes) else host, *address[1:]))


class Resolver:
    """A lookup with a time limit and a bounded cache of what was found."""

    def __init__(self, lookup: Lookup, *, prefer_ipv6: bool = False) -> None:
        self._lookup, self.prefer_ipv6 = lookup, prefer_ipv6
        self._cache: dict[tuple[str, int], tuple[float, list[SockAddr]]] = {}

    async def resolve(self, host: str, port: int) -> list[SockAddr]:
        """The addresses of `host`, best first; DialError when there are none within 5 s."""
        now = asyncio.get_running_loop().time()
        known = self._cache.get((host, port))
        if known is not None and known[0] > now:
            return known[1]
        try:
            async with asyncio.timeout(DNS_TIMEOUT):
                found = await self._lookup.lookup(host, port)
        except TimeoutError as error:
            raise DialError(DialFailure.DNS, host, port, f"no answer from DNS within {DNS_TIMEOUT:g} s") from error
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that IDNA refuses
            raise DialError(DialFailure.DNS, host, port, f"does not resolve: {error}") from error
        if not found:
            raise DialError(DialFailure.DNS, host, port, "does not resolve: no address")
        if self.prefer_ipv6:
            found.sort(key=lambda one: one.family != socket.AF_INET6)
        while len(self._cache) >= CACHE_SIZE:
            del self._cache[next(iter(self._cache))]
        self._cache[host, port] = now + CACHE_SECONDS, found
        return found

    def last_found(self, host: str, port: int) -> list[str]:
        """The addresses that `host` was found to have last, however long ago; none for what is not known any more."""
        _, found = self._cache.get((host, port), (0.0, []))
        return [str(one.address[0]) for one in found]

    def close(self) -> None:
        """Stop asking; what is being asked ends with an error."""
        self._lookup.close()
