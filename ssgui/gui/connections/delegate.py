"""Paints the rows of the connections' table straight from the records: one delegate, no data() per cell."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ssgui.engine.stages import Reason, Stage, StreamStatus
from ssgui.gui import icons, theme
from ssgui.gui.connections.model import Column, ConnectionsModel, flow, rule_text, stage_text
from ssgui.gui.frame.painting import draw_text, edged, harmless
from ssgui.gui.units import age
from ssgui.services.connections import Connection, is_waiting

ROW_HEIGHT = 28
_PAD = 8
_UNIT = 30
_COLUMNS = tuple(Column)
_SELECTED, _HOVERED = QStyle.StateFlag.State_Selected.value, QStyle.StateFlag.State_MouseOver.value
_FLAGS = ((int(StreamStatus.READING), "R", False), (int(StreamStatus.WRITING), "W", True))
Index = QModelIndex | QPersistentModelIndex


class ConnectionDelegate(QStyledItemDelegate):
    """The model's rows are `Connection` records."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(80, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        if not isinstance(model, ConnectionsModel):
            return
        one, tokens, column = model.rows[index.row()], theme.current(), _COLUMNS[index.column()]
        state = option.state.value
        rect = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & _SELECTED:
            painter.fillRect(rect, theme.color(tokens.tint))
            if column is Column.STAGE:
                painter.fillRect(QRectF(rect.left(), rect.top(), 3, rect.height()), theme.color(tokens.accent))
        elif state & _HOVERED:
            painter.fillRect(rect, theme.color(tokens.hover))
        self._cell(painter, rect.adjusted(_PAD, 0, -_PAD, 0), one, column, model.now)
        painter.restore()

    def _cell(self, painter: QPainter, rect: QRectF, one: Connection, column: Column, now: float) -> None:
        tokens = theme.current()
        quiet = tokens.text if one.live else tokens.text2
        match column:
            case Column.STAGE:
                self._stage(painter, rect, one)
            case Column.UP_FLAGS | Column.DOWN_FLAGS:
                _flags(painter, rect, one.up_status if column is Column.UP_FLAGS else one.down_status, one.live)
            case Column.TARGET:
                _target(painter, rect, one.target, quiet)
            case Column.RULE:
                draw_text(painter, rect, rule_text(one), tokens.text2, theme.font(12))
            case Column.SERVER:
                draw_text(painter, rect, one.server, tokens.text2, theme.font(12), middle=True)
            case Column.DOWN | Column.UP:
                _figure(painter, rect, *flow(one, down=column is Column.DOWN), quiet)
            case Column.AGE:
                _figure(painter, rect, *age(one.age(now)), quiet)

    def _stage(self, painter: QPainter, rect: QRectF, one: Connection) -> None:
        tokens = theme.current()
        mark = QRectF(rect.left() + 8, rect.center().y() - 5, 10, 10)
        stage_mark(painter, mark, one)
        failed = not one.live and one.reason is not Reason.FINISHED
        color = tokens.err if failed else tokens.text if one.live else tokens.text2
        weight = theme.MEDIUM if one.live else theme.REGULAR
        draw_text(painter, rect.adjusted(26, 0, 0, 0), stage_text(one), color, theme.font(13, weight))


def stage_mark(painter: QPainter, rect: QRectF, one: Connection) -> None:
    """The mark of a stage: a shape of its own, for who does not see its colour."""
    tokens = theme.current()
    if not one.live:
        finished = one.reason is Reason.FINISHED
        color = tokens.text2 if finished else tokens.err
        icons.draw(painter, "check" if finished else "error", color, rect.adjusted(-2, -2, 2, 2))
        return
    if is_waiting(one):
        _half_ring(painter, rect, tokens.s_wait)
        return
    match one.stage:
        case Stage.INIT | Stage.ADDR:
            _ring(painter, rect, tokens.s_init)
        case Stage.DNS:
            center = rect.center()
            points = [QPointF(center.x(), rect.top()), QPointF(rect.right(), center.y()),
                      QPointF(center.x(), rect.bottom()), QPointF(rect.left(), center.y())]  # fmt: skip
            _fill(painter, tokens.s_dns)
            painter.drawPolygon(QPolygonF(points))
        case Stage.CONNECTING:
            painter.setPen(QPen(theme.color(tokens.s_conn), 2.2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawArc(rect.adjusted(1, 1, -1, -1), 60 * 16, 270 * 16)
        case Stage.UDP_ASSOC:
            _fill(painter, tokens.s_udp)
            painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 1, 1)
        case _:
            _fill(painter, tokens.s_stream)
            painter.drawEllipse(rect)


def _fill(painter: QPainter, color: str) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color(color))


def _ring(painter: QPainter, rect: QRectF, color: str) -> None:
    painter.setPen(QPen(theme.color(color), 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(rect.adjusted(1, 1, -1, -1))


def _half_ring(painter: QPainter, rect: QRectF, color: str) -> None:
    _ring(painter, rect, color)
    half = QPainterPath()
    half.moveTo(rect.center())
    half.arcTo(rect, 90, 180)
    painter.fillPath(half, theme.color(color))


def _flags(painter: QPainter, rect: QRectF, status: StreamStatus, live: bool) -> None:
    if not live or status is StreamStatus.NONE:
        return
    tokens = theme.current()
    top = rect.center().y() - 8
    lit = int(status)
    for at, (flag, letter, writing) in enumerate(_FLAGS):
        slot = QRectF(rect.left() - 4 + at * 18, top, 16, 16)
        if not lit & flag:
            _fill(painter, tokens.line2)
            painter.drawEllipse(slot.center(), 1.5, 1.5)
        elif writing:
            edged(painter, slot, tokens.warn_tint, tokens.warn, 4)
            draw_text(painter, slot, letter, tokens.warn, theme.font(10, theme.SEMIBOLD), Qt.AlignmentFlag.AlignHCenter)
        else:
            edged(painter, slot, tokens.bg, tokens.line2, 4)
            draw_text(
                painter, slot, letter, tokens.text2, theme.font(10, theme.SEMIBOLD), Qt.AlignmentFlag.AlignHCenter
            )


def _target(painter: QPainter, rect: QRectF, target: str, color: str) -> None:
    """The host loses its middle, the port stays."""
    tokens, font = theme.current(), theme.font(13)
    if not target:
        draw_text(painter, rect, "\N{EM DASH}", tokens.text3, font)
        return
    host, colon, port = harmless(target).rpartition(":")
    painter.setFont(font)
    metrics = painter.fontMetrics()
    tail = f"{colon}{port}"
    room = rect.width() - metrics.horizontalAdvance(tail)
    shown = metrics.elidedText(host, Qt.TextElideMode.ElideMiddle, int(room))
    width = metrics.horizontalAdvance(shown)
    draw_text(painter, QRectF(rect.left(), rect.top(), width + 2, rect.height()), shown, color, font)
    draw_text(painter, QRectF(rect.left() + width, rect.top(), 80, rect.height()), tail, tokens.text3, font)


def _figure(painter: QPainter, rect: QRectF, digits: str, unit: str, color: str) -> None:
    """Digits end where the unit's slot begins, so that they line up whatever the unit."""
    tokens = theme.current()
    number = QRectF(rect.left(), rect.top(), rect.width() - _UNIT - 3, rect.height())
    right = Qt.AlignmentFlag.AlignRight
    draw_text(painter, number, digits, color if digits != "0" else tokens.text3, theme.font(13), right)
    slot = QRectF(rect.right() - _UNIT, rect.top(), _UNIT, rect.height())
    draw_text(painter, slot, unit, tokens.text3, theme.font(11))
