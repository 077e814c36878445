"""Where the parts of a connection's bar are: each wide enough to be seen, in order, none on another.

No Qt: positions are plain numbers, in pixels.
"""

from typing import NamedTuple

from ssgui.gui.connections.timescale import TimeScale
from ssgui.services.connections.segments import Segment, SegmentKind

LEAST = 2.0  # pixels, of each part
_NOTHING = 1e-4  # seconds; stages that are only passed through, as DNS is for an address
_NO_PAUSE = 2e-3  # likewise: a program that says something at once


class Piece(NamedTuple):
    """A part from `x0` to `x1`; `start` and `end` are what of its time is shown."""

    kind: SegmentKind
    x0: float
    x1: float
    start: float
    end: float


def lay_out(parts: list[Segment], scale: TimeScale, left: float, right: float) -> list[Piece]:
    """The pieces of `parts` that are inside of the scale, between `left` and `right`.

    What short parts get on top of their time is taken from the longest; a bar that is too short altogether grows to
    the right, or to the left where there is no room. Where not even `LEAST` is there for each, they share.
    """
    seen = _visible(parts, scale)
    if not seen or right <= left:
        return []
    width = right - left
    least = min(LEAST, width / len(seen))
    per_second = width / scale.length
    widths = _widths([(end - start) * per_second for _, start, end in seen], least)
    x = max(left, min(scale.x(seen[0].start, left, width), right - sum(widths)))
    pieces = []
    for (kind, start, end), size in zip(seen, widths, strict=True):
        following = min(right, x + size)
        pieces.append(Piece(kind, x, following, start, end))
        x = following
    return pieces


def _visible(parts: list[Segment], scale: TimeScale) -> list[Segment]:
    begin, finish = scale.start, scale.end
    return [
        Segment(kind, max(start, begin), min(end, finish))
        for kind, start, end in worth_showing(parts)
        if start <= finish and end >= begin
    ]


def worth_showing(parts: list[Segment]) -> list[Segment]:
    """Those that took any time; the last says where it ended, and always counts."""
    last = len(parts) - 1
    return [
        part
        for at, part in enumerate(parts)
        if at == last or part.end - part.start > (_NO_PAUSE if part.kind is SegmentKind.IDLE else _NOTHING)
    ]


def _widths(natural: list[float], least: float) -> list[float]:
    if sum(natural) <= least * len(natural):
        return [least] * len(natural)
    widths = [max(least, size) for size in natural]
    surplus = sum(widths) - sum(natural)
    for at in sorted(range(len(widths)), key=widths.__getitem__, reverse=True):
        if surplus <= 0:
            break
        taken = min(surplus, widths[at] - least)
        widths[at] -= taken
        surplus -= taken
    return widths
