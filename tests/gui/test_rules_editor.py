"""The editor of a person's own rules, through keys and what is painted."""

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from ssgui.gui.rules.editor import RulesEditor


@pytest.fixture
def editor(qtbot: QtBot) -> RulesEditor:
    made = RulesEditor()
    qtbot.addWidget(made)
    made.resize(600, 400)
    made.show()
    made.area.setFocus()
    return made


def test_typing_is_told_and_undone(editor: RulesEditor, qtbot: QtBot) -> None:
    editor.set_text("||example.com\n")
    with qtbot.waitSignal(editor.edited):
        qtbot.keyClicks(editor.area, "! mine")
    assert editor.is_modified()
    assert editor.text() == "! mine||example.com\n"
    with qtbot.waitSignal(editor.edited):
        qtbot.keyClick(editor.area, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not editor.is_modified()
    assert editor.text() == "||example.com\n"
