"""The app as a whole, offscreen and in processes of its own: what it loads, how it starts, and every way out."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from ssgui.config.store import Store
from ssgui.gui import window_state
from ssgui.gui.failures import Failures
from ssgui.gui.window import MainWindow
from ssgui.services.control import ask
from tests.support.processes import ROOT, Process, running, wait_until

SLOW = {"httpx", "keyring", "rich", "segno", "zxingcpp", "aiodns", "pycares", "yaml", "hypothesis", "PySide6.QtNetwork"}


def status(folder: Path) -> dict[str, Any]:
    return asyncio.run(ask(folder, {"do": "status"}))


@contextmanager
def app(folder: Path, *arguments: str) -> Iterator[Process]:
    """The app, once it answers."""
    env = {"SSGUI_HOME": str(folder), "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    with running([sys.executable, "-m", "ssgui", *arguments], env=env) as process:

        def answers() -> bool:
            process.require_running()
            try:
                return status(folder)["ok"] is True
            except Exception:  # noqa: BLE001  not yet
                return False

        wait_until(answers, "the app answers", 20)
        yield process


def second(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"SSGUI_HOME": str(folder), "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "ssgui", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=30, cwd=ROOT)


def ended_well(process: Process) -> None:
    assert process.wait() == 0, process.stderr()
    assert process.stderr().replace("This plugin does not support raise()\n", "") == ""


def test_the_first_picture_waits_for_nothing_slow() -> None:
    code = "import sys, ssgui.gui.desktop; print(*sys.modules)"
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert "PySide6.QtWidgets" in loaded
    assert not loaded & SLOW


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_leaves_in_order(tmp_path: Path, number: int) -> None:
    with app(tmp_path) as process:
        found = status(tmp_path)
        assert found["window"]
        assert found["painted"] > 0
        assert found["state"] == "none"
        process.send_signal(number)
        ended_well(process)
    assert "geometry" in json.loads((tmp_path / "config.json").read_text())["settings"]["window"]
    assert not list(tmp_path.glob("*.sock"))


def test_a_second_start_shows_the_first_and_can_end_it(tmp_path: Path) -> None:
    with app(tmp_path) as process:
        assert second(tmp_path).returncode == 0
        refused = second(tmp_path, "-s", "h", "-p", "1", "-k", "pw")
        assert refused.returncode == 1
        assert "quit it first" in refused.stderr
        assert status(tmp_path)["window"]
        asyncio.run(ask(tmp_path, {"do": "quit"}))
        ended_well(process)


def test_a_window_that_starts_minimised_is_not_lost_without_a_tray(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"version": 1, "settings": {"start_minimised": true}}')
    with app(tmp_path) as process:
        wait_until(lambda: second(tmp_path).returncode == 0, "the second start")
        assert status(tmp_path)["window"]
        process.send_signal(signal.SIGTERM)
        ended_well(process)


def test_a_server_for_this_run(tmp_path: Path) -> None:
    with app(tmp_path, "-s", "127.0.0.1", "-p", "9", "-k", "pw", "-l", "0") as process:
        wait_until(lambda: status(tmp_path)["address"], "the port")
        assert status(tmp_path)["server"] == "127.0.0.1:9"
        process.send_signal(signal.SIGTERM)
        ended_well(process)
    assert not (tmp_path / "config.json").exists()


def test_a_part_that_fails_does_not_end_the_app(tmp_path: Path) -> None:
    (tmp_path / "config.json").mkdir()  # neither to be read nor written
    with app(tmp_path) as process:
        assert status(tmp_path)["window"]
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0, process.stderr()
        assert "Traceback" not in process.stderr()


# ---- small parts


def test_a_slot_that_raises_is_told_and_the_app_goes_on(application: QApplication, qtbot: QtBot) -> None:
    told: list[str] = []

    def slot() -> None:
        raise ZeroDivisionError("in a slot")

    before = sys.excepthook
    with Failures(told.append):
        sys.excepthook(ZeroDivisionError, ZeroDivisionError("in a slot"), None)
        timer = QTimer()
        timer.setSingleShot(True)
        timer.timeout.connect(slot)
        timer.start(0)
        qtbot.waitUntil(lambda: len(told) == 2, timeout=2000)
    assert told == ["ZeroDivisionError"] * 2
    assert sys.excepthook is before


def test_the_window_comes_back_where_it_was(application: QApplication, qtbot: QtBot, tmp_path: Path) -> None:
    one, two = (_window(qtbot, ("servers", "logs")) for _ in range(2))
    one.resize(1000, 650)
    one.open_page("logs")
    state = window_state.state_of(one, {"other": 1})
    assert state["other"] == 1
    window_state.restore(two, json.loads(json.dumps(state)))
    assert two.height() == 650  # the offscreen screen is narrower than the window
    assert two.current_page() == "logs"
    assert Store(tmp_path).load().config.settings.window == {}


@pytest.mark.parametrize(
    "state", [{}, {"geometry": "%%", "page": "gone"}, {"geometry": "AAAA"}, {"geometry": 1, "page": []}]
)
def test_a_state_that_makes_no_sense_is_left(application: QApplication, qtbot: QtBot, state: dict[str, Any]) -> None:
    window = _window(qtbot, ("servers",))
    size = window.size()
    window_state.restore(window, state)
    assert window.size() == size
    assert window.current_page() == "servers"


def _window(qtbot: QtBot, pages: Sequence[str]) -> MainWindow:
    window = MainWindow()
    qtbot.addWidget(window)
    for page in pages:
        window.add_page(page, QWidget())
    window.open_page(pages[0])
    return window
