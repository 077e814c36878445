"""The page of connections as a person uses it."""

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from ssgui.engine.stages import Stage
from ssgui.gui.connections.columns import Column
from ssgui.gui.connections.page import ConnectionsPage
from ssgui.services.connections import Connection, Connections
from tests.support import sample


@pytest.fixture
def page(qtbot: QtBot) -> ConnectionsPage:
    made = ConnectionsPage(sample.connections(), lambda: sample.NOW)
    qtbot.addWidget(made)
    made.resize(1000, 600)
    made.show()
    return made


def targets(page: ConnectionsPage) -> list[str]:
    model = page.model
    return [model.data(model.index(row, Column.TARGET)) for row in range(model.rowCount())]


def test_every_state_has_its_word(page: ConnectionsPage) -> None:
    model = page.model
    words = {model.data(model.index(row, Column.STAGE)) for row in range(model.rowCount())}
    assert words == {
        "Greeting", "Request", "Resolving", "Connecting", "Waiting", "Streaming", "UDP",
        "Timed out", "Finished", "No answer", "DNS failed", "Server reset",
    }  # fmt: skip
    row = next(row for row, one in enumerate(model.rows) if one.id == 35)
    assert model.data(model.index(row, Column.DOWN_FLAGS)) == "W"
    sentence = model.data(model.index(row, Column.STAGE), Qt.ItemDataRole.AccessibleTextRole)
    assert sentence == "Streaming, objects.githubusercontent.com port 443, rule gfwlist, down blocked, 9.4 s"
    hint = model.data(model.index(row, Column.STAGE), Qt.ItemDataRole.ToolTipRole)
    assert hint == "STREAM"


def test_scopes_filter_and_what_an_empty_table_says(page: ConnectionsPage, qtbot: QtBot) -> None:
    page.scope.chosen.emit("closed")
    assert all(not one.live for one in page.model.rows)
    page.scope.chosen.emit("active")
    assert all(one.live for one in page.model.rows)
    page.scope.chosen.emit("all")
    qtbot.keyClicks(page.filter, "gfwlist -google finished")
    assert targets(page) == ["fonts.gstatic.com:443"]
    qtbot.keyClicks(page.filter, " nothing")
    assert page.model.rowCount() == 0
    assert not page.table.isVisible()
    page.filter.clear()
    assert page.table.isVisible()
    assert page.model.rowCount() == 15


def test_a_click_on_a_head_sorts_and_new_rows_do_not_disturb(page: ConnectionsPage) -> None:
    page.table.horizontalHeader().sectionClicked.emit(Column.TARGET)
    shown = targets(page)
    assert shown == sorted(shown, key=lambda text: "" if text == "\N{EM DASH}" else text.casefold())
    page.select(35)
    new = Connection(99, 99, "socks5", "127.0.0.1:9", sample.NOW, stage=Stage.ADDR)
    page._connections.live[99] = new
    page._connections.version += 1
    page.look()
    assert page.model.rows[0] is new
    assert [one.id for one in page.selected()] == [35]
    page.table.horizontalHeader().sectionClicked.emit(Column.TARGET)
    page.table.horizontalHeader().sectionClicked.emit(Column.TARGET)
    assert [one.id for one in page.model.rows] == sorted((one.id for one in page.model.rows), reverse=True)


def test_pause_freezes_the_picture(page: ConnectionsPage, qtbot: QtBot) -> None:
    qtbot.mouseClick(page.pause, Qt.MouseButton.LeftButton)
    before = targets(page)
    page._connections.live[99] = Connection(99, 99, "http", "127.0.0.1:9", sample.NOW)
    page._connections.version += 1
    page.look()
    assert targets(page) == before
    assert page.pause.text() == "Paused · 1 newer"
    qtbot.mouseClick(page.pause, Qt.MouseButton.LeftButton)
    assert page.model.rows[0].id == 99


def test_closing_one_and_all_that_are_shown(page: ConnectionsPage, qtbot: QtBot) -> None:
    asked: list[list[int]] = []
    page.closed.connect(asked.append)
    page.select(36)
    page.activateWindow()
    page.table.setFocus()
    qtbot.waitUntil(page.table.hasFocus)
    qtbot.keyClick(page.table, Qt.Key.Key_Delete)
    page.filter.setText("wikipedia")
    qtbot.mouseClick(page.close_filtered, Qt.MouseButton.LeftButton)
    assert asked == [[36], [34]]


def test_without_connections_it_says_what_to_do(qtbot: QtBot) -> None:
    page = ConnectionsPage(Connections(sample.StillEngine()), lambda: 0.0)
    qtbot.addWidget(page)
    page.show()
    page.look()
    assert not page.table.isVisible()
    assert not page.close_filtered.isEnabled()
