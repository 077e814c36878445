"""Where the app keeps its files."""

import os
import sys
from pathlib import Path

PORTABLE = "ssgui.portable"


def data_folder(given: str | None) -> Path:
    """`--data-dir`, then SSGUI_HOME, then beside a portable program, then the system's place for such data."""
    chosen = given or os.environ.get("SSGUI_HOME", "")
    if chosen:
        return Path(chosen).expanduser().absolute()
    if getattr(sys, "frozen", False):
        beside = Path(sys.executable).resolve().parent
        if (beside / PORTABLE).exists():
            return beside / "data"
    from platformdirs import user_data_path

    return user_data_path("ssgui", appauthor=False, roaming=True)
