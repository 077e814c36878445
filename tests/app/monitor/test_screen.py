"""The screen, key by key, as a terminal emulator shows it."""

import io
import re
from typing import Any

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from ssgui.app.monitor.cells import Cell
from ssgui.app.monitor.controls import Close, Mode, Quit
from ssgui.app.monitor.glyphs import FINE, PLAIN
from ssgui.app.monitor.painter import Painter, console_lines
from ssgui.app.monitor.screen import Screen, table_lines
from ssgui.app.monitor.view import Scope, View
from ssgui.engine.stages import Reason, Role, Stage, StreamStatus
from ssgui.services.connections import filtering as connection_filter
from ssgui.services.connections.records import Connection, Moment
from ssgui.services.control.mirror import Mirror
from ssgui.services.control.watch_wire import Told, line_of, row_of
from ssgui.services.diagnosis.evidence import Verdict
from tests.app.monitor.test_cells import EVIL, connection, connections

ABOUT = {"ok": True, "protocol": 1, "role": "local", "pid": 4711, "version": "1", "listens": ["127.0.0.1:1080"]}


class World:
    """A process with connections, and the screen that shows them."""

    def __init__(self, role: str = "local", width: int = 100, height: int = 12) -> None:
        self.now = 200.0
        self.mirror = Mirror({**ABOUT, "role": role}, lambda: self.now)
        self.screen = Screen(View(self.mirror), FINE)
        self.screen.resize(width, height)
        self.view, self.controls = self.screen.view, self.screen.controls
        self.tell()

    def tell(self, *rows: Connection, **more: Any) -> None:
        self.mirror.take(line_of(Told(self.now, rows=[row_of(one) for one in rows], **more)))

    def add(self, number: int, **values: Any) -> None:
        self.tell(connection(id=number, **{"target": f"host-{number}.example:443", **values}))

    def press(self, *keys: str) -> Any:
        """What the last of the keys asks for."""
        wish = None
        for key in keys:
            self.screen.lines()
            wish = self.controls.press(key)
        return wish

    def lines(self) -> list[str]:
        return ["".join(cell.text for cell in line).rstrip() for line in self.screen.lines()]

    def text(self) -> str:
        return "\n".join(self.lines())

    def shown(self) -> list[int]:
        """The ids of the rows that can be seen."""
        self.screen.lines()
        return [one.id for one in self.view.rows[self.view.top : self.view.top + self.view.height]]


@pytest.fixture
def world() -> World:
    world = World()
    for number in range(1, 21):
        world.add(number)
    return world


# ---- rows


def test_the_newest_are_on_top(world: World) -> None:
    assert world.shown() == [20, 19, 18, 17, 16, 15, 14, 13]
    assert world.lines()[3].split()[:2] == ["●", "Streaming"]
    world.add(21)
    assert world.shown()[0] == 21


def test_the_chosen_row_stays_chosen_while_others_come(world: World) -> None:
    world.press("j", "down", "j")
    assert world.view.selected == 18
    world.add(21)
    world.add(22)
    assert world.shown()[4] == 18
    for number in range(23, 40):
        world.add(number)
    assert 18 in world.shown()  # it is kept in sight
    reversed_ = [at for at, line in enumerate(world.screen.lines()) if line and "reverse" in line[0].style]
    assert len(reversed_) == 1
    assert "host-18.example" in world.lines()[reversed_[0]]


def test_moving_about(world: World) -> None:
    for keys, chosen in (
        (["pgdn"], 13), (["pgdn"], 6), (["pgup"], 13), (["end"], 1), (["home"], 20), (["G"], 1), (["g"], 20),
        (["k"], 20), (["j", "j"], 18), (["up"], 19),
    ):  # fmt: skip
        world.press(*keys)
        assert world.view.selected == chosen, keys
        assert chosen in world.shown()
    world.press("esc")
    assert world.view.selected is None


def test_a_chosen_row_that_is_gone_is_chosen_no_more(world: World) -> None:
    world.press("j")
    world.tell(gone=[20])
    assert world.shown()[0] == 19
    assert world.view.selected is None


def test_which(world: World) -> None:
    world.add(5, ended=150.0, reason=Reason.DENIED, stage=Stage.DESTROYED)
    assert len(world.view.rows) == 0 or world.shown()
    for key, scope, count in (("1", Scope.ACTIVE, 19), ("2", Scope.CLOSED, 1), ("3", Scope.ALL, 20)):
        world.press(key)
        assert (world.view.scope, len(world.view.rows)) == (scope, count)
    world.press("tab")
    assert world.view.scope is Scope.ACTIVE
    assert "active" in world.lines()[-1]
    world.press("2")
    assert "✗ Denied" in world.text()
    world.tell(gone=[5])
    empty = World()
    empty.press("1")
    assert "no active connections yet" in empty.text()


def test_sorting(world: World) -> None:
    world.add(7, down_rate=5000.0)
    world.add(9, down_rate=9000.0)
    while world.view.sorted_by != ("down", True):
        world.press("s")
    assert world.shown()[:2] == [9, 7]
    assert "Down↓" in world.lines()[2]
    world.press("r")
    assert world.view.sorted_by == ("down", False)
    assert "Down↑" in world.lines()[2]
    world.press("G")
    assert world.view.selected == 9
    seen = []
    for _ in range(12):
        seen.append(world.view.sorted_by)
        world.press("S")
    assert None in seen
    assert len(set(seen)) > 5
    world.press(*"r" * 2)


def test_the_picture_is_frozen_and_the_traffic_not(world: World) -> None:
    world.press("p")
    before = world.lines()[3:-1]
    world.now += 60
    world.add(21)
    world.add(20, down=10**9)
    assert world.lines()[3:-1] == before
    assert "Paused, 1 newer" in world.lines()[-1]
    world.press(" ")
    assert world.shown()[0] == 21


def test_a_filter_is_seen_while_it_is_typed(world: World) -> None:
    world.press("/", *"HOST-1 -host-11")
    assert world.lines()[-1] == "/HOST-1 -host-11█"
    assert world.shown() == [19, 18, 17, 16, 15, 14, 13, 12]
    world.press("enter")
    assert "10 of 20: HOST-1 -host-11" in world.lines()[-1]
    world.press("/", "backspace", "ctrl-w", "esc")
    assert world.view.filter.text == "HOST-1 -host-11"
    world.press("/", "ctrl-u", *"nothing like it", "tab", "up")
    assert "none of 20 is what the filter wants" in world.text()
    assert world.controls.mode is Mode.FILTER
    world.press("enter", "/", "ctrl-u", "enter")
    assert len(world.view.rows) == 20


@pytest.mark.parametrize(
    "text", ["curl", "tokyo", "stage:waiting", "waiting", "age>1000s", ">1MB", "user:ann", "-dead"]
)
def test_a_filter_is_the_windows(text: str) -> None:
    world = World(width=120)
    world.add(1, opened=-2000.0, program="curl", server="Tokyo 1", user="ann", first_up=150.0, up=2_000_000)
    world.add(2, target="dead.example:1", reason=Reason.NO_ANSWER, ended=150.0, stage=Stage.DESTROYED)
    world.press("/", *text, "enter")
    assert world.shown() == [1]


def test_a_filter_that_is_wrong_says_so_and_the_last_good_one_stays(world: World) -> None:
    world.press("/", *"host-1 stage:c")
    world.press(*"razy")
    assert world.lines()[-1].startswith("/host-1 stage:crazy█  there is no stage")
    assert world.view.filter.text == "host-1 stage:c"
    world.press("enter")
    assert "host-1 stage:c" in world.lines()[-1]


def test_a_filter_that_takes_too_long_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_filter, "MOST_SECONDS", -1.0)
    world.press("/", *"/host/", "enter")
    assert "this expression takes too long" in world.lines()[-1]
    assert world.shown() == []


# ---- closing


def test_closing_one_wants_a_yes(world: World) -> None:
    assert world.press("x") is None
    assert world.controls.mode is Mode.TABLE  # none was chosen
    world.press("j", "j", "x")
    assert world.lines()[-1].startswith("Close the connection to host-19.example:443?  y yes")
    assert world.press("n") is None
    assert world.controls.mode is Mode.TABLE
    assert world.press("x", "y") == Close([19])
    world.add(19, ended=150.0, reason=Reason.CLOSED_BY_USER, stage=Stage.DESTROYED)
    world.shown()
    assert world.press("x", "y") is None  # it has ended already
    assert world.controls.mode is Mode.TABLE


def test_closing_all_that_are_shown(world: World) -> None:
    world.press("/", *"host-1", "enter")
    world.add(15, ended=150.0, reason=Reason.FINISHED, stage=Stage.DESTROYED)
    world.shown()
    world.press("X")
    assert "Close all of these, 10 in number?" in world.lines()[-1]
    assert world.press("y") == Close([19, 18, 17, 16, 14, 13, 12, 11, 10, 1])
    world.press("/", "ctrl-u", "enter", "X")
    assert "every connection, 19 in number" in world.lines()[-1]
    for key in ("enter", "esc", "q", "x", "ctrl-u"):
        world.press("X")
        assert world.press(key) is None, key  # only a plain yes is one


def test_leaving(world: World) -> None:
    assert world.press("q") == Quit()
    assert world.press("ctrl-c") == Quit()
    assert world.press("/", "q") is None
    assert world.press("ctrl-c") == Quit()


def test_help_tells_the_keys(world: World) -> None:
    world.press("?")
    assert "close it, after a question" in world.text()
    assert world.press("q") is None
    assert world.controls.mode is Mode.TABLE


# ---- all about one


def detailed(**values: Any) -> World:
    world = World(height=40)
    world.add(1, **values)
    world.press("enter")
    return world


def test_all_about_one() -> None:
    world = detailed(
        timeline=[(Stage.INIT, 100.0), (Stage.ADDR, 100.001), (Stage.DNS, 100.1), (Stage.CONNECTING, 100.2),
                  (Stage.STREAM, 100.4)],
        first_up=100.5, first_down=101.5, program="curl", pid=99, server="Tokyo 1", rule="gfwlist", route="proxy",
        down_status=StreamStatus.WRITING, down_blocked=180.0, held_down=65536, down=2_000_000, user="ann",
        moments=[(100.5, Moment.FIRST_UP), (101.5, Moment.FIRST_DOWN), (180.0, Moment.DOWN_BLOCKED)],
    )  # fmt: skip
    text = world.text()
    for part in (
        "● Streaming  host-1.example:443", "127.0.0.1:5 · curl (99) · socks5 · ann", "proxy · gfwlist", "Tokyo 1",
        "1.0 s for the first byte", "2.00 MB", "65.5 KB", "writing", "blocked for 20 s", "wait 1.0 s",
        "100 ms     +99 ms", "CONNECTING connecting", "the first bytes left", "the program does not read",
    ):  # fmt: skip
        assert part in text, part
    order = [text.index(part) for part in ("greeting", "resolving", "the first bytes left", "does not read")]
    assert order == sorted(order)
    world.press("esc")
    assert "Target" in world.lines()[2]


def test_all_about_one_that_failed_on_a_server() -> None:
    world = World(role="server", height=40)
    world.add(1, role=Role.SERVER, stage=Stage.DESTROYED, ended=101.0, reason=Reason.AUTH_FAILED, detail="a bad tag",
              timeline=[(Stage.INIT, 100.0), (Stage.DESTROYED, 101.0)], target="")  # fmt: skip
    world.press("enter")
    text = world.text()
    for part in ("✗ Auth failed  no target yet", "auth-failed: a bad tag", "INIT       reading the address"):
        assert part in text, part


def test_one_that_nobody_answers() -> None:
    world = detailed(first_up=150.0, acked=517)
    assert "517 B of ours were acknowledged" in world.text()
    assert "50.0 s for the first byte" in world.text()


def test_others_can_be_looked_at_and_closed_from_there(world: World) -> None:
    world.screen.resize(100, 40)
    world.press("enter")
    assert "host-20.example" in world.lines()[2]
    world.press("j", "down")
    assert "host-18.example" in world.lines()[2]
    world.press("x")
    assert "host-18.example" in world.lines()[2]  # it is still seen what is asked about
    assert world.press("y") == Close([18])
    assert world.controls.mode is Mode.DETAIL
    modes = []
    for key in ("s", "/", "left"):  # those of the table do nothing here
        world.press(key)
        modes.append(world.controls.mode)
    assert modes == [Mode.DETAIL, Mode.DETAIL, Mode.TABLE]


def test_what_does_not_fit_is_scrolled_to() -> None:
    world = World(height=14)
    world.add(1, moments=[(100.0 + at, Moment.UP_BLOCKED) for at in range(30)])
    world.press("enter")
    first = world.lines()
    assert "29.0 s" not in "\n".join(first)
    for _ in range(20):
        world.press("pgdn")
        world.lines()
    assert "29.0 s" in world.text()
    for _ in range(20):
        world.press("pgup")
        world.lines()
    assert world.lines() == first


# ---- above the table


def test_what_is_known_of_the_server_in_use() -> None:
    world = World()
    world.tell(verdict=Verdict("on", "Tokyo 1", 0.3))
    world.now += 1.0
    assert "local 4711" in world.lines()[0]
    assert "Connected · Tokyo 1 · Bytes came back 1.3 s ago" in world.lines()[0]
    assert "127.0.0.1:1080" in world.lines()[0]
    world.now += 10.0
    assert "no news for 11 s" in world.lines()[0]


def test_how_all_of_them_stand() -> None:
    world = World(width=120)
    world.add(1, stage=Stage.CONNECTING, timeline=[(Stage.INIT, 100.0), (Stage.CONNECTING, 100.0)], down_rate=2e6)
    world.add(2, stage=Stage.CONNECTING, timeline=[(Stage.INIT, 199.0), (Stage.CONNECTING, 199.0)])
    world.add(3, first_up=199.0)
    world.add(4)
    for number, reason in enumerate([Reason.CONNECT_TIMEOUT, Reason.NO_ANSWER, Reason.NO_ANSWER, Reason.FINISHED], 5):
        world.add(number, reason=reason, ended=190.0, stage=Stage.DESTROYED)
    assert world.lines()[1].split("  ") == [
        "◔ 2 connecting (1 over 5 s)", "◐ 1 waiting", "● 1 streaming", "3 errors in 10 min: 2 No answer, 1 Timed out",
    ]  # fmt: skip
    assert "↓ 2.00 MB/s" in world.lines()[0]
    world.now += 700
    assert "errors" not in world.lines()[1]
    assert World().lines()[1] == "nothing is open"


def test_a_server_has_clients_and_users() -> None:
    world = World(role="server")
    for number, (client, user) in enumerate([("10.0.0.1:5", "ann"), ("10.0.0.1:6", "ann"), ("10.0.0.2:5", "")], 1):
        world.add(number, client=client, user=user, role=Role.SERVER, stage=Stage.INIT)
    assert "2 clients, 1 user" in world.lines()[0]
    assert "Request" in world.lines()[3]  # INIT reads the address
    assert "ann" in world.lines()[4]


# ---- whatever the size, and whatever the names


def console(**values: Any) -> Console:
    given_ = {"file": io.StringIO(), "force_terminal": True, "color_system": "256", "width": 100, "highlight": False}
    return Console(**{**given_, **values}, markup=False, emoji=False, legacy_windows=False)


@settings(max_examples=60)
@given(st.lists(connections, max_size=4), st.integers(1, 130), st.integers(1, 30), st.lists(st.sampled_from([
    "enter", "esc", "j", "k", "/", "x", "X", "y", "s", "r", "p", "w", "tab", "?", "1", "2", "pgdn", "pgup", "end",
    "a", "backspace",
]), max_size=12))  # fmt: skip
def test_every_screen_fits(rows: list[Connection], width: int, height: int, keys: list[str]) -> None:
    world = World(width=width, height=height)
    for number, one in enumerate(rows, 1):
        one.id = number
        world.tell(one)
    for key in ["", *keys]:
        world.press(key)
        lines = world.screen.lines()
        assert len(lines) == height
        for line in lines:
            text = "".join(cell.text for cell in line)
            assert cell_len(text) <= width
            assert text.isprintable()


wild = st.floats(-1e12, 1e12)
liars = st.builds(
    connection, opened=wild, timeline=st.lists(st.tuples(st.sampled_from(Stage), wild), max_size=4),
    stage=st.sampled_from(Stage), first_up=st.none() | wild, first_down=st.none() | wild, ended=st.none() | wild,
    up=st.integers(-(1 << 63), (1 << 63) - 1), down_rate=wild, up_blocked=wild, acked=st.none() | st.integers(-9, 9),
    moments=st.lists(st.tuples(wild, st.sampled_from(Moment)), max_size=3), target=st.text(max_size=40),
)  # fmt: skip


@given(st.lists(liars, min_size=1, max_size=3), wild)
def test_a_process_that_lies_is_shown_all_the_same(rows: list[Connection], now: float) -> None:
    world = World(width=160)
    world.mirror.take(line_of(Told(now)))
    for number, one in enumerate(rows, 1):
        one.id = number
        world.tell(one)
    for key in ("j", "w", "w", "enter"):
        world.press(key)
        for line in world.screen.lines():
            text = "".join(cell.text for cell in line)
            assert cell_len(text) <= 160
            assert text.isprintable()


def emulated(painted: list[str], width: int, height: int) -> list[str]:
    screen = pyte.Screen(width, height)
    stream = pyte.Stream(screen)
    for text in painted:
        stream.feed(text)
    assert screen.title == ""
    return [line.rstrip() for line in screen.display]


def test_names_of_strangers_do_nothing_to_a_terminal() -> None:
    world = World(width=120, height=20)
    for number in range(1, 5):
        world.add(number, target=f"{EVIL}:443", server=EVIL, program=EVIL, rule=EVIL, client=EVIL, detail=EVIL)
    world.tell(verdict=Verdict("on", EVIL))
    for keys in ([], ["/", *EVIL], ["enter"], ["enter"], ["x"]):
        world.press(*keys)
        painted = Painter(console(width=120)).paint(world.screen.lines(), (120, 20))
        ours = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", painted)  # what colours and places are made of
        assert ours.isprintable()
        assert "[bold]b[/bold]" in ours
        assert "red" in ours
        assert "\N{REPLACEMENT CHARACTER}[31mred" in ours
        assert emulated([painted], 120, 20)[0].startswith("local 4711")


def test_only_what_has_changed_is_painted() -> None:
    world = World(width=100, height=12)
    world.add(1)
    painter = Painter(console())
    first = painter.paint(world.screen.lines(), (100, 12))
    assert painter.paint(world.screen.lines(), (100, 12)) == ""
    world.add(2)
    second = painter.paint(world.screen.lines(), (100, 12))
    assert 0 < len(second) < len(first)
    assert emulated([first, second], 100, 12) == world.lines()
    assert len(painter.paint(world.screen.lines(), (90, 12))) > len(second)  # another size: everything
    painter.forget()
    assert len(painter.paint(world.screen.lines(), (90, 12))) > len(second)


words = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="\u3000"), max_size=12)
pictures = st.lists(
    st.lists(st.builds(Cell, words, st.sampled_from(["", "bold red", "reverse"])), max_size=4), min_size=3, max_size=3
)


@given(st.lists(pictures, min_size=1, max_size=4))
def test_what_is_painted_over_is_gone(frames: list[list[list[Cell]]]) -> None:
    plain = [
        [[Cell("".join(char for char in cell.text if char.isascii()), cell.style) for cell in line] for line in frame]
        for frame in frames
    ]
    painter = Painter(console())
    painted = [painter.paint(frame, (60, 3)) for frame in plain]
    assert emulated(painted, 60, 3) == ["".join(cell.text for cell in line).rstrip() for line in plain[-1]]


def test_behind_wide_characters_the_next_cell_is_placed() -> None:
    painter = Painter(console())
    painted = painter.paint([[Cell("鯨 🇯🇵 "), Cell("next", "bold"), Cell(" last")]], (60, 1))
    at = cell_len("鯨 🇯🇵 ") + 1
    assert f"\x1b[{at}G\x1b[1mnext" in painted
    assert "G last" not in painted  # what came before it is certain


def test_without_colours() -> None:
    world = World()
    world.add(1, ended=150.0, reason=Reason.DENIED, stage=Stage.DESTROYED)
    lines = world.screen.lines()
    assert any("\x1b[31m" in text for text in console_lines(console(), lines))
    for bare in (console(no_color=True), console(color_system=None)):
        assert not any(code in text for text in console_lines(bare, lines) for code in ("[31m", "[34m"))


def test_on_paper() -> None:
    world = World()
    for number in range(1, 31):
        world.add(number)
    world.mirror.verdict = None
    lines = ["".join(cell.text for cell in line).rstrip() for line in table_lines(world.mirror, PLAIN, 120)]
    assert len(lines) == 33
    assert all(line.isascii() for line in lines)
    assert lines[2].split()[:3] == ["Stage", "^", "v"]
