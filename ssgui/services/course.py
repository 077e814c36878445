"""How many bytes came when: a few samples of a connection's life, the older the coarser."""

import msgspec

MOST = 48  # samples; then two neighbours become one


class Course(msgspec.Struct):
    """Payload bytes that came in each of a row of intervals (start, end), oldest first; monotonic seconds.

    Between intervals nothing came. Two lists of numbers instead of records: there is one for every connection.
    """

    spans: list[tuple[float, float]] = msgspec.field(default_factory=list)
    amounts: list[tuple[int, int]] = msgspec.field(default_factory=list)

    def add(self, start: float, end: float, up: int, down: int) -> None:
        """`up` and `down` bytes came between `start`, which is not before the last end, and `end`."""
        self.spans.append((start, end))
        self.amounts.append((up, down))
        if len(self.spans) > MOST:
            self._merge()

    def _merge(self) -> None:
        """Make one of every two."""
        spans, amounts = self.spans, self.amounts
        pairs = range(0, len(spans) - 1, 2)
        odd = slice(len(spans) - len(spans) % 2, None)
        merged = [(spans[at][0], spans[at + 1][1]) for at in pairs] + spans[odd]
        sums = [(amounts[at][0] + amounts[at + 1][0], amounts[at][1] + amounts[at + 1][1]) for at in pairs]
        self.amounts = sums + amounts[odd]
        self.spans = merged

    def between(self, start: float, end: float) -> tuple[float, float]:
        """Bytes up and down between two moments, as far as they can be told: evenly spread in an interval."""
        up = down = 0.0
        for (begun, ended), (more_up, more_down) in zip(self.spans, self.amounts, strict=True):
            common = min(end, ended) - max(start, begun)
            if common > 0:
                share = common / (ended - begun)
                up += more_up * share
                down += more_down * share
            elif begun == ended and start <= begun < end:
                up += more_up
                down += more_down
        return up, down
