"""One line of text that loses its middle when there is no room, and tells all of it in its tooltip."""

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ssgui.gui import theme
from ssgui.gui.frame.hints import plain_hint
from ssgui.gui.frame.painting import draw_text


class ElidedLabel(QWidget):
    """For names that strangers chose."""

    def __init__(self, font: QFont, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._font, self._text = font, ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def text(self) -> str:
        """All of it."""
        return self._text

    def set_text(self, text: str) -> None:
        """Say something else."""
        self._text = text
        self.setToolTip(plain_hint(text))
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(self._font)
        return QSize(round(metrics.horizontalAdvance(self._text)) + 2, round(metrics.height()) + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(40, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            draw_text(painter, QRectF(self.rect()), self._text, theme.current().text, self._font, middle=True)
