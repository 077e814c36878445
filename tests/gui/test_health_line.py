"""The line of health: what it says, what has room, and that every part asks for its filter."""

from itertools import pairwise

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from ssgui.engine.stages import Reason
from ssgui.gui.connections.health_line import HealthLine
from ssgui.services.connections.health import Standing
from ssgui.services.connections.segments import SegmentKind as K

STANDING = Standing(
    {K.HANDSHAKE: 2, K.DNS: 0, K.CONNECTING: 4, K.WAIT: 3, K.STREAM: 3000, K.UDP: 2},
    {K.DNS: 0, K.CONNECTING: 3, K.WAIT: 1},
)
FAILURES = [(Reason.CONNECT_TIMEOUT, 4), (Reason.CONNECT_REFUSED, 2), (Reason.DNS_FAILED, 2), (Reason.NO_ANSWER, 1)]


@pytest.fixture
def line(qtbot: QtBot) -> HealthLine:
    made = HealthLine()
    qtbot.addWidget(made)
    made.resize(1600, made.height())
    made.show()
    made.show_health(STANDING, FAILURES)
    return made


def test_everything_is_said_in_the_order_of_stages(line: HealthLine) -> None:
    assert line.parts() == [
        "2 Handshake", "0 Resolving", "4 Connecting", "3 over 5 s", "3 Waiting", "1 over 5 s", "3,000 Streaming",
        "2 UDP", "9 errors in 10 min", "4 timed out", "2 refused", "2 DNS failed", "1 no answer",
    ]  # fmt: skip


def test_every_part_asks_for_its_filter(line: HealthLine, qtbot: QtBot) -> None:
    asked: list[str] = []
    line.asked.connect(asked.append)
    buttons = sorted((one for one in line.findChildren(QAbstractButton) if one.isVisible()), key=lambda one: one.x())
    for button in buttons:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert asked == [
        "stage:handshake", "stage:resolving", "stage:connecting", "stage:connecting age>5s", "stage:waiting",
        "stage:waiting wait>5s", "stage:streaming", "stage:udp", "reason:failed", "reason:connect-timeout",
        "reason:connect-refused", "reason:dns-failed", "reason:no-answer",
    ]  # fmt: skip
    assert all(min(button.width(), button.height()) >= 24 for button in buttons)
    assert all(button.accessibleName() == button.text() for button in buttons)


def test_keys_go_from_left_to_right(line: HealthLine, qtbot: QtBot) -> None:
    line.activateWindow()
    first = line.button("stage:handshake")
    first.setFocus()
    qtbot.waitUntil(first.hasFocus)
    asked: list[str] = []
    line.asked.connect(asked.append)
    for _ in range(3):
        qtbot.keyClick(line.focusWidget(), Qt.Key.Key_Tab)
    qtbot.keyClick(line.focusWidget(), Qt.Key.Key_Space)
    assert asked == ["stage:connecting age>5s"]


@pytest.mark.parametrize("width", [1080, 904, 844, 700, 500, 300])
def test_what_has_no_room_goes_and_nothing_overlaps(line: HealthLine, width: int) -> None:
    line.resize(width, line.height())
    shown = sorted((one for one in line.findChildren(QAbstractButton) if one.isVisible()), key=lambda one: one.x())
    for before, after in pairwise(shown):
        assert before.geometry().right() < after.x()
    assert shown[-1].geometry().right() <= width
    assert "4 Connecting" in line.parts()
    if width < 904:
        assert "4 timed out" not in line.parts()


def test_what_the_filter_is_about_is_marked(line: HealthLine) -> None:
    line.show_filter("stage:waiting")
    assert [one.text() for one in line.findChildren(QAbstractButton) if one.isChecked()] == ["3 Waiting"]
    line.button("stage:udp").click()
    assert not line.button("stage:udp").isChecked()
    line.show_filter("")
    assert not any(one.isChecked() for one in line.findChildren(QAbstractButton))


def test_numbers_change_and_buttons_stay(line: HealthLine) -> None:
    button = line.button("stage:connecting")
    line.show_health(STANDING._replace(counts=STANDING.counts | {K.CONNECTING: 17}), FAILURES[:1])
    assert line.button("stage:connecting") is button
    assert button.text() == "17 Connecting"
    assert line.parts()[-2:] == ["4 errors in 10 min", "4 timed out"]
    line.show_health(STANDING, [(Reason.REPLAY, 1)])
    assert line.parts()[-2:] == ["1 error in 10 min", "1 replay refused"]
    line.show_health(STANDING, [])
    assert line.parts()[-1] == "2 UDP"
