"""The bounded ring between the engine and whoever watches. Readers pull; nobody is called."""

from collections import deque
from itertools import islice

from ssgui.engine.events import Event


class Journal:
    """A ring of the last `size` events. Event number n is the n-th ever appended, counted from 0."""

    def __init__(self, size: int = 8192) -> None:
        self._ring: deque[Event] = deque(maxlen=size)
        self.sequence = 0

    def append(self, event: Event) -> None:
        """Add one event; the oldest falls out when the ring is full."""
        self._ring.append(event)
        self.sequence += 1

    def read_since(self, sequence: int) -> tuple[list[Event], int, int]:
        """Events from number `sequence` on, the number to ask for next, and how many were lost in between."""
        oldest = self.sequence - len(self._ring)
        dropped = max(0, oldest - sequence)
        events = list(islice(self._ring, max(0, sequence - oldest), None))
        return events, self.sequence, dropped
