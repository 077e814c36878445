"""What terminals send, as keys: the same however it is split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.app.monitor.keys import KeyParser

KNOWN = {
    b"a": "a", b"?": "?", "ü".encode(): "ü", "鯨".encode(): "鯨", b" ": " ", b"\r": "enter", b"\n": "enter",
    b"\t": "tab", b"\x7f": "backspace", b"\x08": "backspace", b"\x03": "ctrl-c", b"\x15": "ctrl-u",
    b"\x1b[A": "up", b"\x1b[B": "down", b"\x1b[C": "right", b"\x1b[D": "left", b"\x1bOA": "up", b"\x1bOH": "home",
    b"\x1b[H": "home", b"\x1b[1~": "home", b"\x1b[F": "end", b"\x1b[4~": "end", b"\x1b[3~": "delete",
    b"\x1b[5~": "pgup", b"\x1b[6~": "pgdn", b"\x1b[Z": "backtab", b"\x1bx": "alt-x",
}  # fmt: skip
SILENT = [
    b"\x1b[1;5A",
    b"\x1b[[A",
    b"\x1bOP",
    b"\x1b[200~",
    b"\x1b[?1;2c",
    b"\x00",
    b"\x1c",
    b"\x1b[\x01",
    "\u200b".encode(),
]


def keys(*pieces: bytes) -> list[str]:
    parser = KeyParser()
    return [key for piece in pieces for key in parser.feed(piece)] + parser.flush()


@pytest.mark.parametrize(("data", "key"), KNOWN.items())
def test_a_key(data: bytes, key: str) -> None:
    assert keys(data) == [key]


@pytest.mark.parametrize("data", SILENT)
def test_what_is_no_key_of_ours_is_swallowed_whole(data: bytes) -> None:
    assert keys(data, b"z") == ["z"]


def test_escape_is_a_key_when_nothing_follows() -> None:
    parser = KeyParser()
    waiting = [parser.waiting]
    assert parser.feed(b"\x1b") == []
    waiting.append(parser.waiting)
    assert parser.flush() == ["esc"]
    waiting.append(parser.waiting)
    assert waiting == [False, True, False]
    assert parser.flush() == []
    assert keys(b"\x1b\x1b") == ["esc", "esc"]
    assert keys(b"\x1b\x1b[A") == ["esc", "up"]
    assert keys(b"\x1b[") == []


def test_a_sequence_without_an_end_is_given_up() -> None:
    assert keys(b"\x1b[" + b"1" * 100) == ["1"] * 69
    assert keys(b"\x1b[12", b"\x1b[A") == ["up"]


@given(st.lists(st.sampled_from(list(KNOWN)), max_size=12), st.data())
def test_however_it_is_split(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert keys(*pieces) == [KNOWN[part] for part in parts]


@given(st.binary(max_size=60), st.integers(0, 60))
def test_random_bytes(data: bytes, cut: int) -> None:
    found = keys(data[:cut], data[cut:])
    assert found == keys(data)
    assert all(len(key) > 1 or key.isprintable() for key in found)
