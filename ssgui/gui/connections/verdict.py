"""What is the matter with a connection: a bold fact, its numbers, one action."""

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from ssgui.gui import icons, theme
from ssgui.gui.frame.notices import KINDS
from ssgui.gui.frame.painting import panel
from ssgui.gui.frame.spans import Span, SpanLine

HEIGHT = 36


class VerdictBanner(QWidget):
    """Stays while its words change; `pressed` when a person wants the action."""

    pressed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.severity = "info"
        self.setFixedHeight(HEIGHT)
        row = QHBoxLayout(self)
        row.setContentsMargins(40, 2, 6, 2)
        row.setSpacing(8)
        self._line, self.action = SpanLine(self), QPushButton(self)
        self.action.setProperty("kind", "link")
        self.action.clicked.connect(lambda: self.pressed.emit())
        row.addWidget(self._line, 1)
        row.addWidget(self.action)

    def say(self, severity: str, fact: str, numbers: str, action: str) -> None:
        """Show this; "" for no action."""
        if severity != self.severity:
            self.severity = severity
            self.update()
        if self.text() != f"{fact}  {numbers}":
            self._line.show_spans([Span(f"{fact}  ", "text", weight=theme.SEMIBOLD), Span(numbers, "text")])
            self.setAccessibleName(f"{fact} {numbers}")
        self.action.setText(action)
        self.action.setVisible(bool(action))

    def text(self) -> str:
        """What it says."""
        return self._line.text()

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        icon, color, tint = KINDS[self.severity]
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            panel(painter, QRectF(self.rect()), getattr(tokens, tint), 6)
            icons.draw(painter, icon, getattr(tokens, color), QRectF(12, (self.height() - 18) / 2, 18, 18))
