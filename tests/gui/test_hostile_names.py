"""Names that strangers chose do no harm in the table of connections, its hints, its menus and what is copied."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QContextMenuEvent, QImage, QTextDocumentFragment
from PySide6.QtGui import Qt as GuiQt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from ssgui.engine.stages import Reason, Stage
from ssgui.gui.connections.columns import Column
from ssgui.gui.connections.delegate import ROW_HEIGHT
from ssgui.gui.frame.hints import plain_hint
from tests.support.live_page import LivePage

NAMES = {
    "control": "evil\x1b[31m\x07\x00.example", "lines": "one\r\ntwo\x0bthree\u2028four", "markup":
    "<b>x</b><img src='file:///etc/passwd'><a href='http://evil.example'>", "backwards": "abc.\u202egnp.exe",
    "isolates": "\u2067\u2066a\u2069.\u200f\u061cexample", "long": "x" * 5000, "halves": "\udcff\udcfe.example",
    "formula": "=cmd|' /C calc'!A0", "mnemonic": "&File\tCtrl+Q", "marks": "z\u0301\u0302\u0303" * 60, "wide": "﷽" * 40,
    "nothing": "", "blank": " ", "colons": ":::",
}  # fmt: skip
HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
ROLES = (
    Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole,
)  # fmt: skip


@pytest.fixture
def live(application: QApplication, tmp_path: Path) -> Iterator[LivePage]:
    made = LivePage(tmp_path)
    made.page.restore({"shown": {column.key: True for column in Column}})
    made.open(3)
    made.step()
    yield made
    made.close()


def rename(live: LivePage, number: int, name: str) -> None:
    """Everything that a stranger may have chosen."""
    one = live.connections.live.get(number) or live.connections.ended[number]
    one.target, one.rule, one.server, one.program = f"{name}:443", name, name, name
    one.user, one.detail, one.inbound, one.client, one.pid = name, name, name, name, 7


@pytest.mark.parametrize("kind", NAMES)
def test_cells_hints_and_sentences_are_one_harmless_line(live: LivePage, kind: str) -> None:
    rename(live, 3, NAMES[kind])
    live.engine.end(2, Reason.DNS_FAILED)
    live.step()
    rename(live, 2, NAMES[kind])
    for row in (0, 1):
        for column in Column:
            for role in ROLES:
                text = live.model.data(live.model.index(row, column), role) or ""
                assert not HARMFUL.search(text), (column, role)
                if role == Qt.ItemDataRole.ToolTipRole:
                    shown = QTextDocumentFragment.fromHtml(text).toPlainText() if GuiQt.mightBeRichText(text) else text
                    assert len(shown) < 300, column
                    assert kind != "markup" or column is not Column.TARGET or "<img" in shown  # as it is, unread


@pytest.mark.parametrize("kind", NAMES)
def test_what_stands_beside_a_name_is_painted_as_ever(live: LivePage, kind: str) -> None:
    live.window.resize(1900, 700)
    live.settle()
    before = picture(live)
    one = live.model.rows[0]
    one.target, one.rule = f"{NAMES[kind]}:443", NAMES[kind]
    live.table.viewport().update()
    live.settle()
    after = picture(live)
    for column in live.shown_columns():
        if column not in (Column.TARGET, Column.RULE):
            assert cut(live, before, column) == cut(live, after, column), column
    assert before.copy(QRect(0, ROW_HEIGHT, 1900, 60)) == after.copy(QRect(0, ROW_HEIGHT, 1900, 60))


def picture(live: LivePage) -> QImage:
    return live.table.viewport().grab().toImage()


def cut(live: LivePage, image: QImage, column: Column) -> QImage:
    """The cell of the first row."""
    head = live.table.head
    return image.copy(QRect(head.sectionViewportPosition(column), 0, head.sectionSize(column), ROW_HEIGHT))


@pytest.mark.parametrize("kind", NAMES)
def test_menus_show_a_short_harmless_line(live: LivePage, kind: str) -> None:
    rename(live, 3, NAMES[kind])
    at = QPoint(300, ROW_HEIGHT // 2)
    view = live.table.viewport()
    QApplication.sendEvent(view, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, view.mapToGlobal(at)))
    live.settle()
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    try:
        for action in menu.actions():
            assert not HARMFUL.search(action.text())
            assert len(action.text()) < 100
            assert not re.search("(?<!&)&(?!&)", action.text()), "no letter of a name is a key of the menu"
    finally:
        menu.close()
        live.settle()


def test_what_is_copied_is_a_line_for_each(live: LivePage) -> None:
    numbers = [live.engine.open("x:1", Stage.STREAM) for _ in NAMES]
    live.step()
    for number, name in zip(numbers, NAMES.values(), strict=True):
        rename(live, number, name)
    live.table.setFocus()
    live.table.selectAll()
    QTest.keyClick(live.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QApplication.clipboard().text().split("\n")
    assert len(lines) == len(NAMES) + 3
    assert not [line for line in lines if HARMFUL.search(line)]


def test_a_hint_is_read_as_it_is_written() -> None:
    assert plain_hint("a name", "", "another") == "a name\nanother"
    assert plain_hint("") == ""
    escaped = plain_hint("<b>bold</b> & more", "<i>")
    assert "<b>" not in escaped
    assert QTextDocumentFragment.fromHtml(escaped).toPlainText() == "<b>bold</b> & more\n<i>"
    assert plain_hint("a\nb\u202e") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"
