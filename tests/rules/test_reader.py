"""What a person writes into the editor: AutoProxy, and networks."""

from hypothesis import given
from hypothesis import strategies as st

from ssgui.rules.acl import Route
from ssgui.rules.matcher import Matcher
from ssgui.rules.model import Policy
from ssgui.rules.reader import read_user_rules

TEXT = """! mine
203.0.113.0/24
@@203.0.113.7/32
  2001:db8::/32
@@192.168.0.0/33
1.2.3/8
||a.example
10.0.0.7/8"""


def test_networks_of_a_person() -> None:
    made = read_user_rules(TEXT)
    assert [(str(network), line) for network, line in made.networks] == [
        ("203.0.113.0/24", 2), ("2001:db8::/32", 4), ("10.0.0.0/8", 8),
    ]  # fmt: skip
    assert [(str(network), line) for network, line in made.excepted] == [("203.0.113.7/32", 3)]
    assert [(one.line, one.why) for one in made.problems] == [
        (5, "the length of a prefix is 0 to 32"), (6, "not an address"),
    ]  # fmt: skip
    assert [rule.line for rule in made.rules] == [7]
    matcher = Matcher(Policy(user=made))
    assert matcher.decide_target("203.0.113.8", 443)[:4:3] == (Route.PROXY, 2)
    assert matcher.decide_target("203.0.113.7", 443)[:4:3] == (Route.DIRECT, 3)
    assert matcher.decide("https://203.0.113.8/").route is Route.DIRECT  # a PAC does not ask about addresses


@given(st.text())
def test_a_person_may_write_anything(text: str) -> None:
    made = read_user_rules(text)
    lines = text.count("\n") + 1
    assert all(1 <= problem.line <= lines for problem in made.problems)
