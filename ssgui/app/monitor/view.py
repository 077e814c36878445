"""Which rows are shown, in which order, and which one is chosen: the table without a screen."""

from enum import StrEnum

from ssgui.app.monitor.columns import BY_KEY, Chosen
from ssgui.services.connections.filtering import NO_FILTER, Filter, FilterError
from ssgui.services.connections.records import Connection
from ssgui.services.control.mirror import Mirror

BARS = (0.0, 60.0, 600.0)  # seconds; 0: each its whole life


class Scope(StrEnum):
    """Which connections are shown."""

    ACTIVE = "active"
    CLOSED = "closed"
    ALL = "all"


class View:
    """Rows of a mirror. `look` takes in what is new, unless it is paused."""

    def __init__(self, mirror: Mirror) -> None:
        self.mirror = mirror
        self.scope = Scope.ALL
        self.filter = NO_FILTER
        self.filter_fault = ""
        self.sorted_by: tuple[str, bool] | None = None  # a column's key, and whether the largest is on top
        self.rows: list[Connection] = []
        self.found = 0  # before the filter
        self.selected: int | None = None
        self.top = 0
        self.height = 1
        self.paused_at: float | None = None  # their time
        self.bar = 0

    @property
    def now(self) -> float:
        """What time it is in the picture."""
        return self.mirror.now() if self.paused_at is None else self.paused_at

    @property
    def seconds(self) -> float:
        """Of a bar; 0 for the whole life."""
        return BARS[self.bar]

    def look(self) -> None:
        """Show what there is now."""
        if self.paused_at is None:
            self._choose()
        self._keep_in_sight()

    def _choose(self) -> None:
        rows: list[Connection] = []
        if self.scope is not Scope.CLOSED:
            rows += self.mirror.live.values()
        if self.scope is not Scope.ACTIVE:
            rows += self.mirror.ended.values()
        self.found = len(rows)
        now = self.mirror.now()
        try:
            rows, self.filter_fault = self.filter.select(rows, now), ""
        except FilterError as error:
            rows, self.filter_fault = [], str(error)
        rows.sort(key=lambda one: one.id, reverse=True)
        if self.sorted_by is not None:
            key, descending = self.sorted_by
            order = BY_KEY[key].order
            rows.sort(key=lambda one: order(one, now), reverse=descending)
        self.rows = rows

    def _keep_in_sight(self) -> None:
        at = self.at()
        if at is None:
            self.selected = None
        elif at < self.top:
            self.top = at
        elif at >= self.top + self.height:
            self.top = at - self.height + 1
        self.top = max(0, min(self.top, len(self.rows) - self.height))

    def at(self) -> int | None:
        """Where the chosen row is."""
        if self.selected is None:
            return None
        return next((at for at, one in enumerate(self.rows) if one.id == self.selected), None)

    def chosen(self) -> Connection | None:
        """The chosen connection, as it is now."""
        at = self.at()
        return None if at is None else self.rows[at]

    # ---- what a person does

    def move(self, steps: int) -> None:
        """Choose another row; a single step from none leads to the one on top of the screen."""
        if not self.rows:
            return
        at = self.at()
        goal = at + steps if at is not None else self.top + (steps if abs(steps) > 1 else 0)
        self.selected = self.rows[max(0, min(goal, len(self.rows) - 1))].id
        self._keep_in_sight()

    def set_filter(self, wanted: Filter) -> None:
        """Show what it selects."""
        self.filter = wanted
        self._rewind()

    def set_scope(self, scope: Scope) -> None:
        """Show active ones, closed ones, or all."""
        self.scope = scope
        self._rewind()

    def sort(self, chosen: Chosen, step: int) -> None:
        """By the next of the columns that are shown; beyond the last the newest are on top again."""
        keys = [None, *(column.key for column, _ in chosen if column.key != "bar")]
        now = self.sorted_by[0] if self.sorted_by is not None else None
        key = keys[((keys.index(now) if now in keys else 0) + step) % len(keys)]
        self.sorted_by = None if key is None else (key, BY_KEY[key].right)
        self._again()

    def reverse(self) -> None:
        """The other way round."""
        if self.sorted_by is not None:
            self.sorted_by = self.sorted_by[0], not self.sorted_by[1]
            self._again()

    def pause(self) -> None:
        """Freeze the picture, not the traffic; or let it go on."""
        self.paused_at = self.mirror.now() if self.paused_at is None else None
        self.look()

    def newer(self) -> int:
        """How many have come since the picture was frozen."""
        newest = max((one.id for one in self.rows), default=0)
        return sum(number > newest for rows in (self.mirror.live, self.mirror.ended) for number in rows)

    def _rewind(self) -> None:
        self.top = 0
        self._again()

    def _again(self) -> None:
        self._choose()
        self._keep_in_sight()
