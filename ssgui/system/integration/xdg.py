"""Where a desktop of freedesktop.org keeps things: the XDG Base Directory Specification, as an environment says it."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ssgui.system.integration.desktop_entry import program_of, read_entry

ENTRY = "ssgui.desktop"


@dataclass(frozen=True, slots=True)
class Places:
    """`config` and `data` are the person's, `all_config` and `all_data` those of the system too, the person's first."""

    config: Path
    data: Path
    all_config: tuple[Path, ...]
    all_data: tuple[Path, ...]
    desktops: tuple[str, ...]  # in small letters, the most specific first

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> "Places":
        """Of this person, in this session."""

        def place(name: str, default: str) -> Path:
            given = environment.get(name, "")
            return Path(given) if os.path.isabs(given) else Path.home() / default

        def places(name: str, default: str) -> tuple[Path, ...]:
            return tuple(Path(one) for one in (environment.get(name) or default).split(":") if os.path.isabs(one))

        config, data = place("XDG_CONFIG_HOME", ".config"), place("XDG_DATA_HOME", ".local/share")
        names = environment.get("XDG_CURRENT_DESKTOP", "").lower().split(":")
        return cls(
            config, data, (config, *places("XDG_CONFIG_DIRS", "/etc/xdg")),
            (data, *places("XDG_DATA_DIRS", "/usr/local/share:/usr/share")), tuple(name for name in names if name),
        )  # fmt: skip

    def find_entry(self) -> Path | None:
        """The desktop entry of ssgui that counts: the person's own, else the system's."""
        paths = (folder / "applications" / ENTRY for folder in self.all_data)
        return next((path for path in paths if path.is_file()), None)


def read_text(path: Path) -> str:
    """What a small text file says; "" if there is none, or it is not for us."""
    try:
        return path.read_text("utf-8", "surrogateescape")
    except OSError:
        return ""


def starts(entry: Path) -> bool:
    """Whether the program of a desktop entry is there."""
    program = program_of(read_entry(read_text(entry)))
    return bool(program) and shutil.which(program) is not None
