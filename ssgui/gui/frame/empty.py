"""What an empty page says: an icon, a fact, one sentence, one button."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from ssgui.gui import icons, theme


class Empty(QWidget):
    """Centred, at 40 % of the height."""

    def __init__(self, icon: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon_name = icon
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(16, 16, 16, 16)
        self._column.setSpacing(8)
        self._picture, self._fact, self._sentence = QLabel(self), QLabel(self), QLabel(self)
        self._button = QPushButton(self)
        self._act: Callable[[], None] | None = None
        self._button.clicked.connect(self._clicked)
        self._fact.setFont(theme.font(15, theme.SEMIBOLD))
        self._sentence.setWordWrap(True)
        self._picture.setPixmap(icons.icon(icon, "text3").pixmap(QSize(32, 32)))
        self._column.addStretch(4)
        for widget in (self._picture, self._fact, self._sentence):
            if isinstance(widget, QLabel):
                widget.setAlignment(Qt.AlignmentFlag.AlignHCenter)
                widget.setTextFormat(Qt.TextFormat.PlainText)
            self._column.addWidget(widget)
        self._column.addSpacing(8)
        self._column.addWidget(self._button, 0, Qt.AlignmentFlag.AlignHCenter)
        self._column.addStretch(6)

    def say(self, fact: str, sentence: str, action: str = "", act: Callable[[], None] | None = None) -> None:
        """Fill it."""
        self._fact.setText(fact)
        self._sentence.setText(sentence)
        self._sentence.setVisible(bool(sentence))
        self._button.setText(action)
        self._button.setVisible(act is not None)
        self._act = act

    def _clicked(self) -> None:
        if self._act is not None:
            self._act()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._picture.setPixmap(icons.icon(self._icon_name, "text3").pixmap(QSize(32, 32), self.devicePixelRatioF()))
        super().resizeEvent(event)
