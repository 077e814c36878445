"""Regular expressions of rule lists, as far as JavaScript (ES5) and Python read them alike.

A PAC runs them in the browser and the matcher here, and both must say the same. So what the two read differently
is refused, captures become groups without a number (many patterns are merged into one), and what could take for
ever on some URL is refused too: a list comes from elsewhere.
"""

import re
import warnings
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

MAX_PATTERN: Final = 2048
_ESCAPES: Final = frozenset("dDwWsSbBtnvfr")
_QUANTIFIER: Final = re.compile(r"(?:[*+?]|\{(\d{1,9})(,\d{0,9})?\})\??")
# "Any labels", as lists write it: tried in every way it is exponential, and means the same as once or not at all.
_LABELS: Final = re.compile(r"\((?:\?:)?(\[\^\\?/\]|\.)(\+)(\??)\\\.\)\*\??")


_ENDLESS: Final = "it may take for ever on some addresses: too many ways to repeat"
_BITS: Final = 31  # the logarithm of how many ways are tried at most, roughly: tenths of a second
_MOST_ATOMS: Final = 1000
_MOST_COUNTED: Final = 255
_LITERAL: Final = re.compile(r"(?:[a-zA-Z0-9_-]|\\[^a-zA-Z0-9])*")
_PLAIN_NEXT: Final = re.compile(r"[a-zA-Z0-9_/:@%&=,;~!'\"<>-]|\\([^a-zA-Z0-9])")


class RegexError(ValueError):
    """A pattern that cannot be used; the message says why."""


def glob(pieces: list[str], star: str) -> str:
    """The expression of `pieces` with any run of `star` between them, which never tries a run in two ways.

    Where a piece comes first is as good as anywhere later, so all runs but the last stop there.
    """
    if len(pieces) == 1:
        return pieces[0]
    first, *middle, last = pieces
    runs = "".join(f"(?:(?!{one}){star})*{one}" for one in middle)
    return f"{first}{runs}{star}*{last}"


def portable(pattern: str, longest: int = 2048, bits: int = _BITS) -> str:
    """`pattern` for both, searched without regard to case in ASCII text. RegexError when it is not understood.

    `longest` is how long the text is at most; 0 for patterns that we wrote ourselves and know to be quick. `bits` is
    the logarithm of how many ways are tried at most.
    """
    if len(pattern) > MAX_PATTERN:
        raise RegexError(f"longer than {MAX_PATTERN} characters")
    if not pattern.isascii() or not pattern.isprintable():
        raise RegexError("only ASCII can be matched: names come in Punycode")
    found = _Reader(_LABELS.sub(r"(?:\1\2\3\\.)?", pattern), longest, bits).read()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(found, re.IGNORECASE | re.ASCII)
    except (re.error, Warning, OverflowError, RecursionError) as error:
        raise RegexError(f"not a regular expression that is understood: {error}") from None
    return found


@dataclass(slots=True)
class _Ways:
    """What makes a part of a pattern slow: `endless` repeats that can stop in many places, `choices` (a logarithm)

    of optional pieces and branches, whether a repeat runs on to the one place where it can stop, and how many
    `atoms` it is when written out.
    """

    endless: int = 0
    choices: int = 0
    runs: bool = False
    atoms: int = 0

    def widest(self, other: "_Ways") -> "_Ways":
        endless, choices = max(self.endless, other.endless), max(self.choices, other.choices)
        return _Ways(endless, choices, self.runs or other.runs, self.atoms + other.atoms)


@dataclass(slots=True)
class _Group:
    start: int  # where its content begins in the pattern
    looks: bool = False  # it looks ahead, and takes nothing
    branches: int = 1
    now: _Ways = field(default_factory=_Ways)
    before: _Ways = field(default_factory=_Ways)  # of the branches before


class _Reader:
    """Copies the pattern piece by piece, and counts in how many ways it can be tried."""

    def __init__(self, pattern: str, longest: int, bits: int) -> None:
        self._text, self._place, self._longest, self._bits = pattern, 0, longest, bits
        self._out: list[str] = []
        self._open: list[_Group] = [_Group(0)]

    def read(self) -> str:
        while self._place < len(self._text):
            self._piece()
        if len(self._open) > 1:
            raise RegexError("a group is not closed")
        self._weigh()
        return "".join(self._out)

    def _weigh(self) -> None:
        """RegexError if a text of the length that is asked about may take too long."""
        if not self._longest:
            return
        whole = self._open[0]
        ways = whole.now.widest(whole.before)
        unanchored = not self._text.startswith("^") or whole.branches > 1
        if (ways.endless + ways.runs + unanchored) * (self._longest - 1).bit_length() + ways.choices > self._bits:
            raise RegexError(_ENDLESS)

    def _piece(self) -> None:
        char = self._text[self._place]
        if char == "(":
            self._begin_group()
        elif char == ")":
            self._end_group()
        elif char == "[":
            start = self._place
            self._class()
            self._quantifier(self._text[start : self._place])
        elif char == "\\":
            pair = self._escape()
            self._take(pair)
            self._quantifier(pair)
        elif char in "*+?":
            raise RegexError(f"nothing to repeat before {char!r}")
        elif char == "|":
            self._take(char)
            group = self._open[-1]
            group.branches += 1
            group.now, group.before = _Ways(), group.now.widest(group.before)
        elif char in "^$":
            self._take(char)
        else:
            escaped = "\\" + char if char in "{}]" else char
            self._take(escaped, 1)
            self._quantifier(escaped)

    def _take(self, text: str, length: int | None = None) -> None:
        self._out.append(text)
        self._place += len(text) if length is None else length

    def _begin_group(self) -> None:
        rest = self._text[self._place :]
        if rest.startswith(("(?:", "(?=", "(?!")):
            self._take(rest[:3])
        elif rest.startswith("(?"):
            raise RegexError(f"{rest[:4]!r} means different things, or nothing, in browsers and here")
        else:
            self._take("(?:", 1)
        self._open.append(_Group(self._place, rest.startswith(("(?=", "(?!"))))

    def _end_group(self) -> None:
        if len(self._open) == 1:
            raise RegexError("a group is closed that was not opened")
        group = self._open.pop()
        inner = group.now.widest(group.before)
        if group.branches > 1 and not _one_at_most(self._text[group.start : self._place].split("|")):
            inner.choices += group.branches.bit_length()
        self._take(")")
        if group.looks and _QUANTIFIER.match(self._text, self._place):
            raise RegexError("a repeat of what takes nothing")
        self._quantifier("", inner)

    def _repeat(self) -> tuple[int, int | None] | None:
        """The quantifier here, taken: how often at least and at most."""
        found = _QUANTIFIER.match(self._text, self._place)
        if found is None:
            return None
        self._take(found[0])
        if self._text[self._place : self._place + 1] in ("+", "*", "?"):
            raise RegexError(f"{self._text[self._place]!r} after {found[0]!r} is not understood by browsers")
        if found[1] is None:
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[found[0][0]]
        least = int(found[1])
        most = least if found[2] is None else int(found[2][1:]) if found[2] != "," else None
        if max(least, most or 0) > _MOST_COUNTED:
            raise RegexError(f"a repeat of more than {_MOST_COUNTED} times")
        return least, most

    def _quantifier(self, atom: str, inner: _Ways | None = None) -> None:
        """What may follow an atom, or a group with `inner` ways."""
        inner = _Ways(atoms=1) if inner is None else inner
        here = self._open[-1].now
        least, most = self._repeat() or (1, 1)
        surely = bool(atom) and self._ends_surely(atom)
        if most is None:
            if self._longest and (inner.endless or inner.choices):
                raise RegexError("a repeat of a repeat, or of a choice, may take for ever on some addresses")
            here.endless += not (surely or self._at_the_end())
            here.runs |= surely or inner.runs
        else:
            here.runs |= inner.runs
            here.endless += inner.endless * most
            here.choices += inner.choices * most + (0 if surely else (most - least).bit_length())
        here.atoms += inner.atoms * max(least, most or 1)
        if here.atoms > _MOST_ATOMS and self._longest:
            raise RegexError("too long when its repeats are written out")

    def _ends_surely(self, atom: str) -> bool:
        """Whether a repeat of `atom` can stop in one place only: where a character comes that it is not."""
        found = _PLAIN_NEXT.match(self._text, self._place)
        if found is None or _QUANTIFIER.match(self._text, found.end()):
            return False
        try:
            return re.fullmatch(atom, found[1] or found[0], re.IGNORECASE | re.ASCII) is None
        except re.error:
            return False  # said when all is read

    def _at_the_end(self) -> bool:
        """Whether nothing follows that could fail."""
        return not self._text[self._place :].strip(")") and not any(group.looks for group in self._open)

    def _escape(self) -> str:
        pair = self._text[self._place : self._place + 2]
        if len(pair) < 2:
            raise RegexError("it ends in a backslash")
        char = pair[1]
        if char == "x" and re.fullmatch(r"[0-9a-fA-F]{2}", self._text[self._place + 2 : self._place + 4]):
            return self._text[self._place : self._place + 4]
        if char.isalnum() and char not in _ESCAPES:
            raise RegexError(f"{pair!r} means different things, or nothing, in browsers and here")
        return pair

    def _class(self) -> None:
        self._take("[")
        if self._text.startswith("^", self._place):
            self._take("^")
        if self._text.startswith("]", self._place):
            raise RegexError("an empty class of characters")
        while not self._text.startswith("]", self._place):
            if self._place >= len(self._text):
                raise RegexError("a class of characters is not closed")
            char = self._text[self._place]
            if self._text.startswith(("[:", "[.", "[="), self._place):
                raise RegexError("classes like [:alpha:] are not known to browsers")
            if char == "\\":
                pair = self._escape()
                if pair in ("\\b", "\\B"):
                    raise RegexError(f"{pair!r} in a class of characters")
                self._take(pair)
            else:
                self._take("\\" + char if char in "[&|~" else char, 1)
        self._take("]")


def _one_at_most(branches: list[str]) -> bool:
    """Whether at most one of `branches` can be there: all are plain text, and none begins another."""
    if not all(_LITERAL.fullmatch(one) for one in branches):
        return False
    ordered = sorted(one.lower() for one in branches)
    return not any(one and after.startswith(one) for one, after in pairwise(ordered)) and all(ordered)
