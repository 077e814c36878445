"""Texts that are looked for anywhere in an http: URL, found by a few letters of theirs.

Old lists have thousands. Merged into one expression they are tried one after the other at every place: milliseconds an
address. So each is kept under five letters that it has, and only those whose letters are in the address are tried.
"""

from typing import Final

from ssgui.rules.levels import Level, all_rules
from ssgui.rules.model import Kind, Rule

LETTERS: Final = 5
_FEW: Final = 20  # so many are quicker as one expression
TextIndex = dict[str, list[tuple[int, Rule]]]


def text_index(levels: tuple[Level, ...]) -> TextIndex:
    """Every such rule with its level, under letters that are in all it knows; nothing where there are few."""
    rules = [(number, rule) for number, rule in all_rules(levels) if is_indexed(rule)]
    if len(rules) <= _FEW:
        return {}
    found: TextIndex = {}
    for number, rule in rules:
        piece = max(rule.pattern.split("*"), key=len)
        rarest = min(sorted(letters_of(piece)), key=lambda letters: len(found.get(letters, ())))
        found.setdefault(rarest, []).append((number, rule))
    return found


def is_indexed(rule: Rule) -> bool:
    """Whether it is a text with enough letters."""
    return rule.kind is Kind.TEXT and any(len(piece) >= LETTERS for piece in rule.pattern.split("*"))


def letters_of(text: str) -> set[str]:
    """Every five letters of it."""
    return {text[at : at + LETTERS] for at in range(len(text) - LETTERS + 1)}
