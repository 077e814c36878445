"""What painted widgets share: elided text, hairlines, focus rings."""

from collections.abc import Sequence
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from ssgui.gui import theme
from ssgui.services.harmless import harmless as harmless

_CENTRED = {
    align: int(align | Qt.AlignmentFlag.AlignVCenter)  # flags are slow to combine, and tables have many cells
    for align in (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight, Qt.AlignmentFlag.AlignHCenter)
}


@lru_cache(maxsize=4096)
def elided(text: str, font_key: str, width: int, middle: bool = False) -> str:
    """`text` cut to `width` pixels, at its end or in its middle."""
    text = harmless(text)
    font = QFont()
    font.fromString(font_key)
    mode = Qt.TextElideMode.ElideMiddle if middle else Qt.TextElideMode.ElideRight
    return QFontMetricsF(font).elidedText(text, mode, width)


@lru_cache(maxsize=1024)
def _width(text: str, font_key: str) -> float:
    font = QFont()
    font.fromString(font_key)
    return QFontMetricsF(font).horizontalAdvance(harmless(text))


def width_of(text: str, font: QFont) -> float:
    """Pixels that a line of text takes."""
    return _width(text, theme.font_key(font))


def draw_text(
    painter: QPainter, rect: QRectF, text: str, color: str, font: QFont,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft, *, middle: bool = False,
) -> None:  # fmt: skip
    """One line of text, centred in height and elided to the rectangle."""
    painter.setFont(font)
    painter.setPen(theme.color(color))
    shown = elided(text, theme.font_key(font), int(rect.width()), middle)
    painter.drawText(rect, _CENTRED[align], shown)


def focus_ring(painter: QPainter, rect: QRectF, radius: float) -> None:
    """Two pixels inside of a control."""
    painter.setPen(QPen(theme.color(theme.current().focus), 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), radius, radius)


def panel(painter: QPainter, rect: QRectF, color: str, radius: float) -> None:
    """A filled rounded rectangle without an edge."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color(color))
    painter.drawRoundedRect(rect, radius, radius)


def edged(painter: QPainter, rect: QRectF, fill: str, edge: str, radius: float) -> None:
    """A filled rounded rectangle with an edge of one device pixel, sharp at every scale."""
    device = painter.device()
    half = 0.5 / (device.devicePixelRatioF() if device is not None else 1.0)
    painter.setPen(QPen(theme.color(edge), 0))
    painter.setBrush(theme.color(fill))
    painter.drawRoundedRect(rect.adjusted(half, half, -half, -half), radius, radius)


def draw_course(painter: QPainter, rect: QRectF, values: Sequence[float]) -> None:
    """A small chart: a line through `values`, oldest first, on a scale from 0 to the most of them."""
    if len(values) < 2 or max(values) <= 0:
        return
    most, step = max(values), rect.width() / (len(values) - 1)
    points = [
        QPointF(rect.left() + at * step, rect.bottom() - 1 - (rect.height() - 2) * value / most)
        for at, value in enumerate(values)
    ]
    painter.setPen(QPen(theme.color(theme.current().accent_text), 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(QPolygonF(points))
