"""What a terminal sends when keys are pressed, as names of keys: pure, whatever the bytes and wherever they are split.

A name is a printable character itself, or one of: up down left right home end pgup pgdn delete tab backtab enter
backspace esc ctrl-a … ctrl-z alt-x. What no key sends is swallowed.
"""

import codecs

_CSI = {
    "A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end", "Z": "backtab",
    "1~": "home", "4~": "end", "7~": "home", "8~": "end", "3~": "delete", "5~": "pgup", "6~": "pgdn",
}  # fmt: skip
_SINGLE = {"\r": "enter", "\n": "enter", "\t": "tab", "\x7f": "backspace", "\x08": "backspace"}
_LONGEST = 32


class KeyParser:
    """Takes bytes, gives names. A lone ESC is the key only when nothing follows: `flush` says that nothing did."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._held = ""  # begins with ESC

    @property
    def waiting(self) -> bool:
        """Whether something began that may be a key already."""
        return bool(self._held)

    def feed(self, data: bytes) -> list[str]:
        """The keys that `data` completes."""
        return [key for char in self._decode(data) if (key := self._next(char))]

    def flush(self) -> list[str]:
        """Nothing more comes for now."""
        held, self._held = self._held, ""
        return ["esc"] if held == "\x1b" else []

    def _next(self, char: str) -> str:
        if not self._held:
            if char == "\x1b":
                self._held = char
                return ""
            return _plain(char)
        return self._escaped(char)

    def _escaped(self, char: str) -> str:
        held = self._held
        if char == "\x1b":  # what was held is over
            self._held = char
            return "esc" if held == "\x1b" else ""
        if held == "\x1b":
            if char in "[O":
                self._held += char
                return ""
            self._held = ""
            return f"alt-{char}" if char.isprintable() else ""
        self._held += char
        if self._held == "\x1b[[":  # function keys of Linux' own console
            return ""
        if "@" <= char <= "~" or len(self._held) > _LONGEST or not " " <= char <= "~":
            sequence, self._held = self._held[2:], ""
            return _CSI.get(sequence, "")
        return ""


def _plain(char: str) -> str:
    if char in _SINGLE:
        return _SINGLE[char]
    if "\x01" <= char <= "\x1a":
        return f"ctrl-{chr(ord(char) + 96)}"
    return char if char.isprintable() else ""
