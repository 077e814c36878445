"""Text as an editor shows it: characters that turn text around, or cannot be seen, each get a visible place.

They are swapped for private characters while they are in the editor, and swapped back on the way out: so rules that
came from elsewhere are kept as they were, and a line breaks in two for "\\n" only, as the rules are read.
"""

import re
from typing import Final

_PRIVATE: Final = 0x100000  # the last plane: what stands there has no direction and no meaning
_BEHIND: Final = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls; tabs and ends of lines stay
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # directions
    "\u2028\u2029\ufdd0\ufdd1\ufffc"  # what Qt's documents are divided by
)
_SWAPPED: Final = re.compile(f"[{_BEHIND}]")
_CANDIDATE: Final = re.compile("[\U00100000-\U0010fffd]")


def shown(text: str) -> str:
    """`text` as the editor has it."""
    if not _SWAPPED.search(text):
        return text
    return _SWAPPED.sub(lambda found: chr(_PRIVATE + ord(found[0])), text)


def kept(text: str) -> str:
    """The opposite."""
    return _CANDIDATE.sub(_back, text)


def _back(found: re.Match[str]) -> str:
    before = chr(ord(found[0]) - _PRIVATE)
    return before if _SWAPPED.fullmatch(before) else found[0]
