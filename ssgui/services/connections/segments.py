"""A connection's life cut into what a person can see: where its time went.

DNS and CONNECTING are the stages of those names; INIT and ADDR are one, the handshake. STREAM is cut in three: IDLE
until the program has sent something, WAIT until the first byte came back, and the stream itself.
"""

from enum import StrEnum
from typing import NamedTuple

from ssgui.engine.stages import Stage
from ssgui.services.connections.records import Connection


class SegmentKind(StrEnum):
    """What a part of the time went into."""

    HANDSHAKE = "handshake"
    DNS = "dns"
    CONNECTING = "connecting"
    IDLE = "idle"
    WAIT = "wait"
    STREAM = "stream"
    UDP = "udp"


class Segment(NamedTuple):
    """From `start` to `end`, monotonic seconds."""

    kind: SegmentKind
    start: float
    end: float


_KINDS = {
    Stage.INIT: SegmentKind.HANDSHAKE, Stage.ADDR: SegmentKind.HANDSHAKE, Stage.DNS: SegmentKind.DNS,
    Stage.CONNECTING: SegmentKind.CONNECTING, Stage.UDP_ASSOC: SegmentKind.UDP,
}  # fmt: skip


def segments(one: Connection, now: float) -> list[Segment]:
    """The parts of `one` in order, without a gap, up to its end or to `now`.

    Going back to DNS for another server makes a second DNS and CONNECTING.
    """
    end = now if one.ended is None else one.ended
    found: list[Segment] = []
    timeline = one.timeline
    for at, (stage, start) in enumerate(timeline):
        if stage is Stage.DESTROYED:
            break
        stop = timeline[at + 1][1] if at + 1 < len(timeline) else max(end, start)
        if stage is Stage.STREAM:
            found += _streamed(one, start, stop)
        elif found and found[-1].kind is _KINDS[stage]:
            found[-1] = Segment(found[-1].kind, found[-1].start, stop)
        else:
            found.append(Segment(_KINDS[stage], start, stop))
    return found


def _streamed(one: Connection, start: float, stop: float) -> list[Segment]:
    first_down = stop if one.first_down is None else max(start, min(stop, one.first_down))
    first_up = first_down if one.first_up is None else max(start, min(first_down, one.first_up))
    marks = (start, first_up, first_down, stop)
    kinds = (SegmentKind.IDLE, SegmentKind.WAIT, SegmentKind.STREAM)
    cut = [Segment(kind, *marks[at : at + 2]) for at, kind in enumerate(kinds) if marks[at] < marks[at + 1]]
    return cut or [Segment(phase(one), start, start)]


def phase(one: Connection) -> SegmentKind:
    """What `one` is at now, or was at last."""
    stage = next((stage for stage, _ in reversed(one.timeline) if stage is not Stage.DESTROYED), one.stage)
    if stage is not Stage.STREAM:
        return _KINDS[stage]
    if one.first_down is not None:
        return SegmentKind.STREAM
    return SegmentKind.IDLE if one.first_up is None else SegmentKind.WAIT
