"""The sidebar: pages, and the address that people look for."""

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QButtonGroup,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ssgui.gui import icons, theme
from ssgui.gui.frame.painting import draw_text, focus_ring, panel
from ssgui.gui.texts import tr

WIDE, NARROW, WIDEST = 200, 56, 240
HEADER = 64  # as high as the header beside it
_ITEM_HEIGHT = 32
_TEXT_AT = 36


@dataclass(frozen=True, slots=True)
class Listening:
    """Where programs reach the proxy: the address, what it speaks, and whether others on the network may come."""

    address: str
    speaks: str
    shared: bool = False


class _Item(QAbstractButton):
    def __init__(self, key: str, icon: str, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.key, self._icon, self._count, self.narrow = key, icon, "", False
        self.setText(text)
        self.setCheckable(True)
        self.setAccessibleName(text)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(theme.font(13, theme.SEMIBOLD))
        return QSize(_TEXT_AT + round(metrics.horizontalAdvance(self.text())) + 48, _ITEM_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(NARROW - 16, _ITEM_HEIGHT)

    def show_count(self, count: int) -> None:
        text = f"{count:,}" if count else ""
        if text != self._count:
            self._count = text
            self.setAccessibleDescription(text)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, rect = theme.current(), QRectF(self.rect())
        chosen = self.isChecked()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if chosen or self.underMouse():
                panel(painter, rect, tokens.tint if chosen else tokens.hover, 6)
            color = tokens.accent_text if chosen else tokens.text2
            left = (rect.width() - 18) / 2 if self.narrow else 10
            icons.draw(painter, self._icon, color, QRectF(left, 7, 18, 18))
            if not self.narrow:
                weight = theme.SEMIBOLD if chosen else theme.MEDIUM
                count = QRectF(rect.right() - 56, 0, 48, rect.height())
                end = count.left() if self._count else rect.right() - 8
                words = QRectF(_TEXT_AT, 0, end - _TEXT_AT, rect.height())
                draw_text(painter, words, self.text(), tokens.text, theme.font(13, weight))
                draw_text(painter, count, self._count, tokens.text3, theme.font(12), Qt.AlignmentFlag.AlignRight)
            if self.hasFocus():
                focus_ring(painter, rect, 6)


class _Logo(QWidget):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.narrow = False
        self.setFixedHeight(HEADER)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        with QPainter(self) as painter:
            left = (self.width() - 28) // 2 if self.narrow else 8
            painter.drawPixmap(left, (HEADER - 28) // 2, icons.logo(28, self.devicePixelRatioF()))
            if not self.narrow:
                words = QRectF(left + 38, 0, self.width() - left - 38, HEADER)
                draw_text(painter, words, "ssgui", tokens.text, theme.font(15, theme.SEMIBOLD))


class _Address(QWidget):
    """`Listening`, the address with a button that copies it, and what is spoken there."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._shown = Listening("", "")
        self.setFixedHeight(72)
        self._copy = QToolButton(self)
        self._copy.setProperty("kind", "icon")
        self._copy.setIcon(icons.icon("copy"))
        self._copy.setIconSize(QSize(16, 16))
        self._copy.setToolTip(tr("Copy the address"))
        self._copy.setAccessibleName(tr("Copy the address"))
        self._copy.clicked.connect(self._copied)

    def show_listening(self, listening: Listening) -> None:
        self._shown = listening
        self._copy.setVisible(bool(listening.address))
        self.update()

    def _copied(self) -> None:
        QApplication.clipboard().setText(self._shown.address)

    def resizeEvent(self, event: object) -> None:
        self._copy.move(self.width() - 38, 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, shown = theme.current(), self._shown
        width = self.width() - 16.0
        with QPainter(self) as painter:
            painter.fillRect(QRectF(0, 0, self.width(), 1), theme.color(tokens.line))
            word = tr("Listening") if shown.address else tr("Not listening")
            draw_text(painter, QRectF(8, 10, width, 16), word, tokens.text3, theme.font(11, theme.MEDIUM))
            if shown.address:
                place = QRectF(8, 27, width - 34, 18)
                draw_text(painter, place, shown.address, tokens.text, theme.font(13, theme.MEDIUM), middle=True)
                color = tokens.warn if shown.shared else tokens.text3
                text = tr("Shared with your network") if shown.shared else shown.speaks
                draw_text(painter, QRectF(8, 46, width, 16), text, color, theme.font(11))


class Sidebar(QWidget):
    """`chosen` carries the key of the page that a person chose."""

    chosen = Signal(str)

    def __init__(self, pages: list[tuple[str, str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 0, 8, 8)
        column.setSpacing(2)
        self._logo, self._address = _Logo(self), _Address(self)
        self._group = QButtonGroup(self)
        self._items: dict[str, _Item] = {}
        column.addWidget(self._logo)
        for key, icon, text in pages:
            item = self._items[key] = _Item(key, icon, text, self)
            item.clicked.connect(lambda _=False, key=key: self.chosen.emit(key))
            self._group.addButton(item)
            if key == "settings":
                column.addStretch(1)
            column.addWidget(item)
        column.addSpacing(8)
        column.addWidget(self._address)
        self.set_narrow(False)

    def show_page(self, key: str) -> None:
        """Mark the page that is open."""
        self._items[key].setChecked(True)

    def show_count(self, key: str, count: int) -> None:
        """The number beside a page's name."""
        if key in self._items:
            self._items[key].show_count(count)

    def show_listening(self, listening: Listening) -> None:
        """The address below."""
        self._address.show_listening(listening)

    def set_narrow(self, narrow: bool) -> None:
        """Only icons, with their words as tooltips."""
        self._logo.narrow = narrow
        self._address.setVisible(not narrow)
        for item in self._items.values():
            item.narrow = narrow
            item.setToolTip(item.text() if narrow else "")
            item.update()
        widest = max(item.sizeHint().width() for item in self._items.values()) + 16
        self.setFixedWidth(NARROW if narrow else min(WIDEST, max(WIDE, widest)))
        self._logo.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), theme.color(theme.current().side))
            edge = QRectF(self.width() - 1, 0, 1, self.height())
            painter.fillRect(edge, theme.color(theme.current().line))
