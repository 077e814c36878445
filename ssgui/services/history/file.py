"""The file of the history, for threads: opened, written to, kept small, forgotten. Every call may take a disk's time.

SQLite with a write-ahead log, so that whoever else reads it never keeps us from writing, and a batch costs no fsync: a
power cut may take the last minute, never the file. What is deleted is overwritten (`secure_delete`), also in the log.
"""

import logging
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

from ssgui.config.app_config import HistoryHosts
from ssgui.config.atomic_file import PRIVATE, write_atomically
from ssgui.services.history.rows import Naming, Row
from ssgui.services.history.schema import DamagedError, NewerError, is_damage, prepare, version_of
from ssgui.services.history.writing import Writer, forget_before, forget_names, hash_hosts

NAME: Final = "history.sqlite"
KEY_NAME: Final = "history.key"
_CLEARED: Final = "history.cleared.sqlite"
_DAMAGED: Final = "history.damaged-"
_SUFFIXES: Final = ("", "-wal", "-shm", "-journal")
_KEY_BYTES: Final = 32
_LOG_PAGES: Final = 256  # of 4 KiB, after which the write-ahead log goes into the file
_LOG_BYTES: Final = 2 << 20  # what of the room for the size is the log's
_DAY: Final = 86_400.0
_BUSY_SECONDS: Final = 5.0
_log = logging.getLogger("ssgui")
_T = TypeVar("_T")


class HistoryError(Exception):
    """It cannot be read or written now; says why."""


class BegunAnewError(HistoryError):
    """It was damaged and is set aside: who tries again finds a new one."""


class HistoryFile:
    """One at a time is served, in whatever thread. `said` collects what a person should hear."""

    def __init__(self, folder: Path, *, wall: Callable[[], float] = time.time, most_pages: int | None = None) -> None:
        self.folder = folder
        self.path = folder / NAME
        self.said: list[str] = []
        self._wall, self._most_pages = wall, most_pages
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._key = b""
        self.newer = False  # a newer version wrote it: it is left alone

    # ---- opening and closing

    def exists(self) -> bool:
        """Whether there is one."""
        return self.path.exists()

    def begin(self, hosts: HistoryHosts) -> None:
        """At the start: finish what was being cleared, and see to it that no host is kept otherwise than is wanted."""
        with self._lock:
            self._wipe(_CLEARED)
            if self.exists():
                with self._opened() as db:
                    self._rename_hosts(db, hosts)

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.close()

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """The open file. One that turns out to be damaged is set aside; what goes wrong is a HistoryError."""
        try:
            if self._db is None:
                self._db = self._open()
            try:
                yield self._db
            finally:
                if self._db.in_transaction:
                    with suppress(sqlite3.Error):
                        self._db.execute("ROLLBACK")
        except (DamagedError, sqlite3.DatabaseError) as error:
            if isinstance(error, DamagedError) or is_damage(error):
                self._set_aside(str(error))
                raise BegunAnewError(str(error)) from error
            raise HistoryError(str(error)) from error
        except NewerError as error:
            self._close()
            self.newer = True
            raise HistoryError(f"a newer version wrote it: {error}") from error
        except OSError as error:
            raise HistoryError(error.strerror or str(error)) from error

    def _open(self) -> sqlite3.Connection:
        """DamagedError, NewerError, OSError, sqlite3.Error."""
        if self.newer:
            raise NewerError("it is left alone")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, PRIVATE))
        os.chmod(self.path, PRIVATE)  # one that came from elsewhere; its log gets the same
        db = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            version_of(db)  # before anything is touched
            for pragma in (
                "auto_vacuum = INCREMENTAL", "journal_mode = WAL", "synchronous = NORMAL", "secure_delete = ON",
                "temp_store = MEMORY", f"wal_autocheckpoint = {_LOG_PAGES}", "journal_size_limit = 0",
            ):  # fmt: skip
                db.execute(f"PRAGMA {pragma}")
            if self._most_pages is not None:
                db.execute(f"PRAGMA max_page_count = {self._most_pages}")
            prepare(db)
        except BaseException:
            db.close()
            raise
        return db

    def _set_aside(self, why: str) -> None:
        self._close()
        stamp = datetime.fromtimestamp(self._wall(), UTC).strftime("%Y%m%d-%H%M%S")
        aside = f"{_DAMAGED}{stamp}.sqlite"
        self._wipe_damaged()  # the last one is enough to look into
        try:
            for suffix in _SUFFIXES:
                with suppress(FileNotFoundError):
                    os.replace(f"{self.path}{suffix}", self.folder / f"{aside}{suffix}")
        except OSError as error:
            raise HistoryError(f"it is damaged and cannot be set aside: {error.strerror}") from error
        self.said.append(f"{NAME} was damaged ({why}); it is kept as {aside}")
        _log.error("%s", self.said[-1])

    # ---- writing

    def add(self, rows: Iterable[Row], hosts: HistoryHosts) -> None:
        """Keep these, all of them or none. HistoryError."""
        with self._lock, self._opened() as db:
            naming = self._naming(hosts)
            db.execute("BEGIN IMMEDIATE")
            Writer(db, naming).add(list(rows))
            db.execute("COMMIT")

    def _naming(self, hosts: HistoryHosts) -> Naming:
        return Naming(hosts, self.key() if hosts is HistoryHosts.HASHED else b"")

    def key(self) -> bytes:
        """The key of the hashes, made when it is needed first. OSError."""
        if self._key:
            return self._key
        path = self.folder / KEY_NAME
        try:
            key = path.read_bytes()
        except FileNotFoundError:
            key = b""
        if len(key) != _KEY_BYTES:
            if key:
                _log.warning("%s is damaged: hosts that were hashed before will not look equal to new ones", KEY_NAME)
            key = secrets.token_bytes(_KEY_BYTES)
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(path, key)
        self._key = key
        return key

    # ---- keeping it small

    def tidy(self, days: int, megabytes: int) -> None:
        """Forget what is older than `days`, today being the first, and the oldest of what is too much. HistoryError."""
        with self._lock:
            self._wipe_damaged(days * _DAY)
            if not self.exists():
                return
            with self._opened() as db:
                today = datetime.fromtimestamp(self._wall()).date().toordinal()
                db.execute("BEGIN IMMEDIATE")
                gone = forget_before(db, today - days + 1, today + 1, self._wall() - days * _DAY)
                if gone:
                    forget_names(db)
                db.execute("COMMIT")
                self._shrink(db, (megabytes << 20) - _LOG_BYTES)

    def _shrink(self, db: sqlite3.Connection, most: int) -> None:
        """A tenth at a time, until it fits. What was deleted leaves the file, and the log."""
        while _size(db) > most:
            first, last = db.execute("SELECT min(id), max(id) FROM connections").fetchone()
            if first is None:
                break
            db.execute("BEGIN IMMEDIATE")
            db.execute("DELETE FROM connections WHERE id <= ?", (first + (last - first) // 10,))
            forget_names(db)
            db.execute("COMMIT")
        db.executescript("PRAGMA incremental_vacuum")  # `execute` would take the first step of it only
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def too_large(self, megabytes: int) -> bool:
        """Whether `tidy` would find too much."""
        return self.bytes() > megabytes << 20

    def bytes(self) -> int:
        """What it takes on the disk."""
        return sum(_bytes_of(self.folder / f"{NAME}{suffix}") for suffix in _SUFFIXES)

    # ---- names

    def rename(self, hosts: HistoryHosts) -> None:
        """From now on hosts are kept so: those that are there are hashed, or left out, too. HistoryError."""
        with self._lock:
            if self.exists():
                with self._opened() as db:
                    self._rename_hosts(db, hosts)

    def _rename_hosts(self, db: sqlite3.Connection, hosts: HistoryHosts) -> None:
        if hosts is HistoryHosts.CLEAR:
            return
        db.execute("BEGIN IMMEDIATE")
        if hosts is HistoryHosts.NONE:
            changed = db.execute("DELETE FROM hosts").rowcount
            db.execute("UPDATE connections SET host = NULL, client = NULL WHERE host IS NOT NULL OR client IS NOT NULL")
        else:
            changed = hash_hosts(db, self._naming(hosts))
        changed += db.execute("UPDATE connections SET rule = NULL WHERE rule IS NOT NULL").rowcount
        if changed:
            forget_names(db)
        db.execute("COMMIT")
        if changed:
            db.execute("VACUUM")
        busy, *_ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise sqlite3.OperationalError("another program reads it: names are still in its log")

    # ---- forgetting all of it

    def hide(self) -> None:
        """Take it away, until `bring_back` or `wipe`. OSError."""
        with self._lock:
            self._close()
            self._wipe(_CLEARED)
            for suffix in reversed(_SUFFIXES):
                with suppress(FileNotFoundError):
                    os.replace(f"{self.path}{suffix}", self.folder / f"{_CLEARED}{suffix}")

    def bring_back(self) -> None:
        """What was taken away is here again. OSError."""
        with self._lock:
            self._close()
            for suffix in _SUFFIXES:
                with suppress(FileNotFoundError):
                    os.replace(self.folder / f"{_CLEARED}{suffix}", f"{self.path}{suffix}")

    def wipe(self) -> None:
        """Overwrite and remove what was taken away, what was damaged, and the key of the hashes. OSError."""
        with self._lock:
            self._wipe(_CLEARED)
            self._wipe_damaged()
            if not self.exists():
                _wipe(self.folder / KEY_NAME)
                self._key = b""

    def _wipe(self, name: str) -> None:
        for suffix in _SUFFIXES:
            _wipe(self.folder / f"{name}{suffix}")

    def _wipe_damaged(self, seconds: float | None = None) -> None:
        """Those that were set aside, or only those that were so long ago: what is in them is no younger."""
        for path in self.folder.glob(f"{_DAMAGED}*"):
            try:
                if seconds is None or path.stat().st_mtime <= self._wall() - seconds:
                    _wipe(path)
            except OSError as error:
                _log.warning("%s cannot be removed: %s", path.name, error.strerror)

    # ---- asking

    def ask(self, question: Callable[[sqlite3.Connection, Naming], _T], hosts: HistoryHosts, nothing: _T) -> _T:
        """What `question` finds, or `nothing` where there is no file. HistoryError."""
        with self._lock:
            if not self.exists():
                return nothing
            with self._opened() as db:
                return question(db, self._naming(hosts))


def _size(db: sqlite3.Connection) -> int:
    """Bytes of it that hold something."""
    pages, free, size = (
        db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _bytes_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _wipe(path: Path) -> None:
    """Overwrite and remove; OSError if it is still there."""
    with suppress(FileNotFoundError):
        with path.open("r+b") as file:
            left = path.stat().st_size
            while left > 0:
                left -= file.write(bytes(min(left, 1 << 20)))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
