"""Which rows somebody wants to see, by a line of text."""

from collections.abc import Iterable
from typing import Protocol

from ssgui.services.connections import Connection
from ssgui.services.wording import state_word


class FilterError(ValueError):
    """The text is no filter."""


class RowFilter(Protocol):
    """A line of text that was understood."""

    @property
    def text(self) -> str:
        """As it was typed."""

    def select(self, rows: Iterable[Connection], now: float) -> list[Connection]:
        """Those that it wants."""


class Words:
    """Rows that contain every word, and none of those with a minus."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._words = text.casefold().split()

    def select(self, rows: Iterable[Connection], now: float) -> list[Connection]:
        """See `RowFilter`."""
        return [one for one in rows if self._wants(one)] if self._words else list(rows)

    def _wants(self, one: Connection) -> bool:
        parts = (one.target, one.rule, one.route, one.server, one.client, one.program, one.user, one.inbound)
        found = " ".join((*parts, state_word(one), str(one.reason or ""))).casefold()
        return all(
            (word[1:] not in found) if len(word) > 1 and word[0] == "-" else word in found for word in self._words
        )


EVERYTHING: RowFilter = Words("")


def compile_filter(text: str) -> RowFilter:
    """The filter that `text` means. FilterError when it means nothing."""
    return Words(text)
