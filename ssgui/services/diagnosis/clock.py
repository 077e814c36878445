"""What is known about this computer's clock: servers of 2022 refuse who is more than 30 s off, without a word.

A client cannot tell that from a wrong key by the server's silence, so other evidence is kept: what servers said of
their own clocks, the `Date` of answers to what was fetched anyway, what the system says, and, only if a person asks,
the `Date` of one page. All of it in seconds that another clock is ahead of ours.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum

from ssgui.protocol.sip022 import MAX_SKEW
from ssgui.system.clock_state import is_synchronised

DRIFTING = 10.0  # seconds; a clock that is this far off goes on drifting
_ROUNDING = 1.0  # a Date has whole seconds
_ASK_AGAIN = 60.0
_LONGEST_HEADER = 64


class Clock(StrEnum):
    """What may be said about our clock."""

    OFF = "off"  # no server of 2022 takes it
    DRIFTING = "drifting"
    RIGHT = "right"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reading:
    """Another clock was `ahead` of ours by so much, give or take `error`, when ours differed by `base` from one that
    nobody sets. `source` says whose it was: server, date, or asked.
    """

    ahead: float
    error: float
    base: float
    source: str

    def ahead_now(self, base: float) -> float:
        """How far it is ahead now, whatever was done to our clock meanwhile."""
        return self.ahead + self.base - base


@dataclass(frozen=True, slots=True)
class ClockState:
    """`ahead` is None where nothing is known, `synchronised` where the system says nothing."""

    clock: Clock
    ahead: float | None = None
    source: str = ""
    synchronised: bool | None = None


class ClockEvidence:
    """Keeps the latest reading. `heard_date` may be called in any thread."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        synchronised: Callable[[], bool | None] = is_synchronised,
    ) -> None:
        self._wall, self._monotonic, self._system = wall, monotonic, synchronised
        self._reading: Reading | None = None
        self._said: tuple[float, bool | None] | None = None  # when the system was asked, and its answer

    def base(self) -> float:
        """By how much our clock differs from one that nobody sets."""
        return self._wall() - self._monotonic()

    def heard(self, ahead: float, error: float = _ROUNDING, source: str = "server", base: float | None = None) -> None:
        """Another clock is `ahead` of ours; `base` is that of then, if it was not now."""
        self._reading = Reading(ahead, error, self.base() if base is None else base, source)

    def heard_date(self, date: str, age: str = "", seconds: float = 0.0, source: str = "date") -> float | None:
        """An answer that took so many `seconds` has these headers; how far its sender's clock is ahead, if they say.

        An answer from a cache is `age` seconds older than it is.
        """
        theirs = parse_date(date)
        if theirs is None:
            return None
        since = float(age) if age.isascii() and age.isdigit() and len(age) < 10 else 0.0
        ahead = theirs + since - (self._wall() - seconds / 2) + _ROUNDING / 2
        self.heard(ahead, _ROUNDING + seconds / 2, source)
        return ahead

    def forget(self) -> None:
        """The machine slept: the clock that nobody sets may have stopped meanwhile."""
        self._reading = None

    def state(self, server: Reading | None = None) -> ClockState:
        """What may be said now; `server` is what the server in question has said itself, which is the best there is."""
        reading = server or self._reading
        synchronised = self._synchronised()
        if reading is None:
            return ClockState(Clock.UNKNOWN, synchronised=synchronised)
        ahead = reading.ahead_now(self.base())
        return ClockState(_word(abs(ahead), reading.error), ahead, reading.source, synchronised)

    def _synchronised(self) -> bool | None:
        now = self._monotonic()
        if self._said is None or now - self._said[0] >= _ASK_AGAIN:
            self._said = now, self._system()
        return self._said[1]


def _word(off: float, error: float) -> Clock:
    """Only what holds whatever the error is."""
    if off - error > MAX_SKEW:
        return Clock.OFF
    if off + error > MAX_SKEW:
        return Clock.UNKNOWN
    return Clock.DRIFTING if off - error > DRIFTING else Clock.RIGHT


def parse_date(header: str) -> float | None:
    """The Unix time of a `Date` header (RFC 9110, 5.6.7), None for what is none."""
    if len(header) > _LONGEST_HEADER:
        return None
    try:
        found = parsedate_to_datetime(header)
        return found.timestamp() if found.tzinfo is not None else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
