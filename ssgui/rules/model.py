"""What parsers make of lists and what the matcher and the compiler read: rules, lists, and the policy of all.

A rule looks at a URL as a browser's PAC sees it: `http://` and `ws://` whole, of others scheme and host only.
Hosts are compared in lower case, in Punycode, without the root's dot and without brackets.
"""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import NamedTuple

from ssgui.rules.acl import Problem, Route

Network = IPv4Network | IPv6Network


class Kind(StrEnum):
    """How a rule's pattern is compared."""

    SUFFIX = "suffix"  # a host name: it and every subdomain, any scheme and port
    HOST = "host"  # that host name alone
    KEYWORD = "keyword"  # somewhere in the host name
    HOST_REGEX = "host-regex"  # a regular expression searched in the host name
    PREFIX = "prefix"  # the URL begins with it; "scheme://host" alone ends at a boundary (":", "/", "?", end)
    TEXT = "text"  # somewhere in an http: URL; "*" is any run of characters
    URL_REGEX = "url-regex"  # a regular expression searched in the URL


class Rule(NamedTuple):
    """One line of a list. `pattern` is ASCII and normal (lower case host, Punycode), `text` the line as written.

    Regular expressions are written in what JavaScript (ES5) and Python read alike; parsers refuse the rest.
    """

    kind: Kind
    pattern: str
    exception: bool = False
    line: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class RuleList:
    """A list, parsed. `action` is where its rules send what they match; its exceptions send it the other way.

    `networks`, and those `excepted`, are judged for IP literals only, never in a PAC: (network, line). `problems` are
    the lines that were not understood. `title` and `modified` are what the list says of itself.
    """

    name: str = ""
    rules: tuple[Rule, ...] = ()
    networks: tuple[tuple[Network, int], ...] = ()
    problems: tuple[Problem, ...] = ()
    action: Route = Route.PROXY
    title: str = ""
    modified: str = ""
    excepted: tuple[tuple[Network, int], ...] = ()


class PolicyMode(StrEnum):
    """What becomes of what no rule knows."""

    LIST = "list"  # only what is listed goes through the proxy
    BYPASS = "bypass"  # everything but what is listed direct
    GLOBAL = "global"  # everything; lists and rules are not asked


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that decides. Private addresses, plain names and the local network are always direct.

    Then, first match wins: the person's exceptions, the person's rules, exceptions of `lists` in their order, rules
    of `lists` in their order, the mode's default.
    """

    mode: PolicyMode = PolicyMode.LIST
    user: RuleList = RuleList("user")
    lists: tuple[RuleList, ...] = ()
    proxy: str = "PROXY 127.0.0.1:1080"  # what a PAC returns for the proxy, before "; DIRECT" of `fail_open`
    fail_open: bool = False


class Found(NamedTuple):
    """A rule that matches, and the list that it is in; `rule` is None where a network of `list` holds the address."""

    route: Route
    rule: Rule | None
    list: str
    line: int = 0
    text: str = ""
