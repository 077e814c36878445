"""Matcher and PAC say the same, and what others got wrong is right here."""

import re
from pathlib import Path

import pytest

from ssgui.assets import asset
from ssgui.rules.acl import Route
from ssgui.rules.autoproxy import parse_autoproxy
from ssgui.rules.matcher import Matcher
from ssgui.rules.model import Policy, PolicyMode, RuleList
from ssgui.rules.pac_compiler import MAX_BYTES, PacTooBigError, compile_pac, content_hash
from ssgui.rules.plain_lists import parse_plain
from ssgui.rules.reader import read_user_rules
from tests.rules.pac_engine import as_browser, qt

DATA = Path(__file__).parents[3] / "shared" / "data"
PROXY = "PROXY 127.0.0.1:1080"


def template() -> str:
    return asset("pac/template.js").read_text(encoding="ascii")


def policy(*texts: str, user: str = "", mode: PolicyMode = PolicyMode.LIST, action: Route = Route.PROXY) -> Policy:
    lists = tuple(parse_autoproxy(text, f"list {number}", action) for number, text in enumerate(texts, 1))
    return Policy(mode, parse_autoproxy(user, "user"), lists)


def ours(one: Policy, urls: list[str]) -> list[str]:
    matcher = Matcher(one)
    return [PROXY if matcher.decide(url).route is Route.PROXY else "DIRECT" for url in urls]


def both(one: Policy, urls: list[str]) -> list[str]:
    """What the matcher says, after it was compared with the PAC."""
    found = ours(one, urls)
    assert found == qt(compile_pac(one, template()), [as_browser(url) for url in urls])
    return found


def went(one: Policy, url: str) -> str:
    return "proxy" if both(one, [url])[0] == PROXY else "direct"


def test_precedence() -> None:
    one = policy(
        "||a.com\n@@||x.a.com\n||b.com", "||y.x.a.com\n@@||b.com\n||c.com", user="||x.a.com\n@@||y.x.a.com\n@@||c.com"
    )
    urls = [
        "https://a.com/",
        "https://x.a.com/",
        "https://y.x.a.com/",
        "https://b.com/",
        "https://c.com/",
        "https://d.com/",
    ]
    assert both(one, urls) == [PROXY, PROXY, "DIRECT", "DIRECT", "DIRECT", "DIRECT"]
    bypass = Policy(
        PolicyMode.BYPASS, one.user, tuple(RuleList(each.name, each.rules, action=Route.DIRECT) for each in one.lists)
    )
    assert both(bypass, urls) == ["DIRECT", PROXY, "DIRECT", PROXY, "DIRECT", PROXY]
    assert both(Policy(PolicyMode.GLOBAL, one.user, one.lists), urls) == [PROXY] * 6


def test_what_never_leaves() -> None:
    hosts = ["localhost", "printer", "a.local", "router.home.arpa", "x.internal", "10.1.2.3", "127.0.0.1", "172.16.0.1",
             "172.31.255.255", "192.168.1.1", "169.254.1.1", "100.64.0.1", "224.0.0.1", "0.0.0.0", "255.255.255.255",
             "[::1]", "[fe80::1]", "[fd00::1]", "[ff02::1]", "[::ffff:10.0.0.1]", "[::ffff:a00:1]", "[::]"]  # fmt: skip
    away = ["172.32.0.1", "172.15.0.1", "100.128.0.1", "11.0.0.1", "8.8.8.8", "[2001:db8::1]", "[::ffff:8.8.8.8]",
            "example.com", "10.example.com", "localx.com", "01.2.3.4.example"]  # fmt: skip
    one = Policy(PolicyMode.GLOBAL)
    urls = [f"{scheme}://{host}/" for host in hosts + away for scheme in ("http", "https")]
    assert both(one, urls) == ["DIRECT"] * (2 * len(hosts)) + [PROXY] * (2 * len(away))


def test_networks_are_for_addresses_and_not_in_the_pac() -> None:
    direct = parse_plain("198.51.100.0/24\n2001:db8::/32\n", "routes", Route.DIRECT)
    one = Policy(PolicyMode.BYPASS, lists=(direct,))
    matcher = Matcher(one)
    assert b"198.51" not in compile_pac(one, template())
    found = matcher.decide_target("198.51.100.7", 443)
    assert (found.route, found.list, found.line, found.text) == (Route.DIRECT, "routes", 1, "198.51.100.0/24")
    assert matcher.decide_target("2001:db8::1", 80).line == 2
    assert matcher.decide_target("::ffff:198.51.100.7", 80).line == 1
    assert matcher.decide_target("198.51.101.1", 443).route is Route.PROXY
    assert matcher.decide_target("example.com", 443).route is Route.PROXY
    told = matcher.explain("https://198.51.100.7/")
    assert (told.pac.route, told.rules.route, told.differ) == (Route.PROXY, Route.DIRECT, True)


def test_targets_of_programs_that_know_no_urls() -> None:
    matcher = Matcher(policy("|https://a.com\n|http://b.com\nc.com/x"))
    assert matcher.decide_target("a.com", 443).route is Route.PROXY
    assert matcher.decide_target("a.com", 80).route is Route.DIRECT
    assert matcher.decide_target("b.com", 8080).route is Route.PROXY
    assert matcher.decide_target("c.com", 80, "http://c.com/x").route is Route.PROXY
    assert matcher.decide_target("c.com", 80, "http://c.com/y").route is Route.DIRECT


def test_explained() -> None:
    matcher = Matcher(policy("||google.com\n.google.\n@@||mail.google.com", "||mail.google.com", user="||gooogle.com"))
    told = matcher.explain("http://mail.google.com/inbox")
    assert (told.pac.route, told.pac.list, told.pac.line, told.pac.text) == (
        Route.DIRECT,
        "list 1",
        3,
        "@@||mail.google.com",
    )
    assert [(each.list, each.line) for each in told.also] == [("list 1", 1), ("list 1", 2), ("list 2", 1)]
    assert matcher.explain("http://10.0.0.1/").pac.list == "local"
    assert matcher.explain("http://example.org/").pac.list == "default"
    with pytest.raises(ValueError, match="not a URL"):
        matcher.explain("example.org")


@pytest.mark.parametrize(
    ("rule", "url", "ways"),
    [
        ("|https://a.com", "https://a.com:8443/", "proxy direct direct"),  # a program says port 8443, which is no https
        ("|https://a.com", "https://a.com/x", "proxy proxy proxy"),
        ("|https://a.com", "wss://a.com/", "direct proxy proxy"),
        ("|http://a.com", "ftp://a.com/", "direct proxy proxy"),
        ("|ws://a.com/x", "ws://a.com/x", "proxy direct direct"),
        ("a.com/x", "http://a.com/x", "proxy proxy direct"),
        ("|http://a.com:8080/", "http://a.com:8080/x", "proxy proxy direct"),
        ("||a.com", "https://a.com:99999999/", "proxy proxy proxy"),
        ("203.0.113.0/24", "http://203.0.113.9/", "direct proxy proxy"),
    ],
)
def test_who_asks_may_make_a_difference(rule: str, url: str, ways: str) -> None:
    told = Matcher(Policy(user=read_user_rules(rule))).explain(url)
    assert [told.pac.route, told.rules.route, told.by_name.route] == ways.split()
    assert told.differ is (len(set(ways.split())) > 1)


def test_fail_open_and_errors() -> None:
    closed, opened = policy("||a.com"), Policy(proxy=PROXY, fail_open=True, mode=PolicyMode.GLOBAL)
    assert qt(compile_pac(opened, template()), [("https://a.com/", "a.com")]) == [PROXY + "; DIRECT"]
    broken = compile_pac(closed, template()).replace(
        b"function lowest(url, host) {", b"function lowest(url, host) { throw 1;"
    )
    assert qt(broken, [("https://b.com/", "b.com")]) == [PROXY]


def test_a_pac_that_browsers_would_refuse_is_not_made() -> None:
    small = parse_autoproxy("||a.com", "small")
    big = parse_autoproxy("\n".join(f"||a-rather-long-name-{n}.example.com" for n in range(30_000)), "big")
    with pytest.raises(PacTooBigError, match=f"more than {MAX_BYTES:,}: the list 'big' is too big"):
        compile_pac(Policy(lists=(small, big)), template())


def test_it_is_es5_and_ascii_and_asks_no_name_server() -> None:
    pac = compile_pac(policy("||bücher.example\n/a\\/b</"), template()).decode("ascii")
    code = re.sub(r'"(?:\\.|[^"\\])*"|//.*', '""', pac)
    for word in ("=>", "let ", "const ", "`", "class ", "Map(", "endsWith", "startsWith", "includes(", "dnsResolve",
                 "isInNet", "isResolvable", "myIpAddress", "SOCKS "):  # fmt: skip
        assert word not in code, word
    assert "</" not in pac
    assert content_hash(pac.encode()) != content_hash(pac.encode() + b" ")
