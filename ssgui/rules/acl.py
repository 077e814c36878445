"""Access lists as shadowsocks-libev and shadowsocks-rust write them (`--acl FILE`).

A file has sections, and rules line by line; "#" begins a comment line. Rules before any section belong to
[bypass_list]. For a client:

    [proxy_all]  [bypass_all]        what the lists do not know goes through a server (the default), or directly
    [bypass_list] or [black_list]    goes directly
    [proxy_list]  or [white_list]    goes through a server

For a server, [accept_all] (the default) and [reject_all] with [black_list] and [white_list] judge the
addresses of its clients, [outbound_allow_all] (the default) and [outbound_block_all] with
[outbound_block_list] and [outbound_allow_list] the targets. On a client what they block is refused too.

    192.0.2.0/24   2001:db8::/32   192.0.2.1     a network or an address
    |example.com                                 this name
    ||example.com                                this name and its subdomains
    (^|\\.)example\\.com$                          a regular expression, searched for in the name

As in shadowsocks-libev, the list of bypassed (rejected) ones is asked first, then that of proxied (accepted)
ones, then the default; shadowsocks-rust asks about names in the other order, and about addresses only the one
list that is not the default. Blocked comes before allowed. Networks judge addresses that were asked for as
such: no name is resolved to be judged (a server judges the addresses that it is about to dial as well). Names
are compared in lower case and Punycode. An IPv4 address in an IPv6 coat (::ffff:192.0.2.1) is taken off it.

A regular expression that tries every way to fail on some name (`(a+)+$`) holds up everything else meanwhile;
names are short (255), and the file is its owner's. What is not understood becomes one of `problems`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_network
from typing import Final, NamedTuple

from ssgui.rules.patterns import PatternError, compile_pattern, plain_name
from ssgui.rules.rule_set import RuleSet, parse_literal

MAX_LINE: Final = 1024
MAX_NAME: Final = 255
MAX_PATTERNS: Final = 5_000  # each costs a fraction of a microsecond for every name that is new
_CACHED: Final = 4096
_SHOWN: Final = 80
_KEPT: Final = "\u00df\u03c2"  # sharp s, final sigma
_DOTS: Final = re.compile("[.\u3002\uff0e\uff61]")
_LISTS: Final = {
    "[bypass_list]": "bypass", "[black_list]": "bypass", "[proxy_list]": "proxy", "[white_list]": "proxy",
    "[outbound_block_list]": "block", "[outbound_allow_list]": "allow",
}  # fmt: skip
_SECTION: Final = re.compile(r"\[\w+\]")
_NAME: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_LIKE_ADDRESS: Final = re.compile(r"\d+(?:\.\d+)+(?:/.*)?|[0-9a-fA-F]*:[0-9a-fA-F:.]*(?:[%/].*)?")


class Route(StrEnum):
    """Where a connection goes."""

    PROXY = "proxy"
    DIRECT = "direct"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Match:
    """A verdict, and the rule it rests on as the file has it ("" for the default)."""

    route: Route
    rule: str = ""


class Problem(NamedTuple):
    """A line that was not understood; `text` is short and printable."""

    line: int
    text: str
    why: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}: {self.why}"


@dataclass(frozen=True, eq=False)
class Acl:
    """One access list, parsed. `name` is for messages. Made by `parse_acl`; without arguments it has no rules."""

    name: str = ""
    problems: tuple[Problem, ...] = ()
    default: Route = Route.PROXY  # of a client's targets; DIRECT also rejects a server's clients
    outbound_default: Route = Route.DIRECT
    lists: dict[str, RuleSet] = field(default_factory=lambda: {kind: RuleSet() for kind in _LISTS.values()}, repr=False)
    lines: list[str] = field(default_factory=list, repr=False)
    decide: Callable[[str], Match] = field(init=False, repr=False)
    """The way of a client's connection to a host."""
    source: Callable[[str], Match] = field(init=False, repr=False)
    """Whether a server's client at an address is served: DIRECT, or REJECT."""
    outbound: Callable[[str], Match | None] = field(init=False, repr=False)
    """Whether a server's target, name or address, is allowed (DIRECT) or REJECTed; None if no rule says."""

    def __post_init__(self) -> None:
        for name, method in (("decide", self._decide), ("source", self._source), ("outbound", self._outbound)):
            object.__setattr__(self, name, lru_cache(maxsize=_CACHED)(method))

    def __eq__(self, other: object) -> bool:
        """Whether `other` was read from the same lines: a file that is read again has mostly not changed."""
        return isinstance(other, Acl) and (self.name, self.lines) == (other.name, other.lines)

    def __hash__(self) -> int:
        return hash((self.name, len(self.lines)))

    def _decide(self, host: str) -> Match:
        blocked = self._outbound(host)
        if blocked is not None and blocked.route is Route.REJECT:
            return blocked
        if blocked is None and self.outbound_default is Route.REJECT:
            return Match(Route.REJECT, "[outbound_block_all]")
        return self._find(host, (("bypass", Route.DIRECT), ("proxy", Route.PROXY))) or Match(self.default)

    def _source(self, host: str) -> Match:
        found = self._find(host, (("bypass", Route.REJECT), ("proxy", Route.DIRECT)))
        if found is not None:
            return found
        return Match(Route.DIRECT) if self.default is Route.PROXY else Match(Route.REJECT, "[reject_all]")

    def _outbound(self, host: str) -> Match | None:
        return self._find(host, (("block", Route.REJECT), ("allow", Route.DIRECT)))

    def _find(self, host: str, order: tuple[tuple[str, Route], ...]) -> Match | None:
        address = parse_literal(host)
        name = "" if address is not None else normal_name(host)
        for kind, route in order:
            rules = self.lists[kind]
            line = rules.find_name(name) if address is None else rules.find_address(address)
            if line:
                return Match(route, f"{_shown(self.lines[line - 1])} (line {line})")
        return None


def normal_name(host: str) -> str:
    """`host` as names are compared: lower case, Punycode, without the root's dot. "" if too long for a name."""
    name = host.rstrip(".").lower()
    if len(name) > MAX_NAME:
        return ""
    if not name.isascii():
        try:
            checked = name.encode("utf-8", "surrogateescape").decode()
            name = ".".join(map(_ascii_label, _DOTS.split(checked))).lower()
        except UnicodeError:
            pass  # bytes that are no text, or no name: they are compared as they are
    return name


def _ascii_label(label: str) -> str:
    """A label in Punycode. Browsers keep the letters of IDNA 2008 that the codec, of 2003, writes otherwise."""
    if any(letter in label for letter in _KEPT):
        return "xn--" + label.encode("punycode").decode()
    return label.encode("idna").decode()


def parse_acl(text: str, name: str = "") -> Acl:
    """Parse a file's text. Never fails: what is not understood is in `problems`."""
    return _Reader(text).read(name)


class _Reader:
    """Reads line by line; remembers the section."""

    def __init__(self, text: str) -> None:
        self._lines = [line.strip() for line in text.removeprefix("\ufeff").split("\n")]
        self._lists = {kind: RuleSet() for kind in _LISTS.values()}
        self._current: RuleSet | None = self._lists["bypass"]
        self._default, self._outbound_default = Route.PROXY, Route.DIRECT
        self._problems: list[Problem] = []
        self._patterns = 0

    def read(self, name: str) -> Acl:
        for number, line in enumerate(self._lines, 1):
            if line and line[0] != "#":
                try:
                    self._read_line(line, number)
                except ValueError as error:
                    self._problems.append(Problem(number, _shown(line), str(error)))
        for rules in self._lists.values():
            rules.freeze()
        problems = tuple(self._problems)
        return Acl(name, problems, self._default, self._outbound_default, self._lists, self._lines)

    def _read_line(self, line: str, number: int) -> None:
        """ValueError says why the line is not understood."""
        if len(line) > MAX_LINE:
            raise ValueError(f"longer than {MAX_LINE} characters")
        if _SECTION.fullmatch(line):
            self._begin(line.lower())
        elif self._current is not None:
            self._add(self._current, line, number)

    def _begin(self, section: str) -> None:
        if section in ("[proxy_all]", "[accept_all]"):
            self._default = Route.PROXY
        elif section in ("[bypass_all]", "[reject_all]"):
            self._default = Route.DIRECT
        elif section in ("[outbound_allow_all]", "[outbound_block_all]"):
            self._outbound_default = Route.DIRECT if section == "[outbound_allow_all]" else Route.REJECT
        elif section in _LISTS:
            self._current = self._lists[_LISTS[section]]
        else:
            self._current = None  # better none than into a list that they were not written for
            raise ValueError("unknown section; its rules are not used")

    def _add(self, rules: RuleSet, line: str, number: int) -> None:
        bare = line.lstrip("|")
        if _LIKE_ADDRESS.fullmatch(bare):
            try:
                rules.add_network(ip_network(bare.replace("%", " "), strict=False), number)  # no zones
            except ValueError:
                raise ValueError("neither an address nor a network") from None
        elif line.startswith("||"):
            rules.add_suffix(_rule_name(line[2:]), number)
        elif line.startswith("|"):
            rules.add_name(_rule_name(line[1:]), number)
        elif (plain := plain_name(_without_idn(line))) is not None:
            (rules.add_suffix if plain[1] else rules.add_name)(plain[0], number)
        else:
            self._add_pattern(rules, line, number)

    def _add_pattern(self, rules: RuleSet, line: str, number: int) -> None:
        if not line.isascii():
            raise PatternError("names come in Punycode (xn--...), which a regular expression must be written for")
        self._patterns += 1
        if self._patterns > MAX_PATTERNS:
            raise PatternError(f"more than {MAX_PATTERNS} regular expressions: write names as ||example.com")
        rules.add_pattern(compile_pattern(line), number)


def _rule_name(text: str) -> str:
    name = normal_name(text.strip().lstrip("."))
    if not _NAME.fullmatch(name):
        raise ValueError("not a host name")
    return name


def _without_idn(pattern: str) -> str:
    """`pattern` with the labels that are not ASCII in Punycode, as far as they are labels."""
    if pattern.isascii():
        return pattern
    return re.sub(r"[\w-]*[^\W\x00-\x7f][\w-]*", lambda found: normal_name(found[0]), pattern)


def _shown(text: str) -> str:
    """A line of the file, short and safe to print."""
    return "".join(
        c if c.isprintable() else ascii(c)[1:-1] for c in (text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "...")
    )
