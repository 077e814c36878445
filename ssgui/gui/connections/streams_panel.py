"""Both streams of a connection: what each does, what is held for its sink, and how much came when."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from ssgui.engine.stages import StreamStatus
from ssgui.gui import icons, theme
from ssgui.gui.connections.flags import draw_flags
from ssgui.gui.connections.stream_words import Direction, direction
from ssgui.gui.frame.painting import draw_text, edged, focus_ring, panel, width_of
from ssgui.gui.texts import tr
from ssgui.gui.units import rate
from ssgui.services.connections.records import Connection

WIDTH, BLOCK = 240, 64
_BAR, _CAPTION, _CHART = 6, 18, 28
_RIGHT = Qt.AlignmentFlag.AlignRight
Step = tuple[float, float, float, float]  # from and to (0 to 1 of its life), bytes per second up and down


class StreamsPanel(QWidget):
    """One element for the keyboard and for who listens."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.up = self.down = Direction(StreamStatus.NONE, "", "", "")
        self.steps: list[Step] = []
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(tr("Streams"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, 2 * BLOCK + _CAPTION + _CHART)

    def minimumSizeHint(self) -> QSize:
        return QSize(WIDTH, 2 * BLOCK)

    def show_connection(self, one: Connection, now: float) -> None:
        """Show how its streams are doing."""
        self.up, self.down = direction(one, now, up=True), direction(one, now, up=False)
        self.steps = course_steps(one, now)
        names = ((tr("Up"), self.up), (tr("Down"), self.down))
        said = [f"{name}: {part.total}, {part.note}, {part.right}".rstrip(", ") for name, part in names]
        self.setAccessibleName(f"{tr('Streams')}. {'. '.join(said)}")
        self.update()

    def peak(self) -> float:
        """The most that flowed one way, bytes per second."""
        return max((max(up, down) for _, _, up, down in self.steps), default=0.0)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._direction(painter, 0, "arrow-up", tr("Up"), self.up)
            self._direction(painter, BLOCK, "arrow-down", tr("Down"), self.down)
            if self.peak() > 0 and self.height() >= self.sizeHint().height():
                self._course(painter, 2 * BLOCK)
            if self.hasFocus():
                focus_ring(painter, QRectF(self.rect()), 6)

    def _direction(self, painter: QPainter, top: float, arrow: str, name: str, part: Direction) -> None:
        tokens, width = theme.current(), float(self.width())
        icons.draw(painter, arrow, tokens.text2, QRectF(0, top + 3, 14, 14))
        bold = theme.font(13, theme.SEMIBOLD)
        taken = width_of(name, bold)
        draw_text(painter, QRectF(20, top, taken + 2, 20), name, tokens.text, bold)
        draw_flags(painter, 30 + taken, top + 10, part.status, stuck=part.stuck)
        total = QRectF(width - 110, top, 110, 20)
        draw_text(painter, total, part.total, tokens.text, theme.font(13, theme.MEDIUM), _RIGHT)
        track = QRectF(0, top + 26, width, _BAR)
        edged(painter, track, tokens.sunken, tokens.sunken if tokens.name == "light" else tokens.line, 3)
        if part.held > 0:
            full = QRectF(0, top + 26, max(6.0, width * part.held), _BAR)
            panel(painter, full, tokens.warn if part.stuck else tokens.s_stream, 3)
        small = theme.font(12)
        right = width_of(part.right, small) + 2 if part.right else 0.0
        note = QRectF(0, top + 36, width - right - 8, 18)
        draw_text(painter, note, part.note, tokens.warn if part.stuck else tokens.text2, small)
        draw_text(painter, QRectF(width - right, top + 36, right, 18), part.right, tokens.text3, small, _RIGHT)

    def _course(self, painter: QPainter, top: float) -> None:
        """What came down as an area, what went up as a line, over its life."""
        tokens, width, small = theme.current(), float(self.width()), theme.font(11)
        draw_text(painter, QRectF(0, top, width / 2, _CAPTION), tr("Over time"), tokens.text3, small)
        most, floor = self.peak(), top + _CAPTION + _CHART - 1
        text = tr("Peak {rate}", rate=" ".join(rate(most)))
        draw_text(painter, QRectF(width / 2, top, width / 2, _CAPTION), text, tokens.text3, small, _RIGHT)
        down = self._outline(floor, most, down=True)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(tokens.s_stream, 0.30 if tokens.name == "light" else 0.38))
        painter.drawPolygon(QPolygonF([QPointF(0, floor), *down, QPointF(width, floor)]))
        painter.setPen(QPen(theme.color(tokens.text3), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF(self._outline(floor, most, down=False)))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.fillRect(QRectF(0, floor, width, 1), theme.color(tokens.line2))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def _outline(self, floor: float, most: float, *, down: bool) -> list[QPointF]:
        """Steps, with nothing between them where nothing came."""
        width, points, at = float(self.width()), [QPointF(0, floor)], 0.0
        for start, end, up_rate, down_rate in self.steps:
            if start > at:
                points += [QPointF(at * width, floor), QPointF(start * width, floor)]
            height = floor - (down_rate if down else up_rate) / most * (_CHART - 2)
            points += [QPointF(start * width, height), QPointF(end * width, height)]
            at = end
        return [*points, QPointF(at * width, floor), QPointF(width, floor)]


def course_steps(one: Connection, now: float) -> list[Step]:
    """How it flowed, in parts of its life so far."""
    end = now if one.ended is None else one.ended
    life = max(1e-6, end - one.opened)
    return [
        ((start - one.opened) / life, min(1.0, (stop - one.opened) / life), up / max(1e-3, stop - start),
         down / max(1e-3, stop - start))
        for (start, stop), (up, down) in zip(one.course.spans, one.course.amounts, strict=True)
    ]  # fmt: skip
