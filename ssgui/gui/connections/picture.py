"""Time on the page of connections: the strip and its brush, the scale of the bars, their popover; and the health."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from ssgui.gui.connections.columns import Column
from ssgui.gui.connections.health_line import HealthLine
from ssgui.gui.connections.overview import OverviewStrip
from ssgui.gui.connections.pointing import Pointing
from ssgui.gui.connections.table import ConnectionsTable
from ssgui.gui.connections.timescale import TimeScale
from ssgui.services.connections.health import Failures, standing
from ssgui.services.connections.overview import Overview
from ssgui.services.connections.records import Connection, Connections


class Picture(QObject):
    """`windowed` after every change of the time that is looked at."""

    windowed = Signal()

    def __init__(self, connections: Connections, table: ConnectionsTable, parent: QWidget) -> None:
        super().__init__(parent)
        self._connections, self._table = connections, table
        self.flows, self.failures = Overview(), Failures()
        connections.listeners += [self.flows, self.failures]
        self.strip, self.health = OverviewStrip(self.flows, table.rows.now, parent), HealthLine(parent)
        self.pointing = Pointing(table, Column.WATERFALL, self._record, lambda: table.rows.now)
        self.strip.brushed.connect(self._brushed)
        table.head.zero_asked.connect(lambda _on: self._scale())

    def _record(self, row: int) -> Connection | None:
        rows = self._table.rows.rows
        return rows[row] if 0 <= row < len(rows) else None

    def window(self, now: float) -> tuple[float | None, float | None]:
        """The time that is chosen, as a filter: None where it has no bound."""
        return self.strip.brush.window(now)

    def clear(self) -> None:
        """Choose all of it."""
        self.strip.brush.clear()
        self._brushed()

    def look(self) -> None:
        """The table shows what is now: so do the strip, the bars and the rest."""
        now = self._table.rows.now
        self.strip.look(now)
        self._scale()
        self.health.show_health(standing(self._connections.live.values(), now), self.failures.lately(now))
        self.pointing.look()

    def show_some(self, some: bool) -> None:
        """Without any connection there is nothing to be seen."""
        self.strip.setVisible(some)
        self.health.setVisible(some)

    def _brushed(self) -> None:
        self.strip.look(self.strip.now)
        self._scale()
        self.windowed.emit()

    def _scale(self) -> None:
        scale = self.strip.scale()
        if self._table.head.from_zero:
            scale = TimeScale(0.0, scale.length, aligned=True)
        self._table.show_scale(scale)
