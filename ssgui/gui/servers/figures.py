"""The numbers above a server's details, each with its course: of tests, and below them of real traffic."""

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QRectF, QSize
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ssgui.app.server_states import ServerFigures
from ssgui.gui import theme
from ssgui.gui.frame.painting import draw_course, draw_text
from ssgui.gui.texts import tr
from ssgui.gui.units import amount, rate, said, span
from ssgui.services.diagnosis.server_quality import Spread, spread

HEIGHT, ROW = 78, 76
_INSET, _GAP, _COLUMNS = 20.0, 12.0, 3
_NUMBER, _LABEL, _COURSE = QRectF(0, 0, 0, 26), QRectF(0, 26, 0, 18), QRectF(0, 48, 0, 18)
_UNKNOWN = "\N{EM DASH}", ""


class _Figure(NamedTuple):
    """A number, and what it rests on."""

    label: str
    number: tuple[str, str]
    course: Sequence[float]
    hint: str = ""


class Figures(QWidget):
    """Median latency, what succeeded, traffic of today; and, once there is some, how real connections fare."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = ServerFigures()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.show_figures(self._shown)

    def sizeHint(self) -> QSize:
        return QSize(336, HEIGHT + ROW * (len(self._figures()) > _COLUMNS))

    def show_figures(self, figures: ServerFigures) -> None:
        """Show these."""
        taller = len(self._figures())
        changed, self._shown = figures != self._shown, figures
        shown = self._figures()
        self.setAccessibleName(", ".join(" ".join((one.label, *one.number)).strip() for one in shown))
        self.setAccessibleDescription(" ".join(one.hint for one in shown if one.hint))
        if len(shown) != taller:
            self.updateGeometry()
        if changed:
            self.update()

    def _figures(self) -> list[_Figure]:
        one, real = self._shown, self._shown.real
        known = [
            _Figure(tr("Median latency"), span(one.latency) if one.latency is not None else _UNKNOWN, one.latencies,
                    _spread_hint(spread(one.latencies), tests=True)),
            _Figure(tr("Succeeded"), _share(one.succeeded) if one.succeeded is not None else _UNKNOWN, one.successes,
                    tr("Of the last tests and connections.") if one.successes else ""),
            _Figure(tr("Traffic today"), amount(one.today) if one.today else _UNKNOWN, one.traffic),
        ]  # fmt: skip
        if not (real.connections or real.rates):
            return known
        speed = rate(real.throughput) if real.throughput is not None else _UNKNOWN
        return [
            *known,
            _duration(tr("Time to connect"), real.connect, real.connects),
            _duration(tr("First byte"), real.first_byte, real.first_bytes),
            _Figure(tr("Throughput"), speed, real.rates, tr("The fastest 5 s of the last hour.")),
        ]

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            at = event.pos()
            column = int((at.x() - _INSET) // (self._width() + _GAP))
            number = column + _COLUMNS * (at.y() // ROW)
            figures = self._figures()
            hint = figures[number].hint if 0 <= column < _COLUMNS and number < len(figures) else ""
            QToolTip.showText(event.globalPos(), hint, self)
            return True
        return super().event(event)

    def _width(self) -> float:
        return (self.width() - 2 * _INSET - (_COLUMNS - 1) * _GAP) / _COLUMNS

    def paintEvent(self, event: QPaintEvent) -> None:
        width = self._width()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for at, figure in enumerate(self._figures()):
                left, top = _INSET + at % _COLUMNS * (width + _GAP), float(at // _COLUMNS * ROW)
                _draw(painter, QRectF(left, top, width, HEIGHT), figure)
            line = QRectF(_INSET, self.height() - 1, self.width() - 2 * _INSET, 1)
            painter.fillRect(line, theme.color(theme.current().line))


def _draw(painter: QPainter, rect: QRectF, figure: _Figure) -> None:
    tokens, (digits, unit) = theme.current(), figure.number

    def slot(part: QRectF) -> QRectF:
        return QRectF(rect.left(), rect.top() + part.top(), rect.width(), part.height())

    draw_text(painter, slot(_NUMBER), digits, tokens.text, theme.font(20, theme.SEMIBOLD))
    taken = painter.fontMetrics().horizontalAdvance(digits) + 4
    draw_text(painter, slot(_NUMBER).adjusted(taken, 4, 0, 0), unit, tokens.text3, theme.font(11))
    draw_text(painter, slot(_LABEL), figure.label, tokens.text3, theme.font(11))
    draw_course(painter, slot(_COURSE), figure.course)


def _duration(label: str, found: Spread | None, course: Sequence[float]) -> _Figure:
    number = span(found.p50) if found is not None else _UNKNOWN
    return _Figure(label, number, course, _spread_hint(found, tests=False))


def _spread_hint(found: Spread | None, *, tests: bool) -> str:
    """What a median stands for."""
    if found is None:
        return ""
    middle, most = said(span(found.p50)), said(span(found.p95))
    if tests:
        return tr("Tests: half took up to {middle}, 95 % up to {most}.", middle=middle, most=most)
    return tr("Real connections: half took up to {middle}, 95 % up to {most}.", middle=middle, most=most)


def _share(value: float) -> tuple[str, str]:
    per_cent = value * 100
    return (f"{per_cent:.0f}" if per_cent in (0, 100) else f"{per_cent:.1f}"), "%"
