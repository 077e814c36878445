"""The bounded ring between the engine and whoever watches. Readers pull; nobody is called."""

from collections import deque
from collections.abc import Callable
from itertools import islice

from ssgui.engine.events import Closed, Event, Opened, StageChanged, closed, opened, stage_changed

_KINDS: dict[object, type[Event]] = {opened: Opened, stage_changed: StageChanged, closed: Closed}


def _itself(event: Event) -> Event:
    return event


def _kind(make: Callable[..., Event], fields: tuple[object, ...]) -> object:
    """The class of the event that `make(*fields)` is."""
    return type(fields[0]) if make is _itself else _KINDS.get(make, make)


class Journal:
    """A ring of the last `size` events. Event number n is the n-th ever recorded, counted from 0.

    Every connection has about seven events, and often nobody reads them. So the ring keeps how to make an
    event, and it is made when it is read: making them at once was a tenth of what a connection costs.
    """

    def __init__(self, size: int = 8192) -> None:
        self._ring: deque[tuple[Callable[..., Event], tuple[object, ...]]] = deque(maxlen=size)
        self.sequence = 0

    def record(self, make: Callable[..., Event], *fields: object) -> None:
        """Add the event `make(*fields)`; the oldest falls out when the ring is full."""
        self._ring.append((make, fields))
        self.sequence += 1

    def append(self, event: Event) -> None:
        """Add an event that is made already."""
        self.record(_itself, event)

    def read_since(self, sequence: int, only: type[Event] | None = None) -> tuple[list[Event], int, int]:
        """Events from number `sequence` on, the number to ask for next, and how many were lost in between.

        With `only`, events of other kinds are passed over without being made.
        """
        oldest = self.sequence - len(self._ring)
        dropped = max(0, oldest - sequence)
        kept = islice(self._ring, max(0, sequence - oldest), None)
        events = [make(*fields) for make, fields in kept if only is None or _kind(make, fields) is only]
        return events, self.sequence, dropped
