"""Rules that are expressions: which URLs they need to be tried on, and how several are tried as one.

The matcher and the compiler look first for a label that a host must have and for the scheme, so that nearly all
expressions are tried on nearly no URL.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from ssgui.rules.model import Kind, Rule
from ssgui.rules.rule_tests import text_regex

_OF_HOST: Final = (Kind.KEYWORD, Kind.HOST_REGEX)

_LABELS: Final = re.compile(r"(?:^\^|\\\.)((?:[a-z0-9_]|\\?-)+)(?=\\\.(?![?*{])|\$$)")
_CLASS: Final = re.compile(r"\[(?:\\.|[^\]\\])*\]")
_GROUP: Final = re.compile(r"\([^()]*\)")
_ESCAPED: Final = re.compile(r"\\.")
_FROM_A_LABEL: Final = r"(?:^|\.)"
# As the parser writes a rule with a host in it: scheme, perhaps any subdomain, the host, and where that surely ends.
_OF_URL: Final = re.compile(
    r"\^(?:(?:[a-z]|\[a-z\]\*)+|\[a-z\]\[a-z0-9\+\.-\]\*|\(\?:http\|ws\))://"
    r"(\(\?:\[\^/\?#\]\*\\\.\)\?)?"
    r"((?:[a-z0-9_-]|\\[.-]|\[\^/\]\*)+)"
    r"(?:\(\?::\\d\{1,5\}\)\?/|\(\?:\[:/\?\]\|\$\)|:\d+/|/)"
)
_SCHEME: Final = re.compile(r"\^([a-z]+)://")


def certain_label(pattern: str) -> str:
    """A whole label that every host has in which `pattern` is found; "" when none is certain. The longest is best."""
    plain = _CLASS.sub("\0", pattern.replace(_FROM_A_LABEL, r"\.", 1) if pattern.startswith(_FROM_A_LABEL) else pattern)
    if re.search(r"\(\?!|\)[*?{]", plain):
        return ""
    plain = _GROUP.sub("\0", plain)
    if "(" in plain or "|" in plain:
        return ""  # of alternatives none is certain
    return max((one.replace("\\", "") for one in _LABELS.findall(plain)), key=len, default="")


def label_of(rule: Rule) -> str:
    """A whole label that every host has that the expression of `rule` knows; "" when none is certain."""
    if rule.kind is Kind.HOST_REGEX:
        return certain_label(rule.pattern)
    if rule.kind is not Kind.URL_REGEX or not (found := _OF_URL.match(rule.pattern)) or has_choice(rule.pattern):
        return ""
    return certain_label(f"{_FROM_A_LABEL if found[1] else '^'}{found[2]}$")


def scheme_of(rule: Rule) -> str:
    """The one scheme of all URLs that the expression of `rule` knows; "" when there may be several."""
    if rule.kind is Kind.TEXT:
        return "http"
    if rule.kind is not Kind.URL_REGEX or not (found := _SCHEME.match(rule.pattern)) or has_choice(rule.pattern):
        return ""
    return found[1]


def is_anchored(pattern: str) -> bool:
    """Whether `pattern` is found at the beginning or nowhere."""
    return pattern.startswith("^") and not has_choice(pattern)


def has_choice(pattern: str) -> bool:
    """Whether `pattern` as a whole is one of alternatives, or may be."""
    plain = _CLASS.sub("", _ESCAPED.sub("", pattern))
    while (inner := _GROUP.sub("", plain)) != plain:
        plain = inner
    return "|" in plain or "(" in plain


class Group(NamedTuple):
    """What expressions have in common that are tried as one; `of_host` are searched in the host, others in the URL."""

    level: int
    of_host: bool
    scheme: str  # "" for any
    anchored: bool


def group_of(level: int, rule: Rule) -> Group:
    """Where `rule` belongs."""
    of_host, literal = is_of_host(rule), rule.kind in (Kind.KEYWORD, Kind.TEXT)
    return Group(level, of_host, scheme_of(rule), not literal and is_anchored(rule.pattern))


def is_of_host(rule: Rule) -> bool:
    """Whether `rule` is searched in the host."""
    return rule.kind in _OF_HOST


def expression_of(rule: Rule) -> str:
    """What is searched for."""
    if rule.kind is Kind.KEYWORD:
        return re.escape(rule.pattern)
    return text_regex(rule.pattern) if rule.kind is Kind.TEXT else rule.pattern


def merged(rules: Iterable[Rule]) -> str:
    """One expression that is found where that of any of `rules` is."""
    return "|".join(f"(?:{one})" for one in dict.fromkeys(map(expression_of, rules)))
