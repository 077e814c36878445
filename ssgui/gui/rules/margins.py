"""What stands left and right of the rules: numbers of lines, and what is known about each."""

from math import ceil
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from ssgui.gui import theme
from ssgui.gui.frame.painting import draw_text
from ssgui.gui.rules.marks import Note
from ssgui.gui.texts import tr

if TYPE_CHECKING:
    from ssgui.gui.rules.text_area import TextArea

RIGHT = 14  # from the last digit to the edge, a scroll bar included
_GUTTER, _AIR, _BAR = 44, 8, 3
_BETWEEN = 16  # at least, from the longest rule that is seen to what is said about it


def note_font() -> QFont:
    """Of what is said about a line; with its family, or text beside rules would get the rules' own."""
    found = QFont(theme.font(12))
    found.setFamilies(QApplication.font().families())
    return found


def _number_font() -> QFont:
    return theme.font(12, monospace=True)


def head_font() -> QFont:
    """Of the names of the columns."""
    return theme.font(12, theme.MEDIUM)


def note_text(note: Note) -> str:
    """In words."""
    if note.kind == "covered":
        return tr("covered by line {line}", line=f"{note.number:,}")
    return f"{note.number:,}" if note.kind == "hits" else tr("never hit")


class _Margin(QWidget):
    """Beside the text."""

    def __init__(self, area: "TextArea") -> None:
        super().__init__(area)
        self._area = area

    def wheelEvent(self, event: QWheelEvent) -> None:
        QApplication.sendEvent(self._area.viewport(), event)


class Gutter(_Margin):
    """The numbers of the lines; those of wrong ones are red, with a bar."""

    def wanted_width(self) -> int:
        """For the largest number."""
        digits = len(str(self._area.blockCount()))
        return max(_GUTTER, ceil(QFontMetricsF(_number_font()).horizontalAdvance("0") * digits) + 2 * _AIR)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, font, width = theme.current(), _number_font(), self.width()
        with QPainter(self) as painter:
            painter.fillRect(event.rect(), theme.color(tokens.side))
            hairline = 1 / self.devicePixelRatioF()
            painter.fillRect(QRectF(width - hairline, 0, hairline, self.height()), theme.color(tokens.line))
            for row in self._area.rows(event.rect()):
                wrong = self._area.marks.problem(row.number) is not None
                if wrong:
                    painter.fillRect(QRectF(0, row.top, _BAR, row.height), theme.color(tokens.err))
                place = QRectF(_BAR, row.top, width - _AIR - _BAR, self._area.row_layout.row)
                color = tokens.err if wrong else tokens.text3
                draw_text(painter, place, str(row.number + 1), color, font, Qt.AlignmentFlag.AlignRight)


class Notes(_Margin):
    """Hits of today, right-aligned, or why there are none."""

    def wanted_width(self) -> int:
        """For the widest note that there is, and the name of the column; without the scroll bar's share."""
        metrics = QFontMetricsF(note_font())
        # A nine is as wide as any other figure, and "covered by line 9" as any line of as many figures.
        texts = [note_text(Note(kind, number)) for kind, number in self._area.marks.largest().items()]  # type: ignore[arg-type]
        widest = max((metrics.horizontalAdvance(text) for text in texts), default=0)
        return ceil(max(widest, QFontMetricsF(head_font()).horizontalAdvance(tr("Hits today")))) + _BETWEEN

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, font = theme.current(), note_font()
        colors = {"hits": tokens.text2, "never": tokens.text3, "covered": tokens.warn}
        with QPainter(self) as painter:
            painter.fillRect(event.rect(), theme.color(tokens.bg))
            for row in self._area.rows(event.rect()):
                if fill := self._area.fill(row.number):
                    painter.fillRect(QRectF(0, row.top, self.width(), row.height), theme.color(fill))
                note = self._area.marks.note(row.number)
                if note is not None:
                    place = QRectF(0, row.top, self.width() - self._area.right_air(), self._area.row_layout.row)
                    color = colors[note.kind]
                    draw_text(painter, place, note_text(note), color, font, Qt.AlignmentFlag.AlignRight)
