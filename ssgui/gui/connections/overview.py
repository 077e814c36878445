"""The last minutes above the table: what flowed, what failed, and a brush that chooses the time that is looked at."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ssgui.gui import theme
from ssgui.gui.connections.brush import Brush
from ssgui.gui.connections.timescale import TimeScale
from ssgui.gui.frame.painting import draw_text, edged, focus_ring
from ssgui.gui.texts import tr
from ssgui.gui.units import age, rate, said
from ssgui.services.connections.overview import Flow, Overview

HEIGHT = 64
_SIDE, _FOOT, _HEAD = 16, 18, 8
_HANDLE = QSize(6, 18)
_GRIP = 8  # pixels to each side of a handle
_STILL = 4  # pixels that a click may slip
_LABELS_APART = 100.0
_STEPS = 240  # points of a line at most
_KEYBOARD = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)
_NOTCH = 120.0  # of a wheel
_CLOSER = 0.8
_USUAL_SHARE = 0.25


class OverviewStrip(QWidget):
    """`brushed` after every change that a person made; `scale` and `brush` say what is chosen."""

    brushed = Signal()

    def __init__(self, flows: Overview, now: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.flows, self.now = flows, now
        self.brush = Brush()
        self._points: list[Flow] = []
        self._grip = ""  # what the mouse holds: start, end, all, new
        self._pressed_at = 0.0
        self._grabbed = 0.0  # the moment that it was pressed at
        self._ring = False
        self.setFixedHeight(HEIGHT)
        self.setMinimumWidth(200)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.look(now)

    def look(self, now: float) -> None:
        """Time went on."""
        self.now = now
        self.brush.keep(now)
        start = now - self.brush.span
        self._points = self.flows.flows(start, now, now, _STEPS)
        self._say()
        self.update()

    def scale(self) -> TimeScale:
        """The time that bars are drawn on: what is chosen, and while nothing is, the last quarter, which is marked.

        On all of the strip the parts of a bar could not be told from each other.
        """
        if self.brush.whole:
            return TimeScale(self.now - self.brush.span * _USUAL_SHARE, self.now)
        return TimeScale(*self.brush.bounds(self.now))

    def peak(self) -> float:
        """The most that flowed in a step that is shown, bytes per second."""
        return max((max(point.up, point.down) for point in self._points), default=0.0)

    def _say(self) -> None:
        start, end = self.brush.bounds(self.now)
        length = said(age(end - start))
        if self.brush.slides:
            name = tr("Time shown: the last {time}", time=length)
        else:
            name = tr("Time shown: {time}, until {age} ago", time=length, age=said(age(self.now - end)))
        if name != self.accessibleName():
            self.setAccessibleName(name)
        keys = tr("Arrows move it, with Shift they change its length; double-click for all")
        tip = f"{name}\n{tr('Peak {rate}', rate=' '.join(rate(self.peak())))}\n{keys}"
        if tip != self.toolTip():
            self.setToolTip(tip)
            self.setAccessibleDescription(keys)

    # ---- where times are

    def _width(self) -> float:
        return max(1.0, self.width() - 2.0 * _SIDE)

    def place(self, t: float) -> float:
        """Where a moment is."""
        span = self.brush.span
        return _SIDE + (t - self.now + span) / span * self._width()

    def _at(self, x: float) -> float:
        span = self.brush.span
        return self.now - span + (x - _SIDE) / self._width() * span

    # ---- the mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        x = event.position().x()
        self._grip = self._grip_at(x)
        self._pressed_at, self._grabbed = x, self._at(x)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x = event.position().x()
        if not self._grip:
            self._point(x)
            return
        at = self._at(x)
        start, end = self.brush.bounds(self.now)
        match self._grip:
            case "start":
                self.brush.choose(min(at, end), end, self.now)
            case "end":
                self.brush.choose(start, max(at, start), self.now)
            case "all":
                self.brush.move(at - self._grabbed, self.now)
                self._grabbed = at
            case _ if abs(x - self._pressed_at) >= _STILL:
                self.brush.choose(self._grabbed, at, self.now)
        self._changed()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        x = event.position().x()
        if self._grip == "new" and abs(x - self._pressed_at) < _STILL and not self.brush.whole:
            start, end = self.brush.bounds(self.now)
            self.brush.move(self._at(x) - (start + end) / 2, self.now)
            self._changed()
        self._grip = ""
        self._point(x)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.brush.clear()
        self._changed()

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = (event.angleDelta().y() or event.angleDelta().x()) / _NOTCH
        if notches:
            self.brush.zoom(_CLOSER**notches, self._at(event.position().x()), self.now)
            self._changed()
        event.accept()

    def _grip_at(self, x: float) -> str:
        start, end = (self.place(t) for t in self.brush.bounds(self.now))
        distances = {"start": abs(x - start), "end": abs(x - end)}
        nearest = min(distances, key=distances.__getitem__)
        if distances[nearest] <= _GRIP:
            return nearest
        return "all" if start < x < end and not self.brush.whole else "new"

    def _point(self, x: float) -> None:
        shapes = {
            "start": Qt.CursorShape.SizeHorCursor, "end": Qt.CursorShape.SizeHorCursor,
            "all": Qt.CursorShape.OpenHandCursor, "new": Qt.CursorShape.CrossCursor,
        }  # fmt: skip
        self.setCursor(shapes[self._grip_at(x)])

    # ---- the keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, step = Qt.Key(event.key()), self.brush.span / 60
        resizing = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        _, end = self.brush.bounds(self.now)
        match key:
            case Qt.Key.Key_Left | Qt.Key.Key_Right:
                seconds = step if key is Qt.Key.Key_Right else -step
                self.brush.stretch(seconds, self.now) if resizing else self.brush.move(seconds, self.now)
            case Qt.Key.Key_Home | Qt.Key.Key_End:
                self.brush.move(self.brush.span * (1 if key is Qt.Key.Key_End else -1), self.now)
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self.brush.zoom(_CLOSER, end, self.now)
            case Qt.Key.Key_Minus:
                self.brush.zoom(1 / _CLOSER, end, self.now)
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self.brush.clear()
            case _:
                super().keyPressEvent(event)
                return
        self._changed()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._ring = event.reason() in _KEYBOARD
        super().focusInEvent(event)

    def _changed(self) -> None:
        self.look(self.now)
        self.brushed.emit()

    # ---- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, width = theme.current(), self.width()
        floor = HEIGHT - _FOOT
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), theme.color(tokens.side))
            painter.fillRect(QRectF(0, 0, width, 1), theme.color(tokens.line))
            painter.fillRect(QRectF(0, HEIGHT - 1, width, 1), theme.color(tokens.line))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._flowed(painter, floor)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.fillRect(QRectF(_SIDE, floor, self._width(), 1), theme.color(tokens.line2))
            self._failed(painter, floor)
            self._labels(painter, floor)
            self._brushed(painter, floor)
            if self.hasFocus() and self._ring:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                focus_ring(painter, QRectF(self.rect()), 4)

    def _flowed(self, painter: QPainter, floor: float) -> None:
        """What came down as an area, what went up as a line, on one scale."""
        most = self.peak()
        if most <= 0:
            return
        tokens, tall = theme.current(), floor - _HEAD
        down = self._line([(point.t, point.down / most * tall) for point in self._points], floor)
        up = self._line([(point.t, point.up / most * tall) for point in self._points], floor)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(tokens.s_stream, 0.30 if tokens.name == "light" else 0.38))
        painter.drawPolygon(QPolygonF([QPointF(down[0].x(), floor), *down, QPointF(down[-1].x(), floor)]))
        painter.setPen(QPen(theme.color(tokens.text3), 1))
        painter.drawPolyline(QPolygonF(up))

    def _line(self, heights: Sequence[tuple[float, float]], floor: float) -> list[QPointF]:
        """Points from the left end of the strip to now, where the last goes on."""
        points = [QPointF(max(_SIDE, self.place(t)), floor - height) for t, height in heights]
        if points:
            points.append(QPointF(self.place(self.now), points[-1].y()))
        return points

    def _failed(self, painter: QPainter, floor: float) -> None:
        cap, start = theme.color(theme.current().s_cap), self.now - self.brush.span
        for x in {int(self.place(t)) for t in self.flows.failures if start <= t <= self.now}:
            painter.fillRect(QRectF(x - 1, floor - 5, 2, 5), cap)

    def _labels(self, painter: QPainter, floor: float) -> None:
        color, font = theme.current().text3, theme.font(11)
        width, half = self._width(), 32
        for tick in TimeScale(self.now - self.brush.span, self.now).ticks(self.now, width, _LABELS_APART):
            x = _SIDE + tick.at * width
            if x < _SIDE + half / 2:
                left, side = x, Qt.AlignmentFlag.AlignLeft
            elif x > self.width() - _SIDE - half / 2:
                left, side = x - 2 * half, Qt.AlignmentFlag.AlignRight
            else:
                left, side = x - half, Qt.AlignmentFlag.AlignHCenter
            draw_text(painter, QRectF(left, floor + 1, 2 * half, 16), tick.text, color, font, side)

    def _brushed(self, painter: QPainter, floor: float) -> None:
        """A veil on what is not chosen, and the handles."""
        tokens = theme.current()
        start, end = (self.place(t) for t in self.brush.bounds(self.now))
        start = max(float(_SIDE), start)
        if not self.brush.whole:
            veil = theme.color(tokens.side, 0.55)
            painter.fillRect(QRectF(0, 1, start, floor - 1), veil)
            painter.fillRect(QRectF(end, 1, self.width() - end, floor - 1), veil)
            painter.fillRect(QRectF(start, 1, end - start, floor - 1), theme.color(tokens.accent, 0.07))
            for x in (start, end):
                painter.fillRect(QRectF(x - 0.5, 1, 1, floor - 1), theme.color(tokens.accent_text))
        else:
            begin = self.place(self.scale().start)
            painter.fillRect(QRectF(begin, floor - 0.5, end - begin, 2), theme.color(tokens.accent_text))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for x in (start, end):
            handle = QRectF(x - _HANDLE.width() / 2, (floor - _HANDLE.height()) / 2, _HANDLE.width(), _HANDLE.height())
            edged(painter, handle, tokens.raised, tokens.accent_text if not self.brush.whole else tokens.ctl, 3)
