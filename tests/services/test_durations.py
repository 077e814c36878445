"""Durations as counts: near enough, small, and never more than they were given."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.services.diagnosis.server_quality import spread
from ssgui.services.durations import counted, packed, spread_of, unpacked

seconds = st.lists(st.floats(1e-4, 60), min_size=1, max_size=80)


@given(seconds)
def test_a_spread_of_counts_is_near_that_of_the_values(values: list[float]) -> None:
    near = spread_of(unpacked(packed(counted(values))))
    assert near is not None
    ordered = sorted(values)
    middle = ordered[(len(ordered) + 1) // 2 - 1]
    assert near.p50 == pytest.approx(middle, rel=0.06)
    assert near.p95 == pytest.approx(ordered[math.ceil(len(ordered) * 0.95) - 1], rel=0.06)
    exact = spread(values)
    assert exact is not None
    assert min(values) <= exact.p50 <= exact.p95 <= max(values)


@given(seconds, seconds)
def test_counts_of_two_hours_add_up(one: list[float], other: list[float]) -> None:
    both = unpacked(packed(counted(one)))
    both.update(unpacked(packed(counted(other))))
    assert both == counted([*one, *other])


@given(st.binary(max_size=40))
def test_any_bytes_are_counts(data: bytes) -> None:
    counts = unpacked(data)
    assert counts.total() >= 0
    spread_of(counts)
    packed(counts)


def test_what_is_no_duration() -> None:
    assert spread_of(counted([])) is None
    assert spread([]) is None
    assert counted([0.0, -1.0, math.nan]) == {0: 3}
    assert spread_of(counted([1e9])) == spread_of(counted([61.0]))
