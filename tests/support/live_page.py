"""The page of connections in the window, on an engine that a test moves."""

from collections.abc import Iterable
from pathlib import Path
from typing import cast

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from ssgui.engine.engine import Engine
from ssgui.engine.stages import Stage
from ssgui.gui.connections.columns import Column
from ssgui.gui.connections.delegate import ROW_HEIGHT
from ssgui.gui.connections.ways import ConnectionWays, Exports
from ssgui.gui.saving import Files
from ssgui.gui.window import MainWindow
from ssgui.services.connections.records import Connections
from tests.support.moving_engine import MovingEngine
from tests.support.screens import StillContext

LEFT = Qt.MouseButton.LeftButton


class LivePage:
    """`step` lets time go by, and looks. Mouse and keys go to the widgets as a person's would."""

    def __init__(self, folder: Path, exports: Exports | None = None, width: int = 1280, height: int = 800) -> None:
        self.engine = MovingEngine()
        self.context = StillContext(folder)
        self.context.engine = cast("Engine", self.engine)
        self.context.connections = self.connections = Connections(self.engine, self.engine.clock)
        self.window = MainWindow()
        ways = ConnectionWays(self.context, self.window, Files(self.window), exports, clock=self.engine.clock)
        self.page, self.table, self.model = ways.page, ways.page.table, ways.page.model
        self.window.add_page("connections", self.page)
        self.window.open_page("connections")
        self.window.resize(width, height)
        self.window.show()
        self.window.activateWindow()
        self.settle()

    def settle(self) -> None:
        """Let Qt lay out and paint."""
        for _ in range(3):
            QApplication.processEvents()

    def open(self, count: int = 1, host: str = "host", stage: Stage = Stage.STREAM) -> list[int]:
        """New connections; their numbers."""
        return [self.engine.open(f"{host}-{self.engine.last + 1}.example.com:443", stage) for _ in range(count)]

    def step(self, seconds: float = 0.2) -> None:
        """Time goes by, and somebody looks."""
        self.engine.now += seconds
        self.connections.pull()
        self.page.look()
        self.settle()

    # ---- what is seen

    def numbers(self) -> list[int]:
        """Of the rows, from the top."""
        return [one.id for one in self.model.rows]

    def texts(self, column: Column) -> list[str]:
        """What a column says."""
        return [str(self.model.data(self.model.index(row, column))) for row in range(self.model.rowCount())]

    def place_of(self, number: int) -> int:
        """Where the row of a connection begins in what is seen, in pixels."""
        return self.model.row_of(number) * ROW_HEIGHT - self.table.verticalScrollBar().value()

    def shown_columns(self) -> list[Column]:
        """From the left."""
        head = self.table.head
        places = [Column(head.logicalIndex(at)) for at in range(head.count())]
        return [column for column in places if not head.isSectionHidden(column)]

    # ---- what a person does

    def point_at(self, number: int) -> None:
        """Move the pointer to the row of a connection."""
        x = self.table.head.sectionViewportPosition(Column.TARGET) + 30
        place = QPoint(x, self.place_of(number) + ROW_HEIGHT // 2)
        QTest.mouseMove(self.table.viewport(), place + QPoint(3, 0))
        QTest.mouseMove(self.table.viewport(), place)
        self.settle()

    def point_away(self) -> None:
        """Move the pointer off the table."""
        QTest.mouseMove(self.window.header, QPoint(200, 10))
        self.settle()

    def click(self, number: int, *, adding: bool = False) -> None:
        """Click a row."""
        self.point_at(number)
        keys = Qt.KeyboardModifier.ControlModifier if adding else Qt.KeyboardModifier.NoModifier
        x = self.table.head.sectionViewportPosition(Column.TARGET) + 30
        QTest.mouseClick(self.table.viewport(), LEFT, keys, QPoint(x, self.place_of(number) + ROW_HEIGHT // 2))

    def click_head(self, column: Column) -> None:
        """Click the head of a column."""
        head = self.table.head
        x = head.sectionViewportPosition(column) + head.sectionSize(column) // 2
        QTest.mouseClick(head.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, QPoint(x, head.height() // 2))

    def drag_head(self, start: int, end: int) -> None:
        """Press in the head at one place, and let go at another."""
        view, middle, none = self.table.head.viewport(), self.table.head.height() // 2, Qt.KeyboardModifier.NoModifier
        QTest.mousePress(view, LEFT, none, QPoint(start, middle))
        for x in _way(start, end):
            QTest.mouseMove(view, QPoint(x, middle))
        QTest.mouseRelease(view, LEFT, none, QPoint(end, middle))
        self.settle()

    def turn_wheel(self, notches: int) -> None:
        """Down, or up with less than zero."""
        view = self.table.viewport()
        at = QPointF(view.rect().center())
        turned = QPoint(0, -120 if notches > 0 else 120)
        for _ in range(abs(notches)):
            event = QWheelEvent(
                at, QPointF(view.mapToGlobal(at.toPoint())), QPoint(), turned, Qt.MouseButton.NoButton,
                Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
            )  # fmt: skip
            QApplication.sendEvent(view, event)
        self.settle()

    def drag_bar(self, value: int) -> None:
        """Scroll to so many pixels from the top."""
        self.table.verticalScrollBar().setValue(value)
        self.settle()

    def close(self) -> None:
        """Give it back."""
        self.window.hide()
        self.window.deleteLater()
        self.settle()


def _way(start: int, end: int) -> Iterable[int]:
    step = 5 if end > start else -5
    return (*range(start, end, step), end)
