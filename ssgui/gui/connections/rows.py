"""Which connections the table shows, and in which order. Plain Python: the model tells Qt what has changed.

An order is made when a person chooses a column, and then pinned: rows go when they are not wanted any more, new ones
come in on top, and nothing else moves until the order is made again.
"""

from collections.abc import Callable
from enum import IntEnum
from operator import attrgetter
from typing import Any

from ssgui.engine.stages import StreamStatus
from ssgui.gui.connections.cells import inbound_text, rule_text, stage_text
from ssgui.gui.connections.columns import Column
from ssgui.services.connections.filtering import NO_FILTER
from ssgui.services.connections.records import Connection, Connections

_by_id = attrgetter("id")
_LONG_AGO = float("-inf")


class Scope(IntEnum):
    """Which connections are shown."""

    ACTIVE = 0
    CLOSED = 1
    ALL = 2


class Rows:
    """A choice among `connections`. `hidden` is how many of the scope the filter and the window of time leave out."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.scope, self.filter = Scope.ALL, NO_FILTER
        self.window: tuple[float | None, float | None] = (None, None)
        self.order: tuple[Column, bool] | None = None  # descending or not; None is the newest on top
        self.hidden = 0
        self._still: dict[int, Connection] | None = None
        self._seen: tuple[object, ...] = ()

    # ---- a picture that does not move

    @property
    def paused(self) -> bool:
        """Whether the records are copies."""
        return self._still is not None

    def pause(self, on: bool) -> None:
        """From now on show what is now, or again what will be."""
        if on != self.paused:
            every = (*self._connections.live.values(), *self._connections.ended.values())
            self._still = {one.id: one.still() for one in every} if on else None

    def newer(self) -> int:
        """How many connections have come since the pause, as far as they are still known."""
        if self._still is None:
            return 0
        known = self._still.keys()
        return len(self._connections.live.keys() - known) + len(self._connections.ended.keys() - known)

    def counts(self) -> tuple[int, int]:
        """How many live and have ended."""
        if self._still is None:
            return len(self._connections.live), len(self._connections.ended)
        live = sum(one.live for one in self._still.values())
        return live, len(self._still) - live

    # ---- what is to be shown

    def wanted(self, shown: list[Connection], now: float, *, again: bool = False) -> list[Connection] | None:
        """What is to be shown where `shown` is now; None if that is right. `again` makes the order anew."""
        asked = (self.scope, self.filter, self.order)
        seen = (asked, self.window, self.paused, self._connections.version)
        if seen == self._seen and self.filter.empty and not again:
            return None
        again = again or self._seen[:1] != (asked,)
        self._seen = seen
        found = self._candidates()
        picked = self.filter.select(self._in_window(found), now)
        self.hidden = len(found) - len(picked)
        if self.order is None:
            picked.sort(key=_by_id, reverse=True)
            return picked
        column, descending = self.order
        if again:
            picked.sort(key=_by_id, reverse=True)
            picked.sort(key=sort_key(column, now), reverse=descending)
            return picked
        return _pinned(shown, picked)

    def _candidates(self) -> list[Connection]:
        if self._still is None:
            live = list(self._connections.live.values()) if self.scope is not Scope.CLOSED else []
            return live + (list(self._connections.ended.values()) if self.scope is not Scope.ACTIVE else [])
        every = self._still.values()
        return [one for one in every if self.scope is Scope.ALL or one.live is (self.scope is Scope.ACTIVE)]

    def _in_window(self, found: list[Connection]) -> list[Connection]:
        start, end = self.window
        if end is not None:
            found = [one for one in found if one.opened <= end]
        if start is not None:
            found = [one for one in found if one.ended is None or one.ended >= start]
        return found


def _pinned(shown: list[Connection], picked: list[Connection]) -> list[Connection]:
    """`picked` in the order of `shown`, new ones on top."""
    left = {one.id: one for one in picked}
    kept = [one for old in shown if (one := left.pop(old.id, None)) is not None]
    return sorted(left.values(), key=_by_id, reverse=True) + kept


def sort_key(column: Column, now: float) -> Callable[[Connection], Any]:
    """What a column is ordered by."""
    match column:
        case Column.AGE:
            return lambda one: one.age(now)
        case Column.WAIT:
            return lambda one: _LONG_AGO if (wait := one.wait(now)) is None else wait
        case Column.STARTED | Column.WATERFALL:
            return lambda one: one.opened
    return _KEYS[column]


_KEYS: dict[Column, Callable[[Connection], Any]] = {
    Column.STAGE: lambda one: (not one.live, int(one.stage), stage_text(one)),
    Column.UP_FLAGS: lambda one: _blocked_first(one.up_status, one.up_blocked),
    Column.DOWN_FLAGS: lambda one: _blocked_first(one.down_status, one.down_blocked),
    Column.TARGET: lambda one: one.target.casefold(),
    Column.RULE: lambda one: rule_text(one).casefold(),
    Column.SERVER: lambda one: one.server.casefold(),
    Column.INBOUND: lambda one: inbound_text(one).casefold(),
    Column.PROGRAM: lambda one: one.program.casefold(),
    Column.DOWN_RATE: lambda one: (one.live, one.down_rate if one.live else one.down),  # rates, then totals
    Column.UP_RATE: lambda one: (one.live, one.up_rate if one.live else one.up),
    Column.DOWN_TOTAL: lambda one: one.down,
    Column.UP_TOTAL: lambda one: one.up,
    Column.REASON: lambda one: "" if one.live else stage_text(one),
    Column.USER: lambda one: one.user.casefold(),
}


def _blocked_first(status: StreamStatus, since: float | None) -> tuple[bool, int, float]:
    """Held longest is last, as a column of flags goes up."""
    return bool(status & StreamStatus.WRITING), int(status), 0.0 if since is None else -since
