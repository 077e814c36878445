"""Whose connection it is, in one line: its mark, where it goes, and by which program, rule and server."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ssgui.engine.stages import Role
from ssgui.gui import theme
from ssgui.gui.connections.cells import inbound_text
from ssgui.gui.connections.marks import SIDE, mark_of
from ssgui.gui.frame.painting import draw_text, harmless, width_of
from ssgui.gui.texts import tr
from ssgui.services.connections.records import Connection

_TITLE_SHARE = 0.55  # of the room, when both texts want more
_LEAST, _GAP = 120, 8
_LEFT = Qt.AlignmentFlag.AlignLeft


class Heading(QWidget):
    """The target loses its middle, what follows its end; the tooltip has all of it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._one: Connection | None = None
        self.title = self.subtitle = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(400, 32)

    def minimumSizeHint(self) -> QSize:
        return QSize(_LEAST, 32)

    def show_connection(self, one: Connection) -> None:
        """Show whose it is."""
        self._one = one
        self.title, self.subtitle = title_of(one), subtitle_of(one)
        text = f"{self.title}\n{self.subtitle}"
        if text != self.toolTip():
            self.setToolTip(text)
            self.setAccessibleName(f"{self.title}. {self.subtitle}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._one is None:
            return
        tokens, left, height = theme.current(), float(SIDE + 10), float(self.height())
        bold, small = theme.font(15, theme.SEMIBOLD), theme.font(12)
        room = self.width() - left - _GAP
        wide, rest = width_of(self.title, bold) + 2, width_of(self.subtitle, small) + 2
        if wide + rest > room:
            wide = min(wide, max(room * _TITLE_SHARE, room - rest))
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            mark_of(painter, QRectF(2, height / 2 - SIDE / 2, SIDE, SIDE), self._one)
            draw_text(painter, QRectF(left, 0, wide, height), self.title, tokens.text, bold, _LEFT, middle=True)
            below = QRectF(left + wide + _GAP, 0, room - wide, height)
            draw_text(painter, below, self.subtitle, tokens.text2, small)


def title_of(one: Connection) -> str:
    """Where it goes."""
    if one.target:
        return harmless(one.target)
    return tr("Not known yet where to") if one.live else tr("It was never known where to")


def subtitle_of(one: Connection) -> str:
    """By whom, by which protocol, and by which rule where."""
    who = [one.program, f"PID {one.pid}" if one.pid else ""] if one.role is Role.LOCAL else [one.client, one.user]
    return harmless(" · ".join(part for part in (*who, inbound_text(one), _way(one)) if part))


def _way(one: Connection) -> str:
    if not one.route or one.role is Role.SERVER:
        return ""
    rule = one.rule or {"proxy": tr("everything else")}.get(one.route, "")
    where = {"proxy": one.server, "direct": tr("direct"), "reject": tr("rejected")}.get(one.route, "")
    return f"{rule} \N{RIGHTWARDS ARROW} {where}" if rule and where else rule or where
