"""What is said without asking: banners under the header, toasts below."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from ssgui.gui import icons, theme
from ssgui.gui.frame.painting import panel
from ssgui.gui.texts import tr

MOST_BANNERS = 2
TOAST_MS = 8000
KINDS = {
    "warn": ("warning", "warn", "warn_tint"),
    "err": ("error", "err", "err_tint"),
    "info": ("info", "accent_text", "tint"),
}


@dataclass(frozen=True)
class Notice:
    """A banner: a bold fact, plain numbers, one action. Notices of one `key` replace each other.

    While the window is hidden the desktop shows warnings and errors too, unless `quiet`: the person asked for it.
    """

    key: str
    kind: str  # warn, err, info
    fact: str
    detail: str = ""
    action: str = ""
    act: Callable[[], None] | None = None
    can_wait: bool = True
    quiet: bool = False


def _plain(text: str, name: str, parent: QWidget) -> QLabel:
    """A label that never reads markup: remarks and host names come from strangers."""
    label = QLabel(text, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setObjectName(name)
    return label


class _Banner(QWidget):
    def __init__(self, notice: Notice, dismissed: Callable[[], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.notice = notice
        self.setMinimumHeight(36)
        self.setAccessibleName(f"{notice.fact} {notice.detail}".strip())
        row = QHBoxLayout(self)
        row.setContentsMargins(40, 2, 6, 2)
        row.setSpacing(8)
        self._fact = _plain(notice.fact, "fact", self)
        self._fact.setFont(theme.font(13, theme.SEMIBOLD))
        self._detail = _plain(notice.detail, "detail", self)
        self._detail.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._detail.setWordWrap(True)
        row.addWidget(self._fact)
        row.addWidget(self._detail, 1)
        if notice.action and notice.act is not None:
            button = QPushButton(notice.action, self)
            button.setProperty("kind", "link")
            button.clicked.connect(self._act)
            row.addWidget(button)
        if notice.can_wait:
            close = QToolButton(self)
            close.setProperty("kind", "icon")
            close.setIcon(icons.icon("close"))
            close.setIconSize(QSize(14, 14))
            close.setToolTip(tr("Close"))
            close.setAccessibleName(tr("Close"))
            close.clicked.connect(dismissed)
            row.addWidget(close)

    def fits(self, notice: Notice) -> bool:
        """Whether `notice` differs in its words and figures only."""
        mine = self.notice
        same = (mine.key, mine.action, mine.can_wait) == (notice.key, notice.action, notice.can_wait)
        return same and (mine.act is None) == (notice.act is None)

    def say(self, notice: Notice) -> None:
        """Show `notice` instead: who is about to press the button need not look for it again."""
        if notice.kind != self.notice.kind:
            self.update()
        self.notice = notice
        self._fact.setText(notice.fact)
        self._detail.setText(notice.detail)
        self.setAccessibleName(f"{notice.fact} {notice.detail}".strip())

    def _act(self) -> None:
        if self.notice.act is not None:
            self.notice.act()

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        icon, color, tint = KINDS[self.notice.kind]
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            panel(painter, QRectF(self.rect()), getattr(tokens, tint), 6)
            icons.draw(painter, icon, getattr(tokens, color), QRectF(12, (self.height() - 18) / 2, 18, 18))


class Banners(QWidget):
    """At most two, the newest first; the others wait behind them. `said` is emitted with every one."""

    said = Signal(Notice)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(16, 8, 16, 0)
        self._column.setSpacing(8)
        self._notices: dict[str, Notice] = {}
        self._banners: list[_Banner] = []
        self.hide()

    def show_notice(self, notice: Notice) -> None:
        """Show it on top."""
        self._notices.pop(notice.key, None)
        self._notices = {notice.key: notice, **self._notices}
        self._rebuild()
        self.said.emit(notice)

    def refresh(self, notice: Notice) -> None:
        """Show it where it stands, with other figures; on top, if it is not there."""
        before = self._notices.get(notice.key)
        if before is None:
            self.show_notice(notice)
            return
        self._notices[notice.key] = notice
        shown = [banner for banner in self._banners if banner.notice.key == notice.key]
        if shown and shown[0].fits(notice):
            shown[0].say(notice)
        elif shown:
            self._rebuild()

    def withdraw(self, key: str) -> None:
        """It is no longer so."""
        if self._notices.pop(key, None) is not None:
            self._rebuild()

    def keys(self) -> list[str]:
        """What is being said, newest first."""
        return list(self._notices)

    def _rebuild(self) -> None:
        while (item := self._column.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        shown = list(self._notices.values())[:MOST_BANNERS]
        self._banners = [_Banner(notice, partial(self.withdraw, notice.key), self) for notice in shown]
        for banner in self._banners:
            self._column.addWidget(banner)
        self.setVisible(bool(self._notices))


class Toast(QWidget):
    """One line at the bottom left of the content, for 8 seconds, or while it is hovered or focused."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 10, 0)
        row.setSpacing(16)
        self._text = _plain("", "toast", self)
        self._action = QPushButton(self)
        self._action.setProperty("kind", "link")
        self._action.clicked.connect(self._act)
        row.addWidget(self._text)
        row.addWidget(self._action)
        self._undo: Callable[[], object] | None = None
        self._over: Callable[[], object] | None = None
        self._leaving = QTimer(self)
        self._leaving.setSingleShot(True)
        self._leaving.setInterval(TOAST_MS)
        self._leaving.timeout.connect(self._leave)
        self._action.installEventFilter(self)
        self.hide()

    def say(
        self, text: str, undo: Callable[[], object] | None = None, over: Callable[[], object] | None = None
    ) -> None:  # fmt: skip
        """Show `text`, with a way back if there is one; `over` is called when nobody went it and it is gone."""
        self._leave()
        tokens = theme.current()
        self._undo, self._over = undo, over
        self._text.setText(text)
        self._text.setStyleSheet(f"color: {tokens.on_inverse}")
        self._action.setText(f"{tr('Undo')}  {QKeySequence(QKeySequence.StandardKey.Undo).toString()}")
        self._action.setStyleSheet(f"color: {tokens.inverse_link}")
        self._action.setVisible(undo is not None)
        self.setAccessibleName(text)
        self.adjustSize()
        self.resize(self.width(), 44)
        self.place()
        self.show()
        self.raise_()
        self._leaving.start()

    def place(self) -> None:
        """Move to the corner of the content."""
        parent = self.parentWidget()
        if parent is not None:
            self.move(16, parent.height() - self.height() - 16)

    def can_undo(self) -> bool:
        """Whether Ctrl+Z has something to take back."""
        return self._undo is not None and self.isVisible()

    def _leave(self) -> None:
        """Nobody wants to go back any more."""
        over, self._undo, self._over = self._over, None, None
        self.hide()
        if over is not None:
            over()

    def _act(self) -> None:
        undo, self._undo, self._over = self._undo, None, None
        self.hide()
        if undo is not None:
            undo()

    undo = _act

    def enterEvent(self, event: object) -> None:
        self._leaving.stop()

    def leaveEvent(self, event: QEvent) -> None:
        self._leaving.start()

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusIn:
            self._leaving.stop()
        elif event.type() == QEvent.Type.FocusOut:
            self._leaving.start()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            panel(painter, QRectF(self.rect()), theme.current().inverse, 8)
