"""Where a connection's time went."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ssgui.engine.stages import TRANSITIONS, Role, Stage
from ssgui.services.connections.records import Connection
from ssgui.services.connections.segments import Segment, SegmentKind, phase, segments

K = SegmentKind


def connection(*timeline: tuple[Stage, float], up: float | None = None, down: float | None = None) -> Connection:
    one = Connection(1, 1, "socks5", "127.0.0.1:5", timeline[0][1], timeline=list(timeline))
    one.first_up, one.first_down = up, down
    one.stage = timeline[-1][0]
    if one.stage is Stage.DESTROYED:
        one.ended = timeline[-1][1]
    return one


DIALLED = ((Stage.INIT, 0.0), (Stage.ADDR, 1.0), (Stage.DNS, 2.0), (Stage.CONNECTING, 4.0), (Stage.STREAM, 7.0))
BEFORE = [Segment(K.HANDSHAKE, 0.0, 2.0), Segment(K.DNS, 2.0, 4.0), Segment(K.CONNECTING, 4.0, 7.0)]


def test_a_request_and_its_answer() -> None:
    one = connection(*DIALLED, (Stage.DESTROYED, 20.0), up=8.0, down=11.0)
    rest = [Segment(K.IDLE, 7.0, 8.0), Segment(K.WAIT, 8.0, 11.0), Segment(K.STREAM, 11.0, 20.0)]
    assert segments(one, 99.0) == BEFORE + rest


def test_a_live_one_goes_on_until_now() -> None:
    one = connection(*DIALLED, up=7.0)
    assert segments(one, 9.0) == [*BEFORE, Segment(K.WAIT, 7.0, 9.0)]
    assert phase(one) is K.WAIT
    assert segments(connection((Stage.INIT, 0.0)), 3.0) == [Segment(K.HANDSHAKE, 0.0, 3.0)]


def test_before_the_program_has_said_anything_nobody_is_waited_for() -> None:
    one = connection(*DIALLED)
    assert segments(one, 9.0) == [*BEFORE, Segment(K.IDLE, 7.0, 9.0)]
    assert phase(one) is K.IDLE


def test_a_target_that_speaks_first() -> None:
    one = connection(*DIALLED, down=9.0, up=12.0)
    assert segments(one, 13.0) == [*BEFORE, Segment(K.IDLE, 7.0, 9.0), Segment(K.STREAM, 9.0, 13.0)]


def test_a_second_server_is_a_second_way() -> None:
    one = connection(
        (Stage.INIT, 0.0), (Stage.DNS, 1.0), (Stage.CONNECTING, 2.0), (Stage.DNS, 3.0), (Stage.CONNECTING, 4.0),
        (Stage.DESTROYED, 5.0),
    )  # fmt: skip
    assert [part.kind for part in segments(one, 9.0)] == [K.HANDSHAKE, K.DNS, K.CONNECTING, K.DNS, K.CONNECTING]
    assert phase(one) is K.CONNECTING


def test_an_association() -> None:
    one = connection((Stage.INIT, 0.0), (Stage.ADDR, 0.0), (Stage.UDP_ASSOC, 1.0))
    assert segments(one, 4.0) == [Segment(K.HANDSHAKE, 0.0, 1.0), Segment(K.UDP, 1.0, 4.0)]


@st.composite
def _lives(draw: st.DrawFn) -> Connection:
    """Any life that the table of stages allows, with first bytes at any time."""
    transitions = TRANSITIONS[draw(st.sampled_from(list(Role)))]
    now, stage = draw(st.floats(0, 10)), Stage.INIT
    timeline = [(stage, now)]
    for _ in range(draw(st.integers(0, 8))):
        following = sorted(transitions[stage])
        if not following:
            break
        stage, now = draw(st.sampled_from(following)), now + draw(st.sampled_from([0.0, 0.5, 3.0]))
        timeline.append((stage, now))
    firsts = st.one_of(st.none(), st.floats(0, 60))
    return connection(*timeline, up=draw(firsts), down=draw(firsts))


@given(_lives(), st.floats(0, 100))
def test_parts_follow_each_other_without_a_gap(one: Connection, later: float) -> None:
    last = one.timeline[-1][1]
    parts = segments(one, last + later)
    assert parts
    assert parts[0].start == one.opened
    assert parts[-1].end == (last if one.ended is not None else last + later)
    for before, after in pairwise(parts):
        assert before.end == after.start
        assert before.kind is not after.kind
    assert all(part.start <= part.end for part in parts)
