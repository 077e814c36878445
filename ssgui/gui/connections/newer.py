"""A button above the rows: how many have come in that are not seen, because what is looked at stays where it is."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QAbstractScrollArea

from ssgui.gui import icons, theme
from ssgui.gui.frame.painting import draw_text, panel
from ssgui.gui.texts import tr

_HEIGHT, _FROM_TOP, _ICON, _BESIDE = 24, 8, 14, 10


class Newer(QAbstractButton):
    """Hidden while there is nothing to say. The key for it is Home."""

    def __init__(self, area: QAbstractScrollArea) -> None:
        super().__init__(area)
        self._area, self._count = area, 0
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.hide()

    def say(self, count: int) -> None:
        """So many are above what is seen."""
        if count == self._count:
            return
        self._count = count
        self.setText(tr("{count} newer", count=count))
        self.setAccessibleName(self.text())
        self.setVisible(count > 0)
        self.place()
        self.update()

    def place(self) -> None:
        """At the top, in the middle. Not within the viewport: it would be scrolled along."""
        rows = self._area.viewport().geometry()
        self.resize(self.sizeHint())
        self.move(rows.center().x() - self.width() // 2, rows.top() + _FROM_TOP)
        self.raise_()

    def sizeHint(self) -> QSize:
        width = QFontMetricsF(theme.font(12, theme.MEDIUM)).horizontalAdvance(self.text())
        return QSize(round(width) + _ICON + 6 + 2 * _BESIDE, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        fill = tokens.accent_hover if self.underMouse() or self.isDown() else tokens.accent
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            panel(painter, QRectF(self.rect()), fill, _HEIGHT / 2)
            icons.draw(painter, "arrow-up", tokens.on_accent, QRectF(_BESIDE, (_HEIGHT - _ICON) / 2, _ICON, _ICON))
            words = QRectF(self.rect()).adjusted(_BESIDE + _ICON + 4, 0, -4, 0)
            draw_text(painter, words, self.text(), tokens.on_accent, theme.font(12, theme.MEDIUM))
