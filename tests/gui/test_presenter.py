"""How often the window looks, and how closely."""

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ssgui.gui.pace import LOOK_MS, UNFOCUSED_MS
from ssgui.gui.presenter import Presenter
from tests.support.screens import StillContext


class Looks:
    """Stands for the connections' `pull`."""

    def __init__(self, context: StillContext, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.closely = 1000.0, list[bool]()
        monkeypatch.setattr(context.connections, "pull", lambda *, closely=True: self.closely.append(closely))
        monkeypatch.setattr("ssgui.gui.presenter.time.monotonic", lambda: self.now)

    def look(self, presenter: Presenter, seconds: float) -> None:
        self.now += seconds
        presenter._take_in()


def test_a_hidden_window_counts_bytes_every_third_second(
    presenter: Presenter, context: StillContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = Looks(context, monkeypatch)
    for _ in range(3):
        looks.look(presenter, 0.2)
    assert looks.closely == [True, True, True]
    presenter.window.hide()
    looks.closely.clear()
    ticks: list[float] = []
    monkeypatch.setattr(context.meter, "tick", ticks.append)
    for _ in range(6):
        looks.look(presenter, 1.0)
    assert looks.closely == [False, False, True] * 2
    assert ticks == pytest.approx([1003.6, 1006.6])
    presenter.window.show()
    looks.look(presenter, 0.1)
    assert looks.closely[-1]


def test_what_is_new_is_shown_in_another_turn(presenter: Presenter, qtbot: QtBot) -> None:
    shown: list[int] = []
    presenter.looked.connect(lambda: shown.append(1))
    presenter.window.activateWindow()
    presenter.begin()
    shown.clear()
    presenter._look_in_steps()
    assert not shown
    qtbot.waitUntil(lambda: bool(shown))
    assert presenter._timer.interval() in (LOOK_MS, UNFOCUSED_MS)
    presenter._look_in_steps()
    presenter.end()
    shown.clear()
    for _ in range(3):
        QApplication.processEvents()
    assert not shown
