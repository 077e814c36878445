"""The PAC in use: its version and size, who has fetched it, and its address to copy."""

from functools import partial

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from ssgui.gui import icons, theme
from ssgui.gui.frame.menus import rounded
from ssgui.gui.frame.painting import draw_text, edged
from ssgui.gui.frame.spans import Span, SpanLine
from ssgui.gui.reasons import reason
from ssgui.gui.rules.wording import fetch_line, program
from ssgui.gui.texts import tr
from ssgui.gui.units import amount
from ssgui.services.rules.pac_pages import PacInUse

_MOST_ROWS, _ROW = 3, 24


class PacPanel(QWidget):
    """`others` are the addresses for other devices, as (name, URL)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pac: PacInUse | None = None
        self._title, self._size, self._fetches = QLabel(tr("PAC in use"), self), SpanLine(self), _Fetches(self)
        self._title.setFont(theme.font(13, theme.SEMIBOLD))
        self.copy = QPushButton(icons.icon("copy"), " " + tr("Copy PAC URL"), self)
        self.copy.setProperty("kind", "quiet")
        self.copy.clicked.connect(self._copy)
        self.others: list[tuple[str, str]] = []
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(self._title)
        head.addWidget(self._size, 1)
        head.addWidget(self.copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 6, 10)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self._fetches)

    def show_pac(self, pac: PacInUse, others: list[tuple[str, str]]) -> None:
        """Show this; nothing is done when nothing has changed."""
        self.others = others
        if pac == self._pac:
            return
        self._pac = pac
        words = f"v{pac.version} · {' '.join(amount(pac.size))}" if pac.size else tr("not served now")
        self._size.show_spans([Span(words, "text2", pixels=12)])
        self.copy.setEnabled(bool(pac.url))
        self._fetches.show_pac(pac)

    def _copy(self) -> None:
        if not self.others:
            self._put(self._pac.url.reveal() if self._pac is not None else "")
            return
        menu = rounded(QMenu(self))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        assert self._pac is not None
        for name, url in ((tr("For this computer"), self._pac.url.reveal()), *self.others):
            menu.addAction(name).triggered.connect(partial(self._put, url))
        menu.popup(self.copy.mapToGlobal(self.copy.rect().bottomLeft()))

    @staticmethod
    def _put(url: str, _checked: bool = False) -> None:
        QGuiApplication.clipboard().setText(url)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            edged(painter, QRectF(self.rect()), tokens.bg, tokens.line, 8)


class _Fetches(QWidget):
    """A line for each program, the latest first; or why the PAC is not what the rules say."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._rows: list[tuple[str, str, str, str, str]] = []
        self.show_pac(None)

    def show_pac(self, pac: PacInUse | None) -> None:
        rows = []
        if pac is not None and pac.error:
            rows.append(("error", "err", reason(pac.error), "", "err"))
        for fetch in pac.fetches[:_MOST_ROWS] if pac is not None else ():
            text, icon, token = fetch_line(fetch, pac.version if pac is not None else 0)
            rows.append((icon, "ok" if icon == "ok" else token, program(fetch), text, token))
        if not rows:
            rows.append(("clock", "text3", tr("Nobody has fetched it yet"), "", "text2"))
        self._rows = rows
        self.setAccessibleName(". ".join(f"{name}, {text}" if text else name for _, _, name, text, _ in rows))
        self.setToolTip("\n".join(name for *_, name, text, _ in rows if not text))
        self.setFixedHeight(_ROW * len(rows))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, font = theme.current(), theme.font(12)
        with QPainter(self) as painter:
            for number, (icon, tint, name, text, token) in enumerate(self._rows):
                row = QRectF(0, number * _ROW, self.width() - 8, _ROW)
                icons.draw(painter, icon, getattr(tokens, tint), QRectF(0, row.center().y() - 8, 16, 16))
                words = row.adjusted(24, 0, 0, 0)
                painter.setFont(font)
                right = painter.fontMetrics().horizontalAdvance(text) + 8 if text else 0
                color = getattr(tokens, token) if not text else tokens.text
                draw_text(painter, words.adjusted(0, 0, -right, 0), name, color, font)
                if text:
                    draw_text(painter, words, text, getattr(tokens, token), font, Qt.AlignmentFlag.AlignRight)
