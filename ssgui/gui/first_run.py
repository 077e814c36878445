"""What a person sees who has no server yet: the ways to add one, and a demo."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ssgui.gui import icons, theme
from ssgui.gui.frame.painting import draw_text, edged, focus_ring, panel
from ssgui.gui.texts import tr
from ssgui.protocol.address import join_host_port
from ssgui.protocol.links import ServerLink, find_links

COLUMN = 560
ROW_HEIGHT = 56
_OTHERS = "shadowsocks-windows, ShadowsocksX-NG, Clash, Outline"


class _Way(QAbstractButton):
    """One row of the card."""

    def __init__(self, icon: str, text: str, note: str, keys: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._icon, self._note, self._keys = icon, note, keys
        self.setText(text)
        self.setAccessibleName(text)
        self.setAccessibleDescription(note)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(COLUMN, ROW_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, rect = theme.current(), QRectF(self.rect())
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self.underMouse() or self.hasFocus():
                panel(painter, rect.adjusted(4, 4, -4, -4), tokens.hover, 6)
            icons.draw(painter, self._icon, tokens.accent_text, QRectF(20, 18, 20, 20))
            words = QRectF(56, 9, rect.width() - 150, 20)
            draw_text(painter, words, self.text(), tokens.text, theme.font(13, theme.SEMIBOLD))
            draw_text(painter, words.translated(0, 19), self._note, tokens.text2, theme.font(12))
            keys = QRectF(rect.width() - 110, 0, 70, rect.height())
            draw_text(painter, keys, self._keys, tokens.text3, theme.font(12), Qt.AlignmentFlag.AlignRight)
            icons.draw(painter, "chevron-right", tokens.text2, QRectF(rect.width() - 34, 20, 16, 16))
            if self.hasFocus():
                focus_ring(painter, rect.adjusted(4, 4, -4, -4), 6)


class _Card(QWidget):
    """A frame around rows, with lines between them."""

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            edged(painter, QRectF(self.rect()), tokens.bg, tokens.line, 8)
            for at in range(ROW_HEIGHT, self.height() - 8, ROW_HEIGHT):
                painter.fillRect(QRectF(56, at, self.width() - 57, 1), theme.color(tokens.line))


class _Clipboard(QWidget):
    """Shown while the clipboard holds links."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFixedHeight(60)
        self._fact, self._what = "", ""
        self.add = QPushButton(tr("Add and connect"), self)
        self.add.setProperty("kind", "primary")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 12, 0)
        row.addStretch(1)
        row.addWidget(self.add)

    def show_links(self, servers: list[ServerLink]) -> None:
        first = servers[0]
        self._fact = tr("There is a server on your clipboard")
        if len(servers) > 1:
            self._fact = tr("There are {count} servers on your clipboard", count=len(servers))
        self._what = " · ".join(part for part in (first.remarks, join_host_port(first.host, first.port)) if part)
        self.setAccessibleName(f"{self._fact}. {self._what}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            panel(painter, QRectF(self.rect()), tokens.tint, 8)
            icons.draw(painter, "clipboard", tokens.accent_text, QRectF(20, 20, 20, 20))
            words = QRectF(56, 11, self.add.x() - 66, 20)
            draw_text(painter, words, self._fact, tokens.text, theme.font(13, theme.SEMIBOLD))
            draw_text(painter, words.translated(0, 19), self._what, tokens.text2, theme.font(12), middle=True)


class FirstRun(QWidget):
    """`adding` carries the key of a way to add servers, `pasted` the text of links to add and use."""

    adding = Signal(str)
    pasted = Signal(str)
    demo = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ways: dict[str, QAbstractButton] = {}
        self._text = ""
        column = QVBoxLayout()
        column.setSpacing(0)
        title = QLabel(tr("Add your first server"), self)
        title.setFont(theme.font(20, theme.SEMIBOLD))
        note = QLabel(tr("Your provider gives you a link, a QR code or a file. Any of them will do."), self)
        note.setFont(theme.font(13))
        note.setWordWrap(True)
        self.clipboard = _Clipboard(self)
        self.clipboard.add.clicked.connect(lambda: self.pasted.emit(self._text))
        column.addStretch(3)
        for widget, gap in ((title, 4), (note, 16), (self.clipboard, 12), (self._card(), 12), (self._below(), 0)):
            widget.setMaximumWidth(COLUMN)
            widget.setMinimumWidth(480)
            column.addWidget(widget)
            column.addSpacing(gap)
        column.addStretch(4)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 0)
        row.addStretch(1)
        row.addLayout(column, 100)
        row.addStretch(1)
        board = QGuiApplication.clipboard()
        board.dataChanged.connect(self.look)
        self.look()

    def _card(self) -> QWidget:
        card = _Card(self)
        rows = QVBoxLayout(card)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        for key, icon, text, sub, keys in (
            ("paste", "clipboard", tr("Paste a link"), tr("One ss:// link, or many"), "Ctrl+V"),
            ("screen", "qr", tr("Scan a QR code on screen"), tr("Finds every code on every display"), ""),
            ("file", "image", tr("Open an image or a file"), tr("Or drop it anywhere on this window"), ""),
            ("other", "folder", tr("Import from another app"), _OTHERS, ""),
            ("subscription", "subscription", tr("Add a subscription"), tr("A list of servers, kept up to date"), ""),
        ):  # fmt: skip
            way = self.ways[key] = _Way(icon, text, sub, keys, card)
            way.clicked.connect(lambda _=False, key=key: self.adding.emit(key))
            rows.addWidget(way)
        return card

    def _below(self) -> QWidget:
        box = QWidget(self)
        fact, note = (
            QLabel(tr("No server yet?"), box),
            QLabel(tr("The demo starts one on this computer and shows real traffic."), box),
        )
        fact.setFont(theme.font(13, theme.SEMIBOLD))
        note.setFont(theme.font(12))
        note.setWordWrap(True)
        self.try_demo = QPushButton(icons.icon("flask", "text"), " " + tr("Try the demo"), box)
        self.try_demo.clicked.connect(self.demo)
        by_hand = QPushButton(tr("Enter details by hand"), box)
        by_hand.setProperty("kind", "link")
        by_hand.clicked.connect(lambda: self.adding.emit("hand"))
        words = QVBoxLayout()
        words.setSpacing(2)
        words.setContentsMargins(8, 0, 0, 0)  # as much as the button below has around its words
        words.addWidget(fact)
        words.addWidget(note)
        row = QHBoxLayout()
        row.addLayout(words, 1)
        row.addWidget(self.try_demo)
        column = QVBoxLayout(box)
        column.setContentsMargins(48, 0, 12, 0)
        column.addLayout(row)
        column.addWidget(by_hand, 0, Qt.AlignmentFlag.AlignLeft)
        return box

    def look(self) -> None:
        """Say what the clipboard holds, if it is of use. It is read only while this page is there."""
        self._text = QGuiApplication.clipboard().text()[: 1 << 16]
        servers = [found.server for found in find_links(self._text) if found.server is not None]
        self.clipboard.setVisible(bool(servers))
        if servers:
            self.clipboard.show_links(servers)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.ActivationChange and self.isVisible():
            self.look()
        super().changeEvent(event)
