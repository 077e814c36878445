"""A policy as a stack of levels: the first that knows a URL decides.

0 the person's exceptions, 1 the person's rules, then the exceptions of every list in their order, then the rules
of every list in their order. The matcher and the compiler are made from the same stack.
"""

from collections.abc import Iterator
from typing import NamedTuple

from ssgui.rules.acl import Route
from ssgui.rules.model import Network, Policy, PolicyMode, Rule, RuleList


class Level(NamedTuple):
    """Rules of one list that send what they match one way. `networks` judge addresses, never in a PAC."""

    route: Route
    list: str
    rules: tuple[Rule, ...]
    networks: tuple[tuple[Network, int], ...] = ()


def levels_of(policy: Policy) -> tuple[Level, ...]:
    """The stack, without levels that are empty. With GLOBAL there is none."""
    if policy.mode is PolicyMode.GLOBAL:
        return ()
    made = [_exceptions(policy.user), _rules(policy.user)]
    made += [_exceptions(one) for one in policy.lists]
    made += [_rules(one) for one in policy.lists]
    return tuple(level for level in made if level.rules or level.networks)


def default_of(policy: Policy) -> Route:
    """Where goes what no level knows."""
    return Route.DIRECT if policy.mode is PolicyMode.LIST else Route.PROXY


def _exceptions(one: RuleList) -> Level:
    other = Route.DIRECT if one.action is Route.PROXY else Route.PROXY
    return Level(other, one.name, tuple(rule for rule in one.rules if rule.exception), one.excepted)


def _rules(one: RuleList) -> Level:
    return Level(one.action, one.name, tuple(rule for rule in one.rules if not rule.exception), one.networks)


def all_rules(levels: tuple[Level, ...]) -> Iterator[tuple[int, Rule]]:
    """Every rule with the number of its level, first decided first."""
    for number, level in enumerate(levels):
        for rule in level.rules:
            yield number, rule
