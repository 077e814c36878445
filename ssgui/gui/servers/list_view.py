"""The list on the left of the page: heads of columns, rows, keys."""

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QListView, QWidget

from ssgui.gui import theme
from ssgui.gui.frame.ordered_list import order_by_hand
from ssgui.gui.frame.painting import draw_text
from ssgui.gui.servers.delegate import MORE, ServerDelegate, columns
from ssgui.gui.servers.model import ServersModel
from ssgui.gui.texts import tr

_RADIO = 44  # pixels from the left that use the server instead of selecting it

_MANY = 2000  # rows, whose layout takes so long that it shall be done by itself


class ServerHeads(QWidget):
    """The line above the list."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(29)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        heads = (tr("Server"), tr("Latency"), tr("Last result"), tr("Today"))
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        with QPainter(self) as painter:
            rect = QRectF(self.rect()).adjusted(8, 0, -8, 0)
            for words, place, side in zip(heads, columns(rect), (left, right, left, right), strict=True):
                draw_text(painter, place, words, tokens.text2, theme.font(12, theme.MEDIUM), side)
            painter.fillRect(QRectF(0, 28, self.width(), 1), theme.color(tokens.line))


class ServerList(QListView):
    """`used` carries the id of a server to use, `deleted` one to delete, `renamed`, `duplicated` likewise."""

    used = Signal(str)
    deleted = Signal(str)
    renamed = Signal(str)
    duplicated = Signal(str)
    asked = Signal(str, QPoint)
    head_asked = Signal(str, QPoint)

    def __init__(self, model: ServersModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.setModel(model)
        self.setItemDelegate(ServerDelegate(self))
        self.setAccessibleName(tr("Servers"))
        order_by_hand(self)
        self.customContextMenuRequested.connect(self._ask)

    def selected(self) -> str:
        """The id of the selected server, "" for none."""
        index = self.currentIndex()
        if not index.isValid() or index.row() >= len(self._model.rows):
            return ""
        server = self._model.rows[index.row()].server
        return "" if server is None else server.id

    def select(self, identity: str) -> None:
        """Select a server, if it is shown."""
        if self._model.rowCount() < _MANY:
            self._select(identity)
        else:
            QTimer.singleShot(0, self, lambda: self._select(identity))

    def _select(self, identity: str) -> None:
        row = self._model.row_of(identity)
        if row >= 0:
            self.setCurrentIndex(self._model.index(row))

    def _server_at(self, index: QModelIndex) -> str:
        server = self._model.rows[index.row()].server if index.isValid() else None
        return "" if server is None else server.id

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and event.button() == Qt.MouseButton.LeftButton:
            row = self._model.rows[index.row()]
            if row.server is None and row.note and event.position().x() > self.viewport().width() - MORE:
                self.head_asked.emit(row.group, self.viewport().mapToGlobal(event.position().toPoint()))
            elif row.server is None:
                self._model.fold(row.group)
            elif event.position().x() < _RADIO:
                self.used.emit(row.server.id)
        super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if identity := self._server_at(self.indexAt(event.position().toPoint())):
            self.used.emit(identity)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        identity = self.selected()
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        match Qt.Key(event.key()):
            case Qt.Key.Key_Up | Qt.Key.Key_Down if alt and identity:
                self._model.move(identity, -1 if event.key() == Qt.Key.Key_Up else 1)
                self.select(identity)
            case Qt.Key.Key_Return | Qt.Key.Key_Enter if identity:
                self.used.emit(identity)
            case Qt.Key.Key_Delete if identity:
                self.deleted.emit(identity)
            case Qt.Key.Key_F2 if identity:
                self.renamed.emit(identity)
            case Qt.Key.Key_D if control and identity:
                self.duplicated.emit(identity)
            case _:
                super().keyPressEvent(event)

    def _ask(self, at: QPoint) -> None:
        if identity := self._server_at(self.indexAt(at)):
            self.asked.emit(identity, self.viewport().mapToGlobal(at))
        elif (index := self.indexAt(at)).isValid():
            self.head_asked.emit(self._model.rows[index.row()].group, self.viewport().mapToGlobal(at))

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self.viewport().update()
        return super().viewportEvent(event)
