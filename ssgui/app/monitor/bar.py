"""A connection's life as a bar of characters: a small waterfall."""

from ssgui.app.monitor.glyphs import FAILED, STYLES, Glyphs
from ssgui.engine.stages import Reason
from ssgui.services.connections.records import Connection
from ssgui.services.connections.segments import Segment, segments

Run = tuple[str, str]  # characters, and their style


def own_bar(one: Connection, now: float, width: int, glyphs: Glyphs) -> list[Run]:
    """The whole life from edge to edge: where its time went. Every part has a cell at least, while there are enough."""
    parts = segments(one, now)
    room = width - _has_cap(one)
    counts = shares([part.end - part.start for part in parts], room)
    runs = [_run(part, count, glyphs) for part, count in zip(parts, counts, strict=True)]
    return _finished(runs, one, width, glyphs)


def timed_bar(one: Connection, now: float, width: int, glyphs: Glyphs, seconds: float) -> list[Run]:
    """The last `seconds`, now at the right edge: what happened at the same time stands one below the other."""
    start, cell = now - seconds, seconds / width
    cells: list[Run] = []
    for part in segments(one, now):
        first = max(len(cells), int((part.start - start) / cell)) if part.end > start else -1
        last = min(width, max(first + 1, round((part.end - start) / cell)))
        if first < 0 or first >= width:
            continue
        cells += [(" ", "")] * (first - len(cells))
        cells += [_run(part, 1, glyphs)] * (last - len(cells))
    if cells and _has_cap(one):
        cells[-1] = (glyphs.cap, FAILED)
    return [*cells, (" " * (width - len(cells)), "")]


def shares(amounts: list[float], room: int) -> list[int]:
    """`room` cells for parts of these sizes, in proportion; none is lost while there is a cell for each."""
    if not amounts or room <= 0:
        return [0] * len(amounts)
    if len(amounts) >= room:
        return [1] * room + [0] * (len(amounts) - room)
    largest = max(amounts)
    parts = [max(0.0, amount / largest) if largest > 0 else 1.0 for amount in amounts]
    total = sum(parts)
    counts = [max(1, round(room * part / total)) for part in parts]
    longest = max(range(len(parts)), key=parts.__getitem__)
    counts[longest] += room - sum(counts)
    while counts[longest] < 1:  # many small ones, rounded up: those that can give
        counts[counts.index(max(counts))] -= 1
        counts[longest] += 1
    return counts


def _run(part: Segment, count: int, glyphs: Glyphs) -> Run:
    return glyphs.bars[part.kind] * count, STYLES[part.kind]


def _has_cap(one: Connection) -> bool:
    """Whether its end is a failure that is to be seen."""
    return not one.live and one.reason not in (Reason.FINISHED, Reason.SHUTDOWN, Reason.CLOSED_BY_USER, None)


def _finished(runs: list[Run], one: Connection, width: int, glyphs: Glyphs) -> list[Run]:
    if _has_cap(one) and width > 0:
        runs.append((glyphs.cap, FAILED))
    used = sum(len(text) for text, _ in runs)
    return [*runs, (" " * (width - used), "")]
