"""Diagram, streams and events side by side, or behind each other where a window is narrow."""

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ssgui.gui import theme
from ssgui.gui.connections import events_list, streams_panel
from ssgui.gui.connections.diagram import StageDiagram
from ssgui.gui.connections.events_list import EventsList
from ssgui.gui.connections.streams_panel import StreamsPanel
from ssgui.gui.frame.mode_switch import ModeSwitch
from ssgui.gui.texts import tr
from ssgui.services.connections.records import Connection

THREE_FROM, TWO_FROM = 1340, 1100  # pixels of the window
_GAP, _TABS, _BELOW_TABS = 24, 28, 10
_WIDEST_STREAMS = 480
PATH, STREAMS, EVENTS = "path", "streams", "events"


def columns_for(window: int) -> int:
    """How many of the three are beside each other in a window of this width."""
    return 3 if window >= THREE_FROM else 2 if window >= TWO_FROM else 1


class DetailBody(QWidget):
    """The three parts; what has no column has a tab."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.columns = 3
        self.diagram, self.streams, self.events = StageDiagram(self), StreamsPanel(self), EventsList(self)
        self.tabs = ModeSwitch(self, height=_TABS)
        self.tabs.setAccessibleName(tr("Parts"))
        self.tabs.chosen.connect(self._choose)
        self._wanted = ""  # the tab that a person chose
        self._one: Connection | None = None
        self._now = 0.0
        self._lines: list[QRect] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.set_columns(3)

    def show_connection(self, one: Connection, now: float) -> None:
        """Show everything about it; only what is seen is made anew."""
        self._one, self._now = one, now
        if not self.diagram.isHidden():
            self.diagram.show_connection(one, now)
        if not self.streams.isHidden():
            self.streams.show_connection(one, now)
        if not self.events.isHidden():
            self.events.show_connection(one)

    def set_columns(self, count: int) -> None:
        """Have so many beside each other."""
        if count == self.columns and self.tabs.mode():
            return
        self.columns = count
        words = {PATH: tr("Path"), STREAMS: tr("Streams"), EVENTS: tr("Events")}
        keys = [PATH, STREAMS, EVENTS] if count == 1 else [STREAMS, EVENTS]
        self.tabs.set_modes([(key, words[key], "") for key in keys])
        self.tabs.set_mode(self._wanted if self._wanted in keys else keys[0])
        self.updateGeometry()
        self._arrange()

    def _choose(self, key: str) -> None:
        self._wanted = key
        self._arrange()

    def minimumSizeHint(self) -> QSize:
        tall = max(self.diagram.sizeHint().height(), 2 * streams_panel.BLOCK)
        if self.columns == 1:
            tall += _TABS + _BELOW_TABS
        elif self.columns == 2:
            tall = max(self.diagram.sizeHint().height(), _TABS + _BELOW_TABS + 2 * streams_panel.BLOCK)
        return QSize(self.diagram.sizeHint().width(), tall)

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    # ---- where each is

    def _arrange(self) -> None:
        tab, width, height = self.tabs.mode(), self.width(), self.height()
        self._lines = []
        self.tabs.setVisible(self.columns < 3)
        self.tabs.resize(self.tabs.sizeHint())
        if self.columns == 3:
            right = width - events_list.WIDTH
            middle = right - 2 * _GAP - streams_panel.WIDTH
            self._lines = [QRect(middle - _GAP, 0, 1, height), QRect(right - _GAP, 0, 1, height)]
            self._show({
                self.diagram: QRect(0, 0, middle - 2 * _GAP, height),
                self.streams: QRect(middle, 0, streams_panel.WIDTH, height),
                self.events: QRect(right, 0, events_list.WIDTH, height),
            })  # fmt: skip
            return
        top = _TABS + _BELOW_TABS
        if self.columns == 2:
            wide = max(streams_panel.WIDTH, width - self.diagram.sizeHint().width() - 2 * _GAP - 60)
            left = width - wide
            self._lines = [QRect(left - _GAP, 0, 1, height)]
            self.tabs.move(left, 0)
            beside = self.streams if tab == STREAMS else self.events
            self._show({
                self.diagram: QRect(0, 0, left - 2 * _GAP, height),
                beside: QRect(left, top, wide, height - top),
            })  # fmt: skip
            return
        self.tabs.move(0, 0)
        chosen = {PATH: self.diagram, STREAMS: self.streams, EVENTS: self.events}[tab]
        wide = min(width, _WIDEST_STREAMS) if tab == STREAMS else width
        self._show({chosen: QRect(0, top, wide, height - top)})

    def _show(self, places: dict[QWidget, QRect]) -> None:
        for part in (self.diagram, self.streams, self.events):
            part.setVisible(part in places)
            if part in places:
                part.setGeometry(places[part])
        if self._one is not None:
            self.show_connection(self._one, self._now)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            for line in self._lines:
                painter.fillRect(line, theme.color(theme.current().line))
