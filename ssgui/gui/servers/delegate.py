"""Paints the list of servers: 52 pixels a server, a line for each group's head."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ssgui.app.server_states import Result
from ssgui.gui import icons, theme
from ssgui.gui.frame.painting import draw_text, focus_ring, panel
from ssgui.gui.servers.model import Row, ServersModel, address, group_name, latency_text, result_text, today_text

ROW_HEIGHT, GROUP_HEIGHT = 52, 40
LATENCY, RESULT, TODAY = 84, 188, 84
MORE = 40  # pixels at the right of a head, for its menu
_INSET = 8
_ALL_COLUMNS = 600
Index = QModelIndex | QPersistentModelIndex

_RESULTS = {
    Result.UNTESTED: ("clock", "text3", "text2"),
    Result.TESTING: ("spinner", "accent_text", "text2"),
    Result.WORKS: ("ok", "ok", "text2"),
    Result.FAILED: ("error", "err", "err"),
    Result.UNSUPPORTED: ("warning", "warn", "warn"),
    Result.NO_PASSWORD: ("warning", "warn", "warn"),
    Result.GONE: ("info", "text3", "text2"),
}


class ServerDelegate(QStyledItemDelegate):
    """The model's rows are `Row` records."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        model = index.model()
        head = isinstance(model, ServersModel) and model.rows[index.row()].server is None
        return QSize(200, GROUP_HEIGHT if head else ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        if not isinstance(model, ServersModel):
            return
        row, rect = model.rows[index.row()], QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if row.server is None:
            _head(painter, rect, row)
        else:
            inner = rect.adjusted(_INSET, 1, -_INSET, -1)
            tokens = theme.current()
            if option.state & QStyle.StateFlag.State_Selected:
                panel(painter, inner, tokens.tint, 6)
            elif option.state & QStyle.StateFlag.State_MouseOver:
                panel(painter, inner, tokens.hover, 6)
            _server(painter, inner, row, model)
            if option.state & QStyle.StateFlag.State_HasFocus:
                focus_ring(painter, inner, 6)
        painter.restore()


def _head(painter: QPainter, rect: QRectF, row: Row) -> None:
    tokens = theme.current()
    chevron = "chevron-right" if row.folded else "chevron-down"
    icons.draw(painter, chevron, tokens.text2, QRectF(rect.left() + 13, rect.center().y() - 5, 16, 16))
    font = theme.font(12, theme.SEMIBOLD)
    painter.setFont(font)
    name = group_name(row.group)
    width = painter.fontMetrics().horizontalAdvance(name) + 4.0
    words = QRectF(rect.left() + 36, rect.top() + 6, min(width, rect.width() - 60), rect.height() - 6)
    draw_text(painter, words, name, tokens.text2, font)
    note = QRectF(words.right() + 10, words.top(), rect.right() - words.right() - 20 - MORE, words.height())
    draw_text(painter, note, row.note, tokens.text3, theme.font(12))
    if row.note:
        icons.draw(painter, "more", tokens.text2, QRectF(rect.right() - 32, rect.center().y() - 5, 16, 16))


def columns(rect: QRectF) -> tuple[QRectF, QRectF, QRectF, QRectF]:
    """Where name, latency, result and today stand in a row, or in the head above them."""
    day = TODAY if rect.width() >= _ALL_COLUMNS else 0  # in a narrow list the name matters more
    today = QRectF(rect.right() - day - 12, rect.top(), day, rect.height())
    result = QRectF(today.left() - RESULT, rect.top(), RESULT - 8, rect.height())
    latency = QRectF(result.left() - LATENCY - 16, rect.top(), LATENCY, rect.height())
    name = QRectF(rect.left() + 44, rect.top(), latency.left() - rect.left() - 52, rect.height())
    return name, latency, result, today


def _server(painter: QPainter, rect: QRectF, row: Row, model: ServersModel) -> None:
    server = row.server
    assert server is not None
    tokens, state = theme.current(), row.state
    name, latency, result, today = columns(rect)
    _radio(painter, QRectF(rect.left() + 12, rect.center().y() - 9, 18, 18), server.id == model.current)
    font = theme.font(13, theme.MEDIUM)
    if server.gone:
        font = theme.struck(font)
    color = tokens.text3 if server.gone else tokens.text
    draw_text(painter, QRectF(name.left(), name.top() + 6, name.width(), 20), server.name, color, font, middle=True)
    below = QRectF(name.left(), name.top() + 26, name.width(), 18)
    draw_text(painter, below, address(server), tokens.text3, theme.font(12), middle=True)
    if server.id in model.drafts:
        panel(painter, QRectF(name.left() - 10, name.top() + 14, 5, 5), tokens.accent, 2.5)
    digits, unit = latency_text(state)
    number = latency.adjusted(0, 0, -30, 0)
    draw_text(painter, number, digits, tokens.text, theme.font(13, theme.SEMIBOLD), Qt.AlignmentFlag.AlignRight)
    draw_text(
        painter, QRectF(number.right() + 4, number.top(), 26, number.height()), unit, tokens.text2, theme.font(12)
    )
    icon, tint, words = _RESULTS[state.result]
    icons.draw(painter, icon, getattr(tokens, tint), QRectF(result.left(), result.center().y() - 8, 16, 16))
    draw_text(painter, result.adjusted(22, 0, 0, 0), result_text(state), getattr(tokens, words), theme.font(12))
    draw_text(painter, today, today_text(state), tokens.text, theme.font(12), Qt.AlignmentFlag.AlignRight)


def _radio(painter: QPainter, rect: QRectF, chosen: bool) -> None:
    tokens = theme.current()
    if chosen:
        panel(painter, rect, tokens.accent, 9)
        icons.draw(painter, "check", tokens.on_accent, rect.adjusted(2, 2, -2, -2))
        return
    painter.setPen(QPen(theme.color(tokens.ctl), 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(rect.adjusted(1, 1, -1, -1))
