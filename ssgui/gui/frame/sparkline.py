"""Throughput of the last minute as a line: down filled, up thin."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from ssgui.gui import theme
from ssgui.gui.texts import tr
from ssgui.gui.units import rate


class Sparkline(QWidget):
    """One value a second; its scale is the most that is shown, which the tooltip names."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._down: Sequence[float] = ()
        self._up: Sequence[float] = ()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(132, 36)

    def show_rates(self, down: Sequence[float], up: Sequence[float]) -> None:
        """Bytes per second, oldest first."""
        if (tuple(down), tuple(up)) == (self._down, self._up):
            return  # nothing flows: nothing to draw anew
        self._down, self._up = tuple(down), tuple(up)
        digits, unit = rate(max((*down, *up), default=0))
        text = tr("Throughput, last 60 seconds, peak {peak}", peak=f"{digits} {unit}")
        self.setToolTip(text)
        self.setAccessibleName(text)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        width, height = self.width(), self.height() - 2.0
        most = max((*self._down, *self._up), default=0)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(theme.color(tokens.text3, 0.6), 1))
            painter.drawLine(QPointF(0, height + 0.5), QPointF(width, height + 0.5))
            if most <= 0:
                return
            up = _line(self._up, most, width, height)
            down = _line(self._down, most, width, height)
            if down:
                area = QPolygonF([QPointF(down[0].x(), height), *down, QPointF(down[-1].x(), height)])
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.color(tokens.s_stream, 0.16))
                painter.drawPolygon(area)
                painter.setPen(QPen(theme.color(tokens.s_stream), 1.5))
                painter.drawPolyline(QPolygonF(down))
            if up:
                painter.setPen(QPen(theme.color(tokens.text3), 1.5))
                painter.drawPolyline(QPolygonF(up))


def _line(values: Sequence[float], most: float, width: float, height: float) -> list[QPointF]:
    if len(values) < 2:
        return []
    step = width / (len(values) - 1)
    return [
        QPointF(number * step, 1 + (height - 1) * (1 - min(1.0, value / most))) for number, value in enumerate(values)
    ]
