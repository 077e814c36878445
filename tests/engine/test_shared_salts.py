"""The memory of salts that workers share: against a model, full, torn, and with workers that die or stop."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocol.sip022_wires import Clock

if sys.platform != "linux":
    pytest.skip("workers share a port on Linux only", allow_module_level=True)

from ssgui.engine.shared_salts import _BUCKET, _SLOTS, LEAST_MARKED, KeySalts, SharedSalts
from ssgui.protocol.salt_pool import KEPT_SECONDS

ROOT = Path(__file__).parents[2]
KEY = b"a key"
A_WHILE = 0.5
STEPS = st.lists(st.tuples(st.floats(0, 40), st.integers(0, 6), st.booleans(), st.booleans()), max_size=60)


@contextmanager
def memory(slots: int, clock: Clock) -> Iterator[SharedSalts]:
    with closing(SharedSalts(slots, clock)) as salts:
        yield salts


def salt(number: int) -> bytes:
    return b"salt" + number.to_bytes(16, "big") + b"mark"


@given(STEPS)
def test_against_a_model(steps: list[tuple[float, int, bool, bool]]) -> None:
    """One bucket has room for all of them, so nothing is ever forgotten. Two keys know nothing of each other."""
    clock = Clock(1.0)
    with memory(_SLOTS, clock) as shared:
        views = KeySalts(shared, KEY, dated=True), KeySalts(shared, b"another key", dated=False)
        added: set[tuple[int, bool]] = set()
        for passed, number, other, adding in steps:
            clock.now += passed
            view = views[other]
            assert (salt(number) in view) is ((number, other) in added)
            if adding:
                assert view.add(salt(number)) is ((number, other) not in added)
                added.add((number, other))


def test_what_must_be_kept_is_kept_and_the_oldest_makes_room() -> None:
    clock = Clock(1.0)
    with memory(_SLOTS, clock) as shared:
        view, undated = KeySalts(shared, KEY, dated=True), KeySalts(shared, KEY, dated=False)
        for number in range(_SLOTS):
            clock.now += A_WHILE
            assert view.add(salt(number))
        for other in (view, undated):
            assert not other.add(salt(1000)), "there is no room, and nothing may be forgotten"
        assert all(salt(number) in view for number in range(_SLOTS))
        clock.now = 1.0 + A_WHILE + KEPT_SECONDS
        assert salt(0) in view
        clock.now += A_WHILE / 2
        assert view.add(salt(1000))
        assert salt(0) not in view
        assert all(salt(number) in view for number in range(1, _SLOTS))
        assert not view.add(salt(1001)), "the next is not old enough"
        clock.now += A_WHILE
        assert view.add(salt(1001))


def test_what_has_no_date_is_kept_as_long_as_there_is_room() -> None:
    clock = Clock(1.0)
    with memory(_SLOTS, clock) as shared:
        dated, undated = KeySalts(shared, KEY, dated=True), KeySalts(shared, KEY, dated=False)
        for number in range(_SLOTS // 2):
            assert dated.add(salt(number))
        for number in range(1000, 2000):
            assert undated.add(salt(number))
        assert all(salt(number) in undated for number in range(2000 - _SLOTS // 2, 2000)), "the last"
        assert all(salt(number) in dated for number in range(_SLOTS // 2)), "none of them has driven out a dated one"


def test_a_refusal_is_told_but_not_a_thousand_times(caplog: pytest.LogCaptureFixture) -> None:
    with memory(_SLOTS, Clock(1.0)) as shared:
        view = KeySalts(shared, KEY, dated=True)
        for number in range(_SLOTS + 900):
            view.add(salt(number))
    assert len(caplog.records) == 1
    assert "more connections came than it can remember" in caplog.text


@pytest.mark.parametrize("dated", [False, True])
def test_the_last_salts_are_known_in_a_memory_of_many_buckets(*, dated: bool) -> None:
    clock, slots = Clock(1.0), 1 << 13
    with memory(slots, clock) as shared:
        view = KeySalts(shared, KEY, dated=dated)
        salts = [os.urandom(32) for _ in range(3 * slots)]
        for one in salts:
            clock.now += 1
            assert view.add(one)
        assert all(one in view for one in salts[-slots // 4 :])
        assert not any(view.add(one) for one in salts[-slots // 4 :])


@given(st.binary(min_size=_BUCKET, max_size=_BUCKET), st.booleans())
def test_whatever_a_death_has_left_there(torn: bytes, dated: bool) -> None:
    """A bucket of any bytes: a salt is taken at most once, and there is room again when the time is over."""
    clock = Clock(1.0)
    with memory(_SLOTS, clock) as shared:
        shared._memory[:_BUCKET] = torn
        view = KeySalts(shared, KEY, dated=dated)
        assert sum(view.add(salt(1)) for _ in range(3)) <= 1
        clock.now += KEPT_SECONDS + A_WHILE
        assert sum(view.add(salt(2)) for _ in range(3)) == 1


def test_a_salt_is_not_in_the_memory_itself() -> None:
    with memory(_SLOTS, Clock(1.0)) as shared:
        one = b"sixteen bytes so, and a few more"
        KeySalts(shared, KEY, dated=True).add(one)
        assert not any(one[at : at + 6] in shared._memory[:] for at in range(len(one) - 6))


# ---- what we send


@pytest.mark.parametrize("size", [8, 12, 15, 16, 24, 32])
def test_our_own_are_known_when_they_come_back(size: int) -> None:
    with memory(_SLOTS, Clock(1.0)) as shared:
        view, other = KeySalts(shared, KEY, dated=True), KeySalts(shared, b"another key", dated=True)
        fresh = os.urandom(size)
        ours = view.own(fresh)
        assert len(ours) == size
        assert ours[:-4] == fresh[:-4]
        assert (ours == fresh) is (size < LEAST_MARKED)
        assert bytes(bytearray(ours)) in view
        assert not view.add(bytes(bytearray(ours)))
        assert ours not in other
        assert other.add(ours)
        stranger = os.urandom(size)
        assert stranger not in view
        assert view.add(stranger)
        assert stranger in view


def test_marks_cost_no_room() -> None:
    with memory(_SLOTS, Clock(1.0)) as shared:
        view = KeySalts(shared, KEY, dated=True)
        ours = [view.own(os.urandom(16)) for _ in range(10 * _SLOTS)]
        assert all(one in view for one in ours)
        assert not any(shared._memory[:])


@pytest.mark.parametrize("name", ["race", "deaths", "holder"])
def test_in_several_processes(name: str) -> None:
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "tests.engine.salt_drills", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=55)
    assert done.returncode == 0, done.stderr[-3000:]
