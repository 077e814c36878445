"""Rules that a click adds to the person's own text, and takes back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.rules.acl import Route
from ssgui.rules.matcher import Matcher
from ssgui.rules.model import Policy
from ssgui.rules.reader import read_user_rules
from ssgui.services.rules.own_rules import OwnRuleError, always, domain_of

_TEXTS = st.lists(
    st.sampled_from(
        ["||a.example", "@@||a.example", "! note", "", "||b.a.example", "@@||example", "/x/", " ||a.example "]
    ),
    max_size=6,
).map("\n".join)


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("www.example.com", "example.com"), ("a.b.example.co.uk", "example.co.uk"), ("example.com.", "example.com"),
        ("co.uk", "co.uk"), ("localhost", "localhost"), ("203.0.113.7", "203.0.113.7"),
        ("[2001:db8::1]", "2001:db8::1"), ("例え.jp", "xn--r8jz45g.jp"), ("EXAMPLE.Com", "example.com"),
    ],
)  # fmt: skip
def test_the_site_of_a_host(host: str, domain: str) -> None:
    assert domain_of(host) == domain


@given(_TEXTS, st.sampled_from(["a.example", "c.b.a.example", "203.0.113.7", "2001:db8::7"]), st.sampled_from(Route))
def test_what_was_asked_for_holds_or_is_refused(text: str, host: str, route: Route) -> None:
    if route is Route.REJECT:
        return
    try:
        change = always(text, host, route)
    except OwnRuleError:
        assert route is Route.PROXY
        assert any(line.startswith("@@") for line in text.split("\n")), "only an exception is a reason"
        return
    matcher = Matcher(Policy(user=read_user_rules(change.after)))
    place = f"[{host}]" if ":" in host else host
    assert matcher.decide(f"https://{place}/").route is route
    assert matcher.decide(f"http://{place}/").route is route
    assert change.taken_back(change.after) == text
    assert change.added not in change.taken_back(f"{change.after}||later.example\n").split("\n")


def test_the_opposite_goes_and_comes_back() -> None:
    text = "! mine\n@@||a.example\n||z.example\n"
    change = always(text, "a.example", Route.PROXY)
    assert change.after == "! mine\n||z.example\n||a.example\n"
    assert change.taken_back(change.after + "||new.example\n") == "! mine\n||z.example\n||new.example\n@@||a.example\n"


def test_why_it_cannot_be() -> None:
    with pytest.raises(OwnRuleError, match=r"your exception in line 2 decides first: @@\|\|example"):
        always("! x\n@@||example", "a.example", Route.PROXY)
    with pytest.raises(OwnRuleError, match="local network"):
        always("", "192.168.1.1", Route.PROXY)
    with pytest.raises(OwnRuleError, match="no host"):
        always("", "", Route.PROXY)
