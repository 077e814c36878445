"""Where the app keeps its files, and which ones are its."""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

PORTABLE: Final = "ssgui.portable"
_FILES: Final = re.compile(
    r"config(\.damaged-[\d-]+)?\.json|user-rules\.txt|rules-state\.json|updates\.json|lock|[0-9a-f]{16}\.(sock|lock)"
    r"|proxy-journal\.(json|lock)|history(\.cleared|\.damaged-[\d-]+)?\.(key|sqlite(-wal|-shm|-journal)?)|\..+\.new"
)
_FOLDERS: Final = ("backups", "lists", "logs")


def data_folder(given: str | None) -> Path:
    """`--data-dir`, then SSGUI_HOME, then beside a portable program, then the system's place for such data."""
    chosen = given or os.environ.get("SSGUI_HOME", "")
    return Path(chosen).expanduser().absolute() if chosen else usual_folder()


def usual_folder() -> Path:
    """Where that is when nobody says otherwise: in the next session too."""
    if getattr(sys, "frozen", False):
        beside = _beside(Path(sys.executable).resolve())
        if (beside / PORTABLE).exists():
            return beside / "data"
    from platformdirs import user_data_path

    return user_data_path("ssgui", appauthor=False, roaming=True)


def _beside(program: Path) -> Path:
    """The folder of a program; of one inside a bundle of macOS, the bundle's."""
    bundle = next((folder for folder in program.parents if folder.suffix == ".app"), program)
    return bundle.parent


def is_own(parts: Sequence[str]) -> bool:
    """Whether `parts`, a path under the data directory, is a file or folder of ssgui."""
    first, *rest = parts
    return first in _FOLDERS if rest else first in _FOLDERS or _FILES.fullmatch(first) is not None
