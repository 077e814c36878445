"""The table of connections holds still: what somebody looks at stays where it is, and the rest catches up."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from ssgui.engine.stages import Stage
from ssgui.gui.connections.columns import Column
from ssgui.gui.connections.delegate import ROW_HEIGHT
from tests.support.live_page import LEFT, LivePage


@pytest.fixture
def live(application: QApplication, tmp_path: Path) -> Iterator[LivePage]:
    made = LivePage(tmp_path)
    made.open(60)
    made.step()
    made.point_away()
    made.step(3)
    yield made
    made.close()


def newer(live: LivePage) -> str:
    return live.table.newer.text() if live.table.newer.isVisible() else ""


def test_who_looks_at_the_top_sees_what_is_new(live: LivePage) -> None:
    for _ in range(3):
        live.open(2)
        live.step()
        assert live.place_of(live.engine.last) == 0
        assert newer(live) == ""


def test_the_row_under_the_pointer_stays_there_until_the_pointer_is_gone_for_a_while(live: LivePage) -> None:
    live.point_at(57)
    place = live.place_of(57)
    for count in (2, 4, 6):
        live.open(2)
        live.step()
        assert live.place_of(57) == place
        assert newer(live) == f"{count} newer"
    live.page.scope.chosen.emit("active")
    live.point_at(57)
    place = live.place_of(57)
    live.open(5)
    live.step()
    for number in (66, 58, 50):  # above and below it
        live.engine.end(number)
    live.open(1)
    live.step()
    assert live.place_of(57) == place
    live.point_away()
    live.step(1.0)
    assert live.place_of(57) == place
    live.step(1.1)
    assert live.place_of(live.engine.last) == 0
    assert newer(live) == ""


def test_a_selected_row_that_is_seen_stays_there(live: LivePage) -> None:
    live.click(58)  # its details open, and the table has less room
    live.point_away()
    live.settle()
    place = live.place_of(58)
    for _ in range(4):
        live.open(1)
        live.step(2.5)
        assert live.place_of(58) == place
        assert [one.id for one in live.page.selected()] == [58]
    assert newer(live) == "4 newer"
    QTest.mouseClick(live.table.newer, LEFT)
    assert live.place_of(live.engine.last) == 0
    assert newer(live) == ""
    live.open(1)
    live.step(2.5)
    assert live.place_of(58) == place + 4 * ROW_HEIGHT  # it is still seen, further down


def test_a_selected_row_that_is_not_seen_does_not_hold_the_others(live: LivePage) -> None:
    live.click(58)
    live.point_away()
    live.open(40)
    live.step()
    live.turn_wheel(-100)
    live.point_away()
    live.open(3)
    live.step(2.5)
    assert live.place_of(live.engine.last) == 0
    assert [one.id for one in live.page.selected()] == [58]


def test_escape_lets_go_of_the_selection(live: LivePage) -> None:
    live.click(58)
    live.open(3)
    live.step()
    live.point_away()
    QTest.keyClick(live.table, Qt.Key.Key_Escape)
    assert not live.page.inspector.is_open
    assert live.page.selected()
    QTest.keyClick(live.table, Qt.Key.Key_Escape)
    assert not live.page.selected()
    live.step(2.5)
    assert live.place_of(live.engine.last) == 0


def test_further_down_rows_stay_where_they_are_whatever_comes_and_goes(live: LivePage) -> None:
    live.drag_bar(10 * ROW_HEIGHT + 7)
    live.point_away()
    live.step(3)
    first = live.numbers()[10]
    assert live.place_of(first) == -7
    live.page.scope.chosen.emit("active")
    live.drag_bar(10 * ROW_HEIGHT + 7)
    live.open(25)
    for number in (55, 56):
        live.engine.end(number)
    live.step(3)
    assert live.place_of(first) == -7
    live.engine.end(first)
    following = live.numbers()[live.model.row_of(first) + 1]
    live.step(3)
    assert live.place_of(following) == ROW_HEIGHT - 7
    assert newer(live) == ""  # who is further down knows it


def test_when_there_is_nothing_to_scroll_any_more_somebody_looks_at_the_top(live: LivePage) -> None:
    live.page.scope.chosen.emit("active")
    live.drag_bar(20 * ROW_HEIGHT)
    live.point_away()
    for number in live.numbers()[3:]:
        live.engine.end(number)
    live.step(3)
    assert live.place_of(60) == 0
    live.open(60)
    live.step(3)
    assert live.place_of(live.engine.last) == 0


def test_rows_that_go_do_not_make_it_forget_that_somebody_looks_at_the_top(live: LivePage) -> None:
    live.page.scope.chosen.emit("active")
    live.point_at(58)
    live.open(20)
    live.step()
    assert newer(live) == "20 newer"
    for number in range(1, 58):  # so few are left that the last one would be further down
        live.engine.end(number)
    live.step()
    live.point_away()
    live.open(40)
    live.step(3)
    assert live.place_of(live.engine.last) == 0


def test_a_menu_that_is_open_holds_the_rows(live: LivePage) -> None:
    menu = live.page.row_menu(live.model.rows[3], live.table.mapToGlobal(live.table.rect().center()))
    live.settle()
    place = live.place_of(57)
    live.open(5)
    live.step(3)
    assert live.place_of(57) == place
    menu.close()
    live.settle()


def test_an_order_is_made_again_after_two_seconds_without_a_pointer(live: LivePage) -> None:
    live.click_head(Column.DOWN_RATE)
    live.engine.carry(7, 10, 5000)
    live.point_away()
    live.step(1.5)
    assert live.numbers()[0] != 7  # the click is not old enough
    live.engine.carry(7, 10, 5000)
    live.step(0.6)
    assert live.numbers()[0] == 7
    live.point_at(7)
    live.engine.carry(9, 10, 90_000)
    live.step(5)
    live.engine.carry(9, 10, 90_000)
    live.step(0.2)
    assert live.numbers()[0] == 7  # a hand is on it
    live.point_away()
    for _ in range(6):
        live.engine.carry(9, 10, 90_000)
        live.step(0.3)
        assert live.numbers()[0] == 7
    live.engine.carry(9, 10, 90_000)
    live.step(0.3)
    assert live.numbers()[:2] == [9, 60]


def test_the_heads_are_clicked_down_up_and_back(live: LivePage) -> None:
    head = live.table.head
    live.click_head(Column.TARGET)
    texts = live.texts(Column.TARGET)
    assert texts == sorted(texts)
    assert (head.isSortIndicatorShown(), head.sortIndicatorSection()) == (True, Column.TARGET)
    live.click_head(Column.TARGET)
    assert live.texts(Column.TARGET) == texts[::-1]
    live.click_head(Column.TARGET)
    assert live.numbers() == sorted(live.numbers(), reverse=True)
    assert not head.isSortIndicatorShown()
    live.engine.now += 9
    live.open(1)
    live.step()
    live.click_head(Column.AGE)  # numbers begin with the most
    assert live.numbers()[-1] == live.engine.last


def test_another_choice_begins_at_the_top_unless_a_row_is_selected(live: LivePage) -> None:
    live.open(20, host="other")
    live.step()
    live.turn_wheel(8)
    assert live.table.verticalScrollBar().value() > 0
    QTest.keyClicks(live.page.filter, "host")
    assert live.table.verticalScrollBar().value() == 0
    live.click(50)
    live.page.filter.clear()
    assert 0 <= live.place_of(50) < live.table.viewport().height()
    assert [one.id for one in live.page.selected()] == [50]


def test_a_paused_picture_is_frozen_to_the_last_figure(live: LivePage) -> None:
    live.engine.carry(60, 100, 70_000)
    live.step()
    live.click(60)
    QTest.keyClick(live.table, Qt.Key.Key_Space)
    assert live.page.paused
    live.point_away()
    columns = list(Column)
    before, picture = [live.texts(column) for column in columns], live.table.viewport().grab().toImage()
    for _ in range(5):
        live.engine.carry(60, 1000, 700_000, blocked=True)
        live.engine.move(live.open(1, stage=Stage.CONNECTING)[0], Stage.STREAM)
        live.engine.end(59 - _)
        live.step(1.0)
    assert [live.texts(column) for column in columns] == before
    assert live.table.viewport().grab().toImage() == picture
    assert live.page.pause.text() == "Paused · 5 newer"
    QTest.mouseClick(live.page.pause, LEFT)
    assert live.numbers()[0] == live.engine.last
    assert [live.texts(column) for column in columns] != before


def test_while_paused_a_filter_chooses_among_what_was(live: LivePage) -> None:
    live.page.pause.click()
    live.open(3, host="later")
    live.step()
    QTest.keyClicks(live.page.filter, "later")
    assert not live.numbers()
    live.page.pause.click()
    assert len(live.numbers()) == 3
