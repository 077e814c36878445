"""Compiles a policy to a PAC file: ES5 and ASCII, so that every engine and every charset reads it alike.

It says what the matcher says, from the same levels; `pac/template.js` is the part that does not change.
"""

import hashlib
import json
import re
from typing import Any, Final

from ssgui.rules.acl import Route
from ssgui.rules.expressions import Group, expression_of, group_of, is_of_host, label_of, merged, scheme_of
from ssgui.rules.levels import Level, all_rules, default_of, levels_of
from ssgui.rules.matcher import key_of_prefix
from ssgui.rules.model import Kind, Policy, Rule
from ssgui.rules.text_index import is_indexed, text_index

MAX_BYTES: Final = 1_000_000  # Chromium refuses 1 MiB, and then sends everything directly
_PLACE: Final = re.compile(r"@([A-Z]+)@")
_TABLES: Final = (Kind.SUFFIX, Kind.HOST, Kind.PREFIX)  # kinds that are no expressions
_LETTERS: Final = {Route.PROXY: "p", Route.DIRECT: "d"}


class PacTooBigError(ValueError):
    """The PAC would be refused by browsers. `list` is the biggest part of it, `size` the whole in bytes."""

    def __init__(self, name: str, size: int) -> None:
        super().__init__(f"the PAC would have {size:,} bytes, more than {MAX_BYTES:,}: the list {name!r} is too big")
        self.list, self.size = name, size


def compile_pac(policy: Policy, template: str) -> bytes:
    """The PAC of `policy`. PacTooBigError."""
    levels = levels_of(policy)
    values = {
        "PROXY": _js(policy.proxy + ("; DIRECT" if policy.fail_open else "")),
        "ROUTES": _js("".join(_LETTERS[level.route] for level in levels)),
        "DEFAULT": _js(_LETTERS[default_of(policy)]),
        "SUFFIXES": _names(levels, Kind.SUFFIX),
        "HOSTS": _names(levels, Kind.HOST),
        "PREFIXES": _js(_prefixes(levels)),
        **_expressions(levels),
    }
    made = _PLACE.sub(lambda found: values[found[1]], template).encode("ascii")
    if len(made) > MAX_BYTES:
        raise PacTooBigError(_biggest(levels), len(made))
    return made


def content_hash(pac: bytes) -> str:
    """What stands in the URL, so that browsers fetch a PAC that has changed."""
    return hashlib.sha256(pac).hexdigest()[:16]


def _js(value: Any) -> str:
    """A literal that is nothing else in a script, wherever the script stands."""
    return json.dumps(value, separators=(",", ":")).replace("</", "<\\/")


def _names(levels: tuple[Level, ...], kind: Kind) -> str:
    """[[level, "a.com,b.com"], ...]: one string is read ten times faster than an object."""
    found = []
    for number, level in enumerate(levels):
        names = [rule.pattern for rule in level.rules if rule.kind is kind]
        if names:
            found.append([number, ",".join(dict.fromkeys(names))])
    return _js(found)


def _prefixes(levels: tuple[Level, ...]) -> dict[str, list[list[Any]]]:
    """ "scheme://host" to [[level, prefix, whether it goes on behind the host], ...]."""
    found: dict[str, list[list[Any]]] = {}
    for number, level in enumerate(levels):
        for rule in level.rules:
            if rule.kind is Kind.PREFIX:
                behind = "/" in rule.pattern[rule.pattern.index("://") + 3 :]
                found.setdefault(key_of_prefix(rule.pattern), []).append([number, rule.pattern, int(behind)])
    return found


def _expressions(levels: tuple[Level, ...]) -> dict[str, str]:
    """LABELS, label to [[level, "h" host or "u" URL, expression, scheme or ""], ...], and PATTERNS, a list of such.

    TEXTS, letters to [[level, text, or for one with "*" the expression, whether it is one], ...].
    """
    labels: dict[str, list[list[Any]]] = {}
    rest: dict[Group, list[Rule]] = {}
    texts = text_index(levels)
    for number, rule in all_rules(levels):
        if rule.kind in _TABLES or (texts and is_indexed(rule)):
            continue
        if label := label_of(rule):
            one = [number, _place(is_of_host(rule)), expression_of(rule), scheme_of(rule)]
            labels.setdefault(label, []).append(one)
        else:
            rest.setdefault(group_of(number, rule), []).append(rule)
    patterns = [
        [group.level, _place(group.of_host), merged(rules), group.scheme] for group, rules in sorted(rest.items())
    ]
    by_letters = {letters: [_text(number, rule) for number, rule in found] for letters, found in texts.items()}
    return {"LABELS": _js(labels), "PATTERNS": _js(patterns), "TEXTS": _js(by_letters or None)}


def _text(level: int, rule: Rule) -> list[Any]:
    return [level, expression_of(rule), 1] if "*" in rule.pattern else [level, rule.pattern]


def _place(of_host: bool) -> str:
    return "h" if of_host else "u"


def _biggest(levels: tuple[Level, ...]) -> str:
    sizes: dict[str, int] = {}
    for level in levels:
        sizes[level.list] = sizes.get(level.list, 0) + sum(len(rule.pattern) + 1 for rule in level.rules)
    return max(sizes, key=lambda name: sizes[name], default="")
