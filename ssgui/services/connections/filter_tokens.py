"""The words of a filter: `youtube -direct stage:connecting "two words" /^www\\d/ >1MB age>30s`.

A text is cut into terms here; what they mean is `filtering`'s business. While somebody types, a term that is
not finished (`stage:`, `age>`, `-`) is left out instead of being wrong.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto

MOST_LETTERS = 500
# What an input method for Chinese types instead; each is one character, so that places stay the same.
_WIDE = {ord(char) + 0xFEE0: char for char in ':<>=-/,"'} | dict.fromkeys(map(ord, "“”"), '"') | {0x3000: " "}
_SPACE = re.compile(r"\s*")
_FIELD = re.compile(r"([A-Za-z]+):")
_COMPARED = re.compile(r"([A-Za-z]*)\s*([<>]=?)\s*(\S*)")
_PHRASE = re.compile(r'"([^"]*)"?')  # without an end it goes on to the end of the text
_REGEX = re.compile(r"/((?:[^/\\]|\\.)*)/(?=\s|$)")
_WORD = re.compile(r"\S+")


class FilterError(ValueError):
    """A filter that is not understood. The message says why; the mistake is at `text[start:end]`."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.start, self.end = start, end


class Kind(Enum):
    """How a term looks for its value."""

    TEXT = auto()  # anywhere, or in the field `name`
    REGEX = auto()
    COMPARED = auto()  # `name` is what is measured, `sign` one of < > <= >=


@dataclass(frozen=True, slots=True)
class Term:
    """One term, at `text[start:end]`."""

    kind: Kind
    start: int
    end: int
    negative: bool
    name: str
    value: str
    sign: str = ""


def terms(text: str, fields: frozenset[str], measures: frozenset[str]) -> list[Term]:
    """The finished terms of `text`, that uses these names. FilterError for what is neither."""
    if len(text) > MOST_LETTERS:
        raise FilterError(f"longer than {MOST_LETTERS} characters", MOST_LETTERS, len(text))
    return _Reader(text.translate(_WIDE), fields, measures).read()


class _Reader:
    def __init__(self, text: str, fields: frozenset[str], measures: frozenset[str]) -> None:
        self._text, self._fields, self._measures = text, fields, measures
        self._place, self._start, self._negative = 0, 0, False

    def read(self) -> list[Term]:
        found: list[Term] = []
        while (term := self._next()) is not None:
            if term.value:
                found.append(term)
        return found

    def _next(self) -> Term | None:
        self._place = self._start = self._skip(self._place)
        if self._start >= len(self._text):
            return None
        self._negative = self._text[self._start] == "-"
        self._place += self._negative
        if (compared := self._compared()) is not None:
            return compared
        name = ""
        if (field := _FIELD.match(self._text, self._place)) and field[1].lower() in self._fields:
            name, self._place = field[1].lower(), field.end()
        return self._value(name)

    def _skip(self, place: int) -> int:
        found = _SPACE.match(self._text, place)
        return found.end() if found else place

    def _compared(self) -> Term | None:
        found = _COMPARED.match(self._text, self._place)
        if found is None:
            return None
        name = found[1].lower()
        if name not in self._measures:
            if found.start(2) > found.end(1):
                return None  # a word, and a comparison after it
            words = "write age, wait, up, down or rate"
            raise FilterError(f"{name} is nothing that is measured: {words}", self._start, found.end(2))
        self._place = found.end()
        return Term(Kind.COMPARED, self._start, self._place, self._negative, name, found[3], found[2])

    def _value(self, name: str) -> Term:
        text, place, kind = self._text, self._place, Kind.TEXT
        if found := _PHRASE.match(text, place):
            value = found[1]
        elif text.startswith("/", place):
            found, kind = _REGEX.match(text, place), Kind.REGEX
            if found is None:
                raise FilterError("a regular expression ends with /", self._start, len(text))
            value = found[1]
        else:
            found = _WORD.match(text, place)
            value = found[0] if found else ""
        self._place = found.end() if found else place
        return Term(kind, self._start, self._place, self._negative, name, value)
