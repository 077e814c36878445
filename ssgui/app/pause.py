"""Going direct for a while: begun by a person, ended by a person, by the clock, or with the app."""

import asyncio
import time
from collections.abc import Callable

MINUTES = 15


class Pause:
    """`turned` hears True when it begins and False when it ends. Made anywhere, begun inside of the running loop."""

    def __init__(self, turned: Callable[[bool], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._turned, self._clock = turned, clock
        self._until: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, seconds: float = MINUTES * 60.0) -> None:
        """Begin, or begin anew."""
        self._drop_timer()
        self._until = self._clock() + seconds
        self._timer = asyncio.get_running_loop().call_later(seconds, self.end)
        self._turned(True)

    def end(self) -> None:
        """End it, if there is one."""
        self._drop_timer()
        if self._until is not None:
            self._until = None
            self._turned(False)

    def left(self) -> float:
        """Seconds until its end; 0 when there is none. A computer that slept wakes to the end of it."""
        return 0.0 if self._until is None else max(0.1, self._until - self._clock())

    def _drop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
