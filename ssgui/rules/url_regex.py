"""Regular expressions of rule lists, as far as JavaScript (ES5) and Python read them alike.

A PAC runs them in the browser and the matcher here, and both must say the same. So what the two read differently
is refused, captures become groups without a number (many patterns are merged into one), and what could take for
ever on some URL is refused too: a list comes from elsewhere.
"""

import re
import warnings
from typing import Final

MAX_PATTERN: Final = 2048
_ESCAPES: Final = frozenset("dDwWsSbBtnvfr")
_UNBOUNDED: Final = re.compile(r"[*+]|\{\d+,\}")
_QUANTIFIER: Final = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})\??")
# "Any labels", as lists write it: tried in every way it is exponential, and means the same as once or not at all.
_LABELS: Final = re.compile(r"\((?:\?:)?(\[\^\\?/\]|\.)(\+)(\??)\\\.\)\*\??")


class RegexError(ValueError):
    """A pattern that cannot be used; the message says why."""


def portable(pattern: str) -> str:
    """`pattern` for both, searched without regard to case in ASCII text. RegexError when it is not understood."""
    if len(pattern) > MAX_PATTERN:
        raise RegexError(f"longer than {MAX_PATTERN} characters")
    if not pattern.isascii() or not pattern.isprintable():
        raise RegexError("only ASCII can be matched: names come in Punycode")
    found = _Reader(_LABELS.sub(r"(?:\1\2\3\\.)?", pattern)).read()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(found, re.IGNORECASE | re.ASCII)
    except (re.error, Warning, OverflowError, RecursionError) as error:
        raise RegexError(f"not a regular expression that is understood: {error}") from None
    return found


class _Reader:
    """Copies the pattern piece by piece. `_open` has for each open group whether it holds an unbounded repeat."""

    def __init__(self, pattern: str) -> None:
        self._text, self._place = pattern, 0
        self._out: list[str] = []
        self._open: list[bool] = [False]

    def read(self) -> str:
        while self._place < len(self._text):
            self._piece()
        if len(self._open) > 1:
            raise RegexError("a group is not closed")
        return "".join(self._out)

    def _piece(self) -> None:
        char = self._text[self._place]
        if char == "(":
            self._begin_group()
        elif char == ")":
            self._end_group()
        elif char == "[":
            self._class()
            self._quantifier(repeats=False)
        elif char == "\\":
            self._take(self._escape())
            self._quantifier(repeats=False)
        elif char in "*+?":
            raise RegexError(f"nothing to repeat before {char!r}")
        elif char in "^$|":
            self._take(char)
        else:
            self._take("\\" + char if char in "{}]" else char, 1)
            self._quantifier(repeats=False)

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
        self._open.append(False)

    def _end_group(self) -> None:
        if len(self._open) == 1:
            raise RegexError("a group is closed that was not opened")
        self._take(")")
        self._quantifier(repeats=self._open.pop())

    def _quantifier(self, *, repeats: bool) -> None:
        """What may follow an atom; `repeats` tells that the atom holds an unbounded repeat itself."""
        found = _QUANTIFIER.match(self._text, self._place)
        unbounded = bool(found and _UNBOUNDED.match(found[0]))
        if found:
            if unbounded and repeats:
                raise RegexError("a repeat of a repeat may take for ever on some addresses")
            self._take(found[0])
            if self._text[self._place : self._place + 1] in ("+", "*", "?"):
                raise RegexError(f"{self._text[self._place]!r} after {found[0]!r} is not understood by browsers")
        self._open[-1] = self._open[-1] or unbounded or repeats

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
            if char == "\\":
                pair = self._escape()
                if pair in ("\\b", "\\B"):
                    raise RegexError(f"{pair!r} in a class of characters")
                self._take(pair)
            else:
                self._take("\\" + char if char in "[&|~" else char, 1)
        self._take("]")
