"""The tables of the history, and how those of an older version become today's."""

import sqlite3
from collections.abc import Callable
from typing import Final

Step = Callable[[sqlite3.Connection], None]
_DAMAGED: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class DamagedError(Exception):
    """It is no history, or one that cannot be read; says what is wrong."""


class NewerError(Exception):
    """It was written by a newer version of ssgui."""


def _first(db: sqlite3.Connection) -> None:
    """Names stand once. Of a server's hours only counts are kept, which need no rows to be added up."""
    db.execute("CREATE TABLE words(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)")
    db.execute("CREATE TABLE hosts(id INTEGER PRIMARY KEY, name TEXT NOT NULL, hashed INTEGER NOT NULL,"
               " UNIQUE(name, hashed))")  # fmt: skip
    db.execute(
        "CREATE TABLE connections(id INTEGER PRIMARY KEY, ended INTEGER NOT NULL, day INTEGER NOT NULL,"
        " took INTEGER NOT NULL, host INTEGER, port INTEGER NOT NULL, client INTEGER, inbound INTEGER NOT NULL,"
        " program INTEGER NOT NULL, server INTEGER NOT NULL, route INTEGER NOT NULL, rule INTEGER,"
        " reason INTEGER NOT NULL, worked INTEGER, up INTEGER NOT NULL, down INTEGER NOT NULL, dns INTEGER,"
        " connect INTEGER, wait INTEGER)"
    )
    # Each has all that its totals need, in the order in which they are added up: three times as quick.
    db.execute("CREATE INDEX connections_day ON connections(day, worked, up, down)")
    db.execute("CREATE INDEX connections_host ON connections(host, day, worked, up, down, ended)")
    db.execute("CREATE INDEX connections_program ON connections(program, client, day, worked, up, down, ended)")
    db.execute(
        "CREATE TABLE hours(server INTEGER NOT NULL, hour INTEGER NOT NULL, connections INTEGER NOT NULL,"
        " worked INTEGER NOT NULL, failed INTEGER NOT NULL, up INTEGER NOT NULL, down INTEGER NOT NULL,"
        " bulk INTEGER NOT NULL, busy INTEGER NOT NULL, connects BLOB NOT NULL, waits BLOB NOT NULL,"
        " PRIMARY KEY(server, hour)) WITHOUT ROWID"
    )


# Version n is what the first n of these make. One that was released is never changed: another is added.
STEPS: tuple[Step, ...] = (_first,)
_NEEDED: Final = (
    "SELECT id, ended, day, took, host, port, client, inbound, program, server, route, rule, reason, worked, up, down,"
    " dns, connect, wait FROM connections LIMIT 1",
    "SELECT server, hour, connections, worked, failed, up, down, bulk, busy, connects, waits FROM hours LIMIT 1",
    "SELECT hosts.name, hosts.hashed, words.text FROM hosts, words LIMIT 1",
)


def version_of(db: sqlite3.Connection) -> int:
    """What version made the file, 0 for a new one. NewerError, DamagedError, sqlite3.Error."""
    try:
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as error:
        if is_damage(error):
            raise DamagedError(str(error)) from error
        raise
    if version > len(STEPS):
        raise NewerError(f"its version is {version}, ours {len(STEPS)}")
    return version


def prepare(db: sqlite3.Connection) -> None:
    """Bring an open file to today's version, all of it or nothing. DamagedError, NewerError, sqlite3.Error."""
    version = version_of(db)
    try:
        if (verdict := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise DamagedError(str(verdict).partition("\n")[0])
        if version < len(STEPS):
            _migrate(db, version)
        for query in _NEEDED:
            db.execute(query).fetchone()
    except sqlite3.Error as error:
        if is_damage(error) or error.sqlite_errorcode == sqlite3.SQLITE_ERROR:  # tables are missing, or others
            raise DamagedError(str(error)) from error
        raise


def _migrate(db: sqlite3.Connection, version: int) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        for step in STEPS[version:]:
            step(db)
        db.execute(f"PRAGMA user_version = {len(STEPS)}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the content of the file is at fault, and not the disk or another program."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGED
