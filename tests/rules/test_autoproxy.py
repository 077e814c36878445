"""AutoProxy lists: what each form means, what is refused and why, and that nothing breaks the parser."""

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.assets import asset
from ssgui.rules.address_forms import form_of
from ssgui.rules.autoproxy import MAX_PATTERNS, parse_autoproxy, parse_rule
from ssgui.rules.geosite import parse_geosite
from ssgui.rules.model import Kind
from ssgui.rules.rule_tests import matches

DATA = Path(__file__).parents[3] / "shared" / "data"

FORMS = {
    "||example.com": (
        ["http://example.com/", "https://a.b.example.com/", "ws://example.com:81/", "ftp://example.com/x"],
        ["http://notexample.com/", "http://example.com.evil.org/", "http://evil.org/?example.com"],
    ),
    "||cdn*.example.com": (
        ["https://cdn1.example.com/", "https://a.cdn-x.example.com/"],
        ["https://example.com/", "https://xcdn.example.com/", "https://cdn1.example.com.evil.org/"],
    ),
    "||*.example.com": (["https://a.example.com/"], ["https://example.com/", "https://aexample.com/"]),
    "||example.com/path": (
        ["http://example.com/path", "http://a.example.com:8080/pathology"],
        ["http://example.com/", "https://example.com/path", "http://evil.org/example.com/path"],
    ),
    "||192.0.2.1": (["http://192.0.2.1/", "https://192.0.2.1/"], ["http://192.0.2.11/"]),
    "||[2001:DB8:0::1]": (["https://[2001:db8::1]/"], ["https://[2001:db8::2]/"]),
    "||bücher.example": (["https://xn--bcher-kva.example/"], ["https://bcher.example/"]),
    "||Example.COM.": (["https://example.com/", "https://EXAMPLE.com./"], []),
    "|http://example.com/y": (["http://example.com/yes"], ["https://example.com/y", "http://a.example.com/y"]),
    "|http://example.com": (
        ["http://example.com/", "http://example.com:8080/x", "http://example.com?q"],
        ["http://example.com.evil.org/", "https://example.com/", "http://example.comx/"],
    ),
    "|http://example.com^": (
        ["http://example.com/x", "http://example.com:81/"],
        ["http://example.com.evil.org/", "http://example.comx/", "https://example.com/"],
    ),
    "|https://example.com^": (["https://example.com/"], ["https://example.com.evil.org/"]),
    "|http://example.com|": (["http://example.com", "http://example.com/"], ["http://example.com/x"]),
    "|https://riseup.net": (["https://riseup.net/"], ["https://riseup.net.evil.cn/", "http://riseup.net/"]),
    "|http://*.example.com": (["http://a.example.com/"], ["http://evil.org/?a.example.com", "http://example.com/"]),
    "|http://example.com/*.gif": (["http://example.com/a/b.gif?x"], ["http://example.com/a.png"]),
    "|http://example.com:80/y": (["http://example.com/y", "http://example.com:80/y"], ["http://example.com:8080/y"]),
    "|http://example.com:8080": (["http://example.com:8080/y"], ["http://example.com/", "http://example.com:80801/"]),
    "|https://example.com:443": (["https://example.com/", "https://example.com:443/"], ["http://example.com/"]),
    "|http://example.com?x": (["http://example.com?xy", "http://example.com/?x"], ["http://example.com/x"]),
    "|http*://example.com/": (["http://example.com/", "https://example.com/"], ["ws://example.com/"]),
    "|http://ex*.BÜCHER.example/x": (["http://ex1.bücher.example/x"], ["http://ex1.bucher.example/x"]),
    "||example.com:80": (["http://a.example.com/x"], ["http://example.com:8080/", "https://example.com/"]),
    "||example.com:8080": (["http://a.example.com:8080/"], ["http://example.com/", "http://example.com:80801/"]),
    "||example.com/*": (["https://a.example.com/", "http://example.com:81/x"], ["https://example.comx/"]),
    "||example.com?x": (["http://a.example.com/?x"], ["http://example.com/", "http://example.com/x"]),
    "||192.0.2.1/x": (["http://192.0.2.1/x"], ["http://192.0.2.1/y"]),
    "||[2001:db8::1]/x": (["http://[2001:db8::1]/x"], ["http://[2001:db8::1]/y", "https://[2001:db8::1]/x"]),
    "||straße.example": (["https://xn--strae-oqa.example/"], ["https://strasse.example/"]),
    ".bücher.example": (["http://a.xn--bcher-kva.example/"], ["http://xn--bcher-kva.example.com/"]),
    "http://bücher.example/ü": (["http://bücher.example/ü", "http://xn--bcher-kva.example/%C3%BC"], []),
    "搜索": (["http://example.com/?q=搜索", "http://example.com/%E6%90%9C%E7%B4%A2"], ["http://example.com/"]),
    "http://example.com/y|": (["http://example.com/y"], ["http://example.com/yy"]),
    "a*b*c": (["http://aabbc.com/", "http://x.com/a/c/b/c"], ["http://x.com/cba", "https://abc.com/"]),
    "|http://example.com/y|": (["http://example.com/y"], ["http://example.com/y/", "http://example.com/yy"]),
    "y.html|": (["http://example.com/y.html"], ["http://example.com/y.html?x", "https://example.com/y.html"]),
    "example.com/foo": (["http://a.example.com/foo", "http://b.org/?u=example.com/foo"], ["https://example.com/foo"]),
    "www.aolnews.com": (
        ["http://www.aolnews.com/"],
        ["https://www.aolnews.com/", "https://baidu.com/?u=www.aolnews.com"],
    ),
    "a*c.com/x": (["http://abc.com/x"], ["http://abc.com/y"]),
    r"/^https?:\/\/[^\/]+blogspot\.(.*)/": (["https://a.blogspot.com/", "http://A.BlogSpot.de/x"], ["http://b.org/"]),
    r"@@/^https?:\/\/ads\.example\.com": (["https://ads.example.com/", "http://ads.example.com/x"], ["http://b.org/"]),
    "example.com^": (
        ["http://example.com/", "http://example.com:8000/"],
        ["http://example.comx/", "http://example.com.x/"],
    ),
    "@@||example.com": (["http://example.com/"], ["http://example.org/"]),
}


@pytest.mark.parametrize("line", FORMS)
def test_what_each_form_matches(line: str) -> None:
    rule = parse_rule(line)
    hits, misses = FORMS[line]
    assert rule.exception == line.startswith("@@")
    assert [url for url in hits if not matches(rule, form_of(url))] == []
    assert [url for url in misses if matches(rule, form_of(url))] == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("|example.com", "begins with its scheme"),
        ("|https://example.com/path", "never matches"),
        ("example.com##.ad", "hides parts of pages"),
        ("||example.com^$third-party", "option for ad blockers"),
        ("||exa mple.com", "not a host name"),
        ("||", "not a host name"),
        ("@@", "an exception from nothing"),
        ("***", "match everything"),
        ("@@@@||example.com", "an exception from an exception"),
        ("https://example.com/", "text is looked for in http: URLs only"),
        ("|https://example.com:8443", "never matches"),
        ("|ftp://example.com/x", "never matches"),
        ("|http://example.com/#x", "never leaves a browser"),
        ("||example.com:443", "write ||example.com"),
        ("||b*ü.example", "Punycode"),
        ("a\tb", "no spaces and no control characters"),
        ("/(a+)+b/", "for ever"),
        ("/a(?<b>c)/", "different things"),
        (r"/\Aabc/", "different things"),
        ("/a++/", "not understood by browsers"),
        ("/[]a/", "empty class"),
        ("/(a/", "not closed"),
        ("/a)/", "not opened"),
        ("/" + "a" * 3000 + "/", "longer than"),
        ("x" * 5000, "longer than"),
    ],
)
def test_what_is_refused_and_why(line: str, why: str) -> None:
    found = parse_autoproxy(f"! a comment\n{line}\n||good.example")
    assert [rule.pattern for rule in found.rules] == ["good.example"]
    (problem,) = found.problems
    assert problem.line == 2
    assert why in problem.why


def test_regular_expressions_are_bounded() -> None:
    lines = [f"/a{number}b/" for number in range(MAX_PATTERNS + 3)]
    found = parse_autoproxy("\n".join([*lines, "||example.com"]))
    assert len(found.rules) == MAX_PATTERNS + 1
    assert found.rules[-1].pattern == "example.com"
    assert [(each.line, "3 are left out" in each.why) for each in found.problems] == [(MAX_PATTERNS + 1, True)]
    entries = parse_geosite("\n".join(f"regexp:a{number}b" for number in range(MAX_PATTERNS + 3)))
    assert (len(entries.rules), len(entries.problems)) == (MAX_PATTERNS, 1)


def test_a_list_in_base64_with_a_header() -> None:
    text = "[AutoProxy 0.2.9]\n! Title: A list\n! Last Modified: Thu\n\n||example.com\n"
    packed = base64.encodebytes(text.encode()).decode()
    for one in (text, packed, "\ufeff" + text, text.replace("\n", "\r\n")):
        found = parse_autoproxy(one, "name")
        assert (found.name, found.title, found.modified, len(found.rules)) == ("name", "A list", "Thu", 1)
        assert found.rules[0].line == 5


def test_the_starter_rules_are_all_understood() -> None:
    found = parse_autoproxy(asset("pac/starter.txt").read_text())
    assert not found.problems
    assert len(found.rules) > 80
    assert len({rule.pattern for rule in found.rules}) == len(found.rules)


@pytest.mark.parametrize(
    ("name", "rules", "problems"), [("gfwlist-2026-08.txt", 4349, 1), ("gfwlist-2019-decoded.txt", 6815, 1)]
)
def test_the_real_lists(name: str, rules: int, problems: int) -> None:
    if not (DATA / name).exists():
        pytest.skip("the real lists are not here")
    found = parse_autoproxy((DATA / name).read_text())
    assert (len(found.rules), len(found.problems)) == (rules, problems)
    malformed = [rule for rule in found.rules if rule.text.startswith("@@/")]
    assert all(rule.kind is Kind.URL_REGEX for rule in malformed)


@pytest.mark.parametrize("word", ["abcd", "Zm9v", "Zm9v\nYmFy", "example", "AAAA", "test", "Zm9vCmJh\u00e9"])
def test_words_that_could_be_base64_are_words(word: str) -> None:
    assert [rule.text for rule in parse_autoproxy(word).rules] == word.split("\n")


def test_a_rule_that_a_crafted_address_would_hold_up_is_refused_or_quick() -> None:
    addresses = [form_of(url) for url in (
        "http://example.com/" + "a" * 2000, "http://" + ".".join(["a" * 60] * 4) + "/" + "ad" * 900,
    )]  # fmt: skip
    for line in (
        "*a*a*a*a*b",
        "||a*a*a*a*a*a*b.com",
        "||a*.a*.a*/a*a*a*b",
        "|http://a*a*a*a*/a*a*b",
        "a*a*a*a*c|",
        "a^*a^*a^*c",
    ):
        rule = parse_rule(line)
        assert [matches(rule, form) for form in addresses] == [False, False], line


_LINES = (
    "||example.com", "@@||a.example.com", "|http://example.org/x*y", "|https://example.net", "example.com/plain",
    "/^https?:\\/\\/[a-z]+\\.example\\.com/", "||cdn*.example.com", "x.html|", "||bücher.example", "||192.0.2.1",
)  # fmt: skip


@given(st.integers(0, len(_LINES) - 1), st.integers(0, 60), st.characters(exclude_characters="\n\r"))
def test_a_damaged_line_harms_no_other(which: int, place: int, letter: str) -> None:
    lines = list(_LINES)
    at = place % len(lines[which])
    lines[which] = lines[which][:at] + letter + lines[which][at + 1 :]
    found = parse_autoproxy("\n".join(lines))
    assert [rule for rule in found.rules if rule.line != which + 1] == [
        parse_rule(line, number) for number, line in enumerate(_LINES, 1) if number != which + 1
    ]
    assert {problem.line for problem in found.problems} <= {which + 1}
    assert all(str(problem).isprintable() for problem in found.problems)


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    found = parse_autoproxy(text)
    lines = [
        line for line in text.split("\n") if line.strip() and line.strip()[0] not in "![" and line.strip() != "\ufeff"
    ]
    assert len(found.rules) + len(found.problems) <= len(lines) + 1


_PIECES = st.sampled_from(["||", "|", "@@", "/", "*", "^", "a.b", "example.com", "http://", "https:", "(", ")", "[",
                           "]", "\\", ".", "+", "?", "{1,2}", "$", "é", ":80", "::1", " "])  # fmt: skip


@given(st.lists(_PIECES, max_size=8).map("".join))
def test_what_is_read_can_be_asked(line: str) -> None:
    try:
        rule = parse_rule(line)
    except ValueError:
        return  # the only way to fail
    assert rule.pattern.isascii()
    for url in ("http://example.com/a.b", "https://a.b/", "http://[::1]:80/"):
        matches(rule, form_of(url))
