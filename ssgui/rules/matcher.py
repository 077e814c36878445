"""Decides by rules where a URL or a target goes. It says what the compiled PAC says, and why.

Names are looked up in one table, suffix by suffix; beginnings of URLs by their host; regular expressions by a label
that the host must have, where one is certain; texts, where there are many, by a few of their letters; the rest is a
merged expression for each level, scheme and place.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from ssgui.rules.acl import Route
from ssgui.rules.address_forms import (
    Form,
    form_in_rules_mode,
    form_of,
    form_of_target,
    literal,
    normal_host,
    stays_here,
)
from ssgui.rules.expressions import Group, group_of, is_of_host, label_of, merged, scheme_of
from ssgui.rules.levels import Level, all_rules, default_of, levels_of
from ssgui.rules.model import Found, Kind, Policy, Rule
from ssgui.rules.rule_set import Networks
from ssgui.rules.rule_tests import begins_with, compiled, matches
from ssgui.rules.text_index import is_indexed, letters_of, text_index

_CACHED: Final = 8192
_MOST_SHOWN: Final = 100
LOCAL: Final = "local"  # what `Found.list` says of hosts that never leave
DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a URL goes and why. `pac` is what a browser is told, `rules` what a program gets in Rules mode that asks

    an HTTP proxy for it, `by_name` one that names host and port only. They differ where a network is listed (no PAC
    asks about addresses), where only a path or a port decides, and where https is not on port 443. `also` are the
    other rules that know it, those that come first first, `more` how many of them were left out.
    """

    url: str
    pac: Found
    rules: Found
    by_name: Found
    also: tuple[Found, ...] = ()
    more: int = 0

    @property
    def differ(self) -> bool:
        """Whether it depends on who asks."""
        return not self.pac.route is self.rules.route is self.by_name.route


_Find = Callable[[str], object]


class _Expression(NamedTuple):
    """One rule that a label leads to."""

    level: int
    rule: Rule
    of_host: bool
    scheme: str
    find: _Find


class _Residual(NamedTuple):
    """Several in one. `scheme` is "" for any."""

    level: int
    of_host: bool
    scheme: str
    find: _Find
    rules: tuple[Rule, ...]


class Matcher:
    """One policy, ready to be asked. Made in a thread: thirty thousand rules take about 50 ms."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.levels = levels_of(policy)
        self._default = Found(default_of(policy), None, DEFAULT)
        self._local = Found(Route.DIRECT, None, LOCAL)
        self._suffixes: dict[str, tuple[int, Rule]] = {}
        self._hosts: dict[str, tuple[int, Rule]] = {}
        self._prefixes: dict[str, list[tuple[int, Rule]]] = {}
        self._by_label: dict[str, list[_Expression]] = {}
        self._texts = text_index(self.levels)
        rest: dict[Group, list[Rule]] = {}
        for number, rule in all_rules(self.levels):
            self._place(number, rule, rest)
        self._residual = [_residual(group, rules) for group, rules in sorted(rest.items())]
        self._networks = [(number, networks) for number, networks in _networks(self.levels) if networks]
        self._decide_target = lru_cache(maxsize=_CACHED)(self._find_target)

    def _place(self, number: int, rule: Rule, rest: dict[Group, list[Rule]]) -> None:
        kind = rule.kind
        if kind is Kind.SUFFIX:
            self._suffixes.setdefault(rule.pattern, (number, rule))
        elif kind is Kind.HOST:
            self._hosts.setdefault(rule.pattern, (number, rule))
        elif kind is Kind.PREFIX:
            self._prefixes.setdefault(key_of_prefix(rule.pattern), []).append((number, rule))
        elif label := label_of(rule):
            one = _Expression(number, rule, is_of_host(rule), scheme_of(rule), compiled(rule.pattern).search)
            self._by_label.setdefault(label, []).append(one)
        elif not (self._texts and is_indexed(rule)):
            rest.setdefault(group_of(number, rule), []).append(rule)

    # ---- asking

    def decide(self, url: str) -> Found:
        """Where a browser that has the PAC sends `url`. ValueError when it is no URL."""
        return self._find(form_of(url))

    def decide_target(self, host: str, port: int, url: str = "") -> Found:
        """Where a program's connection goes: by `url` if it is known, by networks too if `host` is an address."""
        if not url:
            return self._decide_target(host, port)
        try:
            form = form_of(url)
        except ValueError:
            return self._decide_target(host, port)  # a host that is no name: some program's mistake
        return self._find(form, addresses=True)

    @property
    def has_networks(self) -> bool:
        """Whether addresses are judged at all."""
        return bool(self._networks)

    def decide_address(self, address: str) -> Found | None:
        """What a network says of a name that no rule knows and that has this address."""
        return self._by_network(normal_host(address), len(self.levels))

    def _find_target(self, host: str, port: int) -> Found:
        return self._find(form_of_target(host, port), addresses=True)

    def explain(self, url: str) -> Explanation:
        """Everything that is to be said about `url`. ValueError when it is no URL."""
        form = form_of(url)
        pac, rules = self._find(form), self._find(form_in_rules_mode(url), addresses=True)
        by_name = self._find(form_in_rules_mode(url, by_name=True), addresses=True)
        if stays_here(form.host):
            return Explanation(form.url, pac, rules, by_name)
        also = [
            self._found(number, rule)
            for number, rule in all_rules(self.levels)
            if matches(rule, form) and rule is not pac.rule
        ]
        return Explanation(form.url, pac, rules, by_name, tuple(also[:_MOST_SHOWN]), max(0, len(also) - _MOST_SHOWN))

    def _found(self, number: int, rule: Rule) -> Found:
        level = self.levels[number]
        return Found(level.route, rule, level.list, rule.line, rule.text)

    # ---- finding

    def _find(self, form: Form, *, addresses: bool = False) -> Found:
        if stays_here(form.host):
            return self._local
        best, rule = self._by_tables(form)
        for one in self._residual:
            if one.level >= best:
                break
            if one.scheme and form.scheme != one.scheme:
                continue
            if one.find(form.host if one.of_host else form.url):
                best, rule = one.level, next(each for each in one.rules if matches(each, form))
                break
        if addresses and (found := self._by_network(form.host, best)):
            return found
        return self._default if rule is None else self._found(best, rule)

    def _by_tables(self, form: Form) -> tuple[int, Rule | None]:
        """The lowest level that a table knows, and its rule."""
        best, rule = len(self.levels), None
        host = form.host
        hit = self._hosts.get(host)
        if hit is not None:
            best, rule = hit
        suffixes, labels, rest = self._suffixes, self._by_label, host
        while True:
            hit = suffixes.get(rest)
            if hit is not None and hit[0] < best:
                best, rule = hit
            label, dot, rest = rest.partition(".")
            if label in labels:
                best, rule = _first_of(labels[label], form, best, rule)
            if not dot:
                break
        if self._prefixes:
            for number, one in self._prefixes.get(_key_of(form), ()):
                if number < best and begins_with(form.url, one.pattern):
                    best, rule = number, one
        if self._texts and form.scheme == "http":
            best, rule = self._by_texts(form, best, rule)
        return best, rule

    def _by_texts(self, form: Form, best: int, rule: Rule | None) -> tuple[int, Rule | None]:
        near = (self._texts[letters] for letters in self._texts.keys() & letters_of(form.url))
        found = [one for several in near for one in several if one[0] < best and matches(one[1], form)]
        return min(found, key=lambda one: (one[0], one[1].line)) if found else (best, rule)

    def _by_network(self, host: str, best: int) -> Found | None:
        address = literal(host)
        if address is None:
            return None
        mapped = getattr(address, "ipv4_mapped", None)
        address = mapped or address
        for number, by_version in self._networks:
            if number < best and (line := by_version[address.version].find(int(address))):
                level = self.levels[number]
                text = next((str(network) for network, at in level.networks if at == line), "")
                return Found(level.route, None, level.list, line, text)
        return None


def _first_of(found: Iterable[_Expression], form: Form, best: int, rule: Rule | None) -> tuple[int, Rule | None]:
    for one in found:
        if one.level < best and one.scheme in ("", form.scheme) and one.find(form.host if one.of_host else form.url):
            best, rule = one.level, one.rule
    return best, rule


def _residual(group: Group, rules: list[Rule]) -> _Residual:
    whole = re.compile(merged(rules), re.IGNORECASE | re.ASCII)
    find = whole.match if group.anchored else whole.search
    return _Residual(group.level, group.of_host, group.scheme, find, tuple(rules))


def _networks(levels: tuple[Level, ...]) -> Iterable[tuple[int, dict[int, Networks]]]:
    for number, level in enumerate(levels):
        if level.networks:
            found = {4: Networks(), 6: Networks()}
            for network, line in level.networks:
                found[network.version].add(network, line)
            for one in found.values():
                one.freeze()
            yield number, found


def _key_of(form: Form) -> str:
    return f"{form.scheme}://{form.host}"


def key_of_prefix(pattern: str) -> str:
    """Scheme and host of a PREFIX pattern, as `_key_of` has them."""
    scheme, _, rest = pattern.partition("://")
    if rest.startswith("["):
        return f"{scheme}://{rest[1:].partition(']')[0]}"
    return f"{scheme}://{re.split('[:/?]', rest, maxsplit=1)[0]}"
