"""Rules over hosts, put so that one look-up costs little: names in tables, networks sorted, patterns last."""

import re
from bisect import bisect_right
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Network = IPv4Network | IPv6Network
_MAPPED = 96  # bits of ::ffff:0:0/96 in front of an IPv4 address


class Networks:
    """Networks of one family, each with the number of its line; the widest that holds an address is found."""

    def __init__(self) -> None:
        self._found: list[tuple[int, int, int]] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._lines: list[int] = []

    def add(self, network: Network, line: int) -> None:
        self._found.append((int(network.network_address), -int(network.broadcast_address), line))

    def freeze(self) -> None:
        """Sort what was added. Two networks are apart, or one holds the other: then the wider one is enough."""
        last = -1
        for start, negative_end, line in sorted(self._found):
            if start > last:
                last = -negative_end
                self._starts.append(start)
                self._ends.append(last)
                self._lines.append(line)
        self._found.clear()

    def find(self, address: int) -> int:
        """The line of the network that holds `address`, or 0."""
        place = bisect_right(self._starts, address) - 1
        return self._lines[place] if place >= 0 and address <= self._ends[place] else 0


class RuleSet:
    """What one section of a list holds. Filled first, frozen, then asked; 0 is no line."""

    def __init__(self) -> None:
        self._names: dict[str, int] = {}
        self._suffixes: dict[str, int] = {}
        self._patterns: list[tuple[re.Pattern[str], int]] = []
        self._networks4, self._networks6 = Networks(), Networks()

    def add_name(self, name: str, line: int) -> None:
        self._names.setdefault(name, line)

    def add_suffix(self, name: str, line: int) -> None:
        """`name` and all its subdomains."""
        self._suffixes.setdefault(name, line)

    def add_pattern(self, pattern: re.Pattern[str], line: int) -> None:
        self._patterns.append((pattern, line))

    def add_network(self, network: Network, line: int) -> None:
        """IPv4 networks that are dressed as IPv6 are taken for what they are."""
        if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED:
            mapped = network.network_address.ipv4_mapped
            if mapped is not None:
                network = IPv4Network((int(mapped), network.prefixlen - _MAPPED))
        (self._networks4 if network.version == 4 else self._networks6).add(network, line)

    def freeze(self) -> None:
        self._networks4.freeze()
        self._networks6.freeze()

    def find_name(self, name: str) -> int:
        """The line of a rule that `name`, in lower case, fulfils."""
        if found := self._names.get(name, 0):
            return found
        if self._suffixes:
            rest = name
            while True:
                if found := self._suffixes.get(rest, 0):
                    return found
                _, dot, rest = rest.partition(".")
                if not dot:
                    break
        for pattern, line in self._patterns:
            if pattern.search(name):
                return line
        return 0

    def find_address(self, address: IPv4Address | IPv6Address) -> int:
        """The line of a network that holds `address`."""
        if isinstance(address, IPv6Address):
            if address.ipv4_mapped is None:
                return self._networks6.find(int(address))
            address = address.ipv4_mapped
        return self._networks4.find(int(address))


def parse_literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that `host` spells out, a zone left away, or None when it is a name."""
    try:
        if ":" in host:
            return IPv6Address(host.partition("%")[0])
        # Every IPv4 literal ends in a digit, and almost no name does.
        return IPv4Address(host) if host[-1:].isdigit() else None
    except ValueError:
        return None
