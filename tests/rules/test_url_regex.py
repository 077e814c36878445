"""Regular expressions of lists: what is taken is read alike by Python and browsers, and is quick."""

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ssgui.assets import asset
from ssgui.rules.acl import Route
from ssgui.rules.matcher import Matcher
from ssgui.rules.model import Kind, Policy, Rule, RuleList
from ssgui.rules.pac_compiler import compile_pac
from ssgui.rules.url_regex import RegexError, glob, portable
from tests.rules.pac_engine import as_browser, qt
from tests.rules.strategies import PATTERN

HOST = 255


@pytest.mark.parametrize(
    ("pattern", "same"),
    [
        (r"^https?:\/\/[^\/]+blogspot\.(.*)", r"^https?:\/\/[^\/]+blogspot\.(?:.*)"),
        (r"^https?:\/\/([^\/]+\.)*google\.(ac|ad|com|com.af)\/.*", ""),
        (r"^https?:\/\/(?=.*?(2x3|ni5|j5o))[a-z0-9.-]+\.xn--ngstr-lra8j\.com$", ""),
        (r"twimg\.edgesuite\.net\/\/?appledaily", r"twimg\.edgesuite\.net\/\/?appledaily"),
        (r"a{,5}", r"a\{,5\}"),
        (r"[]a]", "an empty class"),
        (r"[a[b&&c]", r"[a\[b\&\&c]"),
        (r"\x41\-\/", r"\x41\-\/"),
        (r"a{9,2}", "not a regular expression"),
        (r"a{300}", "more than 255 times"),
        (r"(a{200}){200}", "too long when"),
        (r"(a|aa)+b", "of a choice"),
        (r"(a?b?)*c", "of a choice"),
        (r"(a+)*c", "repeat of a repeat"),
        (r".*a.*b.*c", "too many ways"),
        (r"\w*a+b+c", "too many ways"),
        ("a?" * 30 + "a{30}", "too many ways"),
        (r"(?=a)*b", "takes nothing"),
        (r"\b+a", "not a regular expression"),
        (r"(a)\1", "different things"),
        (r"(?i)a", "different things"),
        (r"\pL", "different things"),
        (r"[[:alpha:]]", "not known to browsers"),
        (r"a**", "not understood by browsers"),
        (r"+a", "nothing to repeat"),
        ("ä", "only ASCII"),
        ("a\\", "ends in a backslash"),
    ],
)
def test_what_is_taken_and_what_not(pattern: str, same: str) -> None:
    """`same` is what comes out, or why nothing does; "" if it only has to come out."""
    try:
        found = portable(pattern)
    except RegexError as error:
        found = f"refused: {error}"
    assert (same in found) if same else not found.startswith("refused: ")


@pytest.mark.parametrize(
    "pattern",
    [
        r"^ads?\d*\.google\.([a-z]{2}|com?)(\.[a-z]{2})?$",
        r"^r+[0-9]+(---|\.)sn-(2x3|ni5|j5o)\w{5}\.video\.example$",
        r"(^|\.)[a-z]+-[a-z]+-[0-9]+\.example\.com$",
        r".+\.awsdns-[0-9][0-9]\.(biz|com|net)$",
        r"^([a-z0-9-]+\.)*cdn[0-9]{1,3}\.example$",
        r"^.*-cdn-.*\.example\.com$",
    ],
)
def test_of_hosts_more_is_taken_for_they_are_short(pattern: str) -> None:
    assert portable(pattern, HOST)


@given(st.lists(st.text("ab", max_size=3), min_size=1, max_size=5), st.text("abc", max_size=30), st.booleans())
def test_a_glob_finds_what_a_naive_one_finds(pieces: list[str], text: str, ends: bool) -> None:
    end = "$" if ends else ""
    assert bool(re.search(glob(pieces, ".") + end, text)) == bool(re.search(".*".join(pieces) + end, text))


_HOSTS = ["a.b", "ab.com", "aa.b-a.com", "b.a.b.com", "a-b.com", "2a.com", "com.ab"]


@settings(max_examples=150, deadline=None)
@given(st.lists(PATTERN, min_size=8, max_size=8), st.sampled_from([Kind.URL_REGEX, Kind.HOST_REGEX]))
def test_python_and_javascript_find_the_same(patterns: list[str], kind: Kind) -> None:
    rules = []
    for pattern in patterns:
        try:
            rules.append(Rule(kind, portable(pattern), text=pattern))
        except RegexError:
            continue
    assume(rules)
    urls = [f"{scheme}://{host}/{path}" for host in _HOSTS for scheme, path in (("http", "ab/a.b"), ("https", ""))]
    one = Policy(lists=(RuleList("x", tuple(rules)),))
    matcher = Matcher(one)
    theirs = qt(compile_pac(one, asset("pac/template.js").read_text()), [as_browser(url) for url in urls])
    assert [matcher.decide(url).route is Route.PROXY for url in urls] == [each.startswith("PROXY") for each in theirs]
