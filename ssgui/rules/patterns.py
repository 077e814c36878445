"""Regular expressions of access lists, as PCRE (shadowsocks-libev) and Rust's regex crate read them, in Python's.

Most of such a list is `(^|\\.)example\\.com$` over and over: `plain_name` knows these, so that they become
table entries. The others are translated where the syntaxes differ and the meaning is plain; what is left that
Python does not read is an error, never something else. Matching is a search, without regard to case.
"""

import re
import warnings
from typing import Final

_NAME: Final = r"((?:[a-z0-9_-]+\\\.)*[a-z0-9_-]+)\$"
_WITH_SUBDOMAINS: Final = re.compile(r"(?:\((?:\?:)?\^\|\\\.\)|\^\((?:\?:)?\.\*\\\.\)\?)" + _NAME, re.IGNORECASE)
_ALONE: Final = re.compile(r"\^" + _NAME, re.IGNORECASE)
_POSIX: Final = {
    "alnum": "a-zA-Z0-9", "alpha": "a-zA-Z", "digit": "0-9", "lower": "a-z", "upper": "A-Z", "xdigit": "0-9A-Fa-f",
    "punct": r"!-/:-@\[-`{-~", "space": r"\s", "word": r"\w", "blank": r" \t",
}  # fmt: skip
_POSIX_CLASS: Final = re.compile(r"\[:(\w+):\]")
_LITERAL: Final = re.compile(r"\\Q(.*?)(?:\\E|$)", re.DOTALL)


class PatternError(ValueError):
    """A regular expression that cannot be used; the message says why."""


def plain_name(pattern: str) -> tuple[str, bool] | None:
    """The name that `pattern` stands for, and whether for its subdomains too; None if it is more than that."""
    if found := _WITH_SUBDOMAINS.fullmatch(pattern):
        return found[1].replace("\\.", ".").lower(), True
    if found := _ALONE.fullmatch(pattern):
        return found[1].replace("\\.", ".").lower(), False
    return None


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """`pattern` for `search` on a lower-case name. PatternError when it is not understood."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python may read otherwise one day
            return re.compile(_translated(pattern), re.IGNORECASE | re.ASCII)
    except (re.error, OverflowError, RecursionError, ValueError) as error:
        raise PatternError(f"not a regular expression that is understood: {error}") from None


def _translated(pattern: str) -> str:
    text = _LITERAL.sub(lambda found: re.escape(found[1]), pattern)
    out: list[str] = []
    place = 0
    while place < len(text):
        if text[place] == "[":
            place = _copy_class(text, place, out)
        elif text[place] == "\\":
            pair = text[place : place + 2]
            out.append({"\\z": r"\Z", "\\h": r"[ \t]"}.get(pair, pair))
            place += 2
        elif text.startswith("(?<", place) and text[place + 3 : place + 4] not in ("=", "!"):
            out.append("(?P<")
            place += 3
        else:
            out.append(text[place])
            place += 1
    return "".join(out)


def _copy_class(text: str, place: int, out: list[str]) -> int:
    """Copy the character class that begins at `place` with its POSIX names spelt out; where it ends."""
    out.append("[")
    place += 1
    if text.startswith("^", place):
        out.append("^")
        place += 1
    if text.startswith("]", place):
        out.append("\\]")
        place += 1
    while place < len(text) and text[place] != "]":
        named = _POSIX_CLASS.match(text, place)
        if named and named[1] in _POSIX:
            out.append(_POSIX[named[1]])
            place = named.end()
        elif text[place] == "\\":
            out.append(text[place : place + 2])
            place += 2
        else:
            out.append("\\" + text[place] if text[place] in "[&|~" else text[place])
            place += 1
    out.append(text[place : place + 1])
    return place + 1
