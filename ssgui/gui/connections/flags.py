"""R and W: which way a stream goes now, and whether something is held for its sink."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from ssgui.engine.stages import StreamStatus
from ssgui.gui import theme
from ssgui.gui.frame.painting import draw_text, edged

SLOT, STEP = 16, 18
_SLOTS = ((int(StreamStatus.READING), "R"), (int(StreamStatus.WRITING), "W"))
_CENTRE = Qt.AlignmentFlag.AlignHCenter


def draw_flags(
    painter: QPainter, left: float, middle: float, status: StreamStatus, *, stuck: bool = False
) -> None:  # fmt: skip
    """Two slots from `left`; one that is not lit is a dot, and a stream that has not begun shows nothing."""
    lit = int(status)
    if not lit:
        return
    tokens, font = theme.current(), theme.font(10, theme.SEMIBOLD)
    for at, (flag, letter) in enumerate(_SLOTS):
        slot = QRectF(left + at * STEP, middle - SLOT / 2, SLOT, SLOT)
        if not lit & flag:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color(tokens.line2))
            painter.drawEllipse(slot.center(), 1.5, 1.5)
        elif letter == "W" and stuck:
            edged(painter, slot, tokens.warn_tint, tokens.warn, 4)
            draw_text(painter, slot, letter, tokens.warn, font, _CENTRE)
        else:
            edged(painter, slot, tokens.bg, tokens.line2, 4)
            draw_text(painter, slot, letter, tokens.text2, font, _CENTRE)
