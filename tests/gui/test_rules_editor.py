"""The editor of a person's own rules, through keys and what is painted."""

import statistics
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QToolTip
from pytestqt.qtbot import QtBot

from ssgui.gui.rules.editor import Note, RulesEditor
from ssgui.gui.rules.marks import Lines
from ssgui.gui.rules.visible_text import kept, shown
from ssgui.gui.theme import DARK, LIGHT, Theme
from ssgui.rules.acl import Problem
from ssgui.rules.reader import read_user_rules

Key, Modifier = Qt.Key, Qt.KeyboardModifier
FOUR = "||one.example\n||two.example\n||three.example\n||four.example"
WRONG = Problem(3, "||three.example", "not a host name")


@pytest.fixture
def editor(application: QApplication, qtbot: QtBot) -> Iterator[RulesEditor]:
    theme = Theme(application)
    theme.choose("light")
    made = RulesEditor()
    qtbot.addWidget(made)
    made.resize(600, 400)
    made.show()
    made.area.setFocus()
    yield made
    theme.setParent(None)


def put(editor: RulesEditor, line: int, column: int = 0) -> None:
    """The cursor, from 0."""
    cursor = editor.area.textCursor()
    cursor.setPosition(editor.area.document().findBlockByNumber(line).position() + column)
    editor.area.setTextCursor(cursor)


def wrong_lines(editor: RulesEditor) -> list[str]:
    """The text of the lines that are painted as wrong ones."""
    picture = editor.area.viewport().grab().toImage()
    right = picture.width() - 3
    return [
        row.block.text()
        for row in editor.area.rows(editor.area.viewport().rect())
        if picture.pixelColor(right, round((row.top + 2) * picture.devicePixelRatio())) == QColor(LIGHT.err_tint)
    ]


def has(picture: QImage, color: str) -> bool:
    wanted = QColor(color)
    return any(picture.pixelColor(x, y) == wanted for x in range(picture.width()) for y in range(picture.height()))


def test_typing_is_told_and_undone(editor: RulesEditor, qtbot: QtBot) -> None:
    editor.set_text("||example.com\n")
    with qtbot.waitSignal(editor.edited):
        qtbot.keyClicks(editor.area, "! mine")
    assert editor.is_modified()
    assert editor.text() == "! mine||example.com\n"
    with qtbot.waitSignal(editor.edited):
        qtbot.keyClick(editor.area, Key.Key_Z, Modifier.ControlModifier)
    assert not editor.is_modified()
    assert editor.text() == "||example.com\n"
    with qtbot.waitSignal(editor.edited):
        qtbot.keyClick(editor.area, Key.Key_Y, Modifier.ControlModifier)
    with qtbot.waitSignal(editor.edited):
        editor.set_text("||other.example")
    assert not editor.is_modified()
    qtbot.keyClick(editor.area, Key.Key_Z, Modifier.ControlModifier)
    assert editor.text() == "||other.example"


def test_the_text_is_told_once_when_typing_has_ended(editor: RulesEditor, qtbot: QtBot) -> None:
    told: list[str] = []
    editor.settled_text.connect(told.append)
    editor.set_text("a")
    with qtbot.waitSignal(editor.settled_text, timeout=3000):
        qtbot.keyClicks(editor.area, "bc")
    assert told == ["bca"]
    assert editor.is_modified()
    with qtbot.waitSignals([editor.settled_text, editor.edited], timeout=3000):
        qtbot.keyClick(editor.area, Key.Key_Backspace)  # not undone, but the same again
        qtbot.keyClick(editor.area, Key.Key_Backspace)
    assert told == ["bca", "a"]
    assert not editor.is_modified()


def split_first(editor: RulesEditor) -> None:
    put(editor, 0)
    QTest.keyClick(editor.area, Key.Key_Return)


def split_wrong(editor: RulesEditor) -> None:
    put(editor, 2, len("||three"))
    QTest.keyClick(editor.area, Key.Key_Return)


def push_down(editor: RulesEditor) -> None:
    put(editor, 2)
    QTest.keyClick(editor.area, Key.Key_Return)


def join_above(editor: RulesEditor) -> None:
    put(editor, 0, len("||one.example"))
    QTest.keyClick(editor.area, Key.Key_Delete)


def cut_above(editor: RulesEditor) -> None:
    put(editor, 0)
    QTest.keyClick(editor.area, Key.Key_Down, Modifier.ShiftModifier)
    QTest.keyClick(editor.area, Key.Key_X, Modifier.ControlModifier)


def cut_wrong(editor: RulesEditor) -> None:
    put(editor, 2)
    QTest.keyClick(editor.area, Key.Key_Down, Modifier.ShiftModifier)
    QTest.keyClick(editor.area, Key.Key_X, Modifier.ControlModifier)


def paste_above(editor: RulesEditor) -> None:
    put(editor, 1)
    QApplication.clipboard().setText("||a.example\n||b.example\n")
    QTest.keyClick(editor.area, Key.Key_V, Modifier.ControlModifier)


def undo_paste(editor: RulesEditor) -> None:
    paste_above(editor)
    QTest.keyClick(editor.area, Key.Key_Z, Modifier.ControlModifier)


@pytest.mark.parametrize(
    ("edit", "wrong"),
    [
        (split_first, ["||three.example"]), (split_wrong, ["||three"]), (push_down, ["||three.example"]),
        (join_above, ["||three.example"]), (cut_above, ["||three.example"]), (cut_wrong, []),
        (paste_above, ["||three.example"]), (undo_paste, ["||three.example"]),
    ],
)  # fmt: skip
def test_problems_stay_with_their_lines(
    editor: RulesEditor, edit: Callable[[RulesEditor], None], wrong: list[str]
) -> None:
    editor.set_text(FOUR)
    editor.show_problems((WRONG,))
    editor.show_notes({4: Note("hits", 7)})
    assert wrong_lines(editor) == ["||three.example"]
    edit(editor)
    assert wrong_lines(editor) == wrong
    lines = editor.area.whole().split("\n")
    assert [lines[at] for at in range(len(lines)) if editor.area.marks.note(at)] == ["||four.example"]


def test_problems_are_of_the_text_that_was_asked_for(editor: RulesEditor, qtbot: QtBot) -> None:
    """A check may take a moment, and a person goes on typing."""
    editor.set_text(FOUR)
    split_first(editor)
    assert editor.text().split("\n")[3] == "||three.example"
    split_first(editor)
    editor.show_problems((WRONG._replace(line=4),))
    assert wrong_lines(editor) == ["||three.example"]


EDITS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 4), st.integers(0, 4)), max_size=12)


@given(edits=EDITS)
def test_lines_know_where_they_were(edits: list[tuple[int, int, int]]) -> None:
    there: list[int | None] = list(range(12))
    lines = Lines()
    for first, removed, added in edits:
        first = min(first, len(there))
        removed = min(removed, len(there) - first)
        there[first : first + removed] = [None] * added
        lines = lines.replaced(first, removed, added)
    assert [lines.before(line) for line in range(len(there))] == there


def test_what_is_wrong_stands_under_the_line(editor: RulesEditor, qtbot: QtBot) -> None:
    editor.set_text(FOUR)
    before = editor.area.cursorRect().top()
    put(editor, 3)
    plain = editor.area.cursorRect().top()
    editor.show_problems((WRONG, WRONG._replace(why="and another thing")))
    room = editor.area.row_layout.sentence
    assert editor.area.cursorRect().top() == plain + room
    assert editor.text() == FOUR
    rows = list(editor.area.rows(editor.area.viewport().rect()))
    below = QRect(0, round(rows[3].top) - room, 400, room - 2)
    assert has(editor.area.viewport().grab(below).toImage(), LIGHT.err)
    gutter = editor.area.gutter.grab().toImage()
    assert gutter.pixelColor(1, round(rows[2].top + 1)) == QColor(LIGHT.err)
    assert gutter.pixelColor(1, round(rows[1].top + 1)) == QColor(LIGHT.side)
    at = QPoint(30, below.center().y())
    event = QHelpEvent(QHelpEvent.Type.ToolTip, at, editor.area.viewport().mapToGlobal(at))
    QApplication.sendEvent(editor.area.viewport(), event)
    assert QToolTip.text() == "Not a host name"
    assert editor.area.accessibleDescription() == ""
    qtbot.keyClick(editor.area, Key.Key_Up)
    assert editor.area.accessibleDescription() == "Not a host name"
    editor.show_problems(())
    put(editor, 3)
    assert editor.area.cursorRect().top() == plain
    assert before < plain


def test_the_sentence_of_the_line_that_is_written_is_seen(editor: RulesEditor) -> None:
    editor.set_text("\n".join(["||x.example"] * 100))
    seen = len(list(editor.area.rows(editor.area.viewport().rect())))
    put(editor, seen - 2)
    editor.show_problems((Problem(seen - 1, "||x.example", "not a host name"),))
    row = next(one for one in editor.area.rows(editor.area.viewport().rect()) if one.number == seen - 2)
    assert row.top + row.height <= editor.area.viewport().height()


def test_going_to_a_line_selects_and_shows_it(editor: RulesEditor) -> None:
    editor.set_text("\n".join(f"||host{number}.example" for number in range(1, 501)))
    editor.area.clearFocus()
    editor.go_to(400)
    assert editor.area.hasFocus()
    assert editor.area.textCursor().selectedText() == "||host400.example"
    assert 399 in [row.number for row in editor.area.rows(editor.area.viewport().rect())]
    editor.go_to(9999)
    assert editor.area.textCursor().selectedText() == "||host500.example"


def test_notes_stand_beside_the_text_and_never_on_it(editor: RulesEditor, qtbot: QtBot) -> None:
    editor.set_text("||short.example\n||x.example")
    editor.show_notes({1: Note("hits", 1234567), 2: Note("covered", 1)})
    editor.area.clearFocus()
    area = editor.area
    qtbot.waitUntil(lambda: area.notes.geometry().left() == area.viewport().geometry().right() + 1)
    plain = column(editor)
    assert has(plain, LIGHT.warn)
    assert has(plain, LIGHT.text2)
    edge = ink(plain)
    editor.set_text("||" + "long" * 200 + ".example\n||x.example")
    editor.show_notes({1: Note("hits", 1234567), 2: Note("covered", 1)})
    assert area.horizontalScrollBar().maximum() > 0
    assert column(editor) == plain
    area.horizontalScrollBar().setValue(200)
    assert column(editor) == plain
    assert area.gutter.geometry().right() + 1 == area.viewport().geometry().left()
    # With a scroll bar the digits end where they did.
    right = area.notes.geometry().left() + edge
    editor.set_text("\n".join(["||x.example"] * 300))
    editor.show_notes({1: Note("hits", 1234567)})
    qtbot.waitUntil(lambda: area.notes.geometry().left() + ink(column(editor)) == right)
    assert area.notes.geometry().right() < area.verticalScrollBar().mapTo(area, QPoint()).x()


def test_the_first_character_keeps_its_distance(editor: RulesEditor, qtbot: QtBot) -> None:
    bar = editor.area.horizontalScrollBar()
    editor.resize(20, 100)  # as before it is laid out
    editor.set_text("||" + "long" * 200 + ".example\n||x.example")
    editor.resize(500, 300)
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    assert bar.value() == 0
    QTest.keyClick(editor.area, Qt.Key.Key_End)
    assert bar.value() > 0
    QTest.keyClick(editor.area, Qt.Key.Key_Home)
    assert bar.value() == 0


def column(editor: RulesEditor) -> QImage:
    """What is seen right of the first two rules."""
    place = editor.area.notes.geometry().translated(editor.area.pos())
    return editor.grab(QRect(place.topLeft(), QSize(place.width(), 54))).toImage()


def ink(picture: QImage) -> int:
    """Where the writing in the first row ends."""
    paper = QColor(LIGHT.bg)
    return max(x for x in range(picture.width()) for y in range(8, 26) if picture.pixelColor(x, y) != paper)


def test_pasting_takes_the_words_only(editor: RulesEditor, qtbot: QtBot) -> None:
    data = QMimeData()
    data.setHtml("<b>||rich.example</b>")
    data.setText("||plain.example\r\n||two.example")
    QApplication.clipboard().setMimeData(data)
    qtbot.keyClick(editor.area, Key.Key_V, Modifier.ControlModifier)
    assert editor.text() == "||plain.example\n||two.example"
    assert not editor.area.textCursor().charFormat().font().bold()
    qtbot.keyClick(editor.area, Key.Key_A, Modifier.ControlModifier)
    only = QMimeData()
    only.setHtml("<h1>||rich.example</h1>")
    QApplication.clipboard().setMimeData(only)
    qtbot.keyClick(editor.area, Key.Key_V, Modifier.ControlModifier)
    assert editor.text() == "||rich.example"
    QApplication.clipboard().clear()


@given(text=st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("a\u202e\u2029\r\x00\ufdd0")), max_size=40))
def test_what_cannot_be_seen_is_kept_and_harmless(text: str) -> None:
    assert kept(shown(text)) == text
    assert not set(shown(text)) & set("\u202e\u2028\u2029\r\x00\x0b\ufdd0\ufdd1\ufffc")
    assert shown(text).count("\n") == text.count("\n")


def test_lines_are_those_that_rules_are_read_by(editor: RulesEditor, qtbot: QtBot) -> None:
    text = "||a.example\x0b\u2028\u2029\x85\r!\ufdd0\n\u202e||b\u00a0.example\x00\n\t! c"
    editor.set_text(text)
    assert editor.text() == text
    assert editor.area.blockCount() == 3
    qtbot.keyClick(editor.area, Key.Key_A, Modifier.ControlModifier)
    qtbot.keyClick(editor.area, Key.Key_C, Modifier.ControlModifier)
    assert QApplication.clipboard().text() == text.replace("\u00a0", " ")
    assert QApplication.clipboard().mimeData().formats() == ["text/plain"]
    editor.set_text("a\r\nb")
    assert editor.text() == "a\nb"
    QApplication.clipboard().clear()


def test_without_rules_there_is_an_example(editor: RulesEditor, qtbot: QtBot) -> None:
    button = editor.findChild(QPushButton)
    assert isinstance(button, QPushButton)
    assert button.isVisible()
    qtbot.keyClick(editor.area, Key.Key_Tab)
    assert button.hasFocus()
    qtbot.keyClick(button, Key.Key_Space)
    assert not button.isVisible()
    assert len(read_user_rules(editor.text()).rules) == 2
    assert read_user_rules(editor.text()).problems == ()
    assert editor.area.hasFocus()
    qtbot.keyClick(editor.area, Key.Key_Z, Modifier.ControlModifier)
    assert button.isVisible()
    assert not editor.is_modified()
    qtbot.mouseClick(editor.area.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(20, 100))
    qtbot.keyClicks(editor.area, "|")
    assert not button.isVisible()
    editor.insert_example()
    assert editor.text().startswith("|\n! ")


def test_a_click_beside_the_letters_is_on_them(editor: RulesEditor, qtbot: QtBot) -> None:
    editor.set_text(FOUR)
    row = list(editor.area.rows(editor.area.viewport().rect()))[1]
    put(editor, 1, 5)
    x = editor.area.cursorRect().center().x()
    for y in (row.top + 1, row.top + row.height / 2, row.top + row.height - 2):
        put(editor, 0)
        qtbot.mouseClick(editor.area.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(x, round(y)))
        cursor = editor.area.textCursor()
        assert (cursor.blockNumber(), cursor.positionInBlock()) == (1, 5)


def test_the_wheel_turns_on_the_numbers_too(editor: RulesEditor) -> None:
    editor.set_text("\n" * 200)
    for place in (editor.area.gutter, editor.area.notes):
        before = editor.area.verticalScrollBar().value()
        at = QPointF(place.rect().center())
        event = QWheelEvent(
            at, QPointF(place.mapToGlobal(at.toPoint())), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
            Modifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(place, event)
        assert editor.area.verticalScrollBar().value() > before


def test_another_text_leaves_the_place(editor: RulesEditor) -> None:
    editor.set_text("\n".join(f"||host{number}.example" for number in range(300)))
    editor.go_to(150)
    top = editor.area.verticalScrollBar().value()
    editor.set_text("\n".join(f"||host{number}.example" for number in range(301)))
    assert editor.area.textCursor().blockNumber() == 149
    assert editor.area.verticalScrollBar().value() == top


def test_it_follows_the_theme(editor: RulesEditor, application: QApplication) -> None:
    editor.set_text("! \u2588 comment\n@@\u2588\n/(/")
    editor.show_problems(read_user_rules(editor.text()).problems)
    theme = application.findChild(Theme)
    assert isinstance(theme, Theme)
    for name, tokens in (("light", LIGHT), ("dark", DARK)):
        theme.choose(name)
        picture = editor.grab().toImage()
        for token in ("bg", "side", "err_tint", "err", "hover", "focus", "text3", "ok"):
            assert has(picture, getattr(tokens, token)), f"{token}, {name}"


def test_many_rules_stay_quick(editor: RulesEditor, qtbot: QtBot) -> None:
    """Only what is seen is laid out and painted, however long the text is."""
    count = 20_000
    editor.set_text("\n".join(f"||host{number}.example" for number in range(count)))
    editor.show_notes({number: Note("hits", number) for number in range(1, count + 1)})
    editor.show_problems(tuple(Problem(number, "", "not a host name") for number in range(1, count, 3)))
    put(editor, count // 2)
    QApplication.processEvents()
    asked = [0]
    height = editor.area.row_layout.height

    def counted(number: int) -> int:
        asked[0] += 1
        return height(number)

    editor.area.row_layout.height = counted  # type: ignore[method-assign]
    spent = []
    for key in [Key.Key_A, Key.Key_Return, Key.Key_B, Key.Key_Backspace] * 8:
        begin = time.perf_counter()
        qtbot.keyClick(editor.area, key)
        QApplication.processEvents()
        spent.append(time.perf_counter() - begin)
    assert asked[0] < len(spent) * 400
    assert statistics.median(spent) < 0.016
