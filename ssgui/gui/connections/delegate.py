"""Paints the rows of the connections' table straight from the records: one delegate, no data() per cell."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ssgui.engine.stages import Reason, Stage, StreamStatus
from ssgui.gui import icons, theme
from ssgui.gui.connections.cells import (
    NOTHING,
    figure,
    inbound_text,
    is_blocked,
    rule_text,
    stage_text,
    started_text,
)
from ssgui.gui.connections.columns import NUMBERS, Column
from ssgui.gui.connections.model import ConnectionsModel
from ssgui.gui.frame.painting import draw_text, edged, harmless
from ssgui.gui.words import reason_word
from ssgui.services.connections import Connection, is_waiting

ROW_HEIGHT = 28
_PAD = 8
_UNIT, _SHORT_UNIT = 30, 20  # pixels: MB/s, and min
_TIMES = (Column.AGE, Column.WAIT)
_COLUMNS = tuple(Column)
_SELECTED, _HOVERED = QStyle.StateFlag.State_Selected.value, QStyle.StateFlag.State_MouseOver.value
_FLAGS = ((int(StreamStatus.READING), "R"), (int(StreamStatus.WRITING), "W"))
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
        self._cell(painter, rect.adjusted(_PAD, 0, -_PAD, 0), one, column, model)
        painter.restore()

    def _cell(
        self, painter: QPainter, rect: QRectF, one: Connection, column: Column, model: ConnectionsModel
    ) -> None:  # fmt: skip
        tokens = theme.current()
        quiet = tokens.text if one.live else tokens.text2
        match column:
            case Column.STAGE:
                _stage(painter, rect, one)
            case Column.UP_FLAGS:
                _flags(painter, rect, one.up_status, one.live, is_blocked(one.up_blocked, model.now))
            case Column.DOWN_FLAGS:
                _flags(painter, rect, one.down_status, one.live, is_blocked(one.down_blocked, model.now))
            case Column.TARGET:
                _target(painter, rect, one.target, quiet)
            case Column.STARTED:
                right = Qt.AlignmentFlag.AlignRight
                draw_text(painter, rect, started_text(one, model.wall), tokens.text2, theme.font(12), right)
            case Column.WATERFALL:
                return
            case _ if column in NUMBERS:
                slot = _SHORT_UNIT if column in _TIMES else _UNIT
                _figure(painter, rect, *figure(one, column, model.now), quiet, slot)
            case _:
                text = _text(one, column)
                middle = column is Column.SERVER
                draw_text(painter, rect, text, tokens.text2, theme.font(12), middle=middle)


def _text(one: Connection, column: Column) -> str:
    match column:
        case Column.RULE:
            return rule_text(one)
        case Column.SERVER:
            return one.server
        case Column.INBOUND:
            return inbound_text(one)
        case Column.PROGRAM:
            return one.program
        case Column.USER:
            return one.user
    return "" if one.live else reason_word(one.reason)


def _stage(painter: QPainter, rect: QRectF, one: Connection) -> None:
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


def _flags(painter: QPainter, rect: QRectF, status: StreamStatus, live: bool, blocked: bool) -> None:
    """Two slots, R and W. W stands out when it has been lit for long enough to explain something."""
    if not live or status is StreamStatus.NONE:
        return
    tokens = theme.current()
    top = rect.center().y() - 8
    lit, font, middle = int(status), theme.font(10, theme.SEMIBOLD), Qt.AlignmentFlag.AlignHCenter
    for at, (flag, letter) in enumerate(_FLAGS):
        slot = QRectF(rect.left() - 4 + at * 18, top, 16, 16)
        if not lit & flag:
            _fill(painter, tokens.line2)
            painter.drawEllipse(slot.center(), 1.5, 1.5)
            continue
        amber = blocked and letter == "W"
        edged(painter, slot, tokens.warn_tint if amber else tokens.bg, tokens.warn if amber else tokens.line2, 4)
        draw_text(painter, slot, letter, tokens.warn if amber else tokens.text2, font, middle)


def _target(painter: QPainter, rect: QRectF, target: str, color: str) -> None:
    """The host loses its middle, the port stays."""
    tokens, font = theme.current(), theme.font(13)
    if not target:
        draw_text(painter, rect, NOTHING, tokens.text3, font)
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


def _figure(painter: QPainter, rect: QRectF, digits: str, unit: str, color: str, slot: int) -> None:
    """Digits end where the unit's slot begins, so that they line up whatever the unit."""
    tokens = theme.current()
    number = QRectF(rect.left(), rect.top(), rect.width() - slot - 3, rect.height())
    right = Qt.AlignmentFlag.AlignRight
    draw_text(painter, number, digits, color if digits != "0" else tokens.text3, theme.font(13), right)
    place = QRectF(rect.right() - slot, rect.top(), slot, rect.height())
    draw_text(painter, place, unit, tokens.text3, theme.font(11))
