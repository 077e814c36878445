"""The matcher and the compiled PAC say the same, of real lists and made ones, in every JavaScript engine there is."""

import json
import random
import re
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssgui.assets import asset
from ssgui.rules.acl import Route
from ssgui.rules.autoproxy import parse_autoproxy
from ssgui.rules.geosite import parse_geosite
from ssgui.rules.matcher import Matcher
from ssgui.rules.model import Kind, Policy, PolicyMode, Rule, RuleList
from ssgui.rules.pac_compiler import compile_pac
from ssgui.rules.reader import read_user_rules
from tests.bench.bench_pac import geosite
from tests.rules.pac_engine import as_browser, has_node, node, qt
from tests.rules.strategies import GEO, RULE, URL

DATA = Path(__file__).parents[3] / "shared" / "data"
PROXY = "PROXY 127.0.0.1:1080"
MANY = 100_000
USER = """||mine.example
@@||google.com
|http://www.youtube.com/watch
||cdn*.example.net
@@/^https?:\\/\\/(www\\.)?wikipedia\\.org\\//
203.0.113.0/24
.blogspot.
"""
Engine = Callable[[bytes, list[tuple[str, str]]], list[str]]
ENGINES: dict[str, Engine] = {"qt": qt, "node": node, "node-jitless": lambda pac, pairs: node(pac, pairs, "--jitless")}


@cache
def real(name: str) -> RuleList:
    """A real list."""
    if not (DATA / name).exists():
        pytest.skip("the real lists are not here")
    return parse_autoproxy((DATA / name).read_text(), name)


@cache
def made(action: Route) -> RuleList:
    """A list like one of geosite's."""
    return parse_geosite(geosite(8_000) + "\nkeyword:oogl\nregexp:^ads\\d*\\.\nregexp:\\.(cn|tw)$", "geosite", action)


POLICIES: dict[str, Callable[[], Policy]] = {
    "gfwlist-2026": lambda: Policy(lists=(real("gfwlist-2026-08.txt"),)),
    "gfwlist-2019": lambda: Policy(lists=(real("gfwlist-2019-decoded.txt"),)),
    "geosite": lambda: Policy(lists=(made(Route.PROXY),)),
    "bypass": lambda: Policy(PolicyMode.BYPASS, read_user_rules(USER), (made(Route.DIRECT),)),
    "all": lambda: Policy(
        PolicyMode.BYPASS, read_user_rules(USER), (real("gfwlist-2026-08.txt"), made(Route.DIRECT))
    ),
}  # fmt: skip


# ---- URLs


def urls_about(policy: Policy, count: int) -> list[str]:
    """Real URLs and such as the rules speak of, all of them bent: other schemes, ports, subdomains, endings."""
    dice = random.Random(7)
    there = [url for url, _ in json.loads((DATA / "pac-bench-urls.json").read_text())] if DATA.exists() else []
    rules = [rule for one in (policy.user, *policy.lists) for rule in one.rules]
    from_rules = partial(_of_rule, dice, rules)
    return [_bent(dice, dice.choice(there) if there and dice.random() < 0.5 else from_rules()) for _ in range(count)]


def _of_rule(dice: random.Random, rules: list[Rule]) -> str:
    """A URL that one of the rules may know, or nearly."""
    rule = dice.choice(rules)
    if rule.kind is Kind.PREFIX:
        whole = re.search(r"//.*[/:]", rule.pattern) is not None  # its host is: there is a port, or a path
        return rule.pattern + dice.choice(["", "/", "/x"] if whole else ["", "/", "x", "/x", ".cn/", ":81/"])
    text = re.sub(r"\\[dw][+*]?|\[[^\]]*\][+*]?", dice.choice(["1", "a", ""]), rule.pattern)
    while "(" in text:
        text = re.sub(r"\((?:\?[:=!])?([^()]*)\)", lambda found: dice.choice(found[1].split("|")), text)
    text = re.sub(r"[\^$\\+*?]", "", dice.choice(text.split("|"))).replace("//", "/")
    host, slash, path = text.removeprefix("https:/").removeprefix("http:/").strip("/.:").partition("/")
    host = re.sub(r"[^a-z0-9.-]", "", host)[:200].strip(".") or "x.example"
    return f"https://{host}/{re.sub('[^!-~]|#', '', path) if slash else ''}"


def _bent(dice: random.Random, url: str) -> str:
    if dice.random() < 0.4:
        url = url.replace("https://", dice.choice(["http://", "http://", "ws://", "wss://", "ftp://"]), 1)
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    if not host.startswith("["):
        host, colon, port = host.partition(":")
        above = host.partition(".")[2] or host
        bends = (f"www.{host}", f"a.b.{host}", f"x{host}", f"{host}.", f"{host}.cn", host.upper(), above)
        host = dice.choice(bends) if dice.random() < 0.5 else host
        host += dice.choice([":80", ":8080", ":443"]) if dice.random() < 0.1 else colon + port
    ending = dice.choice(["", "", "", "?u=http://google.com/x", "a/b.html", "#x", "A%20B"])
    ending = "?" + "q" * 3000 if dice.random() < 0.005 else ending  # more than is looked at
    return f"{scheme}://{host}{slash or '/'}{path}{ending}"


# ---- comparing


def ours(policy: Policy, urls: list[str]) -> list[str]:
    matcher = Matcher(policy)
    return [PROXY if matcher.decide(url).route is Route.PROXY else "DIRECT" for url in urls]


def compare(policy: Policy, urls: list[str], engine: str) -> list[str]:
    """What both say; AssertionError with the first URLs on which they differ."""
    if engine != "qt" and not has_node():
        pytest.skip("node: not on PATH")
    pac = compile_pac(policy, asset("pac/template.js").read_text("ascii"))
    found, theirs = ours(policy, urls), ENGINES[engine](pac, [as_browser(url) for url in urls])
    different = [each for each in zip(urls, found, theirs, strict=True) if each[1] != each[2]]
    assert not different, (len(different), different[:5])
    return found


@pytest.mark.parametrize(("name", "engine"), [("gfwlist-2026", "node"), ("gfwlist-2019", "qt"), ("all", "qt")])
def test_thousands_of_urls(name: str, engine: str) -> None:
    policy = POLICIES[name]()
    found = compare(policy, urls_about(policy, 3000), engine)
    assert 0.05 < found.count(PROXY) / len(found) < 0.95


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("engine", list(ENGINES))
@pytest.mark.parametrize("name", list(POLICIES))
def test_a_hundred_thousand_urls(name: str, engine: str) -> None:
    policy = POLICIES[name]()
    found = compare(policy, urls_about(policy, MANY), engine)
    assert 0.05 < found.count(PROXY) / MANY < 0.95


def _policy(
    lists: list[list[str]], user: list[str], geo: list[str], mode: PolicyMode, action: Route
) -> Policy:  # fmt: skip
    parsed = [parse_autoproxy("\n".join(one), f"list {number}", action) for number, one in enumerate(lists, 1)]
    entries = parse_geosite("\n".join(geo), "geo", action)
    return Policy(mode, parse_autoproxy("\n".join(user), "user"), (*parsed, entries))


MADE = given(
    st.builds(
        _policy, st.lists(st.lists(RULE, max_size=5), max_size=3), st.lists(RULE, max_size=3), GEO,
        st.sampled_from(list(PolicyMode)), st.sampled_from([Route.PROXY, Route.DIRECT]),
    ),
    st.lists(URL, min_size=10, max_size=40),
    st.sampled_from([0, 20]),  # so many texts are not put into an index
)  # fmt: skip


def _agree(policy: Policy, urls: list[str], few: int, engine: str) -> None:
    with patch("ssgui.rules.text_index._FEW", few):
        compare(policy, urls, engine)
        matcher = Matcher(policy)
    for url in urls:
        assert matcher.explain(url).pac == matcher.decide(url)


@settings(max_examples=100)
@MADE
def test_made_rules(policy: Policy, urls: list[str], few: int) -> None:
    _agree(policy, urls, few, "qt")


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("engine", "examples"), [("qt", 5000), ("node", 500)])
def test_very_many_made_rules(engine: str, examples: int) -> None:
    @settings(max_examples=examples)
    @MADE
    def agree(policy: Policy, urls: list[str], few: int) -> None:
        _agree(policy, urls, few, engine)

    agree()
