"""Off / PAC / Rules / Global: one choice of which exactly one holds."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from ssgui.gui import theme
from ssgui.gui.frame.painting import draw_text, edged, focus_ring, panel

_HEIGHT = 32
_INSET = 2
_PADDING = 14


class _Segment(QAbstractButton):
    def __init__(self, text: str, hint: str, height: int, parent: QWidget) -> None:
        super().__init__(parent)
        self._height = height
        self.setCheckable(True)
        self.say(text, hint)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def say(self, text: str, hint: str) -> None:
        """What stands on it; words that change often keep their place and the focus."""
        if (self.text(), self.toolTip()) != (text, hint):
            self.setText(text)
            self.setToolTip(hint)
            self.setAccessibleName(text)
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(theme.font(13, theme.SEMIBOLD))
        return QSize(round(metrics.horizontalAdvance(self.text())) + 2 * _PADDING, self._height)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, chosen = theme.current(), self.isChecked()
        rect = QRectF(self.rect())
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if chosen:
                thumb = rect.adjusted(_INSET, _INSET, -_INSET, -_INSET)
                edged(painter, thumb, tokens.thumb, tokens.line2, 6)
            color = tokens.text if chosen else tokens.text2
            if not self.isEnabled():
                color = tokens.disabled
            font = theme.font(13, theme.SEMIBOLD if chosen else theme.MEDIUM)
            draw_text(painter, rect, self.text(), color, font, Qt.AlignmentFlag.AlignHCenter)
            if self.hasFocus():
                focus_ring(painter, rect, 7)


class ModeSwitch(QWidget):
    """One tab stop; the arrow keys move and apply. `chosen` carries the key of a mode that a person chose."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None, *, height: int = _HEIGHT) -> None:
        super().__init__(parent)
        self._height = height
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._segments: dict[str, _Segment] = {}
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_modes(self, modes: list[tuple[str, str, str]]) -> None:
        """Show these: key, words, and what it does."""
        if list(self._segments) == [key for key, _, _ in modes]:
            for key, text, hint in modes:
                self._segments[key].say(text, hint)
            return
        checked = self.mode()
        for segment in self._segments.values():
            self._group.removeButton(segment)
            self._row.removeWidget(segment)
            segment.hide()
            segment.deleteLater()
        self._segments.clear()
        for key, text, hint in modes:
            segment = _Segment(text, hint, self._height, self)
            segment.clicked.connect(lambda _=False, key=key: self.chosen.emit(key))
            segment.installEventFilter(self)
            self._group.addButton(segment)
            self._row.addWidget(segment)
            segment.show()
            self._segments[key] = segment
        self.set_mode(checked)

    def mode(self) -> str:
        """The key of the mode that is shown as chosen, "" for none."""
        return next((key for key, segment in self._segments.items() if segment.isChecked()), "")

    def set_mode(self, key: str) -> None:
        """Show `key` as chosen."""
        if key in self._segments:
            self._segments[key].setChecked(True)
        for one, segment in self._segments.items():
            policy = Qt.FocusPolicy.StrongFocus if one == self.mode() else Qt.FocusPolicy.NoFocus
            segment.setFocusPolicy(policy)

    def set_available(self, keys: set[str]) -> None:
        """Only these can be chosen now."""
        for key, segment in self._segments.items():
            segment.setEnabled(key in keys)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and watched in self._segments.values():
            step = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(
                Qt.Key(event.key())
            )
            if step is not None:
                self._move(step)
                return True
        return False

    def _move(self, step: int) -> None:
        keys = [key for key, segment in self._segments.items() if segment.isEnabled()]
        if self.mode() not in keys:
            return
        key = keys[max(0, min(len(keys) - 1, keys.index(self.mode()) + step))]
        if key != self.mode():
            self.set_mode(key)
            self._segments[key].setFocus(Qt.FocusReason.OtherFocusReason)
            self.chosen.emit(key)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            panel(painter, QRectF(self.rect()), theme.current().sunken, 8)
