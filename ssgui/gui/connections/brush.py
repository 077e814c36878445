"""Which part of the last minutes is chosen. No Qt, no pixels: seconds, and now as it is at each call."""

from ssgui.services.connections.overview import SECONDS

SPANS = (60.0, 120.0, 300.0, SECONDS)  # what the strip may show; the first unless more is asked for
LEAST = 0.5  # seconds
_TOUCH = 0.005  # of the span; what is nearer to an end is at it


class Brush:
    """All of the span, or a window in it. A window that touches now goes on touching it."""

    def __init__(self) -> None:
        self.span = SPANS[0]
        self._length: float | None = None  # None: all of it
        self._end: float | None = None  # None: now

    @property
    def whole(self) -> bool:
        """Nothing is chosen: all is shown."""
        return self._length is None

    @property
    def slides(self) -> bool:
        """It ends now, whenever that is."""
        return self._end is None

    def bounds(self, now: float) -> tuple[float, float]:
        """From when to when."""
        end = now if self._end is None else self._end
        return end - (self.span if self._length is None else self._length), end

    def window(self, now: float) -> tuple[float | None, float | None]:
        """The same for a filter: None where it has no bound."""
        if self._length is None:
            return None, None
        start, _ = self.bounds(now)
        return start, self._end

    # ---- what a person does

    def clear(self) -> None:
        """All of it; of a strip that shows all of a longer time, its usual span."""
        if self.whole:
            self.span = SPANS[0]
        self._length = self._end = None

    def choose(self, start: float, end: float, now: float) -> None:
        """From `start` to `end`, in any order, as far as that is on the strip."""
        start, end = max(now - self.span, min(start, end)), min(now, max(start, end))
        touch = self.span * _TOUCH
        slides = end > now - touch
        if slides:
            end = now
        if end - start < LEAST:
            start = end - LEAST
        if slides and start < now - self.span + touch:
            self._length = self._end = None
        else:
            self._length, self._end = end - start, None if slides else end

    def move(self, seconds: float, now: float) -> None:
        """Later, or earlier; its length stays. All of it cannot move."""
        if self._length is None:
            return
        _, end = self.bounds(now)
        end = max(now - self.span + self._length, min(now, end + seconds))
        self._end = None if end > now - self.span * _TOUCH else end

    def stretch(self, seconds: float, now: float) -> None:
        """Move its beginning."""
        start, end = self.bounds(now)
        self.choose(min(start + seconds, end - LEAST), end, now)

    def zoom(self, factor: float, at: float, now: float) -> None:
        """Make it `factor` as long, around the moment `at`, or at now if it touches that. Beyond all of the strip
        the strip shows more.
        """
        start, end = self.bounds(now)
        if factor > 1 and self.whole:
            self.span = next((span for span in SPANS if span > self.span), self.span)
            return
        at = now if self.slides else max(start, min(end, at))
        length = max(LEAST, (end - start) * factor)
        begin = at - (at - start) * length / (end - start)
        self.choose(begin, begin + length, now)

    def keep(self, now: float) -> None:
        """Time went on: the strip shows more where the window would leave it, and a window that left it is over."""
        if self._end is None or self._length is None:
            return
        start = self._end - self._length
        self.span = next((span for span in SPANS if span >= max(self.span, now - start)), SPANS[-1])
        if self._end < now - self.span + LEAST:
            self._length = self._end = None
