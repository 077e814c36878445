"""The mark of each stage: a shape of its own, for who does not see its colour."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen, QPolygonF

from ssgui.gui import icons, theme
from ssgui.services.connections.health import is_failure
from ssgui.services.connections.records import Connection
from ssgui.services.connections.segments import SegmentKind, phase

SIDE = 10


def mark_of(painter: QPainter, rect: QRectF, one: Connection) -> None:
    """The mark of what `one` is at, or of how it ended."""
    if one.live:
        mark(painter, rect, phase(one))
        return
    tokens, failed = theme.current(), is_failure(one.reason)
    icons.draw(painter, "error" if failed else "check", tokens.err if failed else tokens.text2,
               rect.adjusted(-2, -2, 2, 2))  # fmt: skip


def mark(painter: QPainter, rect: QRectF, kind: SegmentKind) -> None:
    """Ring, diamond, open arc, half-full ring, disc or square, in `rect` (10 pixels)."""
    tokens = theme.current()
    match kind:
        case SegmentKind.HANDSHAKE:
            _ring(painter, rect, tokens.s_init)
        case SegmentKind.DNS:
            middle = rect.center()
            corners = [QPointF(middle.x(), rect.top()), QPointF(rect.right(), middle.y()),
                       QPointF(middle.x(), rect.bottom()), QPointF(rect.left(), middle.y())]  # fmt: skip
            _fill(painter, tokens.s_dns)
            painter.drawPolygon(QPolygonF(corners))
        case SegmentKind.CONNECTING:
            painter.setPen(QPen(theme.color(tokens.s_conn), 2.2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawArc(rect.adjusted(1, 1, -1, -1), 60 * 16, 270 * 16)
        case SegmentKind.WAIT:
            _ring(painter, rect, tokens.s_wait)
            half = QPainterPath()
            half.moveTo(rect.center())
            half.arcTo(rect, 90, 180)
            painter.fillPath(half, theme.color(tokens.s_wait))
        case SegmentKind.UDP:
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
