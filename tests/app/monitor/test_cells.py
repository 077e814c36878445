"""Cells are as wide as they say, whatever stands in them, and bars tell where the time went."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from ssgui.app.monitor.bar import own_bar, shares, timed_bar
from ssgui.app.monitor.cells import Cell, cropped, fitted, fitted_target, in_ascii, visible, wrapped
from ssgui.app.monitor.columns import COLUMNS, Look, choose, head_line, row_line
from ssgui.app.monitor.glyphs import FINE, PLAIN, glyphs_for, mark_of
from ssgui.engine.stages import Reason, Role, Stage, StreamStatus
from ssgui.services.connections.records import Connection

EVIL = "a\x1b[31mred\x1b]0;title\x07\n\r\t\x9b2J\u202eoce\u200b\u200d\ufeff\u2028x\ud800[bold]b[/bold]\u0301 鯨🇯🇵"


def connection(**values: Any) -> Connection:
    given_: dict[str, Any] = {
        "id": 1, "conn": 1, "inbound": "socks5", "client": "127.0.0.1:5", "opened": 100.0, "target": "example.com:443",
        "stage": Stage.STREAM, "timeline": [(Stage.INIT, 100.0), (Stage.DNS, 101.0), (Stage.STREAM, 102.0)],
    }  # fmt: skip
    return Connection(**{**given_, **values})


# ---- text


@given(st.text(max_size=40), st.integers(0, 30), st.booleans())
def test_text_is_as_wide_as_it_has_to_be(text: str, width: int, right: bool) -> None:
    for fit in (fitted(text, width, "…", right=right), fitted_target(text, width, "…")):
        assert cell_len(fit) == width
        assert fit.isprintable()


def test_nothing_that_moves_the_cursor_is_left() -> None:
    shown = visible(EVIL)
    assert shown.isprintable()
    assert "[bold]b[/bold]" in shown
    assert not {"\x1b", "\n", "\u202e", "\u200b", "\u200d", "\x9b", "\ud800"} & set(shown)


@pytest.mark.parametrize(
    ("target", "width", "shown"),
    [
        ("example.com:443", 20, "example.com:443     "),
        ("cdn-1234.static.example.com:443", 20, "cdn-1234…ple.com:443"),
        ("[2001:db8::1]:443", 17, "[2001:db8::1]:443"),
        ("example.com:443", 6, "examp…"),
        ("", 3, "   "),
    ],
)
def test_a_target_keeps_its_ends(target: str, width: int, shown: str) -> None:
    assert fitted_target(target, width, "…") == shown


@given(st.lists(st.text(max_size=8).map(visible), max_size=8), st.integers(0, 40))
def test_lines_are_cropped_and_wrapped(texts: list[str], width: int) -> None:
    line = [Cell(text) for text in texts]
    assert sum(cell_len(cell.text) for cell in cropped(line, width)) <= width
    assert [cell for each in wrapped(line, width) for cell in each] == line


@given(st.lists(st.text(max_size=8).map(visible), max_size=4))
def test_ascii_takes_the_same_room(texts: list[str]) -> None:
    for text in texts:
        (cell,) = in_ascii([Cell(text, "bold")])
        assert cell.text.isascii()
        assert (cell_len(cell.text), cell.style) == (cell_len(text), "bold")


# ---- columns


@given(st.integers(1, 300), st.sampled_from(Role))
def test_columns_never_take_more_than_there_is(width: int, role: Role) -> None:
    chosen = choose(width, role)
    total = sum(each for _, each in chosen) + max(0, len(chosen) - 1)
    assert total <= width
    if width >= 40:
        assert {"stage", "target"} <= {column.key for column, _ in chosen}
        assert total == width


def test_what_80_columns_show() -> None:
    assert [column.key for column, _ in choose(80, Role.LOCAL)] == [
        "stage", "up-flags", "down-flags", "target", "down", "up", "age", "bar",
    ]  # fmt: skip
    wide = {column.key for column, _ in choose(250, Role.LOCAL)}
    assert wide == {column.key for column in COLUMNS} - {"user", "client"}
    served = {column.key for column, _ in choose(250, Role.SERVER)}
    assert served == {column.key for column in COLUMNS} - {"rule", "server", "program"}


texts = st.sampled_from(["", "x", EVIL, "鯨" * 30])
connections = st.builds(
    connection, target=texts, rule=texts, server=texts, program=texts, user=texts, client=texts,
    stage=st.sampled_from(Stage), up_status=st.sampled_from(list(StreamStatus)), down=st.integers(0, 1 << 60),
    up_rate=st.floats(0, 1e15), reason=st.none() | st.sampled_from(Reason), ended=st.none() | st.floats(100, 200),
    first_up=st.none() | st.floats(100, 200), first_down=st.none() | st.floats(100, 200),
)  # fmt: skip


@given(
    connections,
    st.integers(1, 200),
    st.sampled_from(Role),
    st.sampled_from([FINE, PLAIN]),
    st.sampled_from([0.0, 60.0]),
)
def test_a_row_is_as_wide_as_its_columns(one: Connection, width: int, role: Role, glyphs: Any, seconds: float) -> None:
    chosen = choose(width, role)
    total = sum(each for _, each in chosen) + max(0, len(chosen) - 1)
    for line in (row_line(one, chosen, Look(150.0, glyphs, seconds)), head_line(chosen, glyphs, ("age", True))):
        text = "".join(cell.text for cell in line)
        assert cell_len(text) == total
        assert text.isprintable()


def test_a_row_in_words() -> None:
    one = connection(
        up_status=StreamStatus.READING, down_status=StreamStatus.READING | StreamStatus.WRITING, down_rate=1.5e6,
        rule="gfwlist", server="Tokyo 1", program="curl", first_up=102.0, first_down=102.25, up=10, down=2_000_000,
    )  # fmt: skip
    line = row_line(one, choose(200, Role.LOCAL), Look(112.0, PLAIN))
    words = "".join(cell.text for cell in line).split()
    assert words[:6] == ["*", "Streaming", "R", "RW", "example.com:443", "gfwlist"]
    assert words[6:14] == ["Tokyo", "1", "curl", "1.50", "MB/s", "0", "B/s", "2.00"]
    assert words[-5:-1] == ["250", "ms", "12", "s"]


def test_flags_that_explain_slowness_stand_out() -> None:
    one = connection(down_status=StreamStatus.WRITING)
    line = row_line(one, choose(80, Role.LOCAL), Look(112.0, PLAIN))
    assert next(cell for cell in line if cell.text == " W").style == "bold yellow"


@pytest.mark.parametrize(
    ("values", "mark"),
    [
        ({"stage": Stage.INIT}, "○"), ({"stage": Stage.ADDR}, "○"), ({"stage": Stage.DNS}, "◆"),
        ({"stage": Stage.CONNECTING}, "◔"), ({"first_up": 1.0}, "◐"), ({}, "●"), ({"stage": Stage.UDP_ASSOC}, "■"),
        ({"ended": 1.0, "reason": Reason.FINISHED}, "✓"), ({"ended": 1.0, "reason": Reason.DENIED}, "✗"),
    ],
)  # fmt: skip
def test_every_stage_has_a_mark(values: dict[str, Any], mark: str) -> None:
    assert mark_of(connection(**values), FINE)[0] == mark


def test_characters_that_cannot_be_shown_are_not_used() -> None:
    assert glyphs_for("utf-8") is FINE
    for encoding in ("ascii", "latin-1", None, "no such thing"):
        assert glyphs_for(encoding) is PLAIN
    assert PLAIN.text().isascii()


# ---- bars


def drawn(one: Connection, now: float, width: int) -> str:
    return "".join(text for text, _ in own_bar(one, now, width, PLAIN))


def test_a_bar_tells_where_the_time_went() -> None:
    one = connection(
        timeline=[(Stage.INIT, 0.0), (Stage.DNS, 2.0), (Stage.CONNECTING, 4.0), (Stage.STREAM, 6.0)], first_up=7.0,
        first_down=9.0, opened=0.0,
    )  # fmt: skip
    assert drawn(one, 10.0, 20) == "....::::oooo  ~~~~=="
    assert drawn(one, 1e9, 10) == ".:o ~====="  # none is lost
    assert drawn(connection(opened=0.0, timeline=[(Stage.INIT, 0.0)], stage=Stage.INIT), 0.0, 4) == "...."


def test_a_failure_has_a_cap() -> None:
    one = connection(ended=103.0, reason=Reason.NO_ANSWER)
    assert drawn(one, 200.0, 6)[-1] == "|"
    assert "|" not in drawn(connection(ended=103.0, reason=Reason.FINISHED), 200.0, 6)


def test_bars_of_the_last_minute_stand_below_each_other() -> None:
    def timed(one: Connection, now: float) -> str:
        return "".join(text for text, _ in timed_bar(one, now, 12, PLAIN, 60.0))

    one = connection(
        opened=100.0, timeline=[(Stage.INIT, 100.0), (Stage.STREAM, 110.0)], first_up=110.0, first_down=120.0
    )
    assert timed(one, 130.0) == "      ..~~=="
    assert timed(one, 160.0) == "..~~========"
    assert timed(one, 172.0) == "~~=========="
    ended = connection(
        opened=100.0, timeline=[(Stage.INIT, 100.0)], stage=Stage.DESTROYED, ended=105.0, reason=Reason.DENIED
    )
    assert timed(ended, 130.0) == "      |     "
    assert timed(ended, 500.0) == " " * 12


@given(st.lists(st.floats(0, 1e6), max_size=9), st.integers(0, 40))
def test_shares_fill_the_room(amounts: list[float], room: int) -> None:
    counts = shares(amounts, room)
    assert len(counts) == len(amounts)
    assert sum(counts) == (room if amounts else 0)
    assert min(counts, default=1) >= (1 if len(amounts) <= room else 0)


@given(connections, st.integers(1, 60), st.floats(0, 1000), st.floats(1, 600))
def test_bars_are_as_wide_as_they_should(one: Connection, width: int, later: float, seconds: float) -> None:
    now = 100.0 + later
    for runs in (own_bar(one, now, width, FINE), timed_bar(one, now, width, FINE, seconds)):
        assert sum(len(text) for text, _ in runs) == width
