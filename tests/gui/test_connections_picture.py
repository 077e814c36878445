"""The page of connections: brush, bars, health and details together with the table."""

from types import SimpleNamespace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QImage, QPainter
from PySide6.QtWidgets import QApplication, QMenu, QStyle, QStyleOptionViewItem, QWidget
from pytestqt.qtbot import QtBot

from ssgui.engine.stages import Reason, Stage
from ssgui.gui.connections.columns import Column
from ssgui.gui.connections.delegate import ROW_HEIGHT
from ssgui.gui.connections.diagram import Walk
from ssgui.gui.connections.model import Scope
from ssgui.gui.connections.page import ConnectionsPage
from ssgui.gui.presenter import Presenter
from ssgui.gui.theme import DARK, LIGHT, Theme
from ssgui.services.connections.records import Connections
from tests.support.moving_engine import MovingEngine

LEFT = Qt.MouseButton.LeftButton


class World:
    """A page over an engine whose time a test moves on."""

    def __init__(self, qtbot: QtBot) -> None:
        self.engine = MovingEngine()
        self.connections = Connections(self.engine, self.engine.clock)
        self.page = ConnectionsPage(self.connections, self.engine.clock)
        qtbot.addWidget(self.page)
        self.page.resize(1400, 800)
        self.page.show()
        self.page.activateWindow()

    def open(self, target: str = "example.com:443", stage: Stage = Stage.STREAM) -> int:
        return self.engine.open(target, stage)

    def look(self, later: float = 0.2) -> None:
        self.engine.now += later
        self.connections.pull()
        self.page.look()

    def shown(self) -> list[int]:
        return [one.id for one in self.page.model.rows]

    def click(self, qtbot: QtBot, number: int) -> None:
        table = self.page.table
        at = table.visualRect(table.rows.index(table.rows.row_of(number), Column.TARGET)).center()
        qtbot.mouseClick(table.viewport(), LEFT, pos=at)


@pytest.fixture
def world(qtbot: QtBot) -> World:
    return World(qtbot)


def three_lives(world: World) -> tuple[int, int, int]:
    """One that ended 50 seconds ago, one 20 seconds ago, one that lives."""
    first = world.open("first.example:1")
    world.look()
    world.engine.end(first, Reason.CONNECT_TIMEOUT)
    world.look(30)
    second, third = world.open("second.example:1"), world.open("third.example:1")
    world.look()
    world.engine.end(second)
    world.look(20)
    return first, second, third


def test_the_brush_filters_the_table_and_scales_the_bars(world: World, qtbot: QtBot) -> None:
    first, second, third = three_lives(world)
    now, strip = world.engine.now, world.page.picture.strip
    assert world.shown() == [third, second, first]
    left, right = strip.place(now - 15), strip.place(now - 2)
    qtbot.mousePress(strip, LEFT, pos=QPoint(round(left), 20))
    qtbot.mouseMove(strip, QPoint(round((left + right) / 2), 20))
    qtbot.mouseRelease(strip, LEFT, pos=QPoint(round(left), 20))
    strip.brush.choose(now - 15, now - 2, now)
    strip.brushed.emit()
    assert world.shown() == [third]
    scale = world.page.table._painter.scale
    assert (scale.start, scale.end, scale.aligned) == (now - 15, now - 2, False)
    strip.brush.choose(now - 25, now - 2, now)
    strip.brushed.emit()
    assert world.shown() == [third, second]


def test_a_brush_that_touches_now_slides(world: World) -> None:
    first, second, third = three_lives(world)
    world.page.picture.strip.brush.choose(world.engine.now - 30, world.engine.now, world.engine.now)
    world.look(0.2)
    assert world.shown() == [third, second]
    world.look(15)
    assert world.shown() == [third]
    assert first not in world.shown()
    assert world.page.table._painter.scale.end == world.engine.now


def test_clearing_the_filter_frees_the_brush_too(world: World) -> None:
    three_lives(world)
    world.page.picture.strip.brush.choose(world.engine.now - 58, world.engine.now - 55, world.engine.now)
    world.page.filter.setText("nothing-like-this")
    world.look()
    assert not world.page.table.isVisible()
    world.page._clear()
    assert world.page.picture.strip.brush.whole
    assert len(world.shown()) == 3


def test_health_sets_the_filter_and_takes_it_back(world: World, qtbot: QtBot) -> None:
    world.open("a.example:1", Stage.CONNECTING)
    world.open("b.example:1")
    world.look(6)
    line = world.page.picture.health
    assert "1 Connecting" in line.parts()
    assert "1 over 5 s" in line.parts()
    qtbot.mouseClick(line.button("stage:connecting age>5s"), LEFT)
    assert world.page.filter.text() == "stage:connecting age>5s"
    assert [one.target for one in world.page.model.rows] == ["a.example:1"]
    assert line.button("stage:connecting age>5s").isChecked()
    qtbot.mouseClick(line.button("stage:connecting age>5s"), LEFT)
    assert world.page.filter.text() == ""
    assert len(world.shown()) == 2


def test_every_filter_of_the_line_of_health_is_understood(world: World, qtbot: QtBot) -> None:
    reasons = [one for one in Reason if one not in (Reason.FINISHED, Reason.CLIENT_RESET)]
    for stage in (Stage.INIT, Stage.ADDR, Stage.DNS, Stage.CONNECTING, Stage.STREAM):
        world.open(stage=stage)
    waiting = world.open()
    world.engine.carry(waiting, up=10)
    for reason in reasons:
        world.engine.end(world.open(), reason)
    world.page.resize(4000, 800)
    world.look(0)
    world.look(6)
    line = world.page.picture.health
    buttons = [one for one in line._buttons.values() if one.isVisible()]
    assert len(buttons) > 20
    for button in buttons:
        qtbot.mouseClick(button, LEFT)
        assert world.page.filter.error is None, button.text()
        shown = len(world.page.model.rows)
        assert shown == int(button.part.number), button.text()
        qtbot.mouseClick(button, LEFT)


def test_errors_are_shown_whatever_the_scope(world: World, qtbot: QtBot) -> None:
    three_lives(world)
    world.page.scope.chosen.emit("active")
    assert world.page.model.scope is Scope.ACTIVE
    qtbot.mouseClick(world.page.picture.health.button("reason:failed"), LEFT)
    assert [one.target for one in world.page.model.rows] == ["first.example:1"]
    world.page.filter.clear()
    world.page.scope.chosen.emit("closed")
    qtbot.mouseClick(world.page.picture.health.button("stage:streaming"), LEFT)
    assert [one.target for one in world.page.model.rows] == ["third.example:1"]


def test_without_connections_there_is_no_health_and_no_strip(world: World) -> None:
    world.look()
    assert not world.page.picture.strip.isVisible()
    assert not world.page.picture.health.isVisible()
    world.open()
    world.look()
    assert world.page.picture.strip.isVisible()
    assert world.page.picture.health.isVisible()


# ---- details


def is_open(world: World) -> bool:
    return world.page.inspector.is_open


def walk(world: World) -> Walk:
    found = world.page.inspector.detail.body.diagram.walk
    assert found is not None
    return found


def test_details_open_by_click_and_follow_the_current_row(world: World, qtbot: QtBot) -> None:
    first, second = world.open("a.example:1"), world.open("b.example:1")
    world.look()
    detail = world.page.inspector.detail
    assert not is_open(world)
    world.click(qtbot, first)
    assert is_open(world)
    assert detail.heading.title == "a.example:1"
    qtbot.keyClick(world.page.table, Qt.Key.Key_Up)
    assert detail.one is not None
    assert detail.one.id == second
    qtbot.keyClick(world.page.table, Qt.Key.Key_Escape)
    assert not is_open(world)
    qtbot.keyClick(world.page.table, Qt.Key.Key_Down)
    assert not is_open(world)
    qtbot.keyClick(world.page.table, Qt.Key.Key_Return)
    assert is_open(world)
    assert detail.one.id == first
    qtbot.mouseClick(detail.close_panel, LEFT)
    assert not is_open(world)
    assert world.page.table.hasFocus()


def test_a_click_that_selects_more_opens_nothing(world: World, qtbot: QtBot) -> None:
    number = world.open()
    world.look()
    table = world.page.table
    at = table.visualRect(table.rows.index(table.rows.row_of(number), Column.TARGET)).center()
    qtbot.keyPress(table, Qt.Key.Key_Control)
    qtbot.mouseClick(table.viewport(), LEFT, Qt.KeyboardModifier.ControlModifier, at)
    qtbot.keyRelease(table, Qt.Key.Key_Control)
    assert table.selected()


def test_details_follow_what_happens_to_the_connection(world: World, qtbot: QtBot) -> None:
    number = world.open("a.example:1", Stage.CONNECTING)
    world.look()
    world.click(qtbot, number)
    body = world.page.inspector.detail.body
    body.set_columns(3)
    assert walk(world).last is Stage.CONNECTING
    world.engine.move(number, Stage.STREAM)
    world.engine.carry(number, up=100, down=5000, blocked=True)
    world.look()
    world.look(1)
    assert walk(world).last is Stage.STREAM
    assert body.streams.down.note == "Program not reading"
    assert "Down blocked" in body.events.texts()[-1]
    world.engine.end(number, Reason.SERVER_RESET)
    world.look()
    assert walk(world).reason == "Server reset"
    assert world.page.inspector.detail.end.isHidden()


def test_details_stay_with_a_connection_whose_row_goes(world: World, qtbot: QtBot) -> None:
    first, second, third = (world.open(f"{name}.example:1") for name in "abc")
    world.page.scope.chosen.emit("active")
    world.look()
    world.click(qtbot, second)
    world.engine.end(second, Reason.SERVER_RESET)
    world.look()
    assert world.shown() == [third, first]
    detail = world.page.inspector.detail
    assert detail.one is not None
    assert detail.one.id == second
    assert walk(world).reason == "Server reset"
    world.page.filter.setText("c.example")
    world.look()
    assert detail.one.id == second
    world.click(qtbot, third)
    assert detail.one.id == third


def test_a_pause_holds_details_and_bars_too(world: World, qtbot: QtBot) -> None:
    number = world.open("a.example:1")
    world.look()
    world.click(qtbot, number)
    qtbot.mouseClick(world.page.pause, LEFT)
    before, scale = world.page.inspector.detail.body.diagram.accessibleName(), world.page.table._painter.scale
    world.engine.end(number)
    world.look(5)
    assert world.page.inspector.detail.body.diagram.accessibleName() == before
    assert world.page.table._painter.scale == scale
    assert scale.length == 15
    world.page.picture.strip.brush.choose(scale.end - 5, scale.end, scale.end)
    world.page.picture.strip.brushed.emit()
    assert world.page.table._painter.scale.start == scale.end - 5
    qtbot.mouseClick(world.page.pause, LEFT)
    assert "Finished" in world.page.inspector.detail.body.diagram.accessibleName()


def test_actions_of_details_leave_the_page(world: World, qtbot: QtBot) -> None:
    number = world.open("a.example:1")
    world.look()
    world.click(qtbot, number)
    detail, left = world.page.inspector.detail, list[object]()
    world.page.closed.connect(left.append)
    world.page.ruled.connect(lambda host, route: left.append((host, str(route))))
    world.page.acted.connect(lambda action, one: left.append((action, one)))
    world.page.curl.connect(lambda one: left.append(one.id))
    assert detail.copy.isHidden()
    world.page.offer_files()
    world.page.inspector.finding = lambda _: SimpleNamespace(severity="warn", action="test-server")
    world.page.inspector.wording = lambda _: ("Fact.", "Numbers.", "Do it")
    world.look()
    for button in (detail.end, detail.rule, detail.copy, detail.banner.action):
        button.click()
    assert left == [[number], ("a.example", "direct"), number, ("test-server", number)]


def test_the_table_keeps_five_rows_in_the_smallest_window(presenter: Presenter, qtbot: QtBot) -> None:
    window, page = presenter.window, presenter.connections
    window.open_page("connections")
    window.resize(900, 600)
    page.look()
    one = page.model.rows[3]
    page.select(one.id)
    page.inspector.open(one)
    qtbot.waitUntil(page.inspector.detail.isVisible)
    assert page.table.viewport().height() >= 5 * ROW_HEIGHT
    assert page.inspector.detail.height() >= 96
    assert window.height() == 600
    window.resize(1360, 860)
    qtbot.waitUntil(lambda: page.inspector.detail.height() == 286)
    assert page.inspector.detail in page.panes()


# ---- bars in the table


def test_bars_from_zero_are_chosen_in_the_head_and_remembered(world: World) -> None:
    world.open()
    world.look()
    menu = world.page.table.head.columns_menu(QMenu(world.page))
    actions = {action.text(): action for action in menu.actions() if isinstance(action, QAction)}
    assert actions["Bars by the clock"].isChecked()
    actions["Bars from zero"].trigger()
    assert world.page.table._painter.scale == (0.0, 15.0, True)
    kept = world.page.state({})
    assert kept["bars"] == "zero"
    world.page.table.head.begin_at_zero(False)
    world.page.restore(kept)
    world.look()
    assert world.page.table._painter.scale.aligned


def test_the_key_opens_the_times_of_the_current_row(world: World, qtbot: QtBot) -> None:
    number = world.open()
    world.look()
    world.page.table.setFocus()
    qtbot.waitUntil(world.page.table.hasFocus)
    world.page.select(number)
    popover = world.page.picture.pointing.popover
    qtbot.keyClick(world.page.table, Qt.Key.Key_I)
    assert not popover.isHidden()
    before = popover.lines()[-1]
    world.look(2)
    assert popover.lines()[-1] != before
    world.click(qtbot, number)
    assert popover.isHidden()
    assert is_open(world)


def test_a_bar_has_words_for_who_listens(world: World) -> None:
    world.open()
    world.look(3)
    model = world.page.model
    said = model.data(model.index(0, Column.WATERFALL), Qt.ItemDataRole.AccessibleTextRole)
    assert said == "Nothing sent 3.0 s"


def test_rows_that_are_painted_at_once_look_as_cell_by_cell(world: World) -> None:
    for stage in (Stage.INIT, Stage.DNS, Stage.CONNECTING, Stage.STREAM):
        world.open(stage=stage)
    world.engine.end(world.open(), Reason.CONNECT_TIMEOUT)
    world.look(3)
    table, model = world.page.table, world.page.model
    table.selectRow(1)
    at_once = table.viewport().grab().toImage()
    by_cells = QImage(at_once.size(), at_once.format())
    by_cells.fill(at_once.pixelColor(5, at_once.height() - 5))
    with QPainter(by_cells) as painter:
        for row in range(model.rowCount()):
            for column in Column:
                option = QStyleOptionViewItem()
                option.rect = table.visualRect(model.index(row, column))
                state = QStyle.StateFlag.State_Selected if row == 1 else QStyle.StateFlag.State_None
                option.state = state
                if not option.rect.isEmpty():
                    table.itemDelegate().paint(painter, option, model.index(row, column))
    assert at_once == by_cells


def test_everything_follows_a_switch_of_the_theme(application: QApplication, world: World, qtbot: QtBot) -> None:
    chosen = Theme(application)
    chosen.choose("light")
    number = world.open("a.example:1", Stage.CONNECTING)
    world.look(6)
    world.click(qtbot, number)
    page = world.page
    try:
        for name, tokens in (("dark", DARK), ("light", LIGHT)):
            chosen.choose(name)
            inked = {part: _colors(part) for part in (page.picture.strip, page.table.viewport(), page.inspector.detail)}
            assert tokens.side.lower() in inked[page.picture.strip]
            assert tokens.s_conn.lower() in inked[page.table.viewport()]
            assert {tokens.bg.lower(), tokens.s_conn.lower()} <= inked[page.inspector.detail]
            other = LIGHT if tokens is DARK else DARK
            assert not any({other.s_conn.lower(), other.side.lower()} & colors for colors in inked.values())
    finally:
        chosen.choose("light")
        chosen.setParent(None)


def _colors(widget: QWidget) -> set[str]:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return {f"#{pixel & 0xFFFFFF:06x}" for pixel in set(memoryview(image.constBits()).cast("B").cast("I"))}
