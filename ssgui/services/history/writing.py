"""What is written into the history's tables, and what is taken out of them. Inside of a transaction of the caller's."""

import sqlite3
from collections import Counter
from collections.abc import Iterable
from typing import Final

from ssgui.config.app_config import HistoryHosts
from ssgui.services.durations import counted, packed, unpacked
from ssgui.services.history.rows import BULK, Naming, Row

ONE_HOUR: Final = 3600
_MOST: Final = 1 << 52  # bytes; sums of many still fit


class Writer:
    """Writes one batch."""

    def __init__(self, db: sqlite3.Connection, naming: Naming) -> None:
        self._db, self._naming = db, naming
        self._words: dict[str, int] = {}
        self._hosts: dict[str, int] = {}

    def add(self, rows: list[Row]) -> None:
        """Each row, and what it adds to its server's hour."""
        clear = self._naming.hosts is HistoryHosts.CLEAR
        self._db.executemany(
            "INSERT INTO connections VALUES(NULL,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            [
                (
                    int(one.ended * 1000), one.day, int(one.seconds * 1000), self._host(one.host), one.port,
                    self._host(one.client), self._word(one.inbound), self._word(one.program), self._word(one.server),
                    self._word(one.route), self._word(one.rule) if clear and one.rule else None,
                    self._word(one.reason), one.worked, min(_MOST, one.up), min(_MOST, one.down), _micro(one.dns),
                    _micro(one.connect), _micro(one.wait),
                )
                for one in rows
            ],
        )  # fmt: skip
        by_hour: dict[tuple[int, int], list[Row]] = {}
        for one in rows:
            if one.route == "proxy" and one.server:
                by_hour.setdefault((self._word(one.server), int(one.ended // ONE_HOUR)), []).append(one)
        for (server, hour), some in by_hour.items():
            self._add_hour(server, hour, some)

    def _add_hour(self, server: int, hour: int, rows: list[Row]) -> None:
        before = self._db.execute(
            "SELECT connections, worked, failed, up, down, bulk, busy, connects, waits FROM hours"
            " WHERE server = ? AND hour = ?", (server, hour),
        ).fetchone() or (0, 0, 0, 0, 0, 0, 0, b"", b"")  # fmt: skip
        large = [one for one in rows if one.down >= BULK]
        more = (
            len(rows), sum(one.worked is True for one in rows), sum(one.worked is False for one in rows),
            sum(one.up for one in rows), sum(one.down for one in rows), sum(one.down for one in large),
            sum(int(one.busy * 1000) for one in large),
        )  # fmt: skip
        connects = _more(before[7], [one.connect for one in rows])
        waits = _more(before[8], [one.wait for one in rows])
        self._db.execute(
            "INSERT OR REPLACE INTO hours VALUES(?,?,?,?,?,?,?,?,?,?,?)",
            (server, hour, *(min(_MOST, old + new) for old, new in zip(before, more, strict=False)), connects, waits),
        )

    def _word(self, text: str) -> int:
        found = self._words.get(text)
        if found is None:
            self._db.execute("INSERT OR IGNORE INTO words(text) VALUES(?)", (text,))
            found = self._words[text] = self._id("SELECT id FROM words WHERE text = ?", text)
        return found

    def _host(self, host: str) -> int | None:
        if not host or self._naming.hosts is HistoryHosts.NONE:
            return None
        found = self._hosts.get(host)
        if found is None:
            hashed = self._naming.hosts is HistoryHosts.HASHED
            name = self._naming.hashed(host) if hashed else host
            self._db.execute("INSERT OR IGNORE INTO hosts(name, hashed) VALUES(?, ?)", (name, hashed))
            found = self._hosts[host] = self._id("SELECT id FROM hosts WHERE name = ? AND hashed = ?", name, hashed)
        return found

    def _id(self, query: str, *values: object) -> int:
        return int(self._db.execute(query, values).fetchone()[0])


def _more(before: bytes, seconds: Iterable[float | None]) -> bytes:
    counts: Counter[int] = unpacked(before)
    counts.update(counted(one for one in seconds if one is not None))
    return packed(counts)


def _micro(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1e6)


def forget_before(db: sqlite3.Connection, day: int, tomorrow: int, moment: float) -> int:
    """Forget what is of before `day`. How many rows went.

    A clock that was wrong for a while stamps some with a future that never ends: these go when all that came before
    them have gone.
    """
    gone = db.execute("DELETE FROM connections WHERE day < ?", (day,)).rowcount
    gone += db.execute(
        "DELETE FROM connections WHERE day > ? AND id < (SELECT min(id) FROM connections WHERE day <= ?)",
        (tomorrow, tomorrow),
    ).rowcount
    return gone + db.execute("DELETE FROM hours WHERE hour < ?", (int(moment // ONE_HOUR),)).rowcount


def forget_names(db: sqlite3.Connection) -> None:
    """Names that no row has any more."""
    columns = "inbound", "program", "server", "route", "rule", "reason"
    used = " UNION ".join(f"SELECT {column} FROM connections WHERE {column} IS NOT NULL" for column in columns)
    db.execute(f"DELETE FROM words WHERE id NOT IN ({used} UNION SELECT server FROM hours)")
    db.execute(
        "DELETE FROM hosts WHERE id NOT IN (SELECT host FROM connections WHERE host IS NOT NULL"
        " UNION SELECT client FROM connections WHERE client IS NOT NULL)"
    )


def hash_hosts(db: sqlite3.Connection, naming: Naming) -> int:
    """Every host that can be read becomes its hash, which may be there from before. How many."""
    readable = db.execute("SELECT id, name FROM hosts WHERE NOT hashed").fetchall()
    for number, name in readable:
        code = naming.hashed(name)
        there = db.execute("SELECT id FROM hosts WHERE name = ? AND hashed", (code,)).fetchone()
        if there is None:
            db.execute("UPDATE hosts SET name = ?, hashed = 1 WHERE id = ?", (code, number))
            continue
        for column in ("host", "client"):
            db.execute(f"UPDATE connections SET {column} = ? WHERE {column} = ?", (there[0], number))
        db.execute("DELETE FROM hosts WHERE id = ?", (number,))
    return len(readable)
