"""Traffic by day as bars: down with up on top of it. A day can be chosen, by mouse or by keys."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ssgui.gui import theme
from ssgui.gui.frame.painting import draw_text, focus_ring
from ssgui.gui.history.columns import day_words
from ssgui.gui.texts import tr
from ssgui.gui.units import amount
from ssgui.services.history.queries import DayTotal

HEIGHT = 132
_SIDE, _TOP, _BOTTOM = 16, 24, 26
_WIDEST, _LABEL = 48.0, 72


class DayChart(QWidget):
    """`chosen` carries a day (the ordinal of its date), 0 for all of them."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._days: Sequence[DayTotal] = ()
        self._last = 0
        self._most = 0
        self.day = 0
        self._at, self._hovered = -1, -1  # where keys and the mouse are
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._tell()

    def sizeHint(self) -> QSize:
        return QSize(400, HEIGHT)

    def show_days(self, days: Sequence[DayTotal], first: int, last: int) -> None:
        """The days from `first` to `last`, also those of which there is nothing."""
        there = {one.day: one for one in days}
        filled = [there.get(day) or DayTotal(day, 0, 0, 0, 0) for day in range(first, last + 1)]
        if filled == self._days:
            return
        self._days, self._most = filled, max((one.up + one.down for one in filled), default=0)
        if self.day and not first <= self.day <= last:
            self.choose(0)
        self._at = min(self._at, len(filled) - 1)
        self._tell()
        self.update()

    def choose(self, day: int) -> None:
        """Only this day, or all (0)."""
        if day != self.day:
            self.day = day
            self._tell()
            self.update()
            self.chosen.emit(day)

    def _tell(self) -> None:
        digits, unit = amount(self._most)
        text = tr("Traffic by day, at most {amount}", amount=f"{digits} {unit}")
        if 0 <= self._at < len(self._days):
            text = f"{text}. {self._words(self._days[self._at])}"
        self.setAccessibleName(text)

    @staticmethod
    def _words(one: DayTotal) -> str:
        return tr(
            "{day}: {count} connections, {failed} failed, {down} down, {up} up", day=day_words(one.day),
            count=f"{one.connections:,}", failed=f"{one.failed:,}", down=" ".join(amount(one.down)),
            up=" ".join(amount(one.up)),
        )  # fmt: skip

    # ---- where bars are

    def _step(self) -> float:
        return min(_WIDEST, (self.width() - 2 * _SIDE) / max(1, len(self._days)))

    def _bar(self, number: int) -> QRectF:
        """The whole height at a day."""
        step = self._step()
        return QRectF(_SIDE + number * step, _TOP, step, self.height() - _TOP - _BOTTOM)

    def _number_at(self, x: float) -> int:
        number = int((x - _SIDE) // self._step())
        return number if 0 <= number < len(self._days) else -1

    # ---- mouse and keys

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        hovered = self._number_at(event.position().x())
        if hovered != self._hovered:
            self._hovered = hovered
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = -1
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._toggle(self._number_at(event.position().x()))

    def _toggle(self, number: int) -> None:
        if number < 0:
            self.choose(0)
            return
        self._at, day = number, self._days[number].day
        self.choose(0 if day == self.day else day)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        last = len(self._days) - 1
        here = self._at if self._at >= 0 else last + 1
        match Qt.Key(event.key()):
            case Qt.Key.Key_Left if last >= 0:
                self._move(max(0, here - 1))
            case Qt.Key.Key_Right if last >= 0:
                self._move(min(last, here + 1))
            case Qt.Key.Key_Home if last >= 0:
                self._move(0)
            case Qt.Key.Key_End if last >= 0:
                self._move(last)
            case Qt.Key.Key_Return | Qt.Key.Key_Enter | Qt.Key.Key_Space if self._at >= 0:
                self._toggle(self._at)
            case Qt.Key.Key_Escape if self.day:
                self.choose(0)
            case _:
                super().keyPressEvent(event)

    def _move(self, number: int) -> None:
        self._at = number
        self._tell()
        self.update()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            number = self._number_at(event.pos().x())
            QToolTip.showText(event.globalPos(), self._words(self._days[number]) if number >= 0 else "", self)
            return True
        return super().event(event)

    # ---- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            base = self.height() - _BOTTOM
            painter.fillRect(QRectF(_SIDE, base, self.width() - 2 * _SIDE, 1), theme.color(tokens.line2))
            self._legend(painter)
            for number, one in enumerate(self._days):
                self._draw_day(painter, number, one)
            self._labels(painter)
            if self.hasFocus() and 0 <= self._at < len(self._days):
                focus_ring(painter, self._bar(self._at).adjusted(-2, -2, 2, 4), 4)

    def _draw_day(self, painter: QPainter, number: int, one: DayTotal) -> None:
        tokens, whole = theme.current(), self._bar(number)
        if number == self._hovered or one.day == self.day:
            painter.fillRect(whole, theme.color(tokens.tint if one.day == self.day else tokens.hover))
        if not self._most or not one.connections:
            return
        faint = 0.35 if self.day and one.day != self.day else 1.0
        gap = min(6.0, max(0.5, whole.width() * 0.15))
        down = max(1.5 if one.down else 0.0, whole.height() * one.down / self._most)
        up = whole.height() * one.up / self._most
        left, width = whole.left() + gap, max(1.0, whole.width() - 2 * gap)
        painter.fillRect(QRectF(left, whole.bottom() - down, width, down), theme.color(tokens.s_stream, faint))
        painter.fillRect(QRectF(left, whole.bottom() - down - up, width, up), theme.color(tokens.text3, faint))

    def _legend(self, painter: QPainter) -> None:
        """What the highest bar is, and which colour is what."""
        tokens, font = theme.current(), theme.font(11)
        metrics = QFontMetricsF(font)
        left = float(_SIDE)
        for text, color in ((tr("Down"), tokens.s_stream), (tr("Up"), tokens.text3)):
            painter.fillRect(QRectF(left, 8, 8, 8), theme.color(color))
            width = metrics.horizontalAdvance(text) + 2
            draw_text(painter, QRectF(left + 12, 2, width, 20), text, tokens.text2, font)
            left += 12 + width + 14
        if self._most:
            most = tr("at most {amount} a day", amount=" ".join(amount(self._most)))
            place = QRectF(left, 2, self.width() - _SIDE - left, 20)
            draw_text(painter, place, most, tokens.text3, font, Qt.AlignmentFlag.AlignRight)

    def _labels(self, painter: QPainter) -> None:
        """Days below the bars, as many as there is room for, the last one always."""
        if not self._days:
            return
        tokens, step = theme.current(), self._step()
        every = max(1, -int(-_LABEL // step))
        for number in range(len(self._days) - 1, -1, -every):
            center = self._bar(number).center().x()
            left = min(max(4.0, center - _LABEL / 2), self.width() - _LABEL - 4.0)
            place = QRectF(left, self.height() - _BOTTOM + 4, _LABEL, 18)
            strong = self._days[number].day == self.day
            color = tokens.text if strong else tokens.text3
            draw_text(painter, place, day_words(self._days[number].day), color, theme.font(11),
                      Qt.AlignmentFlag.AlignHCenter)  # fmt: skip
