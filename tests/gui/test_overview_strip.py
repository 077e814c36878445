"""The strip above the table: what it shows, and the brush by mouse, wheel and keys."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ssgui.gui import theme
from ssgui.gui.connections.overview import OverviewStrip
from ssgui.gui.theme import Theme
from ssgui.services.connections.overview import Overview
from tests.support.traffic import traffic

NOW = 1000.0
WIDTH = 632  # 600 for a minute
LEFT = Qt.MouseButton.LeftButton
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def strip(qtbot: QtBot) -> OverviewStrip:
    made = OverviewStrip(traffic(NOW), NOW)
    qtbot.addWidget(made)
    made.resize(WIDTH, made.height())
    made.show()
    made.activateWindow()
    made.setFocus()
    qtbot.waitUntil(made.hasFocus)
    return made


def place(seconds_ago: float) -> QPoint:
    return QPoint(round(16 + (60 - seconds_ago) * 10), 20)


def drag(qtbot: QtBot, strip: OverviewStrip, *places: QPoint) -> None:
    qtbot.mousePress(strip, LEFT, pos=places[0])
    for one in places[1:]:
        qtbot.mouseMove(strip, one)
    qtbot.mouseRelease(strip, LEFT, pos=places[-1])


def wheel(strip: OverviewStrip, at: QPoint, notches: int) -> None:
    event = QWheelEvent(
        QPointF(at), QPointF(strip.mapToGlobal(at)), QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(strip, event)


def window(strip: OverviewStrip) -> tuple[float | None, float | None]:
    start, end = strip.brush.window(strip.now)
    return (None if start is None else round(start, 3)), (None if end is None else round(end, 3))


def test_dragging_over_the_strip_chooses_a_time(strip: OverviewStrip, qtbot: QtBot) -> None:
    assert window(strip) == (None, None)
    with qtbot.waitSignal(strip.brushed):
        drag(qtbot, strip, place(40), place(30), place(25))
    assert window(strip) == (960, 975)
    assert strip.scale() == (960, 975, False)


def test_handles_and_the_middle_are_dragged(strip: OverviewStrip, qtbot: QtBot) -> None:
    strip.brush.choose(960, 975, NOW)
    drag(qtbot, strip, place(40), place(50))
    assert window(strip) == (950, 975)
    drag(qtbot, strip, place(25), place(20))
    assert window(strip) == (950, 980)
    drag(qtbot, strip, place(35), place(15))
    assert window(strip) == (970, None)
    drag(qtbot, strip, place(0), place(10))
    assert window(strip) == (970, 990)
    drag(qtbot, strip, place(30), place(5))
    assert window(strip) == (989.5, 990)


def test_a_click_outside_brings_it_there_and_a_double_click_frees_it(strip: OverviewStrip, qtbot: QtBot) -> None:
    strip.brush.choose(990, NOW, NOW)
    qtbot.mouseClick(strip, LEFT, pos=place(40))
    assert window(strip) == (955, 965)
    qtbot.mouseDClick(strip, LEFT, pos=place(10))
    assert window(strip) == (None, None)
    qtbot.mouseClick(strip, LEFT, pos=place(10))
    assert window(strip) == (None, None)


def test_the_wheel_zooms_around_the_pointer(strip: OverviewStrip) -> None:
    wheel(strip, place(50), 1)
    assert window(strip) == (952, None)
    strip.brush.choose(950, 970, NOW)
    wheel(strip, place(45), 1)
    assert window(strip) == (951, 967)
    for _ in range(10):
        wheel(strip, place(45), -1)
    assert strip.brush.whole
    assert strip.brush.span > 60


def test_keys_move_and_resize_it(strip: OverviewStrip, qtbot: QtBot) -> None:
    changes: list[None] = []
    strip.brushed.connect(lambda: changes.append(None))
    for _ in range(40):
        qtbot.keyClick(strip, Qt.Key.Key_Right, SHIFT)
    assert window(strip) == (980, None)
    qtbot.keyClick(strip, Qt.Key.Key_Left)
    assert window(strip) == (979, 999)
    qtbot.keyClick(strip, Qt.Key.Key_Left, SHIFT)
    assert window(strip) == (978, 999)
    qtbot.keyClick(strip, Qt.Key.Key_Home)
    assert window(strip) == (940, 961)
    qtbot.keyClick(strip, Qt.Key.Key_End)
    assert window(strip) == (979, None)
    qtbot.keyClick(strip, Qt.Key.Key_Plus)
    assert window(strip) == (983.2, None)
    qtbot.keyClick(strip, Qt.Key.Key_Minus)
    assert window(strip) == (979, None)
    qtbot.keyClick(strip, Qt.Key.Key_Return)
    assert window(strip) == (None, None)
    assert len(changes) == 47


def test_while_it_touches_now_it_slides(strip: OverviewStrip) -> None:
    strip.brush.choose(988, NOW, NOW)
    strip.look(NOW + 5)
    assert window(strip) == (993, None)
    assert strip.place(993) == 16 + 480
    strip.brush.move(-10, strip.now)
    strip.look(NOW + 9)
    assert window(strip) == (983, 995)


def test_it_says_what_is_chosen(strip: OverviewStrip) -> None:
    assert strip.accessibleName() == "Time shown: the last 1 min"
    assert "Peak 4.60 MB/s" in strip.toolTip()
    strip.brush.choose(950, 970, NOW)
    strip.look(NOW)
    assert strip.accessibleName() == "Time shown: 20 s, until 30 s ago"


def test_what_is_painted(application: QApplication, strip: OverviewStrip) -> None:
    made = Theme(application)
    for name in ("light", "dark"):
        made.choose(name)
        tokens = theme.current()
        image = strip.grab().toImage()
        cap = QColor(tokens.s_cap).name()
        ticks = [x for x in range(WIDTH) if image.pixelColor(x, 43).name() == cap]
        assert len(ticks) == 9 * 2
        assert abs(ticks[0] - place(52).x()) <= 2
        strip.brush.choose(950, 970, NOW)
        veiled = strip.grab().toImage()
        assert veiled.pixelColor(ticks[0], 43).name() != cap
        line = QColor(tokens.accent_text).name()
        assert veiled.pixelColor(place(50).x(), 6).name() == line
        strip.brush.clear()
    made.choose("light")
    made.setParent(None)


def test_nothing_flowed(qtbot: QtBot) -> None:
    strip = OverviewStrip(Overview(), NOW)
    qtbot.addWidget(strip)
    strip.show()
    assert strip.peak() == 0
    assert not strip.grab().isNull()
