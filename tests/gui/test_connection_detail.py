"""The panel of details: diagram, streams, events, what is the matter, and how it uses the room of its window."""

from dataclasses import dataclass

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractButton, QWidget
from pytestqt.qtbot import QtBot

from ssgui.engine.stages import TRANSITIONS, Reason, Role, Stage, StreamStatus
from ssgui.gui import theme
from ssgui.gui.connections.detail import Detail
from ssgui.gui.connections.diagram import StageDiagram, Walk
from ssgui.gui.connections.events_list import EventsList
from ssgui.gui.connections.stream_words import direction
from ssgui.gui.connections.streams_panel import StreamsPanel
from ssgui.rules.acl import Route
from ssgui.services.connections.records import Connection
from tests.support import sample_lives
from tests.support.sample import NOW
from tests.support.sample_lives import life

R, W, NONE = StreamStatus.READING, StreamStatus.WRITING, StreamStatus.NONE
S = Stage
DIALLED = (("addr", 0.01), ("dns", 0.05), ("conn", 0.1), ("stream", 0.2))


@dataclass(frozen=True)
class Found:
    severity: str
    action: str
    fact: str


# ---- the diagram


def test_the_way_is_a_sentence() -> None:
    said = "INIT 0.4 ms, ADDR 58 ms, DNS 41 ms, CONNECTING 97 ms, STREAM 9.2 s, first byte after 203 ms"
    assert Walk(sample_lives.stuck(), NOW).sentence() == said
    failed = Walk(sample_lives.timed_out(), NOW)
    assert failed.sentence() == "INIT 0.3 ms, ADDR 60 ms, DNS 61 ms, CONNECTING 10.0 s, DESTROYED: Timed out"
    assert (failed.failed, failed.last) == (True, S.CONNECTING)
    assert (S.CONNECTING, S.DESTROYED) in failed.steps
    waiting = life("a:1", "", "x", 4.0, *DIALLED, up=1.0)
    assert Walk(waiting, NOW).sentence().endswith("waiting for 3.0 s")
    assert Walk(life("a:1", "", "x", 4.0, *DIALLED), NOW).sentence().endswith("the program sent nothing")


def test_another_server_is_a_step_back_and_its_time_counts() -> None:
    walk = Walk(sample_lives.two_servers(), NOW)
    assert (S.CONNECTING, S.DNS) in walk.steps
    assert walk.spent[S.CONNECTING] == pytest.approx(0.82)
    assert not walk.ended


@pytest.mark.parametrize("role", list(Role))
def test_every_step_that_is_allowed_has_its_arrow(qtbot: QtBot, role: Role) -> None:
    diagram = StageDiagram()
    qtbot.addWidget(diagram)
    diagram.resize(560, 164)
    diagram.show_connection(life("a:1", "", "x", 1.0, role=role), NOW)
    boxes = diagram.boxes()
    assert (S.ADDR in boxes) is (role is Role.LOCAL)
    assert diagram.walk is not None
    for before, following in TRANSITIONS[role].items():
        for after in following:
            corners = diagram._way((before, after), boxes, diagram.walk)
            start, end = corners[0], corners[-1]
            assert boxes[before].adjusted(-3, -3, 3, 32).contains(start)
            assert boxes[after].adjusted(-3, -3, 3, 3).contains(end)
    shown = [boxes[stage] for stage in boxes]
    assert all(box.left() >= 0 and box.right() <= 560 and box.bottom() <= 164 for box in shown)
    assert not any(a.intersects(b) for at, a in enumerate(shown) for b in shown[at + 1 :])


def test_a_failure_leaves_by_the_red_rail(qtbot: QtBot) -> None:
    diagram = StageDiagram()
    qtbot.addWidget(diagram)
    diagram.resize(560, 164)
    fine = life("a:1", "", "x", 3.0, *DIALLED, up=0.2, down=0.4, ended=2.0, reason=Reason.FINISHED)
    for one, wanted in ((sample_lives.timed_out(), True), (fine, False), (sample_lives.stuck(), False)):
        diagram.show_connection(one, NOW)
        image = diagram.grab().toImage()
        row = [image.pixelColor(x, 14).name() for x in range(560)]
        assert (row.count(QColor(theme.current().s_cap).name()) > 150) is wanted
    assert diagram.accessibleName().startswith("Stages: INIT")
    assert diagram.focusPolicy() & Qt.FocusPolicy.TabFocus


# ---- the streams


def words(one: Connection, *, up: bool) -> tuple[str, str]:
    part = direction(one, NOW, up=up)
    return part.note, part.right


def test_streams_in_words() -> None:
    stuck = sample_lives.stuck()
    assert words(stuck, up=True) == ("Reading the program", "buffer empty")
    assert words(stuck, up=False) == ("Program not reading", "256 / 512 KiB")
    assert direction(stuck, NOW, up=False).stuck
    assert direction(stuck, NOW, up=False).held == 0.5
    connecting = life("a:1", "", "x", 1.0, *DIALLED[:3], flags=(R | W, R), held=(517, 0))
    assert words(connecting, up=True) == ("517 B waits for the connection", "517 B / 64 KiB")
    assert words(connecting, up=False) == ("Not begun", "buffer empty")
    header = life("a:1", "", "x", 0.21, *DIALLED, flags=(R | W, R), held=(7, 0))
    assert words(header, up=True)[0] == "The address waits for the first bytes"
    slow = sample_lives.blocked(
        life("a:1", "", "x", 9.0, *DIALLED, up=0.2, flags=(W, R), held=(99_000, 0)), 2.0, up=True
    )
    assert words(slow, up=True) == ("Server takes no more", "97 / 512 KiB")
    half = life("a:1", "", "x", 9.0, *DIALLED, up=0.2, down=0.4, flags=(NONE, NONE))
    assert words(half, up=True)[0] == "The program has said all"
    assert words(half, up=False)[0] == "The server has said all"


def test_streams_of_a_server_and_of_a_direct_route_name_the_others() -> None:
    server = life("a:1", "", "", 9.0, *DIALLED[1:], up=0.3, down=0.4, flags=(R, W), held=(0, 5), role=Role.SERVER)
    assert words(server, up=True)[0] == "Reading the client"
    assert words(server, up=False)[0] == "Client not reading"
    direct = life("a:1", "direct", "x", 9.0, *DIALLED, up=0.3, down=0.4, flags=(W, R), held=(5, 0))
    assert words(direct, up=True)[0] == "Target takes no more"
    assert words(direct, up=False)[0] == "Reading the target"


def test_streams_of_the_past() -> None:
    assert words(sample_lives.timed_out(), up=True) == ("Nothing sent", "")
    assert words(sample_lives.timed_out(), up=False) == ("Nothing received", "")
    early = life("a:1", "", "x", 5.0, *DIALLED[:3], ended=3.0, reason=Reason.CONNECT_TIMEOUT)
    early.up = 517
    assert words(early, up=True)[0] == "517 B never sent"
    done = life("a:1", "", "x", 9.0, *DIALLED, up=1.0, down=2.0, flows=((2.0, 4.0, 0, 1000),), ended=4.0,
                reason=Reason.FINISHED)  # fmt: skip
    assert words(done, up=False)[0] == "1.00 KB/s on average"


def test_bytes_over_time_follow_the_course(qtbot: QtBot) -> None:
    panel = StreamsPanel()
    qtbot.addWidget(panel)
    panel.resize(240, 174)
    panel.show_connection(sample_lives.stuck(), NOW)
    assert round(panel.peak(), -5) == 10_500_000
    assert panel.accessibleName().startswith("Streams. Up: 14.2 KB, Reading the program, buffer empty. Down: 48.4 MB")
    image = panel.grab().toImage()
    empty = image.pixelColor(239, 160)
    filled = [image.pixelColor(x, 160) != empty for x in range(240)]
    assert filled[20:130] == [True] * 110
    assert not any(filled[140:])


# ---- the events


def test_events_with_their_deltas(qtbot: QtBot) -> None:
    events = EventsList()
    qtbot.addWidget(events)
    events.show_connection(sample_lives.stuck())
    assert events.texts() == [
        "0 Accepted", "+0.4 ms SOCKS5", "+58 ms Resolve server", "+41 ms Connect to server", "+97 ms Connected",
        "+0.1 ms First bytes sent", "+203 ms First byte back", "+4.8 s Down blocked",
    ]  # fmt: skip
    events.show_connection(sample_lives.two_servers())
    assert "+600 ms Another server tried" in events.texts()
    one = sample_lives.timed_out()
    one.detail = "no \u202e\nway"
    events.show_connection(one)
    assert events.texts()[-2:] == ["+10.0 s Timed out", "no \ufffd\ufffdway"]


def test_a_list_that_is_too_long_scrolls_by_keys(qtbot: QtBot) -> None:
    events = EventsList()
    qtbot.addWidget(events)
    events.resize(208, 100)
    events.show()
    one = sample_lives.stuck()
    events.show_connection(one)
    bar = events.verticalScrollBar()
    assert bar.maximum() == 8 * 22 - events.viewport().height()
    events.setFocus()
    qtbot.keyClick(events, Qt.Key.Key_Down)
    assert bar.value() == 22
    bar.setValue(bar.maximum())
    one.moments = [*one.moments, (NOW, one.moments[0][1])]
    events.show_connection(one)
    assert bar.value() == bar.maximum() == 9 * 22 - events.viewport().height()


# ---- the panel


class Panel:
    """A panel of details in a window of some width."""

    def __init__(self, qtbot: QtBot, width: int) -> None:
        self.found: Found | None = None
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.window.resize(width, 400)
        self.detail = Detail(lambda _: self.found, lambda found: (found.fact, "numbers", found.action), self.window)
        self.detail.offer_curl()
        self.detail.setGeometry(0, 0, width - (200 if width >= 1100 else 56), self.detail.sizeHint().height())
        self.window.show()

    def parts(self) -> set[str]:
        body = self.detail.body
        named = {"path": body.diagram, "streams": body.streams, "events": body.events, "tabs": body.tabs}
        return {name for name, widget in named.items() if widget.isVisible()}


@pytest.mark.parametrize(
    ("width", "parts", "buttons"),
    [
        (1400, {"path", "streams", "events"}, ["Always direct", "Copy as curl", "Close connection"]),
        (1280, {"path", "streams", "tabs"}, ["Close connection"]),
        (960, {"path", "tabs"}, ["Close connection"]),
    ],
)
def test_it_uses_the_room_of_its_window(qtbot: QtBot, width: int, parts: set[str], buttons: list[str]) -> None:
    panel = Panel(qtbot, width)
    panel.detail.show_connection(sample_lives.stuck(), NOW)
    assert panel.parts() == parts
    shown = [one.text() for one in (panel.detail.rule, panel.detail.copy, panel.detail.end) if one.isVisible()]
    assert shown == buttons
    body = panel.detail.body
    places = [one.geometry() for one in (body.diagram, body.streams, body.events) if one.isVisible()]
    assert not any(a.intersects(b) for at, a in enumerate(places) for b in places[at + 1 :])
    assert all(place.right() < body.width() for place in places)
    assert panel.detail.more.isVisible() is (len(buttons) == 1)


def test_tabs_show_what_has_no_column(qtbot: QtBot) -> None:
    panel = Panel(qtbot, 1280)
    body = panel.detail.body
    panel.detail.show_connection(sample_lives.stuck(), NOW)
    events = next(one for one in body.tabs.findChildren(QAbstractButton) if one.isVisible() and one.text() == "Events")
    qtbot.mouseClick(events, Qt.MouseButton.LeftButton)
    assert panel.parts() == {"path", "events", "tabs"}
    assert len(body.events.rows) == 8
    body.set_columns(1)
    assert panel.parts() == {"events", "tabs"}
    body.set_columns(3)
    assert panel.parts() == {"path", "streams", "events"}


def test_what_has_no_button_is_in_the_menu(qtbot: QtBot) -> None:
    panel = Panel(qtbot, 960)
    ruled: list[tuple[str, Route]] = []
    copied: list[int] = []
    panel.detail.ruled.connect(lambda host, route: ruled.append((host, route)))
    panel.detail.copied.connect(copied.append)
    one = sample_lives.stuck()
    panel.detail.show_connection(one, NOW)
    menu = panel.detail.show_more()
    assert [action.text() for action in menu.actions()] == ["Always direct", "Copy as curl"]
    for action in menu.actions():
        action.trigger()
    menu.hide()
    assert ruled == [("objects.githubusercontent.com", Route.DIRECT)]
    assert copied == [one.id]


def test_actions_are_those_that_make_sense(qtbot: QtBot) -> None:
    panel = Panel(qtbot, 1400)
    detail = panel.detail
    closing: list[int] = []
    detail.closing.connect(closing.append)
    one = life("a.example:443", "direct", "x", 3.0, *DIALLED)
    detail.show_connection(one, NOW)
    assert detail.rule.text() == "Always proxy"
    qtbot.mouseClick(detail.end, Qt.MouseButton.LeftButton)
    assert closing == [one.id]
    detail.show_connection(life("192.168.1.1:80", "direct", "x", 3.0, *DIALLED), NOW)
    assert detail.rule.isHidden()
    detail.show_connection(life("", "", "x", 3.0, ended=1.0, reason=Reason.BAD_REQUEST), NOW)
    assert all(button.isHidden() for button in (detail.rule, detail.copy, detail.end, detail.more))
    assert detail.heading.title == "It was never known where to"


def test_the_verdict_has_an_action_and_follows_its_connection(qtbot: QtBot) -> None:
    panel = Panel(qtbot, 1400)
    acted: list[tuple[str, int]] = []
    panel.detail.acted.connect(lambda action, number: acted.append((action, number)))
    one = sample_lives.stuck()
    panel.detail.show_connection(one, NOW)
    assert not panel.detail.banner.isVisible()
    panel.found = Found("warn", "show-program", "The program is not reading.")
    panel.detail.show_connection(one, NOW)
    assert panel.detail.banner.text() == "The program is not reading.  numbers"
    qtbot.mouseClick(panel.detail.banner.action, Qt.MouseButton.LeftButton)
    assert acted == [("show-program", one.id)]
    panel.found = Found("err", "", "Gone.")
    panel.detail.show_connection(one, NOW)
    assert not panel.detail.banner.action.isVisible()
    panel.found = None
    panel.detail.show_connection(one, NOW)
    assert not panel.detail.banner.isVisible()


def test_it_is_left_by_its_button_and_by_escape(qtbot: QtBot) -> None:
    panel = Panel(qtbot, 1400)
    panel.detail.show_connection(sample_lives.stuck(), NOW)
    with qtbot.waitSignal(panel.detail.left):
        qtbot.mouseClick(panel.detail.close_panel, Qt.MouseButton.LeftButton)
    panel.window.activateWindow()
    panel.detail.body.diagram.setFocus()
    qtbot.waitUntil(panel.detail.body.diagram.hasFocus)
    with qtbot.waitSignal(panel.detail.left):
        qtbot.keyClick(panel.detail.body.diagram, Qt.Key.Key_Escape)


def test_whose_it_is(qtbot: QtBot) -> None:
    panel = Panel(qtbot, 1400)
    one = sample_lives.stuck()
    one.program, one.pid, one.rule = "git\u202etig", 48213, "gfwlist"
    panel.detail.show_connection(one, NOW)
    heading = panel.detail.heading
    assert heading.title == "objects.githubusercontent.com:443"
    assert heading.subtitle == "git\ufffdtig · PID 48213 · SOCKS5 · gfwlist → Tokyo 1 东京"
    one.rule, one.route = "", "direct"
    panel.detail.show_connection(one, NOW)
    assert heading.subtitle.endswith("SOCKS5 · direct")
    server = life("a:1", "", "", 3.0, role=Role.SERVER, inbound="shadowsocks")
    server.user = "ann"
    panel.detail.show_connection(server, NOW)
    assert heading.subtitle.endswith("· ann · Shadowsocks")


def test_a_long_life_is_cheap_to_show(qtbot: QtBot) -> None:
    """The panel is made anew five times a second."""
    panel = Panel(qtbot, 1400)
    one = sample_lives.stuck()
    panel.detail.show_connection(one, NOW)
    rows = panel.detail.body.events.rows
    panel.detail.show_connection(one, NOW + 0.2)
    assert panel.detail.body.events.rows is rows
