"""The page of connections as a person uses it."""

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from ssgui.gui.connections.columns import Column
from ssgui.gui.connections.page import ConnectionsPage
from ssgui.services.connections.records import Connections
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


def test_without_connections_it_says_what_to_do(qtbot: QtBot) -> None:
    page = ConnectionsPage(Connections(sample.StillEngine()), lambda: 0.0)
    qtbot.addWidget(page)
    page.show()
    page.look()
    assert not page.table.isVisible()
    assert not page.close_filtered.isEnabled()
