"""The text of the rules as it is typed into. Only what can be seen is painted, and nothing is kept for every line."""

from collections.abc import Iterator
from typing import NamedTuple

from PySide6.QtCore import QEvent, QMimeData, QPointF, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextDocumentFragment,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QToolTip, QWidget

from ssgui.gui import icons, theme
from ssgui.gui.frame.hints import plain_hint
from ssgui.gui.frame.painting import draw_text
from ssgui.gui.reasons import reason
from ssgui.gui.rules import margins
from ssgui.gui.rules.marks import Marks
from ssgui.gui.rules.row_layout import LEFT, RowLayout
from ssgui.gui.rules.visible_text import kept, shown
from ssgui.gui.texts import tr

_ICON, _WAVE = 14, 2.0
_TAB = 4  # characters
_LINE_END = "\N{PARAGRAPH SEPARATOR}"  # in Qt's documents


class Row(NamedTuple):
    """A line that can be seen: its number from 0, and its place in the viewport."""

    block: QTextBlock
    number: int
    top: float
    height: int


def _color(text: str, tokens: theme.Tokens) -> str:
    text = text.lstrip()
    if text.startswith(("!", "[")):
        return tokens.text3
    return tokens.ok if text.startswith("@@") else tokens.text


class TextArea(QPlainTextEdit):
    """Line numbers, text, and what is known about each line. `marks` say what is wrong, and where."""

    focused = Signal()

    def __init__(self, marks: Marks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.marks = marks
        self.setProperty("kind", "bare")
        self.setFrameShape(QFrame.Shape.NoFrame)
        font = theme.font(13, monospace=True)
        document = QTextDocument(self)
        self.row_layout = RowLayout(document, lambda line: marks.problem(line) is not None, font, margins.note_font())
        option = QTextOption()
        option.setTextDirection(Qt.LayoutDirection.LeftToRight)
        document.setDefaultTextOption(option)
        self.setDocument(document)
        self.setFont(font)
        self.setTabStopDistance(_TAB * self.fontMetrics().horizontalAdvance(" "))
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setCursorWidth(2)
        self.gutter, self.notes = margins.Gutter(self), margins.Notes(self)
        self._lines = self.blockCount()
        self.loading = False
        document.contentsChange.connect(self._changed)
        self.updateRequest.connect(self._scrolled)
        self.cursorPositionChanged.connect(self._moved)
        self.blockCountChanged.connect(lambda _count: self.make_room())
        self.horizontalScrollBar().valueChanged.connect(lambda _value: self.viewport().update())
        self.make_room()

    # ---- the text

    def whole(self) -> str:
        """The text as it is kept."""
        return kept(self.document().toRawText().replace(_LINE_END, "\n"))

    def load(self, text: str) -> None:
        """Another text; what was done before cannot be undone. The place that is looked at stays."""
        cursor, bar = self.textCursor(), self.verticalScrollBar()
        line, column, top = cursor.blockNumber(), cursor.positionInBlock(), bar.value()
        self.loading = True
        self.setPlainText(shown(text))
        self.loading = False
        self._lines = self.blockCount()
        block = self.document().findBlockByNumber(min(line, self._lines - 1))
        cursor = self.textCursor()
        cursor.setPosition(block.position() + min(column, block.length() - 1))
        self.setTextCursor(cursor)
        self._keep_air()
        bar.setValue(top)

    def _changed(self, position: int, _removed: int, added: int) -> None:
        """Lines came, or went: what is said about the others goes with them."""
        count = self.blockCount()
        change, self._lines = count - self._lines, count
        if self.loading:
            return
        document = self.document()
        block = document.findBlock(position)
        end = document.findBlock(min(position + added, document.characterCount() - 1))
        new = max(0, change, end.blockNumber() - block.blockNumber())
        if new or change:
            # From its beginning on a line is another; what follows there, or goes on, is the rest of the last one.
            first = block.blockNumber() + (position > block.position())
            self.marks.move(first, new - change, new)

    def insertFromMimeData(self, source: QMimeData) -> None:
        text = source.text()
        if not text and source.hasHtml():
            text = QTextDocumentFragment.fromHtml(source.html()).toPlainText()
        self.textCursor().insertText(shown(text.replace("\r\n", "\n").replace("\r", "\n")))
        self.ensureCursorVisible()

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        files = any(url.isLocalFile() for url in source.urls())
        return not files and (source.hasText() or source.hasHtml())

    def createMimeDataFromSelection(self) -> QMimeData:
        data = super().createMimeDataFromSelection()  # Qt's own: the clipboard may have it longer than there is Python
        text = kept(data.text())
        data.clear()  # of the same text with fonts and colours
        data.setText(text)
        return data

    # ---- what is where

    def rows(self, part: QRect) -> Iterator[Row]:
        """The lines that can be seen in a part of the viewport's height."""
        block, top = self.firstVisibleBlock(), self.contentOffset().y()
        number = block.blockNumber()
        while block.isValid() and top <= part.bottom():
            height = self.row_layout.height(number)
            if top + height > part.top():
                yield Row(block, number, top, height)
            block, number, top = block.next(), number + 1, top + height

    def fill(self, line: int) -> str | None:
        """The colour behind a line, if it has one."""
        tokens = theme.current()
        if self.marks.problem(line) is not None:
            return tokens.err_tint
        return tokens.hover if self.hasFocus() and line == self.textCursor().blockNumber() else None

    def sentence(self, line: int) -> str:
        """What is wrong with a line, as a sentence."""
        problem = self.marks.problem(line)
        if problem is None:
            return ""
        said = reason(problem.why)
        return said[:1].upper() + said[1:]

    def right_air(self) -> int:
        """From the notes to the end of their column: with the scroll bar it is always as wide."""
        bar = self.verticalScrollBar()
        return margins.RIGHT - bar.width() if bar.isVisibleTo(self) else margins.RIGHT

    def make_room(self) -> None:
        """For numbers and notes, beside the text."""
        wide = self.notes.wanted_width() + self.right_air()
        self.setViewportMargins(self.gutter.wanted_width(), 0, wide, 0)
        self._place()

    def _place(self) -> None:
        view, room = self.viewport().geometry(), self.viewportMargins()
        self.gutter.setGeometry(view.left() - room.left(), view.top(), room.left(), view.height())
        self.notes.setGeometry(view.right() + 1, view.top(), room.right(), view.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.viewportMargins().right() != self.notes.wanted_width() + self.right_air():
            QTimer.singleShot(0, self, self.make_room)  # a scroll bar came or went
        self._place()

    def _keep_air(self) -> None:
        """Left of the first character, which Qt scrolls to and not further."""
        if self.textCursor().atBlockStart():
            self.horizontalScrollBar().setValue(0)

    def keep_sentence_in_view(self) -> None:
        """Of the line that is written in."""
        bar, room = self.verticalScrollBar(), self.viewport().height()
        for _ in range(2):
            place = self.blockBoundingGeometry(self.textCursor().block()).translated(self.contentOffset())
            if place.bottom() <= room or place.top() < place.height():
                return
            bar.setValue(bar.value() + 1)

    # ---- what changes the picture

    def _scrolled(self, rect: QRect, by: int) -> None:
        for margin in (self.gutter, self.notes):
            if by:
                margin.scroll(0, by)
            else:
                margin.update(0, rect.y(), margin.width(), rect.height())

    def repaint_all(self) -> None:
        """Text, numbers and notes."""
        for widget in (self.viewport(), self.gutter, self.notes):
            widget.update()

    def _moved(self) -> None:
        self.repaint_all()
        self.describe()

    def describe(self) -> None:
        """Tell who listens to the screen what is known about the line that is written in."""
        line = self.textCursor().blockNumber()
        note = self.marks.note(line)
        parts = (self.sentence(line), f"{tr('Hits today')}: {margins.note_text(note)}" if note else "")
        said = "\n".join(part for part in parts if part)
        if said != self.accessibleDescription():
            self.setAccessibleDescription(said)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.repaint_all()
        self.focused.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.repaint_all()
        self.focused.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        self._keep_air()
        self.keep_sentence_in_view()

    def _on_text(self, event: QMouseEvent) -> QMouseEvent:
        """As if the pointer were on the text of the row that it is in: above and below it, Qt takes only its ends."""
        at = event.position()
        for row in self.rows(QRect(0, int(at.y()), 1, 1)):
            at = QPointF(at.x(), row.top + self.row_layout.row / 2)
        return QMouseEvent(
            event.type(), at, event.scenePosition(), event.globalPosition(), event.button(), event.buttons(),
            event.modifiers(), event.pointingDevice(),
        )  # fmt: skip

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(self._on_text(event))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(self._on_text(event))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(self._on_text(event))

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() is not QEvent.Type.ToolTip or not isinstance(event, QHelpEvent):
            return super().viewportEvent(event)
        at = event.pos().y()
        said = [self.sentence(row.number) for row in self.rows(QRect(0, at, 1, 1))]
        QToolTip.showText(event.globalPos(), plain_hint(*said[0].splitlines()) if said else "", self.viewport())
        return True

    # ---- the picture

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        with QPainter(self.viewport()) as painter:
            painter.fillRect(event.rect(), theme.color(tokens.bg))
            for row in self.rows(event.rect()):
                self._paint_row(painter, row, tokens)
            painter.fillRect(self._caret(), theme.color(tokens.accent_text))

    def _paint_row(self, painter: QPainter, row: Row, tokens: theme.Tokens) -> None:
        if fill := self.fill(row.number):
            painter.fillRect(QRectF(0, row.top, self.viewport().width(), row.height), theme.color(fill))
        self.row_layout.blockBoundingRect(row.block)  # lays it out, if it is not
        wrong = self.marks.problem(row.number) is not None
        painter.setPen(theme.color(tokens.text if wrong else _color(row.block.text(), tokens)))
        layout, start = row.block.layout(), QPointF(self.contentOffset().x(), row.top)
        layout.draw(painter, start, self._selection(row.block, tokens), QRectF(self.viewport().rect()))
        if wrong:
            self._paint_wave(painter, layout, start, tokens.err)
            self._paint_sentence(painter, row, tokens.err)

    def _selection(self, block: QTextBlock, tokens: theme.Tokens) -> list[QTextLayout.FormatRange]:
        cursor = self.textCursor()
        first = max(0, cursor.selectionStart() - block.position())
        last = min(block.length() - 1, cursor.selectionEnd() - block.position())
        if last <= first:
            return []
        chosen, style = QTextLayout.FormatRange(), QTextCharFormat()
        active = self.hasFocus()
        style.setBackground(theme.color(tokens.accent if active else tokens.tint))
        style.setForeground(theme.color(tokens.on_accent if active else tokens.text))
        chosen.start, chosen.length, chosen.format = first, last - first, style
        return [chosen]

    def _paint_wave(self, painter: QPainter, layout: QTextLayout, start: QPointF, color: str) -> None:
        line = layout.lineAt(0)
        text = line.naturalTextRect().translated(start)
        left, right = max(text.left(), -_WAVE * 2), min(text.right(), self.viewport().width() + 0.0)
        left -= (left - text.left()) % (2 * _WAVE)  # so that it goes along with the text
        low = start.y() + line.y() + line.ascent() + 4.5
        steps = max(0, int((right - left) / _WAVE) + 1)
        points = [QPointF(left + _WAVE * step, low - (step % 2) * _WAVE) for step in range(steps)]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color(color), 1.2))
        painter.drawPolyline(points)
        painter.restore()

    def _paint_sentence(self, painter: QPainter, row: Row, color: str) -> None:
        room = QRectF(LEFT + 1, row.top + self.row_layout.row - 2, _ICON, self.row_layout.sentence - 1)
        icons.draw(painter, "error", color, QRectF(room.left(), room.center().y() - _ICON / 2, _ICON, _ICON))
        words = QRectF(room.right() + 5, room.top(), self.viewport().width() - room.right() - 9, room.height())
        draw_text(painter, words, self.sentence(row.number), color, margins.note_font())

    def _caret(self) -> QRect:
        """Where it is now; nowhere while it blinks off. Where something is dragged, it is there."""
        place = self.getPaintContext().cursorPosition
        if place == -1 or self.isReadOnly():
            return QRect()
        cursor = self.textCursor()
        if place >= 0:
            cursor = QTextCursor(self.document())
            cursor.setPosition(place)
        return self.cursorRect(cursor)
