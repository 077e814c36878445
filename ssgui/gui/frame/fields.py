"""Fields of forms: a label above, a control, and below it what is wrong, or a hint."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from ssgui.gui import icons, theme
from ssgui.gui.texts import tr

Check = Callable[[str], str]  # what is wrong with a text, "" for nothing


class Field(QWidget):
    """A labelled line of text. Errors appear when it is left, or asked for, and vanish as soon as it is right."""

    changed = Signal()

    def __init__(self, label: str, check: Check | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._check, self._hint = check, ""
        self.edit = QLineEdit(self)
        self._build(label, self.edit)
        self.edit.textChanged.connect(self._typed)
        self.edit.installEventFilter(self)

    def _build(self, label: str, control: QWidget) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self.label = QLabel(label, self)
        self.label.setFont(theme.font(12, theme.MEDIUM))
        self.label.setBuddy(control)
        control.setAccessibleName(label)
        self._below = QLabel(self)
        self._below.setTextFormat(Qt.TextFormat.PlainText)
        self._below.setWordWrap(True)
        self._below.setFont(theme.font(12))
        self._icon = QLabel(self)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._below, 1)
        self._icon.hide()
        self._below.hide()
        column.addWidget(self.label)
        column.addWidget(control)
        column.addLayout(row)

    def text(self) -> str:
        """What it says."""
        return self.edit.text()

    def set_text(self, text: str) -> None:
        """Fill it; nothing is wrong with it yet."""
        self.edit.setText(text)
        self.edit.setCursorPosition(0)
        self._show("")

    def set_hint(self, hint: str) -> None:
        """What stands below while nothing is wrong."""
        self._hint = hint
        self._show("")

    def problem(self) -> str:
        """What is wrong with it now."""
        return self._check(self.text()) if self._check is not None else ""

    def validate(self) -> bool:
        """Show what is wrong, if something is."""
        problem = self.problem()
        self._show(problem)
        return not problem

    def _typed(self, _text: str) -> None:
        if self.edit.property("wrong") == "true" and not self.problem():
            self._show("")
        self.changed.emit()

    def _show(self, problem: str) -> None:
        tokens = theme.current()
        wrong = "true" if problem else "false"
        if self.edit.property("wrong") != wrong:
            self.edit.setProperty("wrong", wrong)
            self.edit.style().unpolish(self.edit)
            self.edit.style().polish(self.edit)
        text = problem or self._hint
        self._below.setText(text)
        self._below.setStyleSheet(f"color: {tokens.err if problem else tokens.text3}")
        self._below.setVisible(bool(text))
        self._icon.setVisible(bool(problem))
        if problem:
            self._icon.setPixmap(icons.icon("error", "err").pixmap(QSize(14, 14), self.devicePixelRatioF()))
        self.edit.setAccessibleDescription(text)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut and watched is self.edit and self.edit.isModified():
            self.validate()
        return False


class SecretField(Field):
    """A password: hidden until the eye is pressed."""

    def __init__(self, label: str, check: Check | None = None, parent: QWidget | None = None) -> None:
        super().__init__(label, check, parent)
        self._eye = self.edit.addAction(icons.icon("eye"), QLineEdit.ActionPosition.TrailingPosition)
        self._eye.triggered.connect(self._toggle)
        self._shown = False
        self._apply()

    def _toggle(self) -> None:
        self._shown = not self._shown
        self._apply()

    def _apply(self) -> None:
        mode = QLineEdit.EchoMode.Normal if self._shown else QLineEdit.EchoMode.Password
        self.edit.setEchoMode(mode)
        self._eye.setIcon(icons.icon("eye-off" if self._shown else "eye"))
        self._eye.setText(tr("Hide the password") if self._shown else tr("Show the password"))

    def set_text(self, text: str) -> None:
        self._shown = False
        self._apply()
        super().set_text(text)


class ComboBox(QComboBox):
    """With a chevron of ours: a style sheet takes away the style's own arrow."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        tokens = theme.current()
        color = tokens.text2 if self.isEnabled() else tokens.disabled
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            place = QRectF(self.width() - 26, (self.height() - 16) / 2, 16, 16)
            icons.draw(painter, "chevron-down", color, place)


class ChoiceField(QWidget):
    """A labelled list of which one is chosen; with `free` text of one's own may be typed."""

    changed = Signal()

    def __init__(self, label: str, *, free: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.box = ComboBox(self)
        self.box.setEditable(free)
        self.box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.box.setMinimumContentsLength(8)
        self.box.setAccessibleName(label)
        line = self.box.lineEdit()
        if line is not None:
            line.setFrame(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self.label = QLabel(label, self)
        self.label.setFont(theme.font(12, theme.MEDIUM))
        self.label.setBuddy(self.box)
        column.addWidget(self.label)
        column.addWidget(self.box)
        self.box.currentTextChanged.connect(lambda _text: self.changed.emit())

    def value(self) -> str:
        """The data of the chosen entry, or what was typed."""
        index = self.box.findText(self.box.currentText())
        data = self.box.itemData(index) if index >= 0 else None
        return str(data) if data is not None else self.box.currentText().strip()

    def set_value(self, value: str) -> None:
        """Choose the entry with this data, or type it."""
        index = self.box.findData(value)
        if index >= 0:
            self.box.setCurrentIndex(index)
        elif self.box.isEditable():
            self.box.setEditText(value)
        else:
            self.box.addItem(value, value)
            self.box.setCurrentIndex(self.box.count() - 1)
