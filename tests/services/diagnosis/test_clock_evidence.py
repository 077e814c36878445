"""What is known about this computer's clock, and how long it holds."""

import string
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.services.diagnosis.clock import Clock, ClockEvidence, Reading, parse_date

NOW = 1_700_000_000.0


class Clocks:
    """Both of this computer's."""

    def __init__(self) -> None:
        self.wall, self.monotonic, self.asked = NOW, 100.0, 0
        self.synchronised: bool | None = None
        self.evidence = ClockEvidence(lambda: self.wall, lambda: self.monotonic, self._system)

    def _system(self) -> bool | None:
        self.asked += 1
        return self.synchronised

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


def test_nothing_is_known_before_anything_was_heard() -> None:
    clocks = Clocks()
    state = clocks.evidence.state()
    assert (state.clock, state.ahead, state.synchronised) == (Clock.UNKNOWN, None, None)


@pytest.mark.parametrize(
    ("ahead", "clock"),
    [(0, Clock.RIGHT), (8, Clock.RIGHT), (-20, Clock.DRIFTING), (30, Clock.UNKNOWN), (-31, Clock.UNKNOWN),
     (33, Clock.OFF), (-480, Clock.OFF), (1e9, Clock.OFF)],
)  # fmt: skip
def test_a_date_says_how_far_off_we_are(ahead: float, clock: Clock) -> None:
    clocks = Clocks()
    found = clocks.evidence.heard_date(formatdate(NOW + ahead, usegmt=True))
    assert found is not None
    assert abs(found - ahead) <= 1
    state = clocks.evidence.state()
    assert (state.clock, state.source) == (clock, "date")


def test_what_was_in_a_cache_is_older_than_it_says() -> None:
    clocks = Clocks()
    old = formatdate(NOW - 86_400, usegmt=True)
    assert clocks.evidence.heard_date(old, "86400") is not None
    assert clocks.evidence.state().clock is Clock.RIGHT
    clocks.evidence.heard_date(old, "no number")
    assert clocks.evidence.state().clock is Clock.OFF


def test_an_answer_that_took_long_says_less() -> None:
    clocks = Clocks()
    clocks.evidence.heard_date(formatdate(NOW - 45, usegmt=True), seconds=60.0)  # it may be 30 s old, or 60
    assert clocks.evidence.state().clock is Clock.UNKNOWN


def test_it_holds_while_time_passes_and_until_the_clock_is_set() -> None:
    clocks = Clocks()
    clocks.evidence.heard_date(formatdate(NOW + 480, usegmt=True))
    clocks.passes(3600.0)
    assert clocks.evidence.state().clock is Clock.OFF
    clocks.wall += 480  # somebody sets it
    state = clocks.evidence.state()
    assert state.clock is Clock.RIGHT
    assert state.ahead is not None
    assert abs(state.ahead) < 1
    clocks.evidence.forget()
    assert clocks.evidence.state().clock is Clock.UNKNOWN


def test_the_server_knows_best() -> None:
    clocks = Clocks()
    clocks.evidence.heard_date(formatdate(NOW, usegmt=True))
    server = Reading(47.0, 2.0, clocks.evidence.base(), "server")
    state = clocks.evidence.state(server)
    assert (state.clock, state.ahead, state.source) == (Clock.OFF, 47.0, "server")


def test_the_system_is_asked_once_a_minute() -> None:
    clocks = Clocks()
    clocks.synchronised = False
    for _ in range(100):
        assert clocks.evidence.state().synchronised is False
    assert clocks.asked == 1
    clocks.synchronised = True
    clocks.passes(61.0)
    assert clocks.evidence.state().synchronised is True


@pytest.mark.parametrize(
    ("header", "time"),
    [
        ("Tue, 14 Nov 2023 22:13:20 GMT", NOW),
        ("Tuesday, 14-Nov-23 22:13:20 GMT", NOW),
        ("Tue Nov 14 22:13:20 2023", None),  # without a zone
        ("", None),
        ("yesterday", None),
        ("Tue, 99 Nov 2023 22:13:20 GMT", None),
        ("Tue, 14 Nov 2023 22:13:20 GMT" + " " * 100, None),
    ],
)
def test_dates(header: str, time: float | None) -> None:
    assert parse_date(header) == time


@given(st.text(max_size=80) | st.text(string.printable, max_size=80), st.text(max_size=12), st.floats(0, 1e6))
def test_whatever_a_header_says(date: str, age: str, seconds: float) -> None:
    clocks = Clocks()
    ahead = clocks.evidence.heard_date(date, age, seconds)
    assert (ahead is None) == (clocks.evidence.state().clock is Clock.UNKNOWN and clocks.evidence.state().ahead is None)


@given(st.text(string.ascii_letters + string.digits + " ,:+-", max_size=60))
def test_whatever_looks_like_a_date(text: str) -> None:
    found = parse_date(text)
    assert found is None or isinstance(found, float)
