"""Bars: what is painted where, read from the pixels; and what they say."""

from itertools import pairwise
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QStandardItemModel
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTableView
from pytestqt.qtbot import QtBot

from ssgui.engine.stages import Reason
from ssgui.gui import theme
from ssgui.gui.connections import waterfall
from ssgui.gui.connections.bars import Piece, lay_out
from ssgui.gui.connections.pointing import Pointing
from ssgui.gui.connections.time_head import draw_labels
from ssgui.gui.connections.timescale import TimeScale
from ssgui.gui.theme import DARK, LIGHT
from ssgui.services.connections.course import Course
from ssgui.services.connections.records import Connection
from ssgui.services.connections.segments import SegmentKind as K
from tests.support import sample_lives
from tests.support.sample import NOW
from tests.support.sample_lives import life

MINUTE = TimeScale(NOW - 60, NOW)
WIDTH, HEIGHT = 620, 28  # 600 for a minute
MIDDLE = 14


@pytest.fixture(params=[LIGHT, DARK], ids=["light", "dark"])
def tokens(
    application: QApplication, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> theme.Tokens:  # fmt: skip
    monkeypatch.setattr(theme._Current, "tokens", request.param)
    found: theme.Tokens = request.param
    return found


def painted(one: Connection, scale: TimeScale = MINUTE, ratio: float = 1.0) -> QImage:
    image = QImage(round(WIDTH * ratio), round(HEIGHT * ratio), QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(QColor(theme.current().bg))
    with QPainter(image) as painter:
        waterfall.paint(painter, QRectF(0, 0, WIDTH, HEIGHT), one, scale, NOW)
    return image


def column(image: QImage, x: float) -> list[str]:
    """The colours down one column of pixels, of a picture that is not scaled."""
    return [image.pixelColor(int(x), y).name() for y in range(image.height())]


def colored(image: QImage, x: float, color: str) -> int:
    return sum(pixel == color.lower() for pixel in column(image, x))


def near(one: QColor, other: QColor, most: int) -> bool:
    parts = zip((one.red(), one.green(), one.blue()), (other.red(), other.green(), other.blue()), strict=True)
    return sum(abs(a - b) for a, b in parts) <= most


def at(seconds_ago: float) -> float:
    return 8 + (60 - seconds_ago) * 10


def test_parts_are_told_apart_by_shape_and_texture(tokens: theme.Tokens) -> None:
    one = life("a.example:443", "gfwlist", "curl", 55.0, ("addr", 1.0), ("dns", 5.0), ("conn", 10.0), ("stream", 15.0),
               up=25.0, down=35.0, flows=((45.0, 55.0, 0, 2e7),))  # fmt: skip
    image = painted(one)
    assert colored(image, at(52), tokens.s_init) == 4
    assert colored(image, at(47), tokens.s_dns) == 10
    assert colored(image, at(42), tokens.s_conn) == 10
    assert colored(image, at(33), tokens.s_init) == 1  # idle: a hairline, and nothing else
    assert len({*column(image, at(33))}) == 2
    hatched = [tuple(column(image, at(25) + step)) for step in range(5)]
    assert len(set(hatched)) == 5
    again = column(image, at(25) + 5)
    assert all(near(QColor(a), QColor(b), 12) for a, b in zip(hatched[0], again, strict=True))
    assert 2 <= colored(image, at(15), tokens.s_stream) < 10  # nothing came: faint, on a foot of full colour
    assert colored(image, at(5), tokens.s_stream) == 10
    assert colored(image, at(56), tokens.bg) == HEIGHT


def test_datagrams_are_ticks(tokens: theme.Tokens) -> None:
    image = painted(life("a.example:53", "", "dig", 40.0, ("addr", 0.001), ("udp", 0.002)))
    row = [image.pixelColor(x, MIDDLE).name() == tokens.s_udp.lower() for x in range(int(at(30)), int(at(30)) + 24)]
    assert row.count(True) == 16
    assert row[:12] == row[6:18]


def test_a_failure_ends_in_a_cap_with_its_reason_and_life_in_an_arrow(tokens: theme.Tokens) -> None:
    failed = painted(sample_lives.timed_out(), TimeScale(NOW - 60, NOW))
    assert colored(failed, at(1) + 1, tokens.s_cap) == 14
    words = failed.copy(0, 0, int(at(12)), HEIGHT)
    inked = (words.pixelColor(x, y) for x in range(words.width()) for y in range(HEIGHT))
    assert any(near(pixel, QColor(tokens.err), 60) for pixel in inked)
    fine = painted(life("a:1", "", "x", 20.0, ("addr", 1.0), ended=10.0, reason=Reason.FINISHED))
    assert colored(fine, at(10) + 1, tokens.s_cap) == 0
    live = painted(life("a:1", "", "x", 20.0, ("addr", 1.0), ("dns", 2.0), ("conn", 3.0)))
    assert 4 <= colored(live, at(0) + 1, tokens.s_conn) <= 8
    assert colored(live, at(0) + 5, tokens.s_conn) == 0


def test_a_life_outside_of_the_picture_says_how_far_away(tokens: theme.Tokens) -> None:
    before = life("a:1", "", "x", 300.0, ("addr", 1.0), ended=10.0, reason=Reason.FINISHED)
    later = life("a:1", "", "x", 10.0, ("addr", 1.0))
    for one, scale in ((before, MINUTE), (later, TimeScale(NOW - 60, NOW - 30))):
        image = painted(one, scale)
        inked = {image.pixelColor(x, y).name() for x in range(WIDTH) for y in range(HEIGHT)}
        assert tokens.text3.lower() in inked


def test_what_goes_on_beyond_the_picture_has_no_end(tokens: theme.Tokens) -> None:
    one = life("a:1", "", "x", 100.0, ("addr", 1.0), ("dns", 2.0), ("conn", 3.0))
    image = painted(one, TimeScale(NOW - 60, NOW - 30))
    assert colored(image, 607, tokens.s_conn) == 10
    assert colored(image, 609, tokens.s_conn) == 0


def test_from_zero_all_begin_at_the_left(tokens: theme.Tokens) -> None:
    one = life("a:1", "", "x", 33.0, ("addr", 1.0), ("dns", 10.0))
    image = painted(one, TimeScale(0.0, 60.0, aligned=True))
    assert colored(image, 8 + 50, tokens.s_init) == 4
    assert colored(image, 8 + 200, tokens.s_dns) == 10
    assert colored(image, 8 + 340, tokens.s_dns) == 0


@pytest.mark.parametrize("ratio", [1.25, 1.5, 2.0])
def test_fills_are_sharp_at_every_scale(tokens: theme.Tokens, ratio: float) -> None:
    one = life("a:1", "", "x", 40.0, ("addr", 0.001), ("dns", 10.0), ("conn", 20.0))
    image = painted(one, ratio=ratio)
    colors = set(column(image, at(15) * ratio)) - {tokens.line.lower()}
    assert colors == {tokens.bg.lower(), tokens.s_conn.lower()}


def test_strength_is_by_logarithm() -> None:
    assert [waterfall.strength(rate) for rate in (0, 1e3, 1e4, 1e5, 1e6, 1e7, 1e9)] == [0, 0, 2, 4, 5, 7, 7]


_FLOWS = st.lists(st.tuples(st.floats(0, 9), st.floats(0.01, 5), st.integers(0, 10**8)), max_size=30)


@given(_FLOWS, st.floats(0, 500), st.floats(0.1, 400), st.floats(0, 50), st.floats(0.1, 80))
def test_a_stream_is_covered_without_a_gap(
    flows: list[tuple[float, float, int]], x: float, width: float, start: float, length: float
) -> None:
    course, now = Course(), 0.0
    for pause, took, count in flows:
        course.add(now + pause, now + pause + took, 0, count)
        now += pause + took
    runs = waterfall.runs(Piece(K.STREAM, x, x + width, start, start + length), course)
    assert runs[0][0] == x
    assert runs[-1][1] == x + width
    for before, after in pairwise(runs):
        assert before[1] == after[0]
    assert all(begin < end and 0 <= level <= 7 for begin, end, level in runs)


def test_a_bar_in_words() -> None:
    one = sample_lives.stuck()
    said = "Handshake 58 ms, resolving 41 ms, connecting 97 ms, waiting 203 ms, streaming 9.0 s"
    assert waterfall.sentence(one, NOW) == said
    assert waterfall.sentence(sample_lives.timed_out(), NOW).endswith("connecting 10.0 s. Timed out")


def test_the_head_has_the_times(tokens: theme.Tokens) -> None:
    image = QImage(260, 29, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(QColor(tokens.bg))
    with QPainter(image) as painter:
        draw_labels(painter, QRectF(0, 0, 260, 29), TimeScale(NOW - 12, NOW), NOW)
    inked = [x for x in range(260) if len(set(column(image, x))) > 1]
    gaps = [b for a, b in pairwise(inked) if b - a > 12]
    assert len(gaps) == 2  # -10 s, -5 s, now
    assert min(inked) > 8
    assert max(inked) < 260


def test_bars_are_cheap(tokens: theme.Tokens) -> None:
    """A maximised window shows 36, five times a second; this is ten times of what they take."""
    rows = (sample_lives.every_kind() * 2)[:36]
    image = QImage(WIDTH, HEIGHT * len(rows), QImage.Format.Format_ARGB32_Premultiplied)
    spent = []
    for _ in range(5):
        with QPainter(image) as painter:
            begun = thread_time()
            for at, one in enumerate(rows):
                waterfall.paint(painter, QRectF(0, at * HEIGHT, WIDTH, HEIGHT), one, MINUTE, NOW)
            spent.append(thread_time() - begun)
    assert min(spent) < 0.02


# ---- the popover


@pytest.fixture
def rows() -> list[Connection]:
    return sample_lives.every_kind()


@pytest.fixture
def table(qtbot: QtBot, rows: list[Connection]) -> QTableView:
    made = QTableView()
    qtbot.addWidget(made)
    made.setModel(QStandardItemModel(len(rows), 3, made))
    made.resize(600, 500)
    made.show()
    made.activateWindow()
    made.setFocus()
    qtbot.waitUntil(made.hasFocus)
    return made


@pytest.fixture
def pointing(table: QTableView, rows: list[Connection]) -> Pointing:
    return Pointing(table, 2, lambda row: rows[row] if row < len(rows) else None, lambda: NOW)


def cell(table: QTableView, row: int, col: int) -> QPoint:
    return table.visualRect(table.model().index(row, col)).center()


def test_a_pointer_that_rests_on_a_bar_opens_it(
    table: QTableView, pointing: Pointing, rows: list[Connection], qtbot: QtBot
) -> None:
    QTest.mouseMove(table.viewport(), cell(table, 5, 1))
    QTest.mouseMove(table.viewport(), cell(table, 5, 2))
    assert pointing.popover.isHidden()
    qtbot.waitUntil(pointing.popover.isVisible, timeout=3000)
    assert pointing.popover.one is rows[5]
    assert pointing.popover.accessibleName() == waterfall.sentence(rows[5], NOW)
    QTest.mouseMove(table.viewport(), cell(table, 6, 2))
    assert pointing.popover.one is rows[6]
    QTest.mouseMove(table.viewport(), cell(table, 6, 0))
    assert pointing.popover.isHidden()


def test_the_key_opens_that_of_the_current_row_and_follows_it(
    table: QTableView, pointing: Pointing, rows: list[Connection], qtbot: QtBot
) -> None:
    table.setCurrentIndex(table.model().index(4, 0))
    qtbot.keyClick(table, Qt.Key.Key_I)
    assert pointing.popover.one is rows[4]
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert pointing.popover.one is rows[5]
    qtbot.keyClick(table, Qt.Key.Key_Escape)
    assert pointing.popover.isHidden()
    qtbot.keyClick(table, Qt.Key.Key_I)
    qtbot.keyClick(table, Qt.Key.Key_I)
    assert pointing.popover.isHidden()


def test_it_goes_on_with_the_time_and_leaves_with_the_row(
    table: QTableView, pointing: Pointing, rows: list[Connection], qtbot: QtBot
) -> None:
    table.setCurrentIndex(table.model().index(0, 0))
    qtbot.keyClick(table, Qt.Key.Key_I)
    assert pointing.popover.lines()[-1] == ("So far", "120 ms", "")
    pointing._now = lambda: NOW + 3
    pointing.look()
    assert pointing.popover.lines()[-1] == ("So far", "3.1 s", "")
    rows.clear()
    pointing.look()
    assert pointing.popover.isHidden()


def test_what_it_says(table: QTableView, pointing: Pointing) -> None:
    popover = pointing.popover
    popover.take(sample_lives.stuck(), NOW)
    assert popover.lines() == [
        ("Handshake", "58 ms", "< 1 %"), ("Resolving the server", "41 ms", "< 1 %"),
        ("Connecting to the server", "97 ms", "1 %"), ("Waiting for the first byte", "203 ms", "2 %"),
        ("Streaming", "9.0 s", "96 %"), ("So far", "9.4 s", ""),
    ]  # fmt: skip
    popover.take(life("a:1", "direct", "x", 5.0, ("addr", 0.1), ("dns", 1.0), ended=2.0, reason=Reason.DNS_FAILED), NOW)
    assert popover.lines() == [
        ("Handshake", "1.0 s", "50 %"), ("Resolving the target", "1.0 s", "50 %"), ("DNS failed", "2.0 s", ""),
    ]  # fmt: skip


def test_it_stays_on_the_screen(table: QTableView, pointing: Pointing, qtbot: QtBot) -> None:
    screen = table.screen().availableGeometry()
    pointing.popover.show_times(sample_lives.stuck(), NOW, QRect(400, screen.bottom() - 20, 100, 28))
    assert pointing.popover.geometry().bottom() < screen.bottom() - 20


def test_no_piece_is_thinner_than_it_can_be_seen(rows: list[Connection]) -> None:
    for one in [*rows, *sample_lives.stalled()]:
        for scale in (MINUTE, TimeScale(0.0, 12.0, aligned=True)):
            pieces = lay_out(waterfall.parts_in(one, scale, NOW), scale, 8.0, 168.0)
            assert all(piece.x1 - piece.x0 > 1.999 for piece in pieces)
