"""Changes to the text of a person's own rules: "always proxy" and "always direct", and taking that back."""

from dataclasses import dataclass
from typing import Final

from ssgui.protocol.address import bracketed
from ssgui.rules.acl import Route
from ssgui.rules.address_forms import literal, normal_host, stays_here
from ssgui.rules.matcher import Matcher
from ssgui.rules.model import Policy
from ssgui.rules.reader import read_user_rules

# Second labels under which people register names in many countries: "example.co.uk" is one site, "co.uk" is not.
_SHARED: Final = frozenset({"ac", "co", "com", "edu", "gob", "gov", "ne", "net", "nom", "or", "org"})


class OwnRuleError(Exception):
    """The rule would not do what it is for; says why."""


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A text before and after, the line that was added and those that had to go."""

    before: str
    after: str
    added: str
    removed: tuple[str, ...] = ()

    def taken_back(self, now: str) -> str:
        """`now` without the change, whatever else was changed meanwhile."""
        if now == self.after:
            return self.before
        lines = now.rstrip("\n").split("\n")
        if self.added in lines:
            lines.reverse()
            lines.remove(self.added)
            lines.reverse()
        return _joined([*lines, *(line for line in self.removed if line not in lines)])


def domain_of(host: str) -> str:
    """The site that `host` is of, as people think of it; an address is its own."""
    name = normal_host(host)
    if literal(name) is not None or "." not in name:
        return name
    labels = name.split(".")
    shared = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SHARED
    return ".".join(labels[-3 if shared else -2 :])


def always(text: str, host: str, route: Route) -> RuleChange:
    """`text` with a rule that sends `host` and what is under it by `route`. OwnRuleError."""
    name = normal_host(host)
    if not name:
        raise OwnRuleError("there is no host")
    if stays_here(name) and route is Route.PROXY:
        raise OwnRuleError("what is in the local network is always direct")
    rule = f"||[{name}]" if ":" in name else f"||{name}"
    added, opposite = (f"@@{rule}", rule) if route is Route.DIRECT else (rule, f"@@{rule}")
    lines = text.rstrip("\n").split("\n")
    removed = tuple(line for line in lines if line.strip() == opposite)
    kept = [line for line in lines if line not in removed and line.strip() != added]
    after = _joined([*kept, added])
    _try(after, name, route)
    return RuleChange(text, after, added, removed)


def _try(text: str, host: str, route: Route) -> None:
    """OwnRuleError unless `text` really sends `host` by `route`."""
    rules = read_user_rules(text)
    matcher = Matcher(Policy(user=rules))
    for scheme in ("https", "http"):
        found = matcher.decide(f"{scheme}://{bracketed(host)}/")
        if found.rule is None and not stays_here(host):
            raise OwnRuleError("this is no name that a rule can have")
        if found.rule is not None and found.route is not route:
            raise OwnRuleError(f"your exception in line {found.line} decides first: {found.text}")


def _joined(lines: list[str]) -> str:
    return "\n".join(lines).strip("\n") + "\n"
