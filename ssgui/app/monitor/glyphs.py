"""The characters that stand for stages, and for where a connection's time went; plain ones where fine ones cannot be.

Every stage has a mark of its own, for who sees no colours.
"""

from dataclasses import dataclass

from ssgui.engine.stages import Reason, Stage
from ssgui.services.connections.records import Connection, is_waiting
from ssgui.services.connections.segments import SegmentKind

STYLES = {
    SegmentKind.HANDSHAKE: "bright_black", SegmentKind.DNS: "cyan", SegmentKind.CONNECTING: "yellow",
    SegmentKind.IDLE: "bright_black", SegmentKind.WAIT: "green", SegmentKind.STREAM: "blue",
    SegmentKind.UDP: "magenta",
}  # fmt: skip
FAILED = "red"


@dataclass(frozen=True, slots=True)
class Glyphs:
    """`bars` and `marks` by what a moment goes into; the rest by its name."""

    bars: dict[SegmentKind, str]
    marks: dict[SegmentKind, str]
    failed: str
    finished: str
    cap: str
    up: str
    down: str
    more: str
    none: str
    cursor: str
    dot: str

    def text(self) -> str:
        """All of them, to see whether they can be shown."""
        return "".join((*self.bars.values(), *self.marks.values(), self.failed, self.finished, self.up, self.more))


_KINDS = tuple(SegmentKind)  # handshake, dns, connecting, idle, wait, stream, udp
FINE = Glyphs(
    dict(zip(_KINDS, "·░▒ ▞█╍", strict=True)), dict(zip(_KINDS, "○◆◔●◐●■", strict=True)),
    "✗", "✓", "┃", "↑", "↓", "…", "—", "█", "·",
)  # fmt: skip
PLAIN = Glyphs(
    dict(zip(_KINDS, ".:o ~=u", strict=True)), dict(zip(_KINDS, "o?c*~*u", strict=True)),
    "!", "+", "|", "^", "v", "~", "-", "_", "-",
)  # fmt: skip


def glyphs_for(encoding: str | None) -> Glyphs:
    """Those that `encoding` has."""
    try:
        FINE.text().encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return PLAIN
    return FINE


_KIND_OF = {
    Stage.INIT: SegmentKind.HANDSHAKE, Stage.ADDR: SegmentKind.HANDSHAKE, Stage.DNS: SegmentKind.DNS,
    Stage.CONNECTING: SegmentKind.CONNECTING, Stage.UDP_ASSOC: SegmentKind.UDP, Stage.STREAM: SegmentKind.STREAM,
    Stage.DESTROYED: SegmentKind.STREAM,
}  # fmt: skip


def mark_of(one: Connection, glyphs: Glyphs) -> tuple[str, str]:
    """The mark of where a connection stands, and its style."""
    if not one.live:
        return (glyphs.finished, "bright_black") if one.reason is Reason.FINISHED else (glyphs.failed, FAILED)
    kind = SegmentKind.WAIT if is_waiting(one) else _KIND_OF[one.stage]
    return glyphs.marks[kind], STYLES[kind]
