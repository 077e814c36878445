"""A rule that is covered can go, and nothing changes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssgui.rules.covered import covered_lines
from ssgui.rules.matcher import Matcher
from ssgui.rules.model import Policy, RuleList
from ssgui.rules.reader import read_user_rules
from tests.rules.strategies import RULE, URL


def covered(*lines: str) -> dict[int, int]:
    return covered_lines(read_user_rules("\n".join(lines)))


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("||youtube.com ||m.youtube.com", {2: 1}),
        ("||m.youtube.com ||youtube.com", {1: 2}),
        ("||youtube.com ||YouTube.com. ||youtube.com", {2: 1, 3: 1}),
        ("||youtube.com ||myoutube.com ||youtube.com.evil.org", {}),
        ("||com ||b.com ||a.b.com", {2: 1, 3: 1}),
        ("@@||a.com ||b.a.com", {2: 1}),
        ("||b.a.com @@||a.com", {1: 2}),
        ("||a.com @@||b.a.com", {}),
        ("||a.com @@||a.com", {1: 2}),
        ("@@||a.com @@||b.a.com", {2: 1}),
        ("||a.com |http://a.com/x |https://b.a.com |http://xa.com", {2: 1, 3: 1}),
        ("|http://a.com/x |http://a.com/xy |http://a.com", {1: 3, 2: 3}),
        ("|http://a.com |http://a.com:8080/x |http://a.com.b.org/ |https://a.com/", {2: 1}),
        ("||a.com ||a.com/x ||c*.a.com ||c*a.com ||b.a.com:8080", {2: 1, 3: 1, 5: 1}),
        ("||a.com/x ||a.com/x ||a.com/xy", {2: 1}),
        ("/ads/ /ads/ /ads?/", {2: 1}),
        ("a.com/x ba.com/xy |http://a.com/xyz |ws://a.com/xyz", {2: 1, 3: 1}),
        ("a*c abbc a*b*c ac ca", {2: 1, 3: 1, 4: 1}),
        ("a*b b*a", {}),
        ("||1.2.3.4 |http://1.2.3.4/x ||1.2.3.4/y ||1.2.3.44", {2: 1, 3: 1}),
        ("||[2001:db8::1] |http://[2001:db8:0::1]:80/x", {2: 1}),
        ("||例え.jp ||a.例え.jp ||例え.jp/x", {2: 1}),
        ("203.0.113.0/24 203.0.113.64/26 203.0.0.0/8 2001:db8::/32", {1: 3, 2: 3}),
        ("203.0.113.0/24 @@203.0.0.0/8 203.0.113.0/24", {1: 2, 3: 2}),
        ("203.0.113.0/24 @@203.0.113.7/32", {}),
        ("10.0.0.0/8 10.0.0.0/8", {2: 1}),
        ("203.0.113.0/24 ||203.0.113.7", {}),  # of which only the second is in a PAC
        ("", {}),
    ],
)
def test_what_is_covered_and_by_what(lines: str, found: dict[int, int]) -> None:
    assert covered(*lines.split()) == found


_NETWORK = st.sampled_from(["8.8.8.0/24", "8.0.0.0/8", "8.8.8.8/32", "1.2.0.0/16", "2001:db8::/32", "2001:db8::1/128"])
_LINE = st.one_of(RULE, _NETWORK, _NETWORK.map("@@{}".format))


@settings(max_examples=150)
@given(st.lists(_LINE, max_size=12), st.lists(URL, min_size=5, max_size=30))
def test_without_what_is_covered_all_goes_the_same_way(lines: list[str], urls: list[str]) -> None:
    one = read_user_rules("\n".join(lines))
    gone = covered_lines(one)
    left = RuleList(
        "user",
        tuple(rule for rule in one.rules if rule.line not in gone),
        tuple(each for each in one.networks if each[1] not in gone),
        excepted=tuple(each for each in one.excepted if each[1] not in gone),
    )
    before, after = Matcher(Policy(user=one)), Matcher(Policy(user=left))
    for url in urls:
        told, now = before.explain(url), after.explain(url)
        assert (now.pac.route, now.rules.route, now.by_name.route) == (
            told.pac.route, told.rules.route, told.by_name.route,
        )  # fmt: skip
    for line, by in gone.items():
        assert by in {rule.line for rule in (*left.rules, *one.rules)} | {
            at for _, at in (*one.networks, *one.excepted)
        }
        assert line != by


def test_very_many_are_looked_at_within_the_time_of_a_test() -> None:
    lines = (f"||a{n}.b{n % 100}.example.com\ntext{n}x/\n|http://same.org/{n}x\n" for n in range(5_000))
    assert covered_lines(read_user_rules("".join(lines))) == {}
