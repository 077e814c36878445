"""The rate of log lines, by a clock that the test turns."""

from ssgui.app.rate_limit import RateLimit


def test_a_burst_then_a_rate() -> None:
    limit = RateLimit(burst=3, rate=2)
    assert [limit.allow("a", 10.0) for _ in range(5)] == [True, True, True, False, False]
    assert limit.allow("b", 10.0)
    assert not limit.allow("a", 10.4)
    assert limit.allow("a", 10.5)
    assert limit.held_back("a") == 3
    assert limit.held_back("a") == 0


def test_rest_does_not_save_up_more_than_a_burst() -> None:
    limit = RateLimit(burst=2, rate=100)
    limit.allow("a", 0.0)
    assert [limit.allow("a", 1000.0) for _ in range(3)] == [True, True, False]


def test_strangers_cannot_fill_the_memory() -> None:
    limit = RateLimit(most_keys=3)
    for key in range(10):
        limit.allow(key, 0.0)
        limit.allow("kept", 0.0)
    assert limit.known() == [8, 9, "kept"]
    assert limit.held_back("never seen") == 0
