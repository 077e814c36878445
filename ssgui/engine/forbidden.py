"""Addresses that are not connected to: on a server for its clients, on a client for programs elsewhere."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Protocol

from ssgui.rules.acl import Acl, Route

Network = IPv4Network | IPv6Network
_NAT64 = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))  # RFC 6052, RFC 8215


class AddressGuard(Protocol):
    """Judges the very addresses that are about to be connected to, or sent to."""

    def denies(self, address: str, port: int, host: str) -> str:
        """Why `address`, which `host` is or resolves to, is denied at `port`; "" when it is not."""


class ForbiddenAddresses:
    """Says whether an address, in any of its spellings, is in one of `networks`.

    An IPv4 address is also judged where it is dressed as IPv6: mapped (::ffff:a.b.c.d), NAT64, and the
    deprecated compatible form (::a.b.c.d).
    """

    def __init__(self, networks: Iterable[Network]) -> None:
        self._networks = tuple(networks)
        self.covers = lru_cache(maxsize=1024)(self._covers)

    def _covers(self, text: str) -> bool:
        if not self._networks:
            return False
        return any(form in network for form in spellings(text) for network in self._networks)

    def denies(self, address: str, port: int, host: str) -> str:
        """A guard is asked like this."""
        return "forbidden address" if self.covers(address) else ""


class AclGuard:
    """What is forbidden anyway, and what the outbound lists of a server's `acl` block.

    A blocked address stays blocked under an allowed name; by default an allowed name is enough.
    """

    def __init__(self, acl: Acl, forbidden: ForbiddenAddresses) -> None:
        self._acl, self._forbidden = acl, forbidden

    def denies(self, address: str, port: int, host: str) -> str:
        """A guard is asked like this."""
        if self._forbidden.covers(address):
            return "forbidden address"
        acl = self._acl
        verdicts = [acl.outbound(str(form)) for form in spellings(address)]
        if host != address:
            verdicts.append(acl.outbound(host))
        found = [verdict for verdict in verdicts if verdict is not None]
        for verdict in found:
            if verdict.route is Route.REJECT:
                return verdict.rule
        return "" if found or acl.outbound_default is Route.DIRECT else "[outbound_block_all]"


def spellings(text: str) -> list[IPv4Address | IPv6Address]:
    """The address `text`, and the IPv4 address that it carries, if any."""
    address = ip_address(text.partition("%")[0])
    forms = [address]
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            forms.append(address.ipv4_mapped)
        elif any(address in network for network in _NAT64) or 1 < int(address) < 1 << 32:
            forms.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return forms
