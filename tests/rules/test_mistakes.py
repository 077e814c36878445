"""What other programs got wrong with rules and PACs, one after the other; each is right in the matcher and in the PAC.

The thirteenth, that "off" wipes the proxy which a person had, is `tests/system/test_proxy_journal.py`, and for every
desktop "what was is put back exactly" in `test_proxy_gnome.py`, `test_proxy_kde.py`, `test_proxy_windows.py` and
`test_proxy_macos.py` beside it.
"""

import re

import pytest

from ssgui.assets import asset
from ssgui.rules.acl import Route
from ssgui.rules.autoproxy import parse_autoproxy
from ssgui.rules.geosite import parse_geosite
from ssgui.rules.matcher import Matcher
from ssgui.rules.model import Policy, PolicyMode, RuleList
from ssgui.rules.pac_compiler import compile_pac, content_hash
from ssgui.rules.plain_lists import parse_plain
from tests.rules.pac_engine import as_browser, evaluated, qt

PROXY = "PROXY 127.0.0.1:1080"


def template() -> str:
    return asset("pac/template.js").read_text(encoding="ascii")


def pac_of(*lists: RuleList, **values: object) -> bytes:
    return compile_pac(Policy(lists=lists, **values), template())  # type: ignore[arg-type]


def ways(one: RuleList, *urls: str, mode: PolicyMode = PolicyMode.LIST) -> str:
    """A letter for each URL, p or d, on which the matcher and the PAC agree."""
    policy = Policy(mode, lists=(one,))
    matcher = Matcher(policy)
    ours = "".join("p" if matcher.decide(url).route is Route.PROXY else "d" for url in urls)
    theirs = qt(compile_pac(policy, template()), [as_browser(url) for url in urls])
    assert ours == "".join("p" if each.startswith("PROXY") else "d" for each in theirs)
    return ours


def auto(*lines: str) -> RuleList:
    return parse_autoproxy("\n".join(lines))


def test_01_a_full_name_has_an_end() -> None:
    full = parse_geosite("full:openai.qualtrics.com")
    urls = ("openai.qualtrics.com", "openai.qualtrics.com.cn", "openai.qualtrics.comx.cn", "a.openai.qualtrics.com")
    assert ways(full, *(f"https://{host}/" for host in urls)) == "pddd"
    assert ways(full, *(f"http://{host}:8080/x" for host in urls)) == "pddd"


def test_02_an_expression_of_a_domain_list_is_for_the_host() -> None:
    ends, begins = parse_geosite(r"regexp:\.ads\d+\.example$"), parse_geosite(r"regexp:^ads\d+\.example$")
    assert ways(ends, "https://a.ads1.example/", "http://a.ads1.example/x?y", "https://a.ads1.example.org/") == "ppd"
    assert ways(begins, "https://ads12.example/", "http://x.ads12.example/", "http://x.org/ads12.example") == "pdd"


def test_03_a_beginning_that_is_a_host_ends_there() -> None:
    urls = ("https://riseup.net/", "https://riseup.net.evil.cn/", "https://riseup.network/", "http://riseup.net/")
    assert ways(auto("|https://riseup.net"), *urls) == "pddd"
    urls = ("http://a.com:81/", "http://a.com?x", "http://a.com.cn/", "http://a.com-x/")
    assert ways(auto("|http://a.com"), *urls) == "ppdd"


def test_04_text_of_a_query_is_no_site() -> None:
    assert ways(auto("www.aolnews.com"), "https://baidu.com/?u=www.aolnews.com", "https://www.aolnews.com/") == "dd"
    assert ways(auto("||aolnews.com"), "http://baidu.com/?u=www.aolnews.com", "http://www.aolnews.com/") == "dp"


def test_05_the_root_has_a_dot() -> None:
    urls = ("https://www.google.com./", "https://google.com.../", "http://google.com.:80/")
    assert ways(auto("||google.com"), *urls) == "ppp"
    assert ways(auto("|http://google.com/x"), "http://google.com./x") == "p"
    assert ways(auto("||google.com."), "https://www.google.com/") == "p"


def test_06_names_have_no_case_and_come_in_punycode() -> None:
    assert ways(auto("||Google.COM"), "https://WWW.Google.com/", "HTTPS://www.GOOGLE.COM/") == "pp"
    for rule in ("||bücher.example", "||BÜCHER.example", "||xn--bcher-kva.example", "|https://Bücher.example"):
        assert ways(auto(rule), "https://bücher.example/", "https://xn--bcher-kva.example/") == "pp", rule
    asked = [("https://XN--BCHER-KVA.example/", "XN--BCHER-KVA.example")]  # as WinHTTP may hand it over
    assert qt(pac_of(auto("||bücher.example")), asked) == [PROXY]


def test_07_a_rule_is_not_made_wider_and_none_is_dropped() -> None:
    narrow = auto("|http://blog.x.com/path")
    urls = ("http://x.com/", "http://blog.x.com/", "https://blog.x.com/path", "http://blog.x.com/path/y")
    assert ways(narrow, *urls) == "dddp"
    kept = auto(".blogspot.", r"/^https?:\/\/[^\/]+blogspot\.(.*)/", "||203.0.113.7", "|http://203.0.113.8/x")
    urls = ("https://a.blogspot.de/", "http://a.blogspot.com/", "https://203.0.113.7/", "http://203.0.113.8/x")
    assert len(kept.rules) == 4
    assert ways(kept, *urls, "https://203.0.113.9/") == "ppppd"


@pytest.mark.parametrize("word", ["constructor", "__proto__", "hasOwnProperty", "toString", "valueOf", "prototype"])
def test_08_what_every_object_has_is_no_rule(word: str) -> None:
    one = auto("||a.com", "|http://b.com/x", "||c*.d.com", "/q1.*q2/")
    urls = [
        f"{scheme}://{host}/"
        for scheme in ("http", "https")
        for host in (word, f"{word}.com", f"x.{word}", f"{word}.{word}")
    ]
    assert ways(one, *urls) == "d" * len(urls)
    assert ways(auto(f"||{word}.com"), *urls) == "dpdd" * 2


def test_09_an_answer_does_not_depend_on_what_was_asked_before() -> None:
    """There is no cache: neither one that grows, nor one that remembers a host for another URL."""
    one = auto("||a.com", "b.com/x", "||c*.d.com", "|http://e.com/y", r"/^https?:\/\/f\d+\./")
    hosts = ("a.com", "b.com", "c1.d.com", "e.com", "f1.org", "g.org")
    pairs = [
        as_browser(f"{scheme}://{host}{path}")
        for host in hosts
        for scheme in ("http", "https")
        for path in ("/x", "/y")
    ]
    found = dict(zip(pairs, qt(pac_of(one), pairs), strict=True))
    many = [as_browser(f"http://h{n}.example/{n}") for n in range(3000)]
    assert qt(pac_of(one), [*many, *reversed(pairs)])[-len(pairs) :] == [found[pair] for pair in reversed(pairs)]
    names = sorted(set(re.findall(r"^var (\w+)", pac_of(one).decode(), re.MULTILINE)))
    sizes = ", ".join(f"(JSON.stringify({name}) || '').length" for name in names)
    ask = """for (var n = 0; n < COUNT; n++) FindProxyForURL("http://h" + n + ".example/" + n, "h" + n + ".example");"""
    after = [
        evaluated(pac_of(one), ask.replace("COUNT", count) + f"JSON.stringify([{sizes}])") for count in ("1", "3000")
    ]
    assert after[0] == after[1]


def test_10_no_name_server_is_asked_and_what_is_private_is_known_by_itself() -> None:
    networks = parse_plain("198.51.100.0/24\n||a.com", "routes", Route.DIRECT)
    pac = pac_of(networks, mode=PolicyMode.BYPASS).decode()
    for function in ("isInNet", "dnsResolve", "isResolvable", "myIpAddress", "shExpMatch", "isPlainHostName"):
        assert function not in pac  # engines without them must do
    assert "198.51.100" not in pac
    private = ("10.1.2.3", "100.64.0.1", "169.254.1.1", "192.168.0.1", "172.16.0.1", "[fe80::1]", "[fd00::1]", "[::1]",
               "[::ffff:10.0.0.1]", "printer", "nas.local", "router.home.arpa")  # fmt: skip
    assert ways(auto(), *(f"https://{host}/" for host in private), mode=PolicyMode.GLOBAL) == "d" * len(private)
    assert ways(auto(), "https://8.8.8.8/", "https://[2001:db8::1]/", mode=PolicyMode.GLOBAL) == "pp"


def test_11_an_edit_of_any_letter_changes_the_address() -> None:
    hashes = [content_hash(pac_of(auto(line))) for line in ("||bücher.example", "||bächer.example", "||bucher.example",
                                                            "搜索", "搜素", "")]  # fmt: skip
    assert len(set(hashes)) == len(hashes)


def test_12_a_pac_never_throws_and_always_says_a_string() -> None:
    """Else browsers go directly, without a word."""
    hostile = auto(
        '||a.com"', "||a.com\\", '/a"b\\\\c/', "/</script>/", "\u2028.com/x", "http://x.com/\u2029'", "|http://x.com/${1}",
        '|http://x.com/";alert(1);"', "||x.com/*/**/*", "/a\\/b/", "*/*\\*",
    )  # fmt: skip
    pac = pac_of(hostile)
    text = pac.decode("ascii")
    assert "</" not in text
    assert "\n" not in "".join(re.findall(r'"(?:\\.|[^"\\])*"', text))
    odd = ('undefined, undefined', "null, null", "1, 2", "{}, {}", "[], []", "'', ''", "'http://', ''", "'x', 'y'",
           "'http://a.com/', {toString: function () { throw 1; }}", "'http://' + Array(70000).join('a'), 'a.b'",
           "'http://[::1', '[::1'", "'http://a.com/', 'a..com'", "'http://a.com/', '....'",
           "'http://1.2.3.4.5/', '1.2.3.4.5'",
           "'\\ud800://\\udfff.com/', '\\udfff.com'")  # fmt: skip
    for pair in odd:
        assert evaluated(pac, f"JSON.stringify(FindProxyForURL({pair}))") in (PROXY, "DIRECT"), pair
    closed, opened = pac_of(auto("||a.com")), pac_of(auto("||a.com"), fail_open=True)
    for pac, answer in ((closed, PROXY), (opened, f"{PROXY}; DIRECT")):
        broken = pac.replace(b"function lowest(url, host) {", b"function lowest(url, host) { throw new Error();")
        assert broken != pac
        assert qt(broken, [("https://b.com/", "b.com")]) == [answer]
