"""Where the app's configuration is kept: `config.json` and its backups.

A save is atomic. The file that it replaces becomes a backup when the newest one is older than ten minutes or
when servers leave the list; five are kept. A file that cannot be read is set aside, never overwritten, and the
newest good backup takes its place.
"""

import logging
import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ssgui.config.app_config import AppConfig
from ssgui.config.atomic_file import write_atomically
from ssgui.config.config_codec import Loaded, Tree, decode_config, encode_config
from ssgui.config.protected import has_clear
from ssgui.config.values import ConfigError, located

_log = logging.getLogger("ssgui")
NAME = "config.json"
BACKUPS = 5
BACKUP_SECONDS = 600.0
MAX_BYTES = 64 << 20
_BACKUP = re.compile(r"config-\d{8}-\d{6}(?:-\d+)?\.json")


class StoreError(Exception):
    """The configuration could not be written; says where and why."""


def read_config(folder: Path) -> Loaded:
    """What the data directory `folder` says, which is left as it is; the defaults where nothing is. ConfigError."""
    try:
        with located(NAME):
            return decode_config(_read(folder / NAME))
    except FileNotFoundError:
        return Loaded(AppConfig(), {})
    except OSError as error:
        raise ConfigError(f"{folder / NAME}: {_reason(error)}") from None


class Store:
    """One data directory. `key` (see `sealing`) is set when the keyring has given it."""

    def __init__(self, folder: Path, *, wall: Callable[[], float] = time.time) -> None:
        self.folder = folder
        self.key: bytes | None = None
        self._wall = wall
        self._tree: Tree = {}

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / NAME

    # ---- reading

    def load(self) -> Loaded:
        """What is there, or what can be had instead; `problems` says what happened. Raises nothing."""
        problems: list[str] = []
        try:
            loaded = decode_config(_read(self.path), self.key)
        except FileNotFoundError:
            loaded = self._from_backup(problems, missing=True)
        except (OSError, ConfigError) as error:
            problems.append(f"{NAME} could not be read ({_reason(error)})")
            self._set_aside(problems)
            loaded = self._from_backup(problems, missing=False)
        self._tree = loaded.tree
        return Loaded(loaded.config, loaded.tree, (*problems, *loaded.problems))

    def _from_backup(self, problems: list[str], *, missing: bool) -> Loaded:
        for path in self.backups():
            try:
                loaded = decode_config(_read(path), self.key)
            except (OSError, ConfigError):
                continue  # an older one may do
            what = f"{NAME} was missing; " if missing else ""
            problems.append(f"{what}restored the copy of {_written(path)}")
            return loaded
        return Loaded(AppConfig(), {})

    def _set_aside(self, problems: list[str]) -> None:
        stamp = datetime.fromtimestamp(self._wall(), UTC).strftime("%Y%m%d-%H%M%S")
        aside = self.folder / f"config.damaged-{stamp}.json"
        try:
            os.replace(self.path, aside)
        except OSError as error:
            problems.append(f"and could not be set aside ({_reason(error)})")
        else:
            problems.append(f"it is kept as {aside.name}")

    # ---- writing

    def save(self, config: AppConfig) -> None:
        """Write `config`; StoreError, and what was there stays. Blocks for a disk's time."""
        data, tree = encode_config(config, self._tree, self.key)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._back_up(config)
            write_atomically(self.path, data)
        except OSError as error:
            raise StoreError(f"settings cannot be saved in {self.folder}: {_reason(error)}") from error
        self._tree = tree

    def seal_backups(self) -> None:
        """Seal the passwords of backups that were made before that was wanted. What cannot be, stays and is logged."""
        for path in self.backups():
            try:
                data, times = _read(path), path.stat()
                if self.key is None or not has_clear(decode_config(data).config):
                    continue
                before = decode_config(data, self.key)
                settings = msgspec.structs.replace(before.config.settings, keyring=True)
                protected = msgspec.structs.replace(before.config, settings=settings)
                write_atomically(path, encode_config(protected, before.tree, self.key)[0])
                os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
            except (OSError, ConfigError) as error:
                _log.warning("%s: its passwords are not sealed: %s", path.name, _reason(error))

    def _back_up(self, config: AppConfig) -> None:
        try:
            current = _read(self.path)
            before = decode_config(current, self.key).config
        except (OSError, ConfigError):
            return  # nothing good to keep; what is bad was set aside when it was loaded
        newest = next(iter(self.backups()), None)
        old = newest is None or self._wall() - newest.stat().st_mtime >= BACKUP_SECONDS
        if not old and {one.id for one in before.servers} <= {one.id for one in config.servers}:
            return
        write_atomically(self._new_backup(), current)
        for path in self.backups()[BACKUPS:]:
            path.unlink(missing_ok=True)

    def _new_backup(self) -> Path:
        folder = self.folder / "backups"
        folder.mkdir(mode=0o700, exist_ok=True)
        stamp = datetime.fromtimestamp(self._wall(), UTC).strftime("%Y%m%d-%H%M%S")
        path, number = folder / f"config-{stamp}.json", 1
        while path.exists():
            number += 1
            path = folder / f"config-{stamp}-{number}.json"
        return path

    def backups(self) -> list[Path]:
        """The backups, newest first."""
        try:
            names = [path for path in (self.folder / "backups").iterdir() if _BACKUP.fullmatch(path.name)]
            return sorted(names, key=lambda path: (path.stat().st_mtime, path.name), reverse=True)
        except OSError:
            return []


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ConfigError("too large for a configuration")
    return data


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _written(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime).astimezone().strftime("%Y-%m-%d %H:%M")
