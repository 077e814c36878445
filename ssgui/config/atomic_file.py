"""The one way to write a file: whole, or not at all.

Written beside its place, flushed to the disk, and renamed: whoever reads the name, also after a power cut, finds
the old content or the new, never a part.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

PRIVATE = 0o600  # most of what we write has passwords in it


def write_atomically(path: Path, data: bytes, *, mode: int = PRIVATE) -> None:
    """Make `data` the content of `path`; OSError, and the old content stays, when that fails.

    A symbolic link is written through, not replaced.
    """
    place = Path(os.path.realpath(path))
    handle, temporary = tempfile.mkstemp(prefix=f".{place.name}.", suffix=".new", dir=place.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(temporary, place)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    flush_directory(place.parent)


def flush_directory(folder: Path) -> None:
    """The rename itself must outlive a power cut too; not every system can be asked for that."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows does not open directories
        return
    try:
        with suppress(OSError):  # some file systems refuse to sync a directory
            os.fsync(handle)
    finally:
        os.close(handle)
