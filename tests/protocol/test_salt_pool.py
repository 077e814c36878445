"""The salt pool against a model: a dictionary of times that is never cleaned."""

from hypothesis import given
from hypothesis import strategies as st

from ssgui.protocol.salt_pool import KEPT_SECONDS, SaltPool
from tests.protocol.sip022_wires import Clock

STEPS = st.lists(st.tuples(st.floats(0, 40), st.integers(0, 6), st.booleans()), max_size=80)


@given(STEPS)
def test_against_a_model(steps: list[tuple[float, int, bool]]) -> None:
    clock = Clock(0)
    pool, added = SaltPool(clock), dict[bytes, float]()
    for passed, number, adding in steps:
        clock.now += passed
        salt = bytes((number,)) * 16
        known = salt in added and clock.now - added[salt] < KEPT_SECONDS
        if adding:
            assert pool.add(salt) is not known
            added.setdefault(salt, clock.now) if known else added.update({salt: clock.now})
        else:
            assert (salt in pool) is known
        assert len(pool) == sum(clock.now - then < KEPT_SECONDS for then in added.values())


def test_a_salt_stays_as_long_as_its_stream_could_be_good() -> None:
    """Dated 30 s ahead by the whole second, it is good until a moment before it is 31 s old."""
    clock = Clock(0.0)
    pool = SaltPool(clock)
    assert pool.add(b"salt")
    clock.now = 60.999
    assert b"salt" in pool
    assert not pool.add(b"salt")
    clock.now = KEPT_SECONDS
    assert b"salt" not in pool
    assert pool.add(b"salt")


def test_nothing_is_kept_for_ever() -> None:
    clock = Clock(0.0)
    pool = SaltPool(clock)
    for number in range(1000):
        clock.now += 1
        pool.add(number.to_bytes(16, "big"))
    assert len(pool) == KEPT_SECONDS
    assert len(pool._order) == len(pool._salts) == KEPT_SECONDS
