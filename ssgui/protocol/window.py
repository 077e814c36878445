"""Which numbers of a session's packets were seen, so that none is taken twice."""

from typing import Final

WINDOW: Final = 8128  # WireGuard's: 128 words of 64 bits, less the one that is being filled
_MASK = (1 << WINDOW + 1) - 1


class Window:
    """Numbers may come in any order, but none that is WINDOW behind the highest or further.

    Ask `accepts` first, before anything is decrypted if you like; `add` only what is authentic.
    """

    __slots__ = ("_last", "_seen")

    def __init__(self) -> None:
        self._last = -1
        self._seen = 0  # bit n: last - n was seen

    def accepts(self, number: int) -> bool:
        """Whether `number` is new, as far as can be told."""
        behind = self._last - number
        return behind < 0 or (behind <= WINDOW and not self._seen >> behind & 1)

    def add(self, number: int) -> None:
        """Remember a `number` that is accepted."""
        ahead = number - self._last
        if ahead > WINDOW:
            self._last, self._seen = number, 1
        elif ahead > 0:
            self._last, self._seen = number, (self._seen << ahead | 1) & _MASK
        else:
            self._seen |= 1 << -ahead
