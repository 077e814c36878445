"""The field that filters connections, typed into as a person does."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from ssgui.engine.stages import Reason, Stage
from ssgui.gui import theme
from ssgui.services.connections import filtering as connection_filter
from tests.support.live_page import LEFT, LivePage
from tests.support.screens import translated


@pytest.fixture
def live(application: QApplication, tmp_path: Path) -> Iterator[LivePage]:
    made = LivePage(tmp_path)
    made.open(3, host="alpha")
    made.open(2, host="beta", stage=Stage.CONNECTING)
    made.engine.end(made.open(1, host="gamma")[0], Reason.CONNECT_TIMEOUT)
    made.step()
    QTest.keyClick(made.window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    yield made
    made.close()


def write(live: LivePage, text: str) -> None:
    """In place of what stands there."""
    live.page.filter.selectAll()
    QTest.keyClicks(live.page.filter, text)
    live.settle()


def test_every_letter_filters_and_what_is_not_finished_is_not_wrong(live: LivePage) -> None:
    assert live.page.filter.hasFocus()
    seen = {}
    for letter in "stage:conn -beta-4":
        QTest.keyClicks(live.page.filter, letter)
        assert live.page.filter.error is None
        seen[live.page.filter.text()] = len(live.numbers())
    assert seen["stage"] == 0  # a word like others, which nothing has
    assert seen["stage:"] == 6  # of what?
    assert [seen["stage:c"], seen["stage:conn"], seen["stage:conn -"], seen["stage:conn -beta-4"]] == [3, 2, 2, 1]


def test_a_mistake_is_told_at_once_and_the_last_good_filter_stays(live: LivePage) -> None:
    field = live.page.filter
    write(live, "stage:connecting")
    assert len(live.numbers()) == 2
    QTest.keyClicks(field, " stage:")
    assert field.error is None
    QTest.keyClicks(field, "x")
    assert len(live.numbers()) == 2
    assert (field.toolTip(), field.accessibleDescription()) == ("there is no stage x",) * 2
    assert field.property("wrong") == "true"
    image = field.grab().toImage()
    red = QColor(theme.current().err)
    line = [x for x in range(image.width()) if image.pixelColor(x, image.height() - 7) == red]
    assert line, "what is wrong is underlined"
    live.open(1, host="beta", stage=Stage.CONNECTING)
    live.step()
    assert len(live.numbers()) == 3  # it is in force
    QTest.keyClick(field, Qt.Key.Key_Backspace)
    assert field.error is None
    assert (field.toolTip(), field.property("wrong")) == ("", "false")


def test_escape_clears_and_then_leaves(live: LivePage) -> None:
    write(live, "nothing like this")
    assert not live.numbers()
    assert not live.table.isVisible()
    QTest.keyClick(live.page.filter, Qt.Key.Key_Escape)
    assert (live.page.filter.text(), len(live.numbers())) == ("", 6)
    assert live.page.filter.hasFocus()
    QTest.keyClick(live.page.filter, Qt.Key.Key_Escape)
    assert live.table.hasFocus()
    QTest.keyClick(live.table, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(live.page.filter, "alpha")
    QTest.keyClick(live.page.filter, Qt.Key.Key_Return)
    assert live.table.hasFocus()
    QTest.keyClick(live.table, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(live.page.filter, "b")  # what stood there was selected
    assert live.page.filter.text() == "b"


def test_an_expression_that_takes_too_long_is_refused_and_the_filter_before_stays(
    live: LivePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(live, "alpha")
    monkeypatch.setattr(connection_filter, "MOST_SECONDS", 0.0)
    write(live, "/bet./")
    assert live.page.filter.error is not None
    assert ["alpha" in one.target for one in live.model.rows] == [True] * 3
    assert live.page.filter.property("wrong") == "true"
    live.step()
    monkeypatch.undo()
    write(live, "/bet./")
    assert len(live.numbers()) == 2


def test_the_words_that_the_table_shows_filter_it(application: QApplication, tmp_path: Path) -> None:
    translator = translated(application, "zh_CN")
    live = LivePage(tmp_path)
    try:
        live.open(2)
        live.open(1, stage=Stage.CONNECTING)
        live.engine.end(live.open(1)[0], Reason.CONNECT_TIMEOUT)
        live.step()
        texts = {
            "连接中": 1, "stage\N{FULLWIDTH COLON}连接中": 1, "连接超时": 1, "reason:连接超时": 1, "-传输": 2,
        }  # fmt: skip
        for text, count in texts.items():
            live.page.filter.setText(text)
            assert (text, len(live.numbers())) == (text, count)
    finally:
        live.close()
        application.removeTranslator(translator)


def test_what_an_empty_table_says_clears_the_filter_and_the_window_of_time(live: LivePage) -> None:
    write(live, "alpha")
    live.page.set_window(live.engine.now - 900, live.engine.now - 800)
    assert not live.numbers()
    QTest.mouseClick(live.page._empty._button, LEFT)
    assert (live.page.filter.text(), len(live.numbers())) == ("", 6)


def test_a_window_of_time_shows_what_lived_in_it(live: LivePage) -> None:
    begun = live.engine.now
    live.step(10)
    live.open(2, host="late")
    live.step(5)
    live.page.set_window(begun + 5, begun + 9)  # the one that ended was over, the late ones had not begun
    assert [one.target[:4] for one in live.model.rows] == ["beta", "beta", "alph", "alph", "alph"]
    live.page.set_window(begun + 5, None)
    assert len(live.numbers()) == 7
    live.page.set_window(None, begun)
    assert len(live.numbers()) == 6
    live.page.set_window(None, None)
    assert len(live.numbers()) == 8
