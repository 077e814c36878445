"""The filter of salts."""

from hypothesis import given
from hypothesis import strategies as st

from ssgui.protocol.replay import SaltFilter
from ssgui.protocol.salt_pool import SaltPool


def test_a_salt_is_new_once() -> None:
    salts = SaltFilter()
    assert b"salt" not in salts
    assert salts.add(b"salt")
    assert b"salt" in salts
    assert not salts.add(b"salt")


def test_the_older_half_is_forgotten_as_a_whole() -> None:
    salts = SaltFilter(capacity=3)
    for number in range(6):
        assert salts.add(bytes([number]))
    assert all(bytes([number]) in salts for number in range(6))
    assert salts.add(b"\x06")
    assert [number for number in range(7) if bytes([number]) in salts] == [3, 4, 5, 6]
    assert salts.add(b"\x00")


def test_seeing_a_salt_again_does_not_push_others_out() -> None:
    salts = SaltFilter(capacity=2)
    salts.add(b"a")
    salts.add(b"b")
    assert not any(salts.add(b"a") for _ in range(10))
    assert b"b" in salts


@given(st.integers(1, 5), st.lists(st.tuples(st.booleans(), st.integers(0, 11)), max_size=80))
def test_against_a_model(capacity: int, steps: list[tuple[bool, int]]) -> None:
    """The model: a list of all new salts ever, in whole blocks of `capacity`; the last two blocks are known."""
    salts, blocks = SaltFilter(capacity), [[], []]  # type: tuple[SaltFilter, list[list[bytes]]]
    for adds, number in steps:
        salt = bytes([number])
        known = salt in blocks[-1] or salt in blocks[-2]
        assert (salt in salts) is known
        if not adds:
            continue
        assert salts.add(salt) is not known
        if not known:
            if len(blocks[-1]) == capacity:
                blocks.append([])
            blocks[-1].append(salt)
    for number in range(12):
        assert (bytes([number]) in salts) is any(bytes([number]) in block for block in blocks[-2:])


def test_our_own_are_remembered() -> None:
    salts, pool = SaltFilter(), SaltPool(lambda: 0.0)
    for memory in (salts, pool):
        assert memory.own(b"fresh") == b"fresh"
        assert b"fresh" in memory
        assert not memory.add(b"fresh")
