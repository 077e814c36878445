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
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            draw_switch(painter, QRectF(2, 3, 36, 18), on=self.isChecked(), enabled=self.isEnabled())
            if self.hasFocus():
                focus_ring(painter, QRectF(self.rect()), 11)


def draw_switch(painter: QPainter, track: QRectF, *, on: bool, enabled: bool = True) -> None:
    """A switch in `track`, 36 by 18."""
    tokens = theme.current()
    if on:
        panel(painter, track, tokens.accent if enabled else tokens.disabled, 9)
    else:
        edged(painter, track, tokens.sunken, tokens.ctl if enabled else tokens.line2, 9)
    left = track.left() + (20 if on else 3)
    panel(painter, QRectF(left, track.top() + 3, 12, 12), tokens.on_accent if on else tokens.ctl, 6)
