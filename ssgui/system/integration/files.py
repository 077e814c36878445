"""Files by which a system is told of us: written whole, for everybody to read, and removed."""

from pathlib import Path

from ssgui.config.atomic_file import write_atomically
from ssgui.system.integration.setting import IntegrationError


def write_file(path: Path, data: bytes) -> None:
    """Make `data` the content of `path`, in a directory that is made if there is none. IntegrationError otherwise."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data, mode=0o644)
    except OSError as error:
        raise IntegrationError(f"{path} cannot be written: {error.strerror or error}") from None


def remove_file(path: Path) -> None:
    """Remove `path`, if it is there. IntegrationError if that cannot be done."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise IntegrationError(f"{path} cannot be removed: {error.strerror or error}") from None
