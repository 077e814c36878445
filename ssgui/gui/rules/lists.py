"""The lists that were chosen: a switch, a name, a state and the hits of today each; their order is precedence."""

import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from ssgui.gui import theme
from ssgui.gui.frame.hints import plain_hint
from ssgui.gui.frame.ordered_list import order_by_hand
from ssgui.gui.frame.painting import draw_text, edged, focus_ring, panel
from ssgui.gui.frame.switch import draw_switch
from ssgui.gui.rules.wording import list_name, list_parts, list_sentence, list_tip
from ssgui.gui.texts import tr
from ssgui.services.rules.lists import ListState

ROW_HEIGHT = 60
_SWITCH = 60  # pixels from the left that turn a list on or off
_HITS = 72
_MIME = "application/x-ssgui-rule-list"
_NO_PARENT = QModelIndex()
Index = QModelIndex | QPersistentModelIndex


class RuleListsModel(QAbstractListModel):
    """`moved` carries the ids in their new order after a person dragged or moved one."""

    moved = Signal(list)

    def __init__(self, clock: Callable[[], float] = time.time, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.clock = clock
        self.rows: list[ListState] = []

    def show(self, lists: tuple[ListState, ...]) -> None:
        """Show these."""
        same = [one.id for one in lists] == [one.id for one in self.rows]
        if not same:
            self.beginResetModel()
        changed = list(lists) != self.rows
        self.rows[:] = lists
        if not same:
            self.endResetModel()
        elif changed and lists:
            self.dataChanged.emit(self.index(0), self.index(len(lists) - 1))

    def row_of(self, identity: str) -> int:
        """The row of a list, -1 if there is none."""
        return next((at for at, row in enumerate(self.rows) if row.id == identity), -1)

    def move(self, identity: str, step: int) -> None:
        """Move a list up or down."""
        ids, at = [row.id for row in self.rows], self.row_of(identity)
        if at >= 0 and 0 <= at + step < len(ids):
            ids[at], ids[at + step] = ids[at + step], ids[at]
            self.moved.emit(ids)

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or not 0 <= index.row() < len(self.rows):
            return None
        state = self.rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return list_name(state.name)
            case Qt.ItemDataRole.AccessibleTextRole:
                return list_sentence(state, self.clock())
            case Qt.ItemDataRole.ToolTipRole:
                return plain_hint(*list_tip(state, self.clock()).splitlines())
        return None

    # ---- dragging

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        return (
            Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled
            | Qt.ItemFlag.ItemNeverHasChildren
        )  # fmt: skip

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [_MIME]

    def mimeData(self, indexes: Any) -> QMimeData:
        data = QMimeData()
        data.setData(_MIME, "\n".join(self.rows[index.row()].id for index in indexes).encode())
        return data

    def dropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        dragged = bytes(data.data(_MIME).data()).decode().split("\n")
        at = row if row >= 0 else parent.row() if parent.isValid() else len(self.rows)
        before = [one.id for one in self.rows[:at] if one.id not in dragged]
        behind = [one.id for one in self.rows[at:] if one.id not in dragged]
        self.moved.emit([*before, *dragged, *behind])
        return False  # nothing is to be removed: the new order comes back by `show`


class RuleListsView(QListView):
    """`switched` carries the id of a list to turn on or off, `deleted` one to remove, `asked` for a menu."""

    switched = Signal(str)
    deleted = Signal(str)
    asked = Signal(str, QPoint)

    def __init__(self, model: RuleListsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.setModel(model)
        self.setItemDelegate(_Delegate(self))
        self.setAccessibleName(tr("Lists"))
        order_by_hand(self)
        self.customContextMenuRequested.connect(self._ask)

    def selected(self) -> str:
        """The id of the selected list, "" for none."""
        return self._id_at(self.currentIndex())

    def select(self, identity: str) -> None:
        """Select a list."""
        if (row := self._model.row_of(identity)) >= 0:
            self.setCurrentIndex(self._model.index(row))

    def _id_at(self, index: QModelIndex) -> str:
        return self._model.rows[index.row()].id if index.isValid() and index.row() < len(self._model.rows) else ""

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        identity = self._id_at(self.indexAt(event.position().toPoint()))
        if identity and event.button() == Qt.MouseButton.LeftButton and event.position().x() < _SWITCH:
            self.switched.emit(identity)
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        identity = self.selected()
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        match Qt.Key(event.key()):
            case Qt.Key.Key_Up | Qt.Key.Key_Down if alt and identity:
                self._model.move(identity, -1 if event.key() == Qt.Key.Key_Up else 1)
                self.select(identity)
            case Qt.Key.Key_Space if identity:
                self.switched.emit(identity)
            case Qt.Key.Key_Delete if identity:
                self.deleted.emit(identity)
            case _:
                super().keyPressEvent(event)

    def _ask(self, at: QPoint) -> None:
        index = self.indexAt(at)
        if identity := self._id_at(index if index.isValid() else self.currentIndex()):
            self.asked.emit(identity, self.viewport().mapToGlobal(at))


class ListsFrame(QWidget):
    """The edge around the lists, and their heads."""

    def __init__(self, view: RuleListsView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = view
        view.setParent(self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._view.setGeometry(self.rect().adjusted(1, 31, -1, -7))
        super().resizeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            edged(painter, QRectF(self.rect()), tokens.bg, tokens.line, 8)
            painter.fillRect(QRectF(1, 30, self.width() - 2, 1), theme.color(tokens.line))
            head = QRectF(_SWITCH, 0, self.width() - _SWITCH - 14, 30)
            font = theme.font(12, theme.MEDIUM)
            draw_text(painter, head, tr("List"), tokens.text2, font)
            draw_text(painter, head, tr("Hits today"), tokens.text2, font, Qt.AlignmentFlag.AlignRight)


class _Delegate(QStyledItemDelegate):
    """The model's rows are `ListState` records."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        if not isinstance(model, RuleListsModel):
            return
        state, rect, tokens = model.rows[index.row()], QRectF(option.rect), theme.current()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        inner = rect.adjusted(4, 2, -4, -2)
        if option.state & QStyle.StateFlag.State_Selected:
            panel(painter, inner, tokens.tint, 6)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            panel(painter, inner, tokens.hover, 6)
        _row(painter, rect, state, model.clock())
        if option.state & QStyle.StateFlag.State_HasFocus:
            focus_ring(painter, inner, 6)
        painter.restore()


def _row(painter: QPainter, rect: QRectF, state: ListState, now: float) -> None:
    tokens, on = theme.current(), state.source.enabled
    draw_switch(painter, QRectF(rect.left() + 12, rect.center().y() - 9, 36, 18), on=on)
    words = QRectF(rect.left() + _SWITCH, rect.top() + 9, rect.width() - _SWITCH - 14, 20)
    name = words.adjusted(0, 0, -_HITS, 0)
    draw_text(painter, name, list_name(state.name), tokens.text if on else tokens.text3, theme.font(13, theme.MEDIUM))
    hits = f"{state.hits_today:,}" if on and state.there else "\N{EM DASH}"
    color = tokens.text if on else tokens.text3
    draw_text(painter, words, hits, color, theme.font(13, theme.MEDIUM), Qt.AlignmentFlag.AlignRight)
    parts, token = list_parts(state, now)
    below, small = QRectF(words.left(), rect.top() + 30, words.width(), 18), theme.font(12)
    draw_text(painter, below, _fitting(parts, small, below.width()), getattr(tokens, token), small)
    line = QRectF(words.left(), rect.bottom() - 1, words.width() + 14, 1)
    if state.progress is None:
        painter.fillRect(line, theme.color(tokens.line))
        return
    track = QRectF(words.left(), rect.bottom() - 6, words.width(), 3)
    panel(painter, track, tokens.line, 1.5)
    panel(painter, QRectF(track.left(), track.top(), max(3.0, track.width() * state.progress), 3), tokens.accent, 1.5)


def _fitting(parts: list[str], font: QFont, width: float) -> str:
    """As many of `parts` as there is room for, at least one."""
    metrics = QFontMetricsF(font)
    joined = [" · ".join(parts[:count]) for count in range(len(parts), 0, -1)]
    return next((text for text in joined if metrics.horizontalAdvance(text) <= width), parts[0])
