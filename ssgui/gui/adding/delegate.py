"""How the rows of what was found are drawn, and how a tick is set."""

from PySide6.QtCore import QAbstractItemModel, QEvent, QModelIndex, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QIcon, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ssgui.gui import icons, theme
from ssgui.gui.adding.model import ADDRESS, NAME
from ssgui.gui.frame.painting import draw_text, edged, focus_ring, panel

Index = QModelIndex | QPersistentModelIndex
_BOX = 16
_ROLE = Qt.ItemDataRole


class CandidateDelegate(QStyledItemDelegate):
    """A click on the name, or the space bar, sets the tick or takes it away."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        tokens, rect = theme.current(), QRectF(option.rect)
        state = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme.color(tokens.tint))
        left = rect.left() + 8
        check = index.data(_ROLE.CheckStateRole)
        if index.column() == NAME:
            if check is not None:
                self._draw_box(painter, QRectF(left, rect.center().y() - _BOX / 2 + 0.5, _BOX, _BOX), check)
            left += 26
        icon = index.data(_ROLE.DecorationRole)
        if isinstance(icon, QIcon):
            icon.paint(painter, int(left), int(rect.center().y()) - 7, 16, 16)
            left += 22
        words = QRectF(left, rect.top(), rect.right() - left - 6, rect.height())
        font = theme.font(13, theme.MEDIUM) if index.column() == NAME else theme.font(12)
        color = index.data(_ROLE.ForegroundRole)
        text = str(index.data(_ROLE.DisplayRole) or "")
        draw_text(painter, words, text, color.name(), font, middle=index.column() == ADDRESS and icon is None)
        if state & QStyle.StateFlag.State_HasFocus and index.column() == NAME:
            focus_ring(painter, rect, 4)
        painter.restore()

    @staticmethod
    def _draw_box(painter: QPainter, box: QRectF, check: Qt.CheckState) -> None:
        tokens = theme.current()
        if Qt.CheckState(check) == Qt.CheckState.Checked:
            panel(painter, box, tokens.accent, 4)
            icons.draw(painter, "check", tokens.on_accent, box.adjusted(1, 1, -1, -1))
        else:
            edged(painter, box, tokens.bg, tokens.ctl, 4)

    def editorEvent(
        self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: Index
    ) -> bool:  # fmt: skip
        clicked = (
            isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonRelease
            and event.button() == Qt.MouseButton.LeftButton and index.column() == NAME
        )  # fmt: skip
        typed = (
            isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Space
        )
        name = model.index(index.row(), NAME)
        check = name.data(_ROLE.CheckStateRole)
        if not (clicked or typed) or check is None:
            return False
        checked = Qt.CheckState(check) == Qt.CheckState.Checked
        turned = Qt.CheckState.Unchecked if checked else Qt.CheckState.Checked
        return model.setData(name, turned.value, _ROLE.CheckStateRole)
