"""The editor of a person's own rules: what is wrong stands under its line, what is known beside it."""

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPainterPath, QPaintEvent, QTextCursor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ssgui.gui import theme
from ssgui.gui.frame.empty import Empty
from ssgui.gui.frame.painting import draw_text, edged, focus_ring
from ssgui.gui.rules import margins
from ssgui.gui.rules.marks import Marks, Note
from ssgui.gui.rules.row_layout import LEFT
from ssgui.gui.rules.text_area import TextArea
from ssgui.gui.texts import tr
from ssgui.rules.acl import Problem

__all__ = ["Note", "RulesEditor"]
SETTLED = 300  # ms after the last key
_EDGE, _FOOT, _RADIUS, _HEAD = 2, 6, 8, 29


class RulesEditor(QWidget):
    """`edited` when the text begins to differ from what was set, or is the same again.

    Lines of problems and notes are those of the text that was last asked for or told; while it is edited they stay
    with their lines.
    """

    edited = Signal()
    settled_text = Signal(str)  # the text, a moment after somebody typed

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._marks = Marks()
        self._set, self._told = "", False
        self.area = TextArea(self._marks, self)
        self.area.setAccessibleName(tr("My rules"))
        self.setFocusProxy(self.area)
        self._head = max(_HEAD, round(QFontMetricsF(margins.head_font()).height()) + 12)
        column = QVBoxLayout(self)
        column.setContentsMargins(_EDGE, self._head + 1, _EDGE, _FOOT)
        column.addWidget(self.area)
        self._empty = Empty("rules", self.area.viewport())
        self._empty.say(tr("No rules of your own."), "", tr("Insert an example"), self.insert_example)
        self.area.viewport().installEventFilter(self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SETTLED)
        self._timer.timeout.connect(self._settle)
        document = self.area.document()
        document.contentsChange.connect(self._changed)
        document.modificationChanged.connect(lambda _modified: self._tell())
        self.area.focused.connect(self.update)
        self.set_text("")

    # ---- the text

    def set_text(self, text: str) -> None:
        """As it is kept. What was done before cannot be undone, and nothing is modified."""
        text = text.replace("\r\n", "\n")
        self._timer.stop()
        self._set = text
        if text != self.text():
            self._marks.clear()
            self.area.load(text)
        document = self.area.document()
        document.clearUndoRedoStacks()
        document.setModified(False)
        self._marks.give()
        self._fill_in()
        self._tell()

    def text(self) -> str:
        """As it is now."""
        self._marks.give()
        return self.area.whole()

    def is_modified(self) -> bool:
        """Whether it differs from what was set."""
        return self.area.document().isModified()

    def _changed(self) -> None:
        if not self.area.loading:
            self._timer.start()
        self._fill_in()

    def _settle(self) -> None:
        text = self.text()
        if self.is_modified() and text == self._set:  # typed again, not undone
            self.area.document().setModified(False)
        self.settled_text.emit(text)

    def _tell(self) -> None:
        if not self.area.loading and self._told != self.is_modified():
            self._told = not self._told
            self.edited.emit()

    # ---- what is said about it

    def show_problems(self, problems: tuple[Problem, ...]) -> None:
        """Under their lines."""
        self._marks.set_problems(problems)
        self.area.row_layout.resize()
        self.area.repaint_all()
        self.area.describe()
        if self.area.hasFocus():
            self.area.keep_sentence_in_view()

    def show_notes(self, notes: Mapping[int, Note]) -> None:
        """In the right column, by line from 1."""
        self._marks.set_notes(notes)
        self.area.make_room()
        self.area.notes.update()
        self.area.describe()

    def go_to(self, line: int) -> None:
        """Select a line, from 1, and show it."""
        block = self.area.document().findBlockByNumber(max(0, line - 1))
        if not block.isValid():
            block = self.area.document().lastBlock()
        cursor = QTextCursor(block)
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
        self.area.setTextCursor(cursor)
        self.area.centerCursor()
        self.area.horizontalScrollBar().setValue(0)
        self.area.setFocus()

    def insert_example(self) -> None:
        """Rules to begin with, at the end. It can be undone."""
        cursor = self.area.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.End)
        lines = [
            f"! {tr('Through the proxy: a site and everything below it')}", "||example.com",
            f"! {tr('Never through it')}", "@@||intranet.example.com",
        ]  # fmt: skip
        if not cursor.atBlockStart():
            lines.insert(0, "")
        cursor.insertText("\n".join(lines))
        self.area.setTextCursor(cursor)
        self.area.setFocus()

    # ---- the picture

    def _fill_in(self) -> None:
        empty = self.area.document().isEmpty()
        if empty and self._empty.isHidden():
            self._empty.setGeometry(self.area.viewport().rect())
        self._empty.setVisible(empty)
        self.area.setTabChangesFocus(empty)  # to the button

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize:
            self._empty.setGeometry(self.area.viewport().rect())
            self.update()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, whole = theme.current(), QRectF(self.rect())
        view = self.area.viewport().geometry().translated(self.area.pos())
        hairline = 1 / self.devicePixelRatioF()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            inside = QPainterPath()
            inside.addRoundedRect(whole.adjusted(hairline, hairline, -hairline, -hairline), _RADIUS, _RADIUS)
            edged(painter, whole, tokens.bg, tokens.line2, _RADIUS)
            painter.setClipPath(inside)
            painter.fillRect(QRectF(0, 0, self.width(), self._head), theme.color(tokens.side))
            painter.fillRect(QRectF(0, self._head, view.left() - hairline, self.height()), theme.color(tokens.side))
            painter.fillRect(
                QRectF(view.left() - hairline, self._head, hairline, self.height()), theme.color(tokens.line)
            )
            painter.fillRect(QRectF(0, self._head + 1 - hairline, self.width(), hairline), theme.color(tokens.line))
            painter.setClipping(False)
            head = QRectF(view.left() + LEFT, 0, view.width() - LEFT, self._head)
            draw_text(painter, head, tr("Rule"), tokens.text2, margins.head_font())
            head.setRight(self.width() - _EDGE - margins.RIGHT)
            draw_text(painter, head, tr("Hits today"), tokens.text2, margins.head_font(), Qt.AlignmentFlag.AlignRight)
            if self.area.hasFocus():
                focus_ring(painter, whole, _RADIUS)
