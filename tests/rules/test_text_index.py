"""Texts are found by a few of their letters, and none is missed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ssgui.rules.autoproxy import parse_autoproxy
from ssgui.rules.levels import levels_of
from ssgui.rules.matcher import Matcher
from ssgui.rules.model import Policy
from ssgui.rules.text_index import LETTERS, is_indexed, letters_of, text_index

TEXTS = [f"text{number}.example/" for number in range(30)]


def policy(*lines: str) -> Policy:
    return Policy(lists=(parse_autoproxy("\n".join(lines), "list"),))


def test_few_are_not_worth_it() -> None:
    assert text_index(levels_of(policy(*TEXTS[:20]))) == {}
    assert sum(map(len, text_index(levels_of(policy(*TEXTS))).values())) == 30


def test_they_are_kept_apart() -> None:
    found = text_index(levels_of(policy(*TEXTS, "||example.com", "a*b*c*d*e", "abcd", "ab*longest*cd", "/regex/")))
    assert max(map(len, found.values())) == 1
    assert all(len(letters) == LETTERS for letters in found)
    kept = {rule.text: letters for letters, rules in found.items() for _, rule in rules}
    assert not {"||example.com", "a*b*c*d*e", "abcd", "/regex/"} & set(kept)
    assert kept["ab*longest*cd"] in "longest"


def test_the_first_of_several_is_named() -> None:
    matcher = Matcher(policy(*TEXTS, "xample.com", "example.com", "@@example.com/free"))
    for _ in range(3):
        assert matcher.decide("http://www.example.com/").line == 31
        assert matcher.decide("http://www.example.com/free").line == 33
        assert matcher.explain("http://www.example.com/").also[0].line == 32
    assert matcher.decide("https://www.example.com/").rule is None


@settings(max_examples=200)
@given(
    st.lists(st.text("ab.*/", min_size=1, max_size=9), max_size=30), st.lists(st.text("ab./", max_size=30), max_size=9)
)
def test_none_is_missed(texts: list[str], paths: list[str]) -> None:
    one = policy(*TEXTS, *(f"x{text}" for text in texts))
    index = text_index(levels_of(one))
    for path in paths:
        url = f"http://xa.example/{path}"
        near = {rule.text for letters in index.keys() & letters_of(url) for _, rule in index[letters]}
        there = {rule.text for rule in one.lists[0].rules if is_indexed(rule) and rule.text in url}
        assert there <= near
