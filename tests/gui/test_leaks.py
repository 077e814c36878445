"""The leak check: opened from settings and tray, checked again, true while it is open."""

import ast
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QPushButton

from ssgui.app import leak_check
from ssgui.app.leak_check import Check, Kind, Result
from ssgui.gui import leaks
from ssgui.gui.leaks import HabitsModel, LeaksDialog, sentence
from ssgui.gui.presenter import Presenter
from ssgui.services.connections.leaks import Habits
from ssgui.services.connections.records import Connection
from tests.support.flows import Flow, click, until
from tests.support.screens import StillContext


def cases() -> set[tuple[Kind, str]]:
    """Every check that the code can make."""
    tree = ast.parse(Path(leak_check.__file__).read_text("utf-8"))
    found = set()
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Check":
            kind, why = call.args[0], call.args[2]
            assert isinstance(kind, ast.Attribute)
            words = [why.body, why.orelse] if isinstance(why, ast.IfExp) else [why]
            for word in words:
                assert isinstance(word, ast.Constant)
                found.add((Kind[kind.attr], str(word.value)))
    return found


@pytest.mark.parametrize(("kind", "why"), sorted(cases()))
def test_there_is_a_sentence_for_every_case(kind: Kind, why: str) -> None:
    assert sentence(Check(kind, Result.WARN, why, 1, 2, ("a\u202eb",))).endswith(".")
    assert "\u202e" not in sentence(Check(kind, Result.WARN, why, 1, 2, ("a\u202eb",)))


def test_programs_with_names_that_turn() -> None:
    model = HabitsModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.show_habits([Habits("fire\u202efox\n", 9, 3), Habits("", 1)])
    texts = [[model.data(model.index(row, column)) for column in range(7)] for row in range(2)]
    assert texts[0] == ["fire\ufffdfox\ufffd", "9", "3 · 33%", "0", "0", "0", "0"]
    assert texts[1][0] == "Unknown"
    assert model.data(model.index(0, 2), Qt.ItemDataRole.ForegroundRole) is not None
    assert model.data(model.index(1, 2), Qt.ItemDataRole.ForegroundRole) is None


def test_opened_checked_and_closed(
    presenter: Presenter, context: StillContext, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = [[Check(Kind.PORT, Result.BAD, "open")], [Check(Kind.PORT, Result.GOOD, "here")]]

    async def check(context: object) -> list[Check]:
        return results.pop(0)

    monkeypatch.setattr(leaks, "check_leaks", check)

    async def steps() -> None:
        presenter.window.open_page("settings")
        button = presenter.settings.rows["leaks"].control
        assert isinstance(button, QPushButton)
        button.click()
        dialog = presenter.leaks.dialog
        assert dialog is not None
        presenter.leaks.ask()
        assert presenter.leaks.dialog is dialog  # one is enough
        await until(lambda: words(dialog).startswith("Everybody on this network"))
        click(dialog.again)
        await until(lambda: words(dialog).startswith("Only programs"))
        one = Connection(999, 999, "socks5", "127.0.0.1:5", 0.0, program="late", target="1.2.3.4:443")
        context.connections.live[999] = one
        await until(lambda: any(habits.program == "late" for habits in dialog.model.rows))
        click(dialog.close_button)
        await until(lambda: presenter.leaks.dialog is None)

    flow(steps)


def words(dialog: LeaksDialog) -> str:
    return dialog._lines[Kind.PORT][1].text()
