"""The app as a whole, offscreen and in processes of its own: what it loads, how it starts, and every way out."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
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
from tests.support.app import app
from tests.support.origin import Origin
from tests.support.processes import ROOT, wait_until
from tests.support.socks_client import receive_exactly, socks_connect
from tests.support.terminal import TerminalProgram

SSGUI = [sys.executable, "-m", "ssgui"]
SLOW = {"httpx", "keyring", "rich", "segno", "zxingcpp", "aiodns", "pycares", "yaml", "hypothesis", "PySide6.QtNetwork"}


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
    with app(tmp_path) as one:
        found = one.status()
        assert found["window"]
        assert found["painted"] > 0
        assert found["state"] == "none"
        one.process.send_signal(number)
        one.require_good_end()
    assert "geometry" in json.loads((tmp_path / "config.json").read_text())["settings"]["window"]
    assert not list(tmp_path.glob("*.sock"))


def test_a_second_start_shows_the_first_and_can_end_it(tmp_path: Path) -> None:
    with app(tmp_path) as one:
        assert one.second().returncode == 0
        refused = one.second("-s", "h", "-p", "1", "-k", "pw")
        assert refused.returncode == 1
        assert "quit it first" in refused.stderr
        assert one.status()["window"]
        one.ask({"do": "quit"})
        one.require_good_end()


def test_closing_leaves_where_there_is_no_tray(tmp_path: Path) -> None:
    with app(tmp_path) as one:
        one.ask({"do": "close"})
        one.require_good_end()


def test_a_window_that_starts_minimised_is_not_lost_without_a_tray(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"version": 1, "settings": {"start_minimised": true}}')
    with app(tmp_path) as one:
        assert not one.status()["window"]
        assert one.second().returncode == 0
        assert one.status()["window"]
        one.process.send_signal(signal.SIGTERM)
        one.require_good_end()


def test_a_server_for_this_run(tmp_path: Path) -> None:
    with app(tmp_path, "-s", "127.0.0.1", "-p", "9", "-k", "pw", "-l", "0") as one:
        wait_until(lambda: one.status()["address"], "the port")
        assert one.status()["server"] == "127.0.0.1:9"
        one.process.send_signal(signal.SIGTERM)
        one.require_good_end()
    assert not (tmp_path / "config.json").exists()


def test_it_can_be_watched_and_connections_closed_from_elsewhere(tmp_path: Path) -> None:
    with Origin() as origin, app(tmp_path, "-s", "127.0.0.1", "-p", "9", "-k", "pw", "-l", "0", "--bypass-lan") as one:
        host, _, port = wait_until(lambda: one.status()["address"], "the port").rpartition(":")
        env = {"SSGUI_HOME": str(tmp_path)}
        with (
            socks_connect((host, int(port)), origin.address) as sock,
            TerminalProgram([*SSGUI, "monitor", "--data-dir", str(tmp_path)], env=env) as shown,
        ):
            sock.sendall(b"ECHO\nx")
            receive_exactly(sock, 1)
            text = shown.wait_for(f"app {one.process.pid}", "Streaming", "127.0.0.1:9")
            assert f"127.0.0.1:{origin.port}" in text
            shown.press("jxy")
            with pytest.raises(ConnectionResetError):
                sock.recv(1)
            shown.wait_for("Closed by you")
            one.process.send_signal(signal.SIGTERM)
            assert shown.wait() == 0
            assert b"has ended" in shown.raw
        one.require_good_end()


def test_a_part_that_fails_does_not_end_the_app(tmp_path: Path) -> None:
    (tmp_path / "config.json").mkdir()  # neither to be read nor written
    with app(tmp_path) as one:
        assert one.status()["window"]
        one.process.send_signal(signal.SIGTERM)
        assert one.process.wait() == 0, one.process.stderr()
        assert "Traceback" not in one.process.stderr()


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    home = tmp_path / "file" / "below"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))  # where the socket is then
    with app(home) as one:
        assert one.status()["window"]
        one.process.send_signal(signal.SIGTERM)
        assert one.process.wait() == 0, one.process.stderr()
        assert "Traceback" not in one.process.stderr()


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
