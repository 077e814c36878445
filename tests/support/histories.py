"""Files of histories that tests leave open, as a program may that is killed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ssgui.services.history.file import HistoryFile


@contextmanager
def closing_histories() -> Iterator[None]:
    """Give back every file that is opened in the block. Python 3.13 complains of those that only the collector ends."""
    made: list[HistoryFile] = []
    begin = HistoryFile.__init__

    def noted(self: HistoryFile, folder: Path, **options: Any) -> None:
        made.append(self)
        begin(self, folder, **options)

    with patch.object(HistoryFile, "__init__", noted):
        yield
    for one in made:
        one.close()
