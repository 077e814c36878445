"""What flowed when, in buckets that are bounded."""

from hypothesis import given
from hypothesis import strategies as st

from ssgui.engine.stages import Reason
from ssgui.services.connections.overview import BUCKET, MOST_FAILURES, SECONDS, Overview
from ssgui.services.connections.records import Connection

ONE = Connection(1, 1, "socks5", "127.0.0.1:5", 0.0)


def ended(at: float, reason: Reason | None) -> Connection:
    return Connection(1, 1, "socks5", "127.0.0.1:5", 0.0, ended=at, reason=reason)


def test_bytes_are_spread_over_the_time_since_the_look_before() -> None:
    flows = Overview()
    flows.flowed("", 0, 0, 100.0)
    flows.flowed("", 300, 2000, 101.0)
    flows.flowed("", 100, 0, 101.0)
    found = flows.flows(100.0, 102.0, 101.0, 100)
    assert [(one.up, one.down) for one in found] == [(400, 2000)] * 4
    assert [one.t for one in found] == [100.125, 100.375, 100.625, 100.875]


def test_what_came_after_a_pause_did_not_come_all_the_time() -> None:
    flows = Overview()
    flows.flowed("", 0, 0, 100.0)
    flows.flowed("", 0, 3000, 160.0)
    found = flows.flows(100.0, 160.0, 160.0, 1000)
    assert sum(one.down for one in found) * BUCKET == 3000
    assert {one.t for one in found if one.down} == {158.625, 158.875, 159.125, 159.375, 159.625, 159.875}


def test_the_step_that_is_not_over_is_left_out_and_a_pause_is_a_zero() -> None:
    flows = Overview()
    flows.flowed("", 0, 0, 100.0)
    flows.flowed("", 0, 1000, 100.6)
    assert [one.t for one in flows.flows(100.0, 101.0, 100.7, 100)] == [100.125, 100.375]
    later = flows.flows(100.0, 110.0, 110.0, 100)
    assert later[-1].t == 109.875
    assert later[-1].down == 0


def test_steps_begin_at_fixed_moments() -> None:
    flows = Overview()
    for at in range(200):
        flows.flowed("", 1, at * 10, 100 + at * 0.2)
    first = flows.flows(100.0, 139.0, 140.0, 20)
    second = flows.flows(101.3, 140.0, 140.0, 20)
    assert len(first) <= 20
    assert set(first[1:-1]) & set(second) == set(first[1:-1])


def test_failures_are_kept_and_bounded() -> None:
    flows = Overview()
    for at in range(MOST_FAILURES + 5):
        flows.closed(ended(float(at), Reason.CONNECT_TIMEOUT))
    for reason in (Reason.FINISHED, Reason.CLOSED_BY_USER, Reason.IDLE_TIMEOUT, None):
        flows.closed(ended(1e6, reason))
    assert len(flows.failures) == MOST_FAILURES
    assert max(flows.failures) == MOST_FAILURES + 4


_LOOKS = st.lists(st.tuples(st.floats(0, 30), st.integers(0, 10**9), st.integers(0, 10**9)), max_size=40)


@given(st.floats(0, 1e6), _LOOKS, st.integers(1, 500))
def test_nothing_is_lost_and_nothing_older_than_ten_minutes_is_kept(
    start: float, looks: list[tuple[float, int, int]], most: int
) -> None:
    flows, now, came = Overview(), start, list[tuple[float, int, int]]()
    for pause, up, down in looks:
        now += pause
        flows.flowed("", up, down, now)
        came.append((now, up, down))
    end = now + 2.0
    found = flows.flows(end - SECONDS, end, end, most)
    width = BUCKET * max(1, -int(-SECONDS / BUCKET // most))
    total = sum(one.down for one in found) * width
    recent = sum(down for at, _, down in came if end - SECONDS + 2 * width + 1.5 < at < end - width)
    everything = sum(down for at, _, down in came if at > end - SECONDS - 2 * width - 1.5)
    assert recent * (1 - 1e-9) - 1 <= total <= everything * (1 + 1e-9) + 1
    assert len(found) <= most + 1
