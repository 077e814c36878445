"""R and W: which way a stream goes now, and whether something is held for its sink."""

from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap

from ssgui.engine.stages import StreamStatus
from ssgui.gui import theme
from ssgui.gui.frame.painting import draw_text, edged

_SLOT, _STEP = 16, 18
_SLOTS = ((int(StreamStatus.READING), "R"), (int(StreamStatus.WRITING), "W"))
_CENTRE = Qt.AlignmentFlag.AlignHCenter


def draw_flags(
    painter: QPainter, left: float, middle: float, status: StreamStatus, *, stuck: bool = False
) -> None:  # fmt: skip
    """Two slots from `left`; one that is not lit is a dot, and a stream that has not begun shows nothing."""
    if lit := int(status):
        device = painter.device()
        ratio = device.devicePixelRatioF() if device is not None else 1.0
        key = theme.font_key(theme.font(10, theme.SEMIBOLD))
        painter.drawPixmap(QPointF(left, middle - _SLOT / 2), _flags(lit, stuck, theme.current().name, key, ratio))


@lru_cache(maxsize=64)
def _flags(lit: int, stuck: bool, _theme: str, _font: str, ratio: float) -> QPixmap:
    """Both slots as a picture: there are few, and a table shows many of them."""
    made = QPixmap(round((_STEP + _SLOT) * ratio), round(_SLOT * ratio))
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    with QPainter(made) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for at, (flag, letter) in enumerate(_SLOTS):
            _slot(
                painter,
                QRectF(at * _STEP, 0, _SLOT, _SLOT),
                letter,
                lit=bool(lit & flag),
                amber=stuck and letter == "W",
            )
    return made


def _slot(painter: QPainter, slot: QRectF, letter: str, *, lit: bool, amber: bool) -> None:
    tokens = theme.current()
    if not lit:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(tokens.line2))
        painter.drawEllipse(slot.center(), 1.5, 1.5)
        return
    edged(painter, slot, tokens.warn_tint if amber else tokens.bg, tokens.warn if amber else tokens.line2, 4)
    font = theme.font(10, theme.SEMIBOLD)
    draw_text(painter, slot, letter, tokens.warn if amber else tokens.text2, font, _CENTRE)
