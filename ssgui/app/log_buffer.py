"""The log as the window shows it: the last lines, kept as records that can be filtered."""

import itertools
import logging
from collections import deque
from dataclasses import dataclass

MOST_LINES = 5000


@dataclass(frozen=True, slots=True)
class LogLine:
    """One record: its number, Unix seconds, level (logging's numbers), the logger's name and the text."""

    number: int
    time: float
    level: int
    logger: str
    text: str


class LogBuffer(logging.Handler):
    """Keeps the last lines. Readers pull, with the number that they want to go on from."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: deque[LogLine] = deque(maxlen=MOST_LINES)
        self._number = itertools.count(1).__next__
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(LogLine(self._number(), record.created, record.levelno, record.name, self.format(record)))

    def since(self, number: int) -> list[LogLine]:
        """The lines that came after the one with `number`, as far as they are kept."""
        if not self.lines or self.lines[-1].number <= number:
            return []
        missed = self.lines[-1].number - number
        start = max(0, len(self.lines) - missed)
        return list(itertools.islice(self.lines, start, None))
