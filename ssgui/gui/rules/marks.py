"""What is said about lines of a text, and stays with them while the text is edited."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from ssgui.rules.acl import Problem


@dataclass(frozen=True, slots=True)
class Note:
    """What the right column says of a line: how often it was hit today, or which line covers it."""

    kind: Literal["hits", "never", "covered"]
    number: int = 0


class Lines:
    """Where the lines of a text were before it was edited. Lines count from 0; a copy is made for every edit."""

    def __init__(self, pieces: tuple[tuple[int, int | None], ...] = ((0, 0),)) -> None:
        self._pieces = pieces  # from this line on, lines stand so many further down; None: they are new
        self._starts = [start for start, _ in pieces]

    def before(self, line: int) -> int | None:
        """Which line it was, None if there was none."""
        shift = self._pieces[self._at(line)][1]
        return None if shift is None else line - shift

    def _at(self, line: int) -> int:
        return bisect_right(self._starts, line) - 1

    def replaced(self, first: int, removed: int, added: int) -> "Lines":
        """After `removed` lines from `first` on gave way to `added` new ones."""
        end, change = first + removed, added - removed
        pieces = [piece for piece in self._pieces if piece[0] < first]
        if added:
            pieces.append((first, None))
        pieces.append((first + added, _further(self._pieces[self._at(end)][1], change)))
        pieces += [(start + change, _further(shift, change)) for start, shift in self._pieces if start > end]
        return Lines((pieces[0], *(two for one, two in pairwise(pieces) if one[1] != two[1])))


def _further(shift: int | None, change: int) -> int | None:
    return None if shift is None else shift + change


class Marks:
    """Problems and notes. What is shown holds for the text that was last given away, however it was edited since."""

    def __init__(self) -> None:
        self._problems: dict[int, Problem] = {}
        self._notes: Mapping[int, Note] = {}
        self._given = self._of_problems = self._of_notes = Lines()

    def give(self) -> None:
        """The text is given away as it is now: what is said next is about it."""
        self._given = Lines()

    def clear(self) -> None:
        """There is another text."""
        self._problems, self._notes = {}, {}
        self._given = self._of_problems = self._of_notes = Lines()

    def move(self, first: int, removed: int, added: int) -> None:
        """The text was edited, see `Lines.replaced`."""
        self._given = self._given.replaced(first, removed, added)
        self._of_problems = self._of_problems.replaced(first, removed, added)
        self._of_notes = self._of_notes.replaced(first, removed, added)

    def set_problems(self, problems: tuple[Problem, ...]) -> None:
        """Instead of those before; of several in one line the first is shown."""
        self._problems = {problem.line: problem for problem in reversed(problems)}
        self._of_problems = self._given

    def set_notes(self, notes: Mapping[int, Note]) -> None:
        """Instead of those before; by line, from 1."""
        self._notes = dict(notes)
        self._of_notes = self._given

    def problem(self, line: int) -> Problem | None:
        """What is wrong with this line of the text as it is, from 0."""
        if not self._problems:
            return None
        was = self._of_problems.before(line)
        return None if was is None else self._problems.get(was + 1)

    def note(self, line: int) -> Note | None:
        """What the right column says of it."""
        was = self._of_notes.before(line)
        return None if was is None else self._notes.get(was + 1)

    def largest(self) -> dict[str, int]:
        """The kinds of notes that there are, and the largest number of each."""
        found: dict[str, int] = {}
        for note in self._notes.values():
            found[note.kind] = max(note.number, found.get(note.kind, 0))
        return found
