"""Where the parts of a bar are: in order, wide enough, inside, never on each other."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ssgui.gui.connections.bars import LEAST, Piece, lay_out
from ssgui.gui.connections.timescale import TimeScale
from ssgui.services.connections.segments import Segment, SegmentKind

K = SegmentKind
MINUTE = TimeScale(0.0, 60.0)


def parts(*lengths: tuple[SegmentKind, float], start: float = 0.0) -> list[Segment]:
    made, at = [], start
    for kind, length in lengths:
        made.append(Segment(kind, at, at + length))
        at += length
    return made


def sizes(pieces: list[Piece]) -> list[float]:
    return [round(piece.x1 - piece.x0, 6) for piece in pieces]


def test_time_is_width() -> None:
    pieces = lay_out(parts((K.HANDSHAKE, 6.0), (K.DNS, 12.0), (K.STREAM, 42.0)), MINUTE, 100.0, 700.0)
    assert [(piece.kind, piece.x0, piece.x1) for piece in pieces] == [
        (K.HANDSHAKE, 100.0, 160.0), (K.DNS, 160.0, 280.0), (K.STREAM, 280.0, 700.0)
    ]  # fmt: skip


def test_what_is_too_short_to_be_seen_gets_its_width_from_the_longest() -> None:
    life = parts((K.HANDSHAKE, 0.05), (K.DNS, 0.04), (K.CONNECTING, 0.1), (K.WAIT, 1.0), (K.STREAM, 30.0))
    pieces = lay_out(life, MINUTE, 0.0, 600.0)
    assert sizes(pieces) == [2, 2, 2, 10, round(311.9 - 16, 6)]
    assert pieces[-1].x1 == 311.9


def test_a_bar_that_is_too_short_altogether_grows_and_stays_inside() -> None:
    life = ((K.HANDSHAKE, 0.01), (K.DNS, 0.01), (K.CONNECTING, 0.01))
    early = lay_out(parts(*life, start=3.0), MINUTE, 0.0, 600.0)
    assert (early[0].x0, early[-1].x1) == (30.0, 36.0)
    late = lay_out(parts(*life, start=59.97), MINUTE, 0.0, 600.0)
    assert (late[0].x0, late[-1].x1) == (594.0, 600.0)


def test_what_is_outside_is_cut_off() -> None:
    life = parts((K.DNS, 10.0), (K.STREAM, 100.0), start=-20.0)
    (piece,) = lay_out(life, MINUTE, 0.0, 600.0)
    assert piece == Piece(K.STREAM, 0.0, 600.0, 0.0, 60.0)
    assert not lay_out(parts((K.DNS, 1.0), start=-5.0), MINUTE, 0.0, 600.0)
    assert not lay_out(parts((K.DNS, 1.0), start=61.0), MINUTE, 0.0, 600.0)
    assert not lay_out(life, MINUTE, 5.0, 5.0)


def test_stages_that_an_address_only_passes_through_are_not_shown() -> None:
    life = parts((K.HANDSHAKE, 1.0), (K.DNS, 0.00001), (K.CONNECTING, 1.0))
    assert [piece.kind for piece in lay_out(life, MINUTE, 0.0, 600.0)] == [K.HANDSHAKE, K.CONNECTING]
    ready = parts((K.CONNECTING, 1.0), (K.IDLE, 0.001), (K.WAIT, 1.0))
    assert [piece.kind for piece in lay_out(ready, MINUTE, 0.0, 600.0)] == [K.CONNECTING, K.WAIT]
    refused = parts((K.HANDSHAKE, 1.0), (K.DNS, 0.0), (K.CONNECTING, 0.00002))
    assert [piece.kind for piece in lay_out(refused, MINUTE, 0.0, 600.0)] == [K.HANDSHAKE, K.CONNECTING]


_LENGTHS = st.lists(
    st.tuples(st.sampled_from(list(K)), st.one_of(st.just(0.0), st.floats(0, 1e-3), st.floats(0, 500))),
    min_size=1,
    max_size=40,
)


@given(_LENGTHS, st.floats(-400, 400), st.floats(0.001, 900), st.floats(0, 500), st.floats(0, 2000))
def test_any_life_at_any_place(
    lengths: list[tuple[SegmentKind, float]], start: float, window: float, left: float, width: float
) -> None:
    right = left + width
    life, scale = parts(*lengths, start=start), TimeScale(0.0, window)
    pieces = lay_out(life, scale, left, right)
    for piece in pieces:
        assert left <= piece.x0 <= piece.x1 <= right
        assert piece.x1 - piece.x0 >= min(LEAST, width / len(pieces)) - 1e-6
        assert scale.start <= piece.start <= piece.end <= scale.end
    for before, after in pairwise(pieces):
        assert before.x1 == after.x0
        assert before.end <= after.start
    kinds = iter(part.kind for part in life)
    assert all(any(piece.kind is kind for kind in kinds) for piece in pieces)
    if pieces and life[0].start >= 0 and life[-1].end <= window:  # all of it: as wide as its time, or grown to be seen
        natural = (life[-1].end - life[0].start) / window * width
        shown = pieces[-1].x1 - pieces[0].x0
        assert shown >= natural - 2e-3 * width / window * len(life) - 1e-6
        assert shown <= max(natural, LEAST * len(pieces)) + 1e-6
