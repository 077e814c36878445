"""The columns of the connections' table: hidden, moved, made wider, remembered, and always as wide as the table."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from ssgui.gui.connections.column_state import NARROWEST, WIDEST, ColumnState, read_state, write_state
from ssgui.gui.connections.columns import Column, names
from ssgui.gui.connections.head import HEAD_HEIGHT
from ssgui.gui.window_state import restore, state_of
from tests.support.live_page import LEFT, LivePage

FIRST = [
    Column.STAGE, Column.UP_FLAGS, Column.DOWN_FLAGS, Column.TARGET, Column.RULE, Column.PROGRAM, Column.DOWN_RATE,
    Column.UP_RATE, Column.AGE, Column.WATERFALL,
]  # fmt: skip


@pytest.fixture
def live(application: QApplication, tmp_path: Path) -> Iterator[LivePage]:
    made = LivePage(tmp_path)
    made.open(40)
    made.step()
    yield made
    made.close()


def open_menu() -> QMenu:
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def choose(live: LivePage, *names: str) -> None:
    """In the menu of columns, which a click opens anew for each."""
    for name in names:
        QTest.mouseClick(live.page.toolbar.columns, LEFT)
        live.settle()
        menu = open_menu()
        (action,) = [one for one in menu.actions() if one.text() == name]
        QTest.mouseClick(menu, LEFT, Qt.KeyboardModifier.NoModifier, menu.actionGeometry(action).center())
        live.settle()


def edge(live: LivePage, column: Column) -> int:
    head = live.table.head
    return head.sectionViewportPosition(column) + head.sectionSize(column)


def width(live: LivePage) -> int:
    return sum(live.table.head.sectionSize(column) for column in live.shown_columns())


def test_columns_come_as_the_design_says_and_the_menu_shows_and_hides_them(live: LivePage) -> None:
    assert live.shown_columns() == FIRST
    choose(live, "Server", "Reason", "Rule")
    assert live.shown_columns() == [
        *FIRST[:4], Column.SERVER, Column.PROGRAM, Column.DOWN_RATE, Column.UP_RATE, Column.AGE, Column.REASON,
        Column.WATERFALL,
    ]  # fmt: skip
    choose(live, "Target")  # a table without it could not be understood: nothing happens
    assert Column.TARGET in live.shown_columns()
    open_menu().close()
    choose(live, "Reset columns")
    assert live.shown_columns() == FIRST


def test_the_head_has_the_menu_too(live: LivePage) -> None:
    at = QPoint(400, HEAD_HEIGHT // 2)
    live.table.head.customContextMenuRequested.emit(at)
    live.settle()
    menu = open_menu()
    checked = [one.text() for one in menu.actions() if one.isChecked()]
    assert checked[: len(FIRST)] == [names()[column] for column in FIRST]
    menu.close()


def test_a_column_is_dragged_to_another_place_and_to_another_width(live: LivePage) -> None:
    head = live.table.head
    live.drag_head(edge(live, Column.AGE) - 20, head.sectionViewportPosition(Column.TARGET) + 5)
    assert live.shown_columns()[3] is Column.AGE
    assert live.numbers() == sorted(live.numbers(), reverse=True)  # a drag is no click
    before = head.sectionSize(Column.STAGE)
    live.drag_head(edge(live, Column.STAGE) - 1, edge(live, Column.STAGE) + 29)
    assert head.sectionSize(Column.STAGE) == before + 30
    assert width(live) == live.table.viewport().width()


def test_what_was_done_to_the_columns_is_there_after_a_restart(live: LivePage, tmp_path: Path) -> None:
    choose(live, "Server", "Program")
    live.drag_head(edge(live, Column.AGE) - 20, live.table.head.sectionViewportPosition(Column.TARGET) + 5)
    live.drag_head(edge(live, Column.STAGE) - 1, edge(live, Column.STAGE) + 29)
    live.click_head(Column.TARGET)
    live.click_head(Column.TARGET)
    kept = state_of(live.window, {"another page": 1, "connections": {"of a newer version": [1]}})
    assert kept["another page"] == 1
    assert kept["connections"]["of a newer version"] == [1]
    other = LivePage(tmp_path / "other")
    try:
        restore(other.window, kept)
        other.window.resize(live.window.size())  # the screen may be too small for it
        other.open(40)
        other.step()
        other.step(3)
        assert other.shown_columns() == live.shown_columns()
        sizes = [live.table.head.sectionSize(column) for column in live.shown_columns()]
        assert [other.table.head.sectionSize(column) for column in other.shown_columns()] == sizes
        texts = other.texts(Column.TARGET)
        assert texts == sorted(texts, reverse=True)
        assert other.table.head.sortIndicatorSection() == Column.TARGET
        assert other.page.state(kept["connections"]) == kept["connections"]
    finally:
        other.close()


def test_columns_of_a_newer_version_are_left_where_they_are() -> None:
    keys = [column.key for column in Column]
    newer = [*keys[:3], "colour", *keys[4:], keys[3]]
    kept = {"order": newer, "widths": {"colour": 70, "age": 90}, "shown": {"colour": True}, "sort": ["colour", True]}
    state = read_state(kept)
    assert (state.widths, state.shown, state.sort) == ({Column.AGE: 90}, {}, None)
    assert [column.key for column in state.order] == [key for key in newer if key != "colour"]
    again = write_state(state, kept)
    assert again == {key: value for key, value in kept.items() if key != "sort"}


def test_columns_that_an_older_version_did_not_have_come_after_their_neighbour() -> None:
    state = read_state({"order": ["age", "stage", "target", "waterfall"]})
    assert state.order.index(Column.RULE) == state.order.index(Column.TARGET) + 1
    assert sorted(state.order) == sorted(Column)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([one.key for one in Column]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([one.key for one in Column]) | st.text(), inner),
    max_leaves=12,
)


@given(ANY | st.fixed_dictionaries({}, optional=dict.fromkeys(("order", "widths", "shown", "sort"), ANY)))
def test_settings_that_anybody_may_have_edited_are_read_as_far_as_they_go(data: Any) -> None:
    state = read_state(data)
    assert not state.order or sorted(state.order) == sorted(Column)
    assert all(NARROWEST <= pixels <= WIDEST for pixels in state.widths.values())
    written = write_state(state, data)
    assert read_state(written) == state
    assert write_state(read_state(written), written) == written


def test_bad_settings_leave_a_table_that_can_be_used(live: LivePage) -> None:
    nothing = {column.key: False for column in Column}
    live.page.restore({"shown": nothing, "widths": {"target": -5, "waterfall": 10**9}, "order": ["age", 7, "age"]})
    assert live.shown_columns() == [Column.TARGET]
    assert width(live) == live.table.viewport().width()
    useless: list[object] = [None, [], {"order": 5, "widths": [], "shown": "yes", "sort": [1, 2, 3]}]
    for broken in useless:
        live.page.restore(broken)
        assert live.shown_columns() == FIRST


@pytest.mark.parametrize("pixels", [900, 1000, 1099, 1100, 1140, 1200, 1276, 1360, 1920])
def test_the_columns_fill_the_table_and_no_more(live: LivePage, pixels: int) -> None:
    live.window.resize(pixels, 700)
    live.settle()
    narrow = pixels < 1100
    assert (Column.RULE in live.shown_columns()) is not narrow
    assert (Column.PROGRAM in live.shown_columns()) is not narrow
    assert live.page.close_filtered.isVisible() is not narrow
    assert live.page.toolbar.more.isVisible() is narrow
    assert width(live) == live.table.viewport().width()
    assert not live.table.horizontalScrollBar().isVisible()
    assert live.table.head.sectionSize(Column.WATERFALL) >= 180
    assert live.table.head.sectionSize(Column.TARGET) >= 112


def test_a_narrow_window_hides_and_shows_again_what_a_person_has_not_touched(live: LivePage) -> None:
    choose(live, "Program")  # off
    live.window.resize(950, 700)
    live.settle()
    assert Column.RULE not in live.shown_columns()
    choose(live, "Rule")  # on, though it is narrow
    assert Column.RULE in live.shown_columns()
    live.window.resize(1280, 700)
    live.settle()
    assert Column.RULE in live.shown_columns()
    assert Column.PROGRAM not in live.shown_columns()


def test_without_the_waterfall_the_target_takes_the_room(live: LivePage) -> None:
    choose(live, "Waterfall")
    assert width(live) == live.table.viewport().width()
    assert live.table.head.sectionSize(Column.TARGET) > 350
    assert live.table.head.state_of_columns == ColumnState(shown={Column.WATERFALL: False})


def test_the_columns_fill_the_table_when_there_is_nothing_to_scroll_any_more(live: LivePage) -> None:
    assert live.table.verticalScrollBar().isVisible()
    live.page.filter.setText("host-7")
    live.settle()
    assert not live.table.verticalScrollBar().isVisible()
    assert width(live) == live.table.viewport().width() == live.table.width() - 2 * live.table.frameWidth()
