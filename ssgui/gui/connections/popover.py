"""Where one connection's time went, part by part: what a bar of the waterfall says when it is pointed at, or asked."""

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ssgui.engine.stages import Role
from ssgui.gui import theme, words
from ssgui.gui.connections import waterfall
from ssgui.gui.connections.bars import lay_out, worth_showing
from ssgui.gui.connections.timescale import TimeScale
from ssgui.gui.frame.painting import draw_text, edged, width_of
from ssgui.gui.texts import tr
from ssgui.gui.units import span
from ssgui.services.connections.health import is_failure
from ssgui.services.connections.records import Connection
from ssgui.services.connections.segments import Segment, segments

_ROW, _PAD, _GAP = 22, 12, 12
_BAR, _FIGURE, _UNIT, _SHARE = 120, 36, 24, 40
_LEAST_LABEL = 120
_RIGHT = Qt.AlignmentFlag.AlignRight


class TimingPopover(QWidget):
    """Label, bar, time and share of each part, and the total. It takes neither focus nor clicks."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.ToolTip | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.one: Connection | None = None
        self._now, self._parts, self._label = 0.0, list[Segment](), float(_LEAST_LABEL)

    def show_times(self, one: Connection, now: float, cell: QRect) -> None:
        """Show those of `one` beside `cell` (global), below it if there is room on its screen, otherwise above."""
        self.take(one, now)
        size = self.sizeHint()
        at = QPoint(max(0, cell.right() - size.width()), cell.bottom() + 2)
        screen = self.screen()
        if screen is not None and at.y() + size.height() > screen.availableGeometry().bottom():
            at.setY(cell.top() - size.height() - 2)
        self.setGeometry(QRect(at, size))
        self.show()

    def take(self, one: Connection, now: float) -> None:
        """What it says from now on."""
        self.one, self._now, self._parts = one, now, worth_showing(segments(one, now))
        font = theme.font(12)
        self._label = max([_LEAST_LABEL, *(width_of(self._phrase(part), font) + 2 for part in self._parts)])
        self.setAccessibleName(waterfall.sentence(one, now))
        if self.size() != self.sizeHint():
            self.resize(self.sizeHint())
        self.update()

    def lines(self) -> list[tuple[str, str, str]]:
        """What is written: label, time and share of each part, and the total."""
        total = self._total()
        made = [
            (self._phrase(part), " ".join(span(part.end - part.start)), _share(part.end - part.start, total))
            for part in self._parts
        ]
        return [*made, (self._last_label(), " ".join(span(total)), "")]

    def sizeHint(self) -> QSize:
        width = 2 * _PAD + self._label + _GAP + _BAR + _GAP + _FIGURE + 4 + _UNIT + _SHARE
        return QSize(round(width), 2 * _PAD + _ROW * (len(self._parts) + 1) + 9)

    def _total(self) -> float:
        return self._parts[-1].end - self._parts[0].start if self._parts else 0.0

    def _phrase(self, part: Segment) -> str:
        assert self.one is not None
        through_server = self.one.route == "proxy" and self.one.role is Role.LOCAL
        return words.segment_phrase(part.kind, server=through_server)

    def _last_label(self) -> str:
        one = self.one
        if one is None or one.live:
            return tr("So far")
        return words.reason_word(one.reason)

    # ---- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.one is None:
            return
        tokens, rect = theme.current(), QRectF(self.rect())
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            edged(painter, rect, tokens.raised, tokens.line2, 8)
            for at, part in enumerate(self._parts):
                self._row(painter, at, part)
            y = _PAD + _ROW * len(self._parts) + 4
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.fillRect(QRectF(_PAD, y, rect.width() - 2 * _PAD, 1), theme.color(tokens.line))
            failed = not self.one.live and is_failure(self.one.reason)
            bold = theme.font(12, theme.SEMIBOLD)
            label = QRectF(_PAD, y + 5, self._label + _GAP + _BAR, _ROW)
            draw_text(painter, label, self._last_label(), tokens.err if failed else tokens.text, bold)
            self._figure(painter, y + 5, *span(self._total()), bold=True)

    def _row(self, painter: QPainter, at: int, part: Segment) -> None:
        assert self.one is not None
        tokens, y = theme.current(), _PAD + _ROW * at
        label = QRectF(_PAD, y, self._label, _ROW)
        draw_text(painter, label, self._phrase(part), tokens.text2, theme.font(12))
        left = _PAD + self._label + _GAP
        scale = TimeScale(self._parts[0].start, self._parts[-1].end)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.fillRect(QRectF(left, y + _ROW / 2, _BAR, 1), theme.color(tokens.line))
        waterfall.bar(painter, lay_out([part], scale, left, left + _BAR), self.one, scale, y + _ROW / 2)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        length = part.end - part.start
        self._figure(painter, y, *span(length))
        share = QRectF(self.width() - _PAD - _SHARE, y, _SHARE, _ROW)
        draw_text(painter, share, _share(length, self._total()), tokens.text3, theme.font(12), _RIGHT)

    def _figure(self, painter: QPainter, y: float, digits: str, unit: str, *, bold: bool = False) -> None:
        tokens, left = theme.current(), _PAD + self._label + _GAP + _BAR + _GAP
        font = theme.font(12, theme.SEMIBOLD if bold else theme.REGULAR)
        draw_text(painter, QRectF(left, y, _FIGURE, _ROW), digits, tokens.text, font, _RIGHT)
        draw_text(painter, QRectF(left + _FIGURE + 4, y, _UNIT, _ROW), unit, tokens.text3, theme.font(11))


def _share(part: float, total: float) -> str:
    if total <= 0:
        return ""
    percent = part / total * 100
    return f"{percent:.0f} %" if percent >= 1 else "< 1 %"
