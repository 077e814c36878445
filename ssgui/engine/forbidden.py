"""Addresses that a server will not connect to for its clients."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
_NAT64 = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))  # RFC 6052, RFC 8215


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
        address = ip_address(text.partition("%")[0])
        return any(form in network for form in _forms(address) for network in self._networks)


def _forms(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    forms = [address]
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            forms.append(address.ipv4_mapped)
        elif any(address in network for network in _NAT64) or 1 < int(address) < 1 << 32:
            forms.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return forms
