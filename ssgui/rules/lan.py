"""Which hosts are on the local network, as far as one can tell without asking anybody."""

from functools import lru_cache
from ipaddress import ip_network
from typing import Final

from ssgui.rules.acl import normal_name
from ssgui.rules.rule_set import RuleSet, parse_literal

_NETWORKS: Final = (
    "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16",  # this host, loopback, link-local
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",  # RFC 1918
    "100.64.0.0/10",  # behind the provider's own NAT (RFC 6598); overlay networks use it too
    "224.0.0.0/4", "255.255.255.255/32",
    "::/128", "::1/128", "fe80::/10", "fc00::/7", "ff00::/8",
)  # fmt: skip
# RFC 6762, RFC 6761, RFC 8375, and what ICANN keeps for private use.
_SUFFIXES: Final = ("local", "localhost", "home.arpa", "internal")
LAN_ENDINGS: Final = frozenset(name.rpartition(".")[2] for name in _SUFFIXES)  # the last label of any of them


def _rules() -> RuleSet:
    rules = RuleSet()
    for network in _NETWORKS:
        rules.add_network(ip_network(network), 1)
    for name in _SUFFIXES:
        rules.add_suffix(name, 1)
    rules.freeze()
    return rules


_LAN: Final = _rules()


@lru_cache(maxsize=4096)
def is_lan(host: str) -> bool:
    """Whether `host` is a private or link-local address, a name without a dot, or one for local use."""
    address = parse_literal(host)
    if address is not None:
        return bool(_LAN.find_address(address))
    name = normal_name(host)
    return bool(name) and ("." not in name or bool(_LAN.find_name(name)))


def is_loopback_name(host: str) -> bool:
    """Whether `host` is a name for the computer that resolves it (RFC 6761)."""
    name = normal_name(host)
    return name == "localhost" or name.endswith(".localhost")
