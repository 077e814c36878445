"""Access lists: what each line means, what is not understood, and a naive matcher that must agree."""

import re
import time
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.rules.acl import MAX_LINE, MAX_PATTERNS, Match, Route, parse_acl
from ssgui.rules.patterns import PatternError, compile_pattern, plain_name

D, P, R = Route.DIRECT, Route.PROXY, Route.REJECT


def test_a_client_file() -> None:
    acl = parse_acl(
        "\ufeff# mine\r\n\r\n[bypass_all]\r\n[proxy_list]\r\n||example.com\r\n |only.example.org \r\n"
        "(^|\\.)gmail\\.com$\r\n^news[0-9]+\\.\r\n192.0.2.0/24\r\n2001:db8::/32\r\n[bypass_list]\r\n||cn.example.com\r\n",
        "my.acl",
    )
    assert not acl.problems
    expected = {
        "example.com": Match(P, "||example.com (line 5)"),
        "WWW.Example.COM.": Match(P, "||example.com (line 5)"),
        "notexample.com": Match(D),
        "only.example.org": Match(P, "|only.example.org (line 6)"),
        "not.only.example.org": Match(D),
        "mail.gmail.com": Match(P, "(^|\\.)gmail\\.com$ (line 7)"),
        "gmail.com": Match(P, "(^|\\.)gmail\\.com$ (line 7)"),
        "hotgmail.com": Match(D),
        "news24.example.net": Match(P, "^news[0-9]+\\. (line 8)"),
        "192.0.2.77": Match(P, "192.0.2.0/24 (line 9)"),
        "::ffff:192.0.2.77": Match(P, "192.0.2.0/24 (line 9)"),
        "192.0.3.0": Match(D),
        "2001:db8:ffff::1": Match(P, "2001:db8::/32 (line 10)"),
        "2001:db9::": Match(D),
        "a.cn.example.com": Match(D, "||cn.example.com (line 12)"),  # the bypassed ones come first
    }
    assert {host: acl.decide(host) for host in expected} == expected


@pytest.mark.parametrize(
    ("text", "default"), [("", P), ("[proxy_all]", P), ("[accept_all]", P), ("[bypass_all]", D), ("[reject_all]", D)]
)
def test_the_default_of_a_client(text: str, default: Route) -> None:
    assert parse_acl(text).decide("example.com") == Match(default)


def test_rules_before_any_section_are_bypassed() -> None:
    assert parse_acl("||example.com").decide("example.com").route is D


@pytest.mark.parametrize(
    ("text", "client", "verdict"),
    [
        ("", "192.0.2.1", D),
        ("[black_list]\n192.0.2.0/24", "192.0.2.1", R),
        ("[black_list]\n192.0.2.0/24", "192.0.3.1", D),
        ("[black_list]\n192.0.2.0/24", "::ffff:192.0.2.1", R),
        ("[reject_all]", "192.0.2.1", R),
        ("[reject_all]\n[white_list]\n192.0.2.1", "192.0.2.1", D),
        ("[reject_all]\n[white_list]\n2001:db8::/32", "2001:db8::7%eth0", D),
        ("[reject_all]\n[white_list]\n192.0.2.0/24\n[black_list]\n192.0.2.9", "192.0.2.9", R),
    ],
)
def test_a_servers_clients(text: str, client: str, verdict: Route) -> None:
    assert parse_acl(text).source(client).route is verdict


def test_a_servers_targets() -> None:
    acl = parse_acl(
        "[outbound_block_list]\n||bad.example\n10.0.0.0/8\n[outbound_allow_list]\n||ok.example\n||sub.bad.example\n"
    )
    assert acl.outbound("x.bad.example") == Match(R, "||bad.example (line 2)")
    assert acl.outbound("sub.bad.example") == Match(R, "||bad.example (line 2)")
    assert acl.outbound("10.1.2.3") == Match(R, "10.0.0.0/8 (line 3)")
    assert acl.outbound("ok.example") == Match(D, "||ok.example (line 5)")
    assert acl.outbound("other.example") is None
    assert acl.outbound_default is D
    assert parse_acl("[outbound_block_all]").outbound_default is R
    assert acl.source("10.1.2.3").route is D


def test_what_is_blocked_is_refused_on_a_client_too() -> None:
    acl = parse_acl("[outbound_block_list]\n||bad.example\n[proxy_list]\n||bad.example")
    assert acl.decide("bad.example") == Match(R, "||bad.example (line 2)")
    only = parse_acl("[outbound_block_all]\n[outbound_allow_list]\n||ok.example")
    assert only.decide("ok.example") == Match(P)
    assert only.decide("other.example") == Match(R, "[outbound_block_all]")


@pytest.mark.parametrize("rule", ["||例子.com", "(^|\\.)例子\\.com$", "||xn--fsqu00a.com", "||XN--fsqu00a.COM."])
@pytest.mark.parametrize(
    "host", ["xn--fsqu00a.com", "www.例子.com", "例子.com".encode().decode("ascii", "surrogateescape")]
)
def test_names_beyond_ascii(rule: str, host: str) -> None:
    acl = parse_acl(f"[bypass_list]\n{rule}")
    assert not acl.problems
    assert acl.decide(host) == Match(D, f"{rule} (line 2)")


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("(", "regular expression"),
        ("a{9999999999999}", "regular expression"),
        ("(" * 500 + ")" * 500, "regular expression"),
        ("\\p{Greek}", "regular expression"),
        ("例.*", "Punycode"),
        ("10.0.0.0/33", "neither"),
        ("300.1.1.1", "neither"),
        ("fe80::1%eth0/64", "neither"),
        ("|10.0.0.0/77", "neither"),
        ("2001:db8:::/32", "neither"),
        ("||example.com^", "host name"),
        ("||*.example.com", "host name"),
        ("|", "host name"),
        ("||", "host name"),
        ("[no_such_list]", "unknown section"),
        ("x" * (MAX_LINE + 1), "longer"),
    ],
)
def test_what_is_not_understood_is_a_problem(rule: str, why: str) -> None:
    acl = parse_acl(f"||a.example\n{rule}\n||b.example")
    (problem,) = acl.problems
    assert problem.line == 2
    assert why in problem.why
    assert str(problem).startswith("line 2: ")
    assert str(problem).isprintable()
    assert len(problem.text) <= 80
    assert acl.decide("a.example").route is D
    assert acl.decide("b.example").route is (P if rule == "[no_such_list]" else D)


def test_too_many_regular_expressions() -> None:
    acl = parse_acl("\n".join(f"^a{number}.$" for number in range(MAX_PATTERNS + 1)))
    (problem,) = acl.problems
    assert problem.line == MAX_PATTERNS + 1
    assert acl.decide("a7x").route is D


def test_hosts_that_are_strange() -> None:
    acl = parse_acl("[bypass_list]\n.\n0.0.0.0/0")
    assert acl.decide("").route is P
    assert acl.decide("." * 300).route is P
    assert acl.decide("x" * 256).route is P  # no name is that long
    assert acl.decide("x" * 255).route is D
    assert acl.decide("1.2.3.4").rule == "0.0.0.0/0 (line 3)"
    assert acl.decide("::1").route is P
    assert acl.decide("1.2.3.400").route is D  # a name, and "." fits


def test_the_widest_network_is_named() -> None:
    acl = parse_acl("10.1.0.0/16\n10.0.0.0/8\n10.1.2.3\n10.0.0.0/9")
    assert acl.decide("10.1.2.3").rule == "10.0.0.0/8 (line 2)"
    assert acl.decide("11.0.0.0").route is P


# ---- regular expressions


@pytest.mark.parametrize(
    ("pattern", "plain"),
    [
        ("(^|\\.)example\\.com$", ("example.com", True)),
        ("(?:^|\\.)Example\\.com$", ("example.com", True)),
        ("^(.*\\.)?example\\.com$", ("example.com", True)),
        ("^(?:.*\\.)?cn$", ("cn", True)),
        ("^example\\.com$", ("example.com", False)),
        ("(^|\\.)example.com$", None),
        ("example\\.com$", None),
        ("(^|\\.)example\\.com", None),
        ("(^|\\.)a+\\.com$", None),
    ],
)
def test_plain_names(pattern: str, plain: tuple[str, bool] | None) -> None:
    assert plain_name(pattern) == plain


LABELS = st.text("ab-.", max_size=8)


@given(st.sampled_from(["(^|\\.){}$", "(?:^|\\.){}$", "^(.*\\.)?{}$", "^(?:.*\\.)?{}$", "^{}$"]), LABELS, LABELS)
def test_a_plain_name_is_what_its_expression_finds(form: str, name: str, host: str) -> None:
    pattern = form.format(name.replace(".", "\\."))
    plain = plain_name(pattern)
    if plain is None:
        return
    found, subdomains = plain
    assert bool(re.search(pattern, host)) == (host == found or (subdomains and host.endswith("." + found)))


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("^[[:alnum:]]+\\.cn$", "a1.cn", "a-1.cn"),
        ("^[^[:digit:]]$", "a", "1"),
        ("^\\Qa.b\\E$", "a.b", "axb"),
        ("^(?<first>a)\\1$", "aa", "ab"),
        ("(?<=a)b\\z", "ab", "cb"),
        ("(?<!a)b$", "cb", "ab"),
        ("^[[]$", "[", "a"),
        ("^[]a]$", "]", "b"),
        ("^[a&&b]$", "&", "c"),
        ("^EXAMPLE$", "example", "sample"),
        ("^\\d$", "1", "\u0661"),
        ("(?i)^a++b", "aab", "b"),
    ],
)
def test_other_dialects(pattern: str, yes: str, no: str) -> None:
    compiled = compile_pattern(pattern)
    assert compiled.search(yes)
    assert not compiled.search(no)


@given(st.text("()[]\\^$.*+?{}|aQE:lnum<>!=-&10,", max_size=20))
def test_any_expression_compiles_or_says_why_not(pattern: str) -> None:
    try:
        compile_pattern(pattern).search("example.com")
    except PatternError:
        pass


# ---- the whole


@given(st.one_of(st.text(), st.text("[]|_ab.1/:#\n\r (^$\\", max_size=200)), st.text(max_size=20))
def test_any_file_is_read(text: str, host: str) -> None:
    acl = parse_acl(text)
    for verdict in (acl.decide(host), acl.source(host)):
        assert verdict.rule.isprintable()
    assert acl.outbound(host) is None or acl.outbound(host)
    assert all(problem.text.isprintable() for problem in acl.problems)


NAMES = st.sampled_from(["a", "b.a", "c.b.a", "ab", "b.ab", "a.b", "xn--a"])
NETWORKS = st.sampled_from(
    ["0.0.0.0/0", "10.0.0.0/8", "10.128.0.0/9", "10.128.0.1", "192.0.2.0/31", "::/0", "2001:db8::/32", "2001:db8::1",
     "::ffff:10.0.0.0/104"]
)  # fmt: skip
RULES = st.one_of(
    NAMES.map("|{}".format), NAMES.map("||{}".format), NAMES.map("^{}$".format), NAMES.map("(^|\\.){}$".format), NAMES,
    NETWORKS,
    st.sampled_from(["[bypass_list]", "[proxy_list]", "[outbound_block_list]", "[bypass_all]", "[proxy_all]"]),
)  # fmt: skip
HOSTS = st.one_of(
    NAMES,
    st.sampled_from(
        ["10.0.0.0", "10.128.0.1", "10.255.255.255", "11.0.0.0", "9.255.255.255", "192.0.2.1", "192.0.2.2",
         "2001:db8::1", "2001:db9::", "2001:db7:ffff::", "::ffff:10.128.0.1", "::1"]
    ),
)  # fmt: skip


@given(st.lists(RULES, max_size=8), st.lists(HOSTS, max_size=8))
def test_a_naive_matcher_agrees(rules: list[str], hosts: list[str]) -> None:
    acl = parse_acl("\n".join(rules))
    assert not acl.problems
    for host in hosts:
        assert acl.decide(host).route is naive(rules, host)


def naive(rules: list[str], host: str) -> Route:
    """One rule after the other, as the description has it."""
    default, section = P, "[bypass_list]"
    found = set()
    for rule in rules:
        if rule.endswith("_all]"):
            default = P if rule == "[proxy_all]" else D
        elif rule.startswith("["):
            section = rule
        elif fits(rule, host):
            found.add(section)
    for section, route in (("[outbound_block_list]", R), ("[bypass_list]", D), ("[proxy_list]", P)):
        if section in found:
            return route
    return default


def fits(rule: str, host: str) -> bool:
    """Whether one rule fits one host."""
    try:
        address = ip_address(host)
    except ValueError:
        address = None
    if "/" in rule or rule[0].isdigit() or ":" in rule:
        if address is None:
            return False
        network = ip_network(rule)
        mapped = getattr(address, "ipv4_mapped", None)
        if rule.startswith("::ffff:"):
            network = ip_network("10.0.0.0/8")
        return (mapped or address) in network
    if address is not None:
        return False
    if rule.startswith("||"):
        return host == rule[2:] or host.endswith("." + rule[2:])
    if rule.startswith("|"):
        return host == rule[1:]
    return bool(re.search(rule, host))


def test_long_lists_are_read_and_asked_fast() -> None:
    """Bounds with a wide margin: a list of this kind is read in well under a second."""
    lines = [f"||site{number}.example" for number in range(20_000)]
    lines += [f"10.{high}.{low}.0/24" for high in range(40) for low in range(256)]
    start = time.monotonic()
    acl = parse_acl("\n".join(lines))
    assert time.monotonic() - start < 5
    start = time.monotonic()
    for number in range(10_000):
        assert acl.decide(f"www.site{number}.example").route is D
        assert acl.decide(f"10.{number % 40}.{number % 256}.1").route is D
    assert time.monotonic() - start < 5


def test_lists_of_the_same_lines_are_equal() -> None:
    text = "[outbound_block_list]\n||example.com\n"
    assert parse_acl(text, "a") == parse_acl(text, "a")
    assert hash(parse_acl(text, "a")) == hash(parse_acl(text, "a"))
    assert parse_acl(text, "a") != parse_acl(text + "||example.org\n", "a")
    assert parse_acl(text, "a") != parse_acl(text, "b")
    assert parse_acl(text) != text
