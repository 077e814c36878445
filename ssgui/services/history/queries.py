"""What can be asked of the history: totals by host, program, day and server, and the connections themselves.

Each takes the open file and how hosts are named in it, so that a whole name is found by its hash.
"""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from ssgui.config.app_config import HistoryHosts
from ssgui.services.diagnosis.server_quality import Spread
from ssgui.services.durations import spread_of, unpacked
from ssgui.services.harmless import harmless
from ssgui.services.history.rows import Naming
from ssgui.services.history.writing import ONE_HOUR

MOST_ROWS: Final = 1000
_BY_HOURS: Final = 2  # days up to which a course is told by hours
_FIRST_DAY, _LAST_DAY = date(1970, 1, 2).toordinal(), date(9998, 1, 1).toordinal()


class View(StrEnum):
    """What is listed."""

    DAYS = "days"
    HOSTS = "hosts"
    PROGRAMS = "programs"
    SERVERS = "servers"
    CONNECTIONS = "connections"


class Query(msgspec.Struct, frozen=True):
    """Of the days `first` to `last` (ordinals of local dates), what holds `text`, by `order` (a field of the rows).

    With a `day` the rows are of this day only, while the days are told as before.
    """

    view: View
    first: int
    last: int
    text: str = ""
    day: int = 0
    order: str = ""
    descending: bool = True
    limit: int = MOST_ROWS


class Total(msgspec.Struct, frozen=True):
    """What went to one host, or came from one program. `name` is "" where it was not kept, `last` Unix seconds."""

    name: str
    hashed: bool
    connections: int
    failed: int
    up: int
    down: int
    last: float


class DayTotal(msgspec.Struct, frozen=True):
    """What ended on one day."""

    day: int
    connections: int
    failed: int
    up: int
    down: int


class Point(msgspec.Struct, frozen=True):
    """How good a server was in an hour or a day that began at `start` (Unix seconds)."""

    start: float
    connections: int
    succeeded: float | None
    connect: Spread | None
    first_byte: Spread | None
    throughput: float | None


class ServerTotal(msgspec.Struct, frozen=True):
    """How good a server was over all of it, and in the course of it, oldest first."""

    name: str
    connections: int
    failed: int
    up: int
    down: int
    succeeded: float | None
    connect: Spread | None
    first_byte: Spread | None
    throughput: float | None
    points: tuple[Point, ...]


class Past(msgspec.Struct, frozen=True):
    """One connection of the past. `ended` is Unix seconds; durations are seconds, None for what there was not."""

    ended: float
    seconds: float
    host: str
    hashed: bool
    port: int
    client: str
    inbound: str
    program: str
    server: str
    route: str
    rule: str
    reason: str
    up: int
    down: int
    dns: float | None
    connect: float | None
    wait: float | None


AnyRow = Total | DayTotal | ServerTotal | Past


class Answer(msgspec.Struct, frozen=True):
    """The rows, how many there would be without a limit, and each day of what was asked for that has some."""

    rows: Sequence[AnyRow] = ()
    total: int = 0
    days: tuple[DayTotal, ...] = ()


def answer(db: sqlite3.Connection, naming: Naming, query: Query) -> Answer:
    """What is listed, and the days around it. sqlite3.Error."""
    days = day_totals(db, query.first, query.last)
    if query.day:
        query = msgspec.structs.replace(query, first=query.day, last=query.day)
    match query.view:
        case View.DAYS:
            chosen = [one for one in days if query.first <= one.day <= query.last]
            rows: Sequence[AnyRow] = _ordered(chosen, query, "day")
            return Answer(rows, len(rows), days)
        case View.SERVERS:
            rows = _ordered(server_totals(db, query), query, "connections")
            return Answer(rows, len(rows), days)
        case View.HOSTS:
            rows, total = _host_totals(db, naming, query)
        case View.PROGRAMS:
            rows, total = _program_totals(db, query)
        case View.CONNECTIONS:
            rows, total = _connections(db, naming, query)
    return Answer(rows, total, days)


def _ordered(rows: Sequence[DayTotal | ServerTotal], query: Query, usual: str) -> list[DayTotal | ServerTotal]:
    """By a field; what is not known comes last either way."""
    field = query.order if rows and query.order in type(rows[0]).__struct_fields__ else usual
    known = [one for one in rows if getattr(one, field) is not None]
    rest = [one for one in rows if getattr(one, field) is None]
    return [*sorted(known, key=lambda one: getattr(one, field), reverse=query.descending), *rest]


# ---- totals

_SUMS: Final = "count(*) AS connections, coalesce(sum(worked = 0), 0) AS failed, sum(up) AS up, sum(down) AS down"
_TOTAL_ORDERS: Final = {
    "name": "name COLLATE NOCASE", "connections": "connections", "failed": "failed", "up": "up", "down": "down",
    "last": "last",
}  # fmt: skip


def day_totals(db: sqlite3.Connection, first: int, last: int) -> tuple[DayTotal, ...]:
    """Of each day that has any, oldest first."""
    found = db.execute(f"SELECT day, {_SUMS} FROM connections WHERE day BETWEEN ? AND ? GROUP BY day ORDER BY day",
                       (first, last))  # fmt: skip
    return tuple(DayTotal(*row) for row in found)


def _host_totals(db: sqlite3.Connection, naming: Naming, query: Query) -> tuple[list[Total], int]:
    where, values = _matching(query.text, ("name",), naming)
    sql = (
        f"SELECT coalesce(name, '') AS name, coalesce(hashed, 0), connections, failed, up, down, last, count(*) OVER ()"
        f" FROM (SELECT host, {_SUMS}, max(ended) AS last FROM connections WHERE +day BETWEEN ? AND ? GROUP BY host)"
        f" LEFT JOIN hosts ON hosts.id = host{where}"
    )
    return _totals(db, sql, query, values)


def _program_totals(db: sqlite3.Connection, query: Query) -> tuple[list[Total], int]:
    """By program, and the connections of other devices by their address."""
    where, values = _matching(query.text, ("name",))
    sql = (
        "SELECT name, 0, connections, failed, up, down, last, count(*) OVER () FROM"
        " (SELECT coalesce(nullif(text, ''), hosts.name, '') AS name, sum(connections) AS connections,"
        " sum(failed) AS failed, sum(up) AS up, sum(down) AS down, max(last) AS last"
        f" FROM (SELECT program, client, {_SUMS}, max(ended) AS last FROM connections"
        " WHERE +day BETWEEN ? AND ? GROUP BY program, client)"
        f" JOIN words ON words.id = program LEFT JOIN hosts ON hosts.id = client GROUP BY 1){where}"
    )
    return _totals(db, sql, query, values)


def _totals(db: sqlite3.Connection, sql: str, query: Query, values: list[object]) -> tuple[list[Total], int]:
    order = _TOTAL_ORDERS.get(query.order, "down")
    direction = "DESC" if query.descending else "ASC"
    found = db.execute(
        f"{sql} ORDER BY {order} {direction}, connections DESC LIMIT ?",
        (query.first, query.last, *values, query.limit),
    ).fetchall()
    rows = [
        Total(name, bool(hashed), connections, failed, up, down, last / 1000)
        for name, hashed, connections, failed, up, down, last, _ in found
    ]
    return rows, found[0][-1] if found else 0


def _matching(text: str, columns: Sequence[str], naming: Naming | None = None) -> tuple[str, list[object]]:
    """A condition for every word of `text`: one of the columns holds it, or a host is its hash."""
    conditions, values = [], list[object]()
    for word in harmless(text).split():
        either = [f"{column} LIKE ? ESCAPE '\\'" for column in columns]
        values += [_pattern(word)] * len(columns)
        if naming is not None and naming.hosts is HistoryHosts.HASHED:
            either.append("hosts.name = ? AND hosts.hashed")
            values.append(naming.hashed(word.lower()))
        conditions.append(f"({' OR '.join(either)})")
    return (f" WHERE {' AND '.join(conditions)}" if conditions else ""), values


# ---- connections

_WORDS: Final = ("inbound", "program", "server", "route", "rule", "reason")
_ORDERS: Final = {
    "ended": "id", "host": "host.name", "program": "program.text COLLATE NOCASE", "server": "server.text",
    "reason": "reason.text", "seconds": "took", "up": "up", "down": "down",
}  # fmt: skip
_SOUGHT: Final = ("program", "server", "rule", "reason")  # and the host


def _connections(db: sqlite3.Connection, naming: Naming, query: Query) -> tuple[list[Past], int]:
    """First which, then what they are called: names are joined to few rows only."""
    where, values = "", list[object]()
    for word in harmless(query.text).split():
        condition, more = _holding(word, naming)
        where += f" AND {condition}"
        values += more
    order, direction = _ORDERS.get(query.order, "id"), "DESC" if query.descending else "ASC"
    ordered = f"ORDER BY {order} {direction}, id DESC" if order != "id" else f"ORDER BY id {direction}"
    name = order.partition(".")[0] if "." in order else ""
    found = db.execute(
        "SELECT ended, took, host.name, host.hashed, port, client.name, inbound.text, program.text, server.text,"
        " route.text, rule.text, reason.text, up, down, dns, connect, wait FROM"
        # +day: not by the index of days, or all of them would have to be sorted
        f" (SELECT one.* FROM connections one{_join(name, 'one') if name else ''}"
        f" WHERE +day BETWEEN ? AND ?{where} {ordered.replace('id ', 'one.id ')} LIMIT ?) one"
        f"{''.join(_join(one, 'one') for one in ('host', 'client', *_WORDS))} {ordered.replace('id ', 'one.id ')}",
        (query.first, query.last, *values, query.limit),
    )
    rows = [_past(row) for row in found]
    total = db.execute(f"SELECT count(*) FROM connections one WHERE day BETWEEN ? AND ?{where}",
                       (query.first, query.last, *values)).fetchone()[0]  # fmt: skip
    return rows, int(total)


def _join(name: str, rows: str) -> str:
    table = "hosts" if name in ("host", "client") else "words"
    return f" LEFT JOIN {table} {name} ON {name}.id = {rows}.{name}"


def _holding(word: str, naming: Naming) -> tuple[str, list[object]]:
    """A condition: one of the names of a row holds `word`."""
    pattern = _pattern(word)
    hosts, values = "name LIKE ? ESCAPE '\\'", [pattern]
    if naming.hosts is HistoryHosts.HASHED:
        hosts += " OR name = ? AND hashed"
        values.append(naming.hashed(word.lower()))
    words = "SELECT id FROM words WHERE text LIKE ? ESCAPE '\\'"
    either = [f"one.host IN (SELECT id FROM hosts WHERE {hosts})", *(f"one.{name} IN ({words})" for name in _SOUGHT)]
    return f"({' OR '.join(either)})", [*values, *[pattern] * len(_SOUGHT)]


def _pattern(word: str) -> str:
    return "%" + "".join(f"\\{one}" if one in "\\%_" else one for one in word) + "%"


def _past(row: Any) -> Past:
    (ended, took, host, hashed, port, client, inbound, program, server, route, rule, reason, up, down,
     dns, connect, wait) = row  # fmt: skip
    return Past(
        ended / 1000, took / 1000, host or "", bool(hashed), port, client or "", inbound, program, server, route,
        rule or "", reason, up, down, _seconds(dns), _seconds(connect), _seconds(wait),
    )  # fmt: skip


def _seconds(micro: int | None) -> float | None:
    return None if micro is None else micro / 1e6


# ---- servers


class _Sum:
    """Some hours of a server, added up."""

    def __init__(self) -> None:
        self.numbers = [0] * 7
        self.connects: Counter[int] = Counter()
        self.waits: Counter[int] = Counter()

    def add(self, row: tuple[int, ...], connects: Counter[int], waits: Counter[int]) -> None:
        self.numbers = [old + new for old, new in zip(self.numbers, row, strict=True)]
        self.connects.update(connects)
        self.waits.update(waits)

    @property
    def succeeded(self) -> float | None:
        known = self.numbers[1] + self.numbers[2]
        return self.numbers[1] / known if known else None

    @property
    def throughput(self) -> float | None:
        return self.numbers[5] / self.numbers[6] * 1000 if self.numbers[6] else None

    def point(self, start: float) -> Point:
        spreads = spread_of(self.connects), spread_of(self.waits)
        return Point(start, self.numbers[0], self.succeeded, *spreads, self.throughput)


def server_totals(db: sqlite3.Connection, query: Query) -> list[ServerTotal]:
    """Of every server that was used: by hours where it is about two days, by days otherwise."""
    hourly = query.last - query.first < _BY_HOURS
    first, last = midnight(query.first), midnight(query.last + 1)
    where, values = _matching(query.text, ("text",))
    found = db.execute(
        "SELECT text, hour, connections, worked, failed, up, down, bulk, busy, connects, waits FROM hours"
        f" JOIN words ON words.id = server{where}{' AND' if where else ' WHERE'} hour >= ? AND hour < ?",
        (*values, int(first // ONE_HOUR), int(last // ONE_HOUR)),
    )
    sums: dict[str, _Sum] = {}
    parts: dict[str, dict[float, _Sum]] = {}
    for name, hour, *numbers, connects, waits in found:
        begun = float(hour * ONE_HOUR)
        start = begun if hourly else midnight(date.fromtimestamp(begun).toordinal())
        counts = unpacked(connects), unpacked(waits)
        for one in (sums.setdefault(name, _Sum()), parts.setdefault(name, {}).setdefault(start, _Sum())):
            one.add(tuple(numbers), *counts)
    return [_server_total(name, one, parts[name]) for name, one in sums.items()]


def _server_total(name: str, one: _Sum, parts: dict[float, _Sum]) -> ServerTotal:
    connections, _, failed, up, down, *_ = one.numbers
    points = tuple(part.point(start) for start, part in sorted(parts.items()))
    return ServerTotal(
        name, connections, failed, up, down, one.succeeded, spread_of(one.connects), spread_of(one.waits),
        one.throughput, points,
    )  # fmt: skip


def midnight(day: int) -> float:
    """When a day begins here, Unix seconds."""
    day = min(_LAST_DAY, max(_FIRST_DAY, day))
    return datetime.combine(date.fromordinal(day), datetime.min.time()).timestamp()


def traffic_of(db: sqlite3.Connection, day: int) -> dict[str, tuple[int, int]]:
    """Bytes up and down through each server on one day."""
    found = db.execute(
        "SELECT server.text, sum(up), sum(down) FROM connections JOIN words server ON server.id = server"
        " JOIN words route ON route.id = route WHERE day = ? AND route.text = 'proxy' GROUP BY 1", (day,),
    )  # fmt: skip
    return {name: (up, down) for name, up, down in found}
