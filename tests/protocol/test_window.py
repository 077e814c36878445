"""The sliding window: the vectors, and a set as its model."""

from hypothesis import given
from hypothesis import strategies as st

from ssgui.protocol.window import WINDOW, Window
from tests.protocol.vectors import load

NUMBERS = st.integers(0, 40) | st.integers(WINDOW - 5, WINDOW + 45) | st.integers(0, 2**64 - 1)


def test_the_vectors() -> None:
    vectors = load("replay_window.json")
    assert vectors["window"] == WINDOW
    window = Window()
    for number, accepted in vectors["steps"]:
        assert window.accepts(number) is accepted, number
        if accepted:
            window.add(number)
            assert not window.accepts(number)


@given(st.lists(NUMBERS, max_size=60), st.integers(0, 2**63))
def test_against_a_set(numbers: list[int], base: int) -> None:
    window, seen, last = Window(), set[int](), -1
    for number in [*numbers, *(base + number % 2**63 for number in numbers)]:
        expected = number not in seen and last - number <= WINDOW
        assert window.accepts(number) is expected
        if expected:
            window.add(number)
            seen.add(number)
            last = max(last, number)


def test_asking_changes_nothing() -> None:
    window = Window()
    window.accepts(10)
    assert all(window.accepts(number) for number in range(10))


def test_it_stays_small() -> None:
    window = Window()
    for number in range(0, 3 * WINDOW, 2):
        window.add(number)
    assert window._seen.bit_length() <= WINDOW + 1
