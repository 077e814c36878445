"""What the page of settings is built from: rows with a label, a control and the consequence."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ssgui.gui import theme


class Tall(QWidget):
    """What is scrolled: as high as its words need at its width, for which a QScrollArea does not ask."""

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest) and (layout := self.layout()) is not None:
            self.setMinimumHeight(layout.totalHeightForWidth(self.width()))
        return done


class SettingRow(QWidget):
    """Label left, control right, below it what it leads to; a `warn` line where it is dangerous."""

    def __init__(self, label: str, control: QWidget, note: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.control = control
        if not control.accessibleName():
            control.setAccessibleName(label)
        words, self._note = QLabel(label, self), QLabel(note, self)
        words.setFont(theme.font(13, theme.MEDIUM))
        words.setWordWrap(True)
        self._note.setFont(theme.font(12))
        self._note.setWordWrap(True)
        self._note.setVisible(bool(note))
        self._note.setForegroundRole(self.foregroundRole())
        left = QVBoxLayout()
        left.setSpacing(2)
        left.addWidget(words)
        left.addWidget(self._note)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 8, 0, 8)
        row.setSpacing(24)
        row.addLayout(left, 1)
        row.addWidget(control, 0, Qt.AlignmentFlag.AlignTop)
        self.recolour()

    def recolour(self, *, warning: bool = False) -> None:
        """After a switch of theme, or when the consequence becomes a warning."""
        tokens = theme.current()
        self._note.setStyleSheet(f"color: {tokens.warn if warning else tokens.text3}")

    def set_note(self, note: str, *, warning: bool = False) -> None:
        """Another consequence."""
        self._note.setText(note)
        self._note.setVisible(bool(note))
        self.recolour(warning=warning)


def heading(text: str, parent: QWidget) -> QLabel:
    """The name of a group."""
    label = QLabel(text, parent)
    label.setFont(theme.font(15, theme.SEMIBOLD))
    return label
