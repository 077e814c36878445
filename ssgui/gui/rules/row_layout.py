"""Rows of one height, and room below those that something is wrong with."""

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFont, QFontMetricsF, QTextBlock, QTextDocument
from PySide6.QtWidgets import QPlainTextDocumentLayout

ROW, SENTENCE, LEFT, TOP = 24, 20, 9, 6  # pixels, at the usual size of text


class RowLayout(QPlainTextDocumentLayout):
    """The layout of a document whose lines do not wrap. Lines that have characters of other fonts are not taller."""

    def __init__(self, document: QTextDocument, is_wrong: Callable[[int], bool], text: QFont, sentence: QFont) -> None:
        super().__init__(document)
        metrics = QFontMetricsF(text)
        self._is_wrong = is_wrong
        self.row = max(ROW, round(metrics.height()) + 6)
        self.sentence = max(SENTENCE, round(QFontMetricsF(sentence).height()) + 4)
        self._baseline = round((self.row - metrics.height()) / 2 + metrics.ascent())
        document.setDocumentMargin(TOP)
        document.setDocumentLayout(self)

    def height(self, number: int) -> int:
        """Of a row, by its line from 0."""
        return self.row + self.sentence if self._is_wrong(number) else self.row

    def blockBoundingRect(self, block: QTextBlock) -> QRectF:
        found = super().blockBoundingRect(block)  # lays the line out, if it is not
        line = block.layout().lineAt(0)
        if not line.isValid():
            return found
        top = self._baseline - line.ascent()
        if line.y() != top or line.x() != LEFT:
            line.setPosition(QPointF(LEFT, top))
        last = 0 if block.next().isValid() else TOP
        return QRectF(0, 0, found.width() + LEFT, self.height(block.blockNumber()) + last)

    def resize(self) -> None:
        """Rows have become taller or lower."""
        self.documentSizeChanged.emit(self.documentSize())
        self.update.emit()
