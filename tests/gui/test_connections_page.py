"""The table of connections: the model against a plain list, and the page as a person uses it."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from ssgui.engine.stages import Reason, Stage, StreamStatus
from ssgui.gui.connections.model import Column, ConnectionsModel, Scope
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
    page.look()
    assert targets(page) == before
    assert "1 newer" in page.pause.toolTip()
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


_STEP = st.tuples(
    st.sampled_from(["open", "end", "drop", "sort", "filter", "scope", "flag"]), st.integers(0, 40), st.integers(0, 8)
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_STEP, max_size=60))
def test_the_model_against_a_plain_list(qapp: object, steps: list[tuple[str, int, int]]) -> None:
    rows = Connections(sample.StillEngine(), lambda: 0.0)
    model = ConnectionsModel(rows, lambda: 0.0)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    kept: list[tuple[QPersistentModelIndex, int]] = []
    actions: dict[str, Callable[[int, int], object]] = {
        "open": lambda number, _: (
            rows.ended.get(number)  # a number is never given twice
            or rows.live.setdefault(
                number, Connection(number, number, "socks5", "c", 0.0, target=f"host-{number % 5}:1")
            )
        ),
        "end": lambda number, _: _end(rows, number),
        "drop": lambda number, _: rows.ended.pop(number, None),
        "sort": lambda number, column: model.sort(column if number % 4 else -1, Qt.SortOrder(number % 2)),
        "filter": lambda number, _: model.set_filter("" if number % 3 else f"host-{number % 5}"),
        "scope": lambda number, _: model.set_scope(Scope(number % 3)),
        "flag": lambda number, _: _flag(rows, number),
    }
    for what, number, column in steps:
        actions[what](number, column)
        model.look()
        shown = [one.id for one in model.rows]
        assert len(set(shown)) == len(shown)
        wanted = {one.id for one in model._wanted()}
        assert set(shown) == wanted
        assert all(index.row() == shown.index(one) for index, one in kept if index.isValid() and one in wanted)
        kept = [(QPersistentModelIndex(model.index(row, 0)), one) for row, one in enumerate(shown)]
    del tester


def _end(rows: Connections, number: int) -> None:
    if (one := rows.live.pop(number, None)) is not None:
        one.ended, one.reason, one.stage = 1.0, Reason.FINISHED, Stage.DESTROYED
        rows.ended[number] = one


def _flag(rows: Connections, number: int) -> None:
    if number in rows.live:
        rows.live[number].up_status = StreamStatus.WRITING
