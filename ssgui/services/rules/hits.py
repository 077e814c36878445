"""How often rules decide: today, by list and by rule of the person's own; and which of these never did."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final

from ssgui.rules.model import RuleList
from ssgui.services.connections.records import Connection, Listener
from ssgui.services.rules.lists import USER

_MOST_RULES: Final = 20_000
_LOOK_AGAIN: Final = 1.0  # seconds, whether the day is over


class RuleHits:
    """Listens to connections. `day` is what `today` said when the first of these hits came."""

    def __init__(self, today: Callable[[], str]) -> None:
        self._today = today
        self.day = today()
        self.lists: Counter[str] = Counter()
        self.rules: Counter[str] = Counter()  # of the person's own, by their text
        self.ever: dict[str, str] = {}  # and the day of their last hit
        self.version = 0

    def count(self, rule: str, names: Iterable[str]) -> None:
        """`rule` decided, as the router writes it: the list and the rule in it. The day is that of the last look."""
        name = next((one for one in names if rule == one or rule.startswith(f"{one}: ")), None)
        if name is None:
            return
        self.lists[name] += 1
        self.version += 1
        if name == USER and len(self.ever) < _MOST_RULES:
            text = rule[len(name) + 2 :]
            self.rules[text] += 1
            self.ever[text] = self.day

    def look(self) -> None:
        """Begin anew when the day is over."""
        if (day := self._today()) != self.day:
            self.day = day
            self.lists.clear()
            self.rules.clear()
            self.version += 1

    def keep(self, texts: Iterable[str]) -> None:
        """These are the person's rules now: forget when others were hit."""
        kept = set(texts)
        self.ever = {text: day for text, day in self.ever.items() if text in kept}

    # ---- keeping

    def saved(self) -> dict[str, Any]:
        """JSON-able."""
        return {"day": self.day, "lists": dict(self.lists), "rules": dict(self.rules), "ever": self.ever}

    def restore(self, tree: Any) -> None:
        """What was saved; what is damaged is left out."""
        if not isinstance(tree, dict):
            return
        ever = tree.get("ever")
        if isinstance(ever, dict):
            self.ever = {str(text): day for text, day in ever.items() if isinstance(day, str)}
        if tree.get("day") == self.day:
            self.lists.update(_counts(tree.get("lists")))
            self.rules.update(_counts(tree.get("rules")))


def _counts(tree: Any) -> dict[str, int]:
    if not isinstance(tree, dict):
        return {}
    return {str(key): value for key, value in tree.items() if isinstance(value, int) and 0 <= value < 1 << 53}


def names_by_line(user: RuleList) -> dict[int, str]:
    """The person's own rules and networks by line, as hits name them."""
    networks = {line: str(network) for network, line in (*user.excepted, *user.networks)}
    return networks | {rule.line: rule.text for rule in user.rules}


def unseen_with_a_pac(user: RuleList) -> frozenset[int]:
    """Lines that decide nothing here while browsers ask the PAC: by exceptions they go past, and it has no networks."""
    networks = {line for _, line in (*user.excepted, *user.networks)}
    return frozenset(networks | {rule.line for rule in user.rules if rule.exception})


class HitListener(Listener):
    """Counts each connection once, as soon as it is known where it goes."""

    def __init__(self, hits: RuleHits, names: Callable[[], Iterable[str]]) -> None:
        self._hits, self._names = hits, names
        self._counted: set[int] = set()
        self._looked = 0.0

    def moved(self, one: Connection) -> None:
        """It has its route."""
        if one.rule and one.id not in self._counted:
            self._counted.add(one.id)
            if (now := time.monotonic()) - self._looked >= _LOOK_AGAIN:
                self._looked = now
                self._hits.look()
            self._hits.count(one.rule, self._names())

    def closed(self, one: Connection) -> None:
        """One that was refused has its rule only now."""
        self.moved(one)
        self._counted.discard(one.id)
