"""On or off."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from ssgui.gui import theme
from ssgui.gui.frame.painting import edged, focus_ring, panel


class Switch(QAbstractButton):
    """A switch. It has no words of its own: give it an accessible name."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(40, 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, on = theme.current(), self.isChecked()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            track = QRectF(2, 3, 36, 18)
            if on:
                panel(painter, track, tokens.accent if self.isEnabled() else tokens.disabled, 9)
            else:
                edged(painter, track, tokens.sunken, tokens.ctl if self.isEnabled() else tokens.line2, 9)
            knob = QRectF(22 if on else 5, 6, 12, 12)
            panel(painter, knob, tokens.on_accent if on else tokens.ctl, 6)
            if self.hasFocus():
                focus_ring(painter, QRectF(self.rect()), 11)
