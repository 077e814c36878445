"""What is said of an expression before it is tried is true of every URL that it is found in."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssgui.rules.address_forms import Form, form_of, stays_here
from ssgui.rules.autoproxy import parse_autoproxy, parse_rule
from ssgui.rules.expressions import certain_label, group_of, has_choice, is_anchored, label_of, merged, scheme_of
from ssgui.rules.lan import is_lan
from ssgui.rules.model import Kind, Rule
from ssgui.rules.rule_tests import matches
from ssgui.rules.url_regex import RegexError, portable
from tests.rules.strategies import HOST, PATTERN, RULE, URL

HOSTS = ("a.b", "ab.com", "aa.b-a.com", "b.a.b.com", "a-b.com", "2a.com", "com.ab")
FLAGS = re.IGNORECASE | re.ASCII
EXPRESSIONS = (Kind.HOST_REGEX, Kind.URL_REGEX, Kind.TEXT, Kind.KEYWORD)


@pytest.mark.parametrize(
    ("pattern", "label"),
    [
        (r"(?:^|\.)google\.com$", "google"),
        (r"\.akamaized\.net$", "akamaized"),
        (r"^[a-z]+\.example\.org$", "example"),
        (r"\.(?:a|b)\.example\.org$", "example"),
        (r"^foo|bar\.example\.org$", ""),
        (r"\.goo?gle\.com$", "com"),
        (r"(?:\.example\.com)?$", ""),
        (r"\.exam\.?ple\.org$", "org"),
        (r"[\.example\.]", ""),
        ("abc", ""),
    ],
)
def test_which_label_a_pattern_is_sure_of(pattern: str, label: str) -> None:
    assert certain_label(pattern) == label


@pytest.mark.parametrize(
    ("line", "label", "scheme"),
    [
        ("|http://*.pimg.tw/", "pimg", "http"),
        ("|https://fbcdn*.akamaihd.net/", "akamaihd", "https"),
        ("|http://*2.bahamut.com.tw", "bahamut", "http"),
        ("||addons.mozilla.org/*-*/firefox/*", "mozilla", ""),
        ("||cdn*.i-scmp.com", "i-scmp", ""),
        ("||example.com:8080", "example", ""),
        ("|http*://a*.example.com/", "example", ""),
        ("|http://a*.example.com:81/x", "example", "http"),
        ("|http://a*b", "", "http"),
        ("|ws://*.example.com^x", "", "ws"),
        ("/^https?:\\/\\/[^\\/]+blogspot\\.(.*)/", "", ""),
        ("/^http://a.example.com/|b/", "", ""),
        ("/^http://(a|b).example.com\\//", "", "http"),
        ("/example/", "", ""),
        ("a*.example.com/x", "", "http"),
        ("/(^http://a.example.com/)/", "", ""),
    ],
)
def test_where_a_rule_need_not_be_tried(line: str, label: str, scheme: str) -> None:
    rule = parse_rule(line)
    assert (label_of(rule), scheme_of(rule)) == (label, scheme)


@given(PATTERN)
def test_a_label_that_is_certain_is_in_every_host(pattern: str) -> None:
    try:
        found = portable(pattern, 255)
    except RegexError:
        return
    label = certain_label(found)
    for host in HOSTS:
        assert not label or label in host.split(".") or not re.search(found, host, FLAGS)


@given(PATTERN, st.sampled_from(["^", "^http://", r"^http:\/\/", "^https?://", ""]))
def test_an_anchored_one_is_found_at_the_beginning_or_nowhere(pattern: str, beginning: str) -> None:
    try:
        found = portable(beginning + pattern)
    except RegexError:
        return
    rule = Rule(Kind.URL_REGEX, found)
    for host in HOSTS:
        for url in (f"http://{host}/a", f"https://{host}/"):
            if re.search(found, url, FLAGS):
                assert not is_anchored(found) or re.match(found, url, FLAGS)
                assert scheme_of(rule) in ("", url.partition(":")[0])


@settings(max_examples=150)
@given(st.lists(RULE, min_size=1, max_size=6), st.lists(URL, min_size=5, max_size=20))
def test_whatever_a_rule_knows_has_its_label_and_its_scheme(lines: list[str], urls: list[str]) -> None:
    rules = [rule for rule in parse_autoproxy("\n".join(lines)).rules if rule.kind in EXPRESSIONS]
    forms = [form_of(url) for url in urls]
    for rule in rules:
        label, scheme = label_of(rule), scheme_of(rule)
        for form in forms:
            if matches(rule, form):
                assert scheme in ("", form.scheme)
                assert not label or label in form.host.split(".")
    for form in forms:  # several in one find what each finds
        for group in {group_of(0, rule) for rule in rules}:
            members = [rule for rule in rules if group_of(0, rule) == group]
            assert _finds(members, form) == any(matches(rule, form) for rule in members)


def _finds(rules: list[Rule], form: Form) -> bool:
    group = group_of(0, rules[0])
    if group.scheme not in ("", form.scheme):
        return False
    found = re.compile(merged(rules), FLAGS)
    return bool((found.match if group.anchored else found.search)(form.host if group.of_host else form.url))


@pytest.mark.parametrize("pattern", [r"a\|b", "[|]", r"[\]|]", "(?:a|(?:b|c))d", r"\(", r"a\\"])
def test_no_choice(pattern: str) -> None:
    assert not has_choice(pattern)


@pytest.mark.parametrize("pattern", ["a|b", r"a\[|b", "(?:a|b)|c", r"\\|a"])
def test_a_choice(pattern: str) -> None:
    assert has_choice(pattern)


@given(st.one_of(HOST, st.text("abc.-0159:lt", max_size=12), st.sampled_from(["x.home.arpa", "a.internal", "b.local"])))
def test_the_short_way_to_what_is_local_says_the_same(host: str) -> None:
    name = host.strip("[]").lower()
    assert stays_here(name) == is_lan(name)
