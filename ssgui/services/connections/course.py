"""How many bytes came when: a few samples of a connection's life, the older the coarser."""

from array import array
from operator import add
from typing import TypeVar

import msgspec

_Number = TypeVar("_Number", int, float)
MOST = 48  # samples; then two neighbours become one


def _times() -> "array[float]":
    return array("d")


def _counts() -> "array[int]":
    return array("q")


class Course(msgspec.Struct, gc=False):
    """Payload bytes that came in each of a row of intervals, oldest first; between them nothing came.

    There is one for every connection, and thousands grow by a sample in a second: two arrays are an eighth of what
    tuples take, and nothing for the collector to look at. `times` are start and end by turns, monotonic seconds,
    `counts` bytes up and down by turns.
    """

    times: "array[float]" = msgspec.field(default_factory=_times)
    counts: "array[int]" = msgspec.field(default_factory=_counts)

    @property
    def spans(self) -> list[tuple[float, float]]:
        """Start and end of each interval."""
        return list(zip(self.times[::2], self.times[1::2], strict=True))

    @property
    def amounts(self) -> list[tuple[int, int]]:
        """Bytes up and down in each."""
        return list(zip(self.counts[::2], self.counts[1::2], strict=True))

    def copy(self) -> "Course":
        """One that stays as this is now."""
        return Course(self.times[:], self.counts[:])

    def add(self, start: float, end: float, up: int, down: int) -> None:
        """`up` and `down` bytes came between `start`, which is not before the last end, and `end`."""
        times, counts = self.times, self.counts
        times.append(start)
        times.append(end)
        counts.append(up)
        counts.append(down)
        if len(times) > 2 * MOST:
            self._merge()

    def _merge(self) -> None:
        """Make one of every two."""
        times, counts = self.times, self.counts
        ends = times[3::4]
        if len(times) % 4:
            ends.append(times[-1])  # the odd one stays as it is
        self.times, self.counts = _by_turns(times[::4], ends), _by_turns(_sums(counts[::2]), _sums(counts[1::2]))

    def between(self, start: float, end: float) -> tuple[float, float]:
        """Bytes up and down between two moments, as far as they can be told: evenly spread in an interval."""
        up = down = 0.0
        for (begun, ended), (more_up, more_down) in zip(self.spans, self.amounts, strict=True):
            common = min(end, ended) - max(start, begun)
            if common > 0:
                share = common / (ended - begun)
                up += more_up * share
                down += more_down * share
            elif begun == ended and start <= begun < end:
                up += more_up
                down += more_down
        return up, down


def _sums(counts: "array[int]") -> "array[int]":
    """Of every two."""
    found = array("q", map(add, counts[::2], counts[1::2]))
    if len(counts) % 2:
        found.append(counts[-1])
    return found


def _by_turns(first: "array[_Number]", second: "array[_Number]") -> "array[_Number]":
    made = first + second
    made[::2], made[1::2] = first, second
    return made
