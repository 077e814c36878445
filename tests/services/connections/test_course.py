"""A course keeps all bytes, in few samples."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.services.connections.course import MOST, Course

_STEPS = st.lists(
    st.tuples(st.floats(0, 100), st.floats(0, 10), st.integers(0, 1 << 40), st.integers(0, 1 << 40)), max_size=300
)


@given(_STEPS)
def test_nothing_is_lost_however_long_it_lasts(steps: list[tuple[float, float, int, int]]) -> None:
    course, now, up, down = Course(), 0.0, 0, 0
    for gap, length, more_up, more_down in steps:
        start = now + gap
        now = start + length
        course.add(start, now, more_up, more_down)
        up, down = up + more_up, down + more_down
    assert len(course.spans) == len(course.amounts) <= MOST
    assert all(a[1] <= b[0] for a, b in pairwise(course.spans))
    total = course.between(-1.0, now + 1)
    assert total == pytest.approx((up, down))


def test_what_came_in_a_part_of_an_interval() -> None:
    course = Course()
    course.add(0.0, 1.0, 100, 1000)
    course.add(3.0, 5.0, 0, 4000)
    assert course.between(0.5, 1.0) == (50, 500)
    assert course.between(1.0, 3.0) == (0, 0)
    assert course.between(0.0, 4.0) == (100, 3000)
    assert course.between(9.0, 10.0) == (0, 0)
