"""Many equal deadlines behind one timer.

Every wait of one kind lasts equally long, so the oldest ends first: an ordered dict and the timer of its
head do what a timer per connection would, at the cost of a dict entry.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

_T = TypeVar("_T")


class DeadlineQueue(Generic[_T]):
    """Calls `expired(item)` `delay` seconds after the start that was given with it, unless removed before.

    Items must be added in the order of their starts.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, delay: float, expired: Callable[[_T], None]) -> None:
        self._loop, self.delay, self._expired = loop, delay, expired
        self._due: OrderedDict[_T, float] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._due)

    def __contains__(self, item: _T) -> bool:
        return item in self._due

    def __iter__(self) -> Iterator[_T]:
        return iter(self._due)

    def add(self, item: _T, start: float | None = None) -> None:
        """Let the time of `item` run from `start` (the loop's clock; now when not given)."""
        due = (self._loop.time() if start is None else start) + self.delay
        self._due[item] = due
        if self._timer is None:
            self._timer = self._loop.call_at(due, self._fire)

    def remove(self, item: _T) -> bool:
        """Forget `item`; False when it was not waiting."""
        return self._due.pop(item, None) is not None

    def pop_oldest(self) -> _T:
        """Take out the item whose time started first."""
        return self._due.popitem(last=False)[0]

    def clear(self) -> list[_T]:
        """Forget everything and return it, oldest first."""
        items = list(self._due)
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return items

    def _fire(self) -> None:
        self._timer = None
        now = self._loop.time() + 0.001  # a timer may ring a hair early
        try:
            while self._due and (head := next(iter(self._due.items())))[1] <= now:
                del self._due[head[0]]
                self._expired(head[0])
        finally:  # an item that fails must not keep the others waiting for ever
            if self._due:
                self._timer = self._loop.call_at(next(iter(self._due.values())), self._fire)
