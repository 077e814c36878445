"""The events of a connection as a list: how long after the one before, a dot in the colour of what it is, words."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QSizePolicy, QToolTip, QWidget

from ssgui.gui import theme
from ssgui.gui.connections.happenings import Happening, deltas, happenings
from ssgui.gui.frame.painting import draw_text, focus_ring, harmless, width_of
from ssgui.gui.texts import tr
from ssgui.services.connections.records import Connection

WIDTH = 208
_ROW = 22
_TIME, _DOT, _TEXT = 58, 71, 84
_INKS = {"warn": "warn", "s_cap": "err"}
_RIGHT = Qt.AlignmentFlag.AlignRight


class EventsList(QAbstractScrollArea):
    """Scrolls when there is more than room. One element for who listens: all of it is its name."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[Happening] = []
        self.times: list[str] = []
        self._id = 0
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(tr("Events"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_connection(self, one: Connection) -> None:
        """Show what happened to it; a list that was at its end stays there."""
        rows = happenings(one)
        if one.id == self._id and rows == self.rows:
            return
        bar = self.verticalScrollBar()
        at_end = one.id == self._id and bar.value() == bar.maximum()
        self.rows, self.times, self._id = rows, deltas(rows), one.id
        self._set_range()
        bar.setValue(bar.maximum() if at_end else 0)
        self.setAccessibleName(f"{tr('Events')}: {', '.join(self.texts())}")
        self.viewport().update()

    def texts(self) -> list[str]:
        """Each row as one text."""
        return [f"{time} {harmless(row.text)}".strip() for time, row in zip(self.times, self.rows, strict=True)]

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, _ROW * max(1, len(self.rows)))

    def minimumSizeHint(self) -> QSize:
        return QSize(WIDTH, _ROW)

    def _set_range(self) -> None:
        tall = _ROW * len(self.rows)
        bar, room = self.verticalScrollBar(), self.viewport().height()
        bar.setPageStep(room)
        bar.setSingleStep(_ROW)
        bar.setRange(0, max(0, tall - room))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._set_range()
        super().resizeEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            at = (event.pos().y() + self.verticalScrollBar().value()) // _ROW
            text = harmless(self.rows[at].text) if 0 <= at < len(self.rows) else ""
            cut = width_of(text, theme.font(12)) > self.viewport().width() - _TEXT
            QToolTip.showText(event.globalPos(), text if cut else "", self)
            return True
        return super().viewportEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, font = theme.current(), theme.font(12)
        width, top = self.viewport().width(), -self.verticalScrollBar().value()
        with QPainter(self.viewport()) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for at, (time, row) in enumerate(zip(self.times, self.rows, strict=True)):
                y = top + at * _ROW
                middle, color = y + 11.0, _INKS.get(row.tint, "text")
                draw_text(painter, QRectF(0, y, _TIME, 22), time, tokens.text3, font, _RIGHT)
                if at < len(self.rows) - 1:
                    painter.fillRect(QRectF(_DOT - 0.5, middle, 1, _ROW), theme.color(tokens.line2))
                if row.t is not None:
                    painter.setPen(QPen(theme.color(tokens.bg), 2))
                    painter.setBrush(theme.color(getattr(tokens, row.tint)))
                    painter.drawEllipse(QRectF(_DOT - 5, middle - 5, 10, 10))
                draw_text(painter, QRectF(_TEXT, y, width - _TEXT, 22), row.text, getattr(tokens, color), font)
            if self.hasFocus():
                focus_ring(painter, QRectF(self.viewport().rect()), 6)
