"""One line of text in several fonts and colours, cut at its end; its tooltip has all of it."""

import re
from typing import NamedTuple

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ssgui.gui import theme
from ssgui.gui.frame.hints import plain_hint
from ssgui.gui.frame.painting import draw_text, harmless

_PLACE = re.compile(r"\{(\w+)\}")


class Span(NamedTuple):
    """A piece of a line; `tint` names its colour."""

    text: str
    tint: str = "text2"
    monospace: bool = False
    pixels: int = 13
    weight: QFont.Weight = theme.REGULAR

    @property
    def font(self) -> QFont:
        """As the theme makes it."""
        return theme.font(self.pixels, self.weight, monospace=self.monospace)


def filled(sentence: str, plain: Span, **values: str | Span) -> list[Span]:
    """`sentence`, whose `{name}` are filled in, each in its own way; the rest looks like `plain`."""
    made, at = [], 0
    for found in _PLACE.finditer(sentence):
        value = values[found[1]]
        made += [plain._replace(text=sentence[at : found.start()])]
        made += [value if isinstance(value, Span) else plain._replace(text=value)]
        at = found.end()
    made.append(plain._replace(text=sentence[at:]))
    return [span for span in made if span.text]


class SpanLine(QWidget):
    """Shows spans one after the other."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spans: list[Span] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def show_spans(self, spans: list[Span]) -> None:
        """Show these."""
        self._spans = spans
        text = harmless(self.text())
        self.setToolTip(plain_hint(text))
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def text(self) -> str:
        """All of it."""
        return "".join(span.text for span in self._spans)

    def sizeHint(self) -> QSize:
        width = sum(_width(span) for span in self._spans)
        height = max((QFontMetricsF(span.font).height() for span in self._spans), default=16.0)
        return QSize(round(width) + 2, round(height) + 4)

    def minimumSizeHint(self) -> QSize:
        return QSize(40, self.sizeHint().height())

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and self.width() >= self.sizeHint().width():
            return True  # all of it is there to read
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        left, tokens = 0.0, theme.current()
        with QPainter(self) as painter:
            for span in self._spans:
                room = self.width() - left
                if room < 8:
                    break
                width = _width(span)
                place = QRectF(left, 0, min(room, width + 1), self.height())
                draw_text(painter, place, span.text, getattr(tokens, span.tint), span.font, Qt.AlignmentFlag.AlignLeft)
                left += width


def _width(span: Span) -> float:
    return QFontMetricsF(span.font).horizontalAdvance(harmless(span.text))
