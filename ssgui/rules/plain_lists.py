"""Lists without a language of their own: host names line by line, hosts files, dnsmasq's, and networks.

    example.com  .example.com  *.example.com      the name and its subdomains
    0.0.0.0 example.com                           a line of a hosts file: that name alone
    server=/example.com/114.114.114.114           a line for dnsmasq: the name and its subdomains
    DOMAIN-SUFFIX,example.com  IP-CIDR,...        a line of a rule set of Clash or Surge
    - '+.example.com'  - 'example.com'            the same in YAML under "payload:"; without "+." that name alone
    192.0.2.0/24  2001:db8::/32  192.0.2.1        a network or an address

"#" begins a comment. Networks judge addresses that were asked for as such.
"""

import re
from ipaddress import ip_network
from typing import Final

from ssgui.rules.acl import Problem, Route
from ssgui.rules.autoproxy import rule_name, shown
from ssgui.rules.geosite import geosite_rule
from ssgui.rules.model import Kind, Network, Rule, RuleList
from ssgui.rules.rule_set import parse_literal

_DNSMASQ: Final = re.compile(r"(?:server|address|ipset|nftset|local)=/([^/]+(?:/[^/]+)*)/.*")
_KINDS: Final = {
    "domain": Kind.HOST, "host": Kind.HOST, "domain-suffix": Kind.SUFFIX, "host-suffix": Kind.SUFFIX,
    "domain-keyword": Kind.KEYWORD, "host-keyword": Kind.KEYWORD,
}  # fmt: skip
_NETWORK_KINDS: Final = frozenset({"ip-cidr", "ip-cidr6", "ip6-cidr"})
_PAYLOAD: Final = "payload:"
_NETWORK: Final = re.compile(r"[0-9.]+/\d+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*/\d+")
_NOBODY: Final = frozenset({"localhost", "localhost.localdomain", "broadcasthost", "ip6-localhost", "ip6-loopback"})


def parse_plain(text: str, name: str = "", action: Route = Route.PROXY) -> RuleList:
    """Parse a list. Never fails: what is not understood is in `problems`."""
    rules: list[Rule] = []
    networks: list[tuple[Network, int]] = []
    problems: list[Problem] = []
    for number, raw in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = raw.partition("#")[0].strip()
        if not line or line == _PAYLOAD:
            continue
        try:
            alone = line.startswith("- ")
            line = line[2:].strip().strip("'\"") if alone else line
            kind, comma, value = line.partition(",")
            if comma and kind.lower() in _NETWORK_KINDS:
                line = value.partition(",")[0].strip()
            if _NETWORK.fullmatch(line) or parse_literal(line) is not None:
                networks.append((ip_network(line, strict=False), number))
            else:
                rules += _rules(line, number, Kind.HOST if alone and line[:1] not in ".+*" else Kind.SUFFIX)
        except ValueError as error:
            problems.append(Problem(number, shown(line), str(error) or "not a host name"))
    return RuleList(name, tuple(rules), tuple(networks), tuple(problems), action)


def _rules(line: str, number: int, of_name: Kind) -> list[Rule]:
    kind, comma, value = line.partition(",")
    if comma:
        if kind.lower() not in _KINDS:
            raise ValueError(f"{shown(kind)!r} is no kind of rule that is known here")
        return [geosite_rule(_KINDS[kind.lower()], value.partition(",")[0].strip(), number, line)]
    if found := _DNSMASQ.fullmatch(line):
        return [_named(Kind.SUFFIX, one, number, line) for one in found[1].split("/")]
    first, *names = line.split()
    if names:
        if parse_literal(first) is None:
            raise ValueError("more than one word")
        return [_named(Kind.HOST, one, number, line) for one in names if one.lower() not in _NOBODY]
    return [_named(of_name, first.removeprefix("*.").removeprefix("+."), number, line)]


def _named(kind: Kind, name: str, number: int, line: str) -> Rule:
    return Rule(kind, rule_name(name), False, number, line)
