"""The labels of a time scale above the bars that are drawn on it."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from ssgui.gui import theme
from ssgui.gui.connections.timescale import TimeScale
from ssgui.gui.connections.waterfall import inner
from ssgui.gui.frame.painting import draw_text, width_of

_AIR = 6.0


def draw_labels(painter: QPainter, rect: QRectF, scale: TimeScale, now: float) -> None:
    """Write them into the head of the waterfall's column: over their lines, inside of it, none on another.

    From the right, since now is what matters. To be called after the head has painted itself: text that is added
    while a section is painted does not appear under a style sheet.
    """
    color, font = theme.current().text2, theme.font(11)
    left, right = inner(rect.left(), rect.width())
    free = rect.right()
    for tick in reversed(scale.ticks(now, right - left)):
        width = width_of(tick.text, font) + 2
        x = max(rect.left() + 2, min(left + tick.at * (right - left) - width / 2, free - width - 2))
        if x + width > free or abs(x + width / 2 - left - tick.at * (right - left)) > width:
            continue
        draw_text(painter, QRectF(x, rect.top(), width, rect.height()), tick.text, color, font,
                  Qt.AlignmentFlag.AlignHCenter)  # fmt: skip
        free = x - _AIR
