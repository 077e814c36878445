"""Which rules of one list never make a difference, because another rule of it knows all that they know and comes first.

An exception comes before a rule; of two that send the same way the wider one is enough. Only what is certain is
said: of expressions, what the host in them tells.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from ssgui.rules.address_forms import literal
from ssgui.rules.matcher import key_of_prefix
from ssgui.rules.model import Kind, Network, Rule, RuleList
from ssgui.rules.rule_tests import begins_with, text_regex

MOST_TEXTS: Final = 300  # each is compared with each
_DOMAIN: Final = re.compile(r"(?:@@)?\|\|([^/^?|:\[\]]+)")


class _Place(NamedTuple):
    """Where a rule stands: of those that know the same the lowest stays."""

    rank: int  # 0 for exceptions
    line: int


def covered_lines(one: RuleList) -> dict[int, int]:
    """The lines of rules in `one` that could go, each with the line of a rule that is enough instead."""
    names, prefixes, texts, same = _Names(), _Prefixes(), _Texts(), _Same()
    tables = (names, prefixes, texts, same)
    for rule in one.rules:
        place = _place(rule.exception, rule.line)
        for table in tables:
            table.add(rule, place)
    found: dict[int, int] = {}
    for rule in one.rules:
        place = _place(rule.exception, rule.line)
        by = min((other for table in tables for other in table.wider(rule, place)), default=None)
        if by is not None:
            found[rule.line] = by.line
    found |= _covered_networks(one)
    return {line: _last(found, by) for line, by in found.items()}


def _last(found: dict[int, int], by: int) -> int:
    """The line that stays in the end."""
    while by in found:
        by = found[by]
    return by


def _place(exception: bool, line: int) -> _Place:
    return _Place(0 if exception else 1, line)


class _Names:
    """Host names, and the names that a rule surely needs."""

    def __init__(self) -> None:
        self._suffixes: dict[str, _Place] = {}
        self._hosts: dict[str, _Place] = {}

    def add(self, rule: Rule, place: _Place) -> None:
        table = {Kind.SUFFIX: self._suffixes, Kind.HOST: self._hosts}.get(rule.kind)
        if table is not None:
            table[rule.pattern] = min(place, table.get(rule.pattern, place))

    def wider(self, rule: Rule, place: _Place) -> Iterator[_Place]:
        name, whole = _host_of(rule)
        if not name:
            return
        found = self._hosts.get(name) if whole else None
        if found and found.rank <= place.rank and (rule.kind is not Kind.HOST or found < place):
            yield found
        rest, first = name, True
        while rest:
            found = self._suffixes.get(rest)
            if found and found.rank <= place.rank and not (first and rule.kind is Kind.SUFFIX and found >= place):
                yield found
            rest, first = rest.partition(".")[2], False


def _host_of(rule: Rule) -> tuple[str, bool]:
    """What every host that `rule` knows ends in, from a label on, and whether that is all of it; "" for anything."""
    match rule.kind:
        case Kind.SUFFIX:
            return rule.pattern, False
        case Kind.HOST:
            return rule.pattern, True
        case Kind.PREFIX:
            return key_of_prefix(rule.pattern).partition("://")[2], True
        case Kind.HOST_REGEX | Kind.URL_REGEX if found := _DOMAIN.match(rule.text):
            name = found[1].rstrip(".").lower()
            if "*" in name:
                name = name.rpartition("*")[2].partition(".")[2]
            return (name, literal(name) is not None) if name.isascii() else ("", False)
    return "", False


class _Prefixes:
    """Beginnings of URLs."""

    def __init__(self) -> None:
        self._found: dict[str, list[tuple[str, _Place]]] = {}

    def add(self, rule: Rule, place: _Place) -> None:
        if rule.kind is Kind.PREFIX:
            self._found.setdefault(key_of_prefix(rule.pattern), []).append((rule.pattern, place))

    def wider(self, rule: Rule, place: _Place) -> Iterator[_Place]:
        if rule.kind is not Kind.PREFIX:
            return
        for pattern, other in self._found[key_of_prefix(rule.pattern)][:MOST_TEXTS]:
            later = pattern == rule.pattern and other >= place
            if other.rank <= place.rank and not later and begins_with(rule.pattern, pattern):
                yield other


class _Texts:
    """Text anywhere in an http: URL. A wider one is found in what every URL has that the narrower one knows."""

    def __init__(self) -> None:
        self._found: list[tuple[re.Pattern[str], str, _Place]] = []

    def add(self, rule: Rule, place: _Place) -> None:
        if rule.kind is Kind.TEXT and len(self._found) < MOST_TEXTS:
            self._found.append((re.compile(text_regex(rule.pattern)), rule.pattern, place))

    def wider(self, rule: Rule, place: _Place) -> Iterator[_Place]:
        if rule.kind is Kind.PREFIX and not rule.pattern.startswith("http://"):
            return
        if rule.kind not in (Kind.TEXT, Kind.PREFIX):
            return
        for expression, pattern, other in self._found:
            same = rule.kind is Kind.TEXT and pattern == rule.pattern
            if other.rank <= place.rank and (not same or other < place) and expression.search(rule.pattern):
                yield other


class _Same:
    """Expressions, of which only the same is known to be as wide."""

    def __init__(self) -> None:
        self._first: dict[tuple[Kind, str], _Place] = {}

    def add(self, rule: Rule, place: _Place) -> None:
        if rule.kind in (Kind.URL_REGEX, Kind.HOST_REGEX, Kind.KEYWORD):
            key = (rule.kind, rule.pattern)
            self._first[key] = min(place, self._first.get(key, place))

    def wider(self, rule: Rule, place: _Place) -> Iterator[_Place]:
        found = self._first.get((rule.kind, rule.pattern))
        if found is not None and found < place:
            yield found


def _covered_networks(one: RuleList) -> dict[int, int]:
    places: dict[Network, _Place] = {}
    entries = [(each, _place(True, line)) for each, line in one.excepted]
    entries += [(each, _place(False, line)) for each, line in one.networks]
    for network, place in entries:
        places[network] = min(place, places.get(network, place))
    found: dict[int, int] = {}
    for network, place in entries:
        wider = [
            other
            for each in _above(network)
            if (other := places.get(each)) and other.rank <= place.rank and (each != network or other < place)
        ]
        if wider:
            found[place.line] = min(wider).line
    return found


def _above(network: Network) -> Iterable[Network]:
    """`network` and all that hold it."""
    for length in range(network.prefixlen, -1, -1):
        yield network.supernet(new_prefix=length)
