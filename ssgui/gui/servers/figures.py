"""The three numbers above a server's details, each with its course."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from ssgui.app.server_states import ServerFigures
from ssgui.gui import theme
from ssgui.gui.frame.painting import draw_text
from ssgui.gui.texts import tr
from ssgui.gui.units import amount, span

HEIGHT = 78
_NUMBER, _LABEL, _COURSE = QRectF(0, 0, 0, 26), QRectF(0, 26, 0, 18), QRectF(0, 48, 0, 18)
_UNKNOWN = "\N{EM DASH}", ""


class Figures(QWidget):
    """Median latency, what succeeded, traffic of today."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = ServerFigures()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.show_figures(self._shown)

    def sizeHint(self) -> QSize:
        return QSize(336, HEIGHT)

    def show_figures(self, figures: ServerFigures) -> None:
        """Show these."""
        changed, self._shown = figures != self._shown, figures
        words = [" ".join((label, *number)).strip() for label, number, _ in self._columns()]
        self.setAccessibleName(", ".join(words))
        if changed:
            self.update()

    def _columns(self) -> list[tuple[str, tuple[str, str], Sequence[float]]]:
        one = self._shown
        return [
            (tr("Median latency"), span(one.latency) if one.latency is not None else _UNKNOWN, one.latencies),
            (tr("Succeeded"), _share(one.succeeded) if one.succeeded is not None else _UNKNOWN, one.successes),
            (tr("Traffic today"), amount(one.today) if one.today else _UNKNOWN, one.traffic),
        ]

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, big = theme.current(), theme.font(20, theme.SEMIBOLD)
        inset, gap = 20.0, 12.0
        width = (self.width() - 2 * inset - 2 * gap) / 3
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for at, (label, (digits, unit), course) in enumerate(self._columns()):
                left = inset + at * (width + gap)
                number = QRectF(left, _NUMBER.top(), width, _NUMBER.height())
                draw_text(painter, number, digits, tokens.text, big)
                taken = painter.fontMetrics().horizontalAdvance(digits) + 4
                draw_text(painter, number.adjusted(taken, 4, 0, 0), unit, tokens.text3, theme.font(11))
                draw_text(
                    painter, QRectF(left, _LABEL.top(), width, _LABEL.height()), label, tokens.text3, theme.font(11)
                )
                _draw_course(painter, QRectF(left, _COURSE.top(), width, _COURSE.height()), course)
            line = QRectF(inset, self.height() - 1, self.width() - 2 * inset, 1)
            painter.fillRect(line, theme.color(tokens.line))


def _share(value: float) -> tuple[str, str]:
    per_cent = value * 100
    return (f"{per_cent:.0f}" if per_cent in (0, 100) else f"{per_cent:.1f}"), "%"


def _draw_course(painter: QPainter, rect: QRectF, values: Sequence[float]) -> None:
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
