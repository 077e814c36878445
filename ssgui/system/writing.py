"""Writing to a descriptor."""

import os
import select


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`, whether or not somebody made the descriptor non-blocking."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            select.select([], [descriptor], [])
