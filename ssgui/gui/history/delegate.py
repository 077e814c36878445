"""Paints the rows of the history: words, digits whose units line up, and courses beside them."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ssgui.gui import theme
from ssgui.gui.frame.painting import draw_course, draw_text
from ssgui.gui.history.columns import Cell
from ssgui.gui.history.model import HistoryModel

ROW_HEIGHT = 28
_INSET, _PAD, _UNIT, _DIGITS = 16, 8, 30, 44
Index = QModelIndex | QPersistentModelIndex


class HistoryDelegate(QStyledItemDelegate):
    """The model's rows are records of the history."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(80, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        if not isinstance(model, HistoryModel):
            return
        tokens, rect = theme.current(), QRectF(option.rect)
        column = model.columns[index.column()]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme.color(tokens.tint))
            if index.column() == 0:
                painter.fillRect(QRectF(rect.left(), rect.top(), 3, rect.height()), theme.color(tokens.accent))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, theme.color(tokens.hover))
        left = _PAD if index.column() else _INSET
        cell, inner = column.cell(model.rows[index.row()]), rect.adjusted(left, 0, -_PAD, 0)
        if column.right:
            _figure(painter, inner, cell)
        else:
            weight = theme.MEDIUM if index.column() == 0 else theme.REGULAR
            color = getattr(tokens, cell.tint)
            draw_text(painter, inner, cell.text, color, theme.font(13, weight), middle=not column.width)
        painter.restore()


def _figure(painter: QPainter, rect: QRectF, cell: Cell) -> None:
    """Digits end where the unit's slot begins; what is left of them is for their course."""
    tokens, right = theme.current(), Qt.AlignmentFlag.AlignRight
    slot = _UNIT + 3 if cell.unit else 0
    number = QRectF(rect.left(), rect.top(), rect.width() - slot, rect.height())
    draw_text(painter, number, cell.text, getattr(tokens, cell.tint), theme.font(13), right)
    if cell.unit:
        unit = QRectF(rect.right() - _UNIT, rect.top(), _UNIT, rect.height())
        draw_text(painter, unit, cell.unit, tokens.text3, theme.font(11))
    course = QRectF(rect.left(), rect.top() + 6, number.width() - _DIGITS - 6, rect.height() - 12)
    if course.width() > 20:
        draw_course(painter, course, cell.course)
