"""The stages of the original as a diagram: what may follow what, the way that one connection took, its time in each."""

import math
from itertools import pairwise

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ssgui.engine.stages import TRANSITIONS, Role, Stage
from ssgui.gui import theme, words
from ssgui.gui.frame.painting import draw_text, edged, focus_ring, panel, width_of
from ssgui.gui.texts import tr
from ssgui.gui.units import span
from ssgui.services.connections.health import is_failure
from ssgui.services.connections.records import Connection
from ssgui.services.connections.segments import SegmentKind, phase

_S = Stage
_ROWS = {
    Role.LOCAL: (_S.INIT, _S.ADDR, _S.DNS, _S.CONNECTING, _S.STREAM, _S.DESTROYED),
    Role.SERVER: (_S.INIT, _S.DNS, _S.CONNECTING, _S.STREAM, _S.DESTROYED),
}
_COLORS = {
    _S.INIT: "s_init", _S.ADDR: "s_init", _S.DNS: "s_dns", _S.CONNECTING: "s_conn", _S.STREAM: "s_stream",
    _S.UDP_ASSOC: "s_udp", _S.DESTROYED: "s_init",
}  # fmt: skip
_WIDTHS = {
    _S.INIT: 56, _S.ADDR: 60, _S.DNS: 56, _S.CONNECTING: 100, _S.STREAM: 116, _S.DESTROYED: 92, _S.UDP_ASSOC: 92,
}  # fmt: skip
_SIDE, _LEAST_GAP, _NODE = 4, 9.5, 32
_RAIL, _BACK, _TOP, _UDP_TOP, _HEIGHT = 14.0, 30.0, 44.0, 126.0, 164
_TIME, _BAR = 3, 21  # below a node
_BOLD_FROM = 0.5  # of the longest
_CENTRE = Qt.AlignmentFlag.AlignHCenter
Corners = list[QPointF]


class Walk:
    """The way that a connection took: how long it was in each stage, which steps it made, how it ended."""

    def __init__(self, one: Connection, now: float) -> None:
        self.spent: dict[Stage, float] = {}
        last = one.ended if one.ended is not None else now
        timeline = one.timeline or [(one.stage, one.opened)]
        for (stage, start), (_, end) in pairwise([*timeline, (Stage.DESTROYED, max(last, timeline[-1][1]))]):
            if stage is not Stage.DESTROYED:
                self.spent[stage] = self.spent.get(stage, 0.0) + end - start
        self.steps = {(before, after) for (before, _), (after, _) in pairwise(timeline)}
        self.last = next((stage for stage, _ in reversed(timeline) if stage is not Stage.DESTROYED), Stage.INIT)
        self.ended = not one.live
        if self.ended:
            self.steps.add((self.last, Stage.DESTROYED))
        self.failed = self.ended and is_failure(one.reason)
        self.reason = words.reason_word(one.reason) if self.ended else ""
        self.wait, self.waited = _first_byte(one, now)
        self.idle = self.last is Stage.STREAM and phase(one) is SegmentKind.IDLE

    @property
    def longest(self) -> float:
        """Seconds in the stage that took longest."""
        return max(self.spent.values(), default=0.0)

    def sentence(self) -> str:
        """The same for who listens to the screen."""
        parts = [f"{stage.name} {' '.join(span(seconds))}" for stage, seconds in self.spent.items()]
        if self.waited:
            parts.append(self.waited)
        if self.ended:
            parts.append(f"DESTROYED: {self.reason}")
        return ", ".join(parts)


def _first_byte(one: Connection, now: float) -> tuple[float, str]:
    """Seconds of waiting inside of STREAM, and what is said about them."""
    if one.first_up is None or one.first_down is None:
        at = phase(one)
        if at is SegmentKind.IDLE:
            return 0.0, tr("the program sent nothing")
        if at is not SegmentKind.WAIT or one.first_up is None:
            return 0.0, ""
        waited = max(0.0, (now if one.ended is None else one.ended) - one.first_up)
        time = " ".join(span(waited))
        return waited, tr("waiting for {time}", time=time) if one.live else tr("no byte in {time}", time=time)
    waited = max(0.0, one.first_down - one.first_up)
    return waited, tr("first byte after {time}", time=" ".join(span(waited)))


class StageDiagram(QWidget):
    """One element for the keyboard and for who listens: its description is the way as a sentence."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._role = Role.LOCAL
        self.walk: Walk | None = None
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(tr("Stages"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_connection(self, one: Connection, now: float) -> None:
        """Show its way until now."""
        if one.role is not self._role:
            self._role = one.role
            self.updateGeometry()
        self.walk = Walk(one, now)
        self.setAccessibleName(f"{tr('Stages')}: {self.walk.sentence()}")
        self.update()

    def sizeHint(self) -> QSize:
        row = _ROWS[self._role]
        width = sum(self._node_width(stage) for stage in row) + _LEAST_GAP * (len(row) - 1) + 2 * _SIDE
        return QSize(round(width), _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _node_width(self, stage: Stage) -> float:
        return max(_WIDTHS[stage], width_of(stage.name, theme.font(11, theme.SEMIBOLD)) + 20)

    # ---- where nodes are

    def boxes(self) -> dict[Stage, QRectF]:
        """Where each stage is."""
        row = _ROWS[self._role]
        widths = [self._node_width(stage) for stage in row]
        gap = (self.width() - 2 * _SIDE - sum(widths)) / (len(row) - 1)
        x, found = float(_SIDE), {}
        for stage, width in zip(row, widths, strict=True):
            found[stage] = QRectF(x, _TOP, width, _NODE)
            x += width + gap
        below = found[row[1]] if self._role is Role.SERVER else found[Stage.DNS]
        found[Stage.UDP_ASSOC] = QRectF(below.left(), _UDP_TOP, self._node_width(Stage.UDP_ASSOC), _NODE)
        return found

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            at = next((stage for stage, box in self.boxes().items() if box.contains(event.pos())), None)
            text = f"{at.name}: {words.stage_word(at)}" if at is not None else ""
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    # ---- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        walk = self.walk
        if walk is None:
            return
        boxes = self.boxes()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            steps = [(a, b) for a, following in TRANSITIONS[self._role].items() for b in sorted(following)]
            for step in steps:
                if step not in walk.steps and not _goes_back(step):  # what is so rare is shown when it happens
                    self._untaken(painter, step, self._way(step, boxes, walk))
            for step in steps:  # what was taken lies on top
                if step in walk.steps:
                    _arrow(painter, self._way(step, boxes, walk), self._ink(step, walk), 2.0, 5.5)
            for stage, box in boxes.items():
                self._node(painter, stage, box, walk)
            self._destroyed_words(painter, boxes, walk)
            if self.hasFocus():
                focus_ring(painter, QRectF(self.rect()), 6)

    def _untaken(self, painter: QPainter, step: tuple[Stage, Stage], way: Corners) -> None:
        """A faint arrow; those that fail meet on one dashed rail."""
        ink, (before, after) = theme.color(theme.current().line2), step
        rail = after is Stage.DESTROYED and before not in (Stage.STREAM, Stage.UDP_ASSOC)
        if rail and before is not Stage.INIT:
            pen = QPen(ink, 1.2)
            pen.setDashPattern([2, 3])
            painter.setPen(pen)
            painter.drawLine(way[0], way[1])
        else:
            _arrow(painter, way, ink, 1.2, 4.5, dashed=rail)

    def _ink(self, step: tuple[Stage, Stage], walk: Walk) -> QColor:
        tokens = theme.current()
        return theme.color(tokens.s_cap if walk.failed and step[1] is Stage.DESTROYED else tokens.accent_text)

    def _way(self, step: tuple[Stage, Stage], boxes: dict[Stage, QRectF], walk: Walk) -> Corners:
        """The corners of an arrow."""
        (before, after), row = step, _ROWS[self._role]
        a, b = boxes[before], boxes[after]
        x, middle = a.center().x(), a.center().y()
        end = boxes[Stage.DESTROYED]
        if after is Stage.UDP_ASSOC:
            below = a.bottom() + (_BAR + 5 if before in walk.spent else 0)
            return [QPointF(x, below), QPointF(x, b.center().y()), QPointF(b.left() - 1, b.center().y())]
        if before is Stage.UDP_ASSOC:
            below = end.bottom() + (_BAR if walk.ended else 2)
            return [QPointF(a.right(), middle), QPointF(end.center().x(), middle), QPointF(end.center().x(), below)]
        if after is Stage.DESTROYED and before is not Stage.STREAM:
            top = QPointF(end.center().x(), _RAIL)
            return [QPointF(x, a.top()), QPointF(x, _RAIL), top, QPointF(top.x(), end.top() - 1)]
        if row.index(after) <= row.index(before):  # back to DNS, for another server
            out, back = (x + 14, x - 14) if before is after else (x - 10, b.center().x() + 10)
            return [QPointF(out, a.top()), QPointF(out, _BACK), QPointF(back, _BACK), QPointF(back, b.top() - 1)]
        return [QPointF(a.right() + 2, middle), QPointF(b.left() - 1, b.center().y())]

    def _node(self, painter: QPainter, stage: Stage, box: QRectF, walk: Walk) -> None:
        tokens = theme.current()
        reached = stage in walk.spent or (stage is Stage.DESTROYED and walk.ended)
        panel(painter, box, tokens.bg, 6)
        if not reached:
            edged(painter, box, tokens.bg, tokens.line2, 6)
            draw_text(painter, box, stage.name, tokens.text3, theme.font(11, theme.MEDIUM), _CENTRE)
            return
        token = "s_cap" if stage is Stage.DESTROYED and walk.failed else _COLORS[stage]
        color = getattr(tokens, token)
        current = stage is (Stage.DESTROYED if walk.ended else walk.last)
        painter.setBrush(theme.color(color, 0.14 if tokens.name == "light" else 0.22))
        painter.setPen(QPen(theme.color(color), 2 if current else 1.2))
        painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 6, 6)
        draw_text(painter, box, stage.name, tokens.text, theme.font(11, theme.SEMIBOLD), _CENTRE)
        if stage is not Stage.DESTROYED:
            self._time(painter, stage, box, color, walk)

    def _time(self, painter: QPainter, stage: Stage, box: QRectF, color: str, walk: Walk) -> None:
        tokens, seconds = theme.current(), walk.spent[stage]
        share = seconds / walk.longest if walk.longest > 0 else 0.0
        bold = share >= _BOLD_FROM
        font, ink = theme.font(12, theme.SEMIBOLD if bold else theme.MEDIUM), tokens.text if bold else tokens.text2
        text = " ".join(span(seconds))
        if stage is Stage.UDP_ASSOC:  # beside it: below it the widget ends
            place = QRectF(box.right() + 8, box.center().y() - 19, 90, 16)
            draw_text(painter, place, text, ink, font)
            return
        draw_text(
            painter, QRectF(box.left() - 20, box.bottom() + _TIME, box.width() + 40, 16), text, ink, font, _CENTRE
        )
        size = max(3.0, box.width() * share)
        bar = QRectF(box.center().x() - size / 2, box.bottom() + _BAR, size, 3)
        idle = walk.idle and stage is Stage.STREAM
        painter.fillRect(bar, theme.color(tokens.s_init if idle else color))
        if stage is Stage.STREAM and walk.waited:
            if walk.wait > 0:
                waiting = max(3.0, size * min(1.0, walk.wait / max(seconds, 1e-9)))
                painter.fillRect(QRectF(bar.left(), bar.top(), waiting, 3), theme.color(tokens.s_wait))
            place = QRectF(box.left() - 40, box.bottom() + 28, box.width() + 80, 16)
            draw_text(painter, place, walk.waited, tokens.text2, theme.font(11), _CENTRE)

    def _destroyed_words(self, painter: QPainter, boxes: dict[Stage, QRectF], walk: Walk) -> None:
        """Why it ended, under the last node."""
        if not walk.ended:
            return
        tokens, box = theme.current(), boxes[Stage.DESTROYED]
        place = QRectF(box.left() - 12, box.bottom() + _TIME, box.width() + 16, 16)
        color = tokens.err if walk.failed else tokens.text2
        draw_text(painter, place, walk.reason, color, theme.font(11, theme.MEDIUM), _CENTRE)


def _goes_back(step: tuple[Stage, Stage]) -> bool:
    """For another server."""
    return step[1] is Stage.DNS and step[0] in (Stage.DNS, Stage.CONNECTING)


def _arrow(
    painter: QPainter, corners: Corners, ink: QColor, width: float, size: float, *, dashed: bool = False
) -> None:  # fmt: skip
    pen = QPen(ink, width)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    if dashed:
        pen.setDashPattern([2, 3])
    before, tip = corners[-2], corners[-1]
    angle = math.atan2(tip.y() - before.y(), tip.x() - before.x())
    path = QPainterPath(corners[0])
    for corner in corners[1:-1]:
        path.lineTo(corner)
    path.lineTo(tip - QPointF(math.cos(angle) * 4, math.sin(angle) * 4))
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(path)
    sides = [tip - QPointF(size * math.cos(angle + turn), size * math.sin(angle + turn)) for turn in (-0.45, 0.45)]
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink)
    painter.drawPolygon(QPolygonF([tip, *sides]))
