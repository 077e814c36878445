"""Connections as files for other programs: CSV, JSON and HAR, and one as a line for a shell.

Everything in a row may have been said by a stranger. No text leaves with control characters or marks that turn its
direction in it, no cell of a table begins a formula, and no word of the shell line does more than name a target.
"""

import csv
import io
import json
import math
import re
import shlex
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from ipaddress import IPv6Address
from typing import Any, Final
from urllib.parse import quote

from ssgui import __version__
from ssgui.engine.stages import Stage
from ssgui.protocol.address import split_host_port
from ssgui.services.connections.records import Connection
from ssgui.services.connections.segments import SegmentKind, segments
from ssgui.services.harmless import harmless

# What makes a spreadsheet calculate: at the beginning of a cell, or of what a spreadsheet that parts cells by
# semicolons takes for one. The wide forms count in some languages.
_FORMULA: Final = re.compile("(^|;)(?=[ \"']*[=+\\-@\uff1d\uff0b\uff0d\uff20])")
_LAST_DAY: Final = 253_402_300_799.0  # of the year 9999
_SCHEMES: Final = {443: "https", 80: "http"}
_USUAL: Final = re.compile("[A-Za-z0-9._-]+")
_TIMES: Final = tuple(SegmentKind)


# ---- CSV (RFC 4180)


def to_csv(rows: Iterable[Connection], wall: float | None = None, now: float | None = None) -> str:
    """A table with a line of heads. Times are UTC, seconds, and by segment.

    `wall` is Unix time minus the clock of the rows, `now` where a live one has come to; those of now are the default.
    """
    wall, now = time.time() - time.monotonic() if wall is None else wall, time.monotonic() if now is None else now
    heads = (
        "id", "started", "stage", "reason", "target", "route", "rule", "server", "inbound", "client", "program", "pid",
        "user", "up", "down", "seconds", *(str(kind) for kind in _TIMES), "detail",
    )  # fmt: skip
    return csv_text(heads, (_cells(one, wall, now) for one in rows))


def csv_text(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Any table; texts are neutralised, None is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([_cell(head) for head in heads])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def _cells(one: Connection, wall: float, now: float) -> tuple[object, ...]:
    spent = _spent(one, now)
    return (
        one.id, _stamp(wall + one.opened), one.stage.name, str(one.reason or ""), one.target, one.route, one.rule,
        one.server, one.inbound, one.client, one.program, one.pid or None, one.user, one.up, one.down,
        _rounded(max(0.0, one.age(now))), *(spent.get(kind) for kind in _TIMES), one.detail,
    )  # fmt: skip


def _cell(value: object) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, float):
        return "" if not math.isfinite(value) else _neutral(f"{value:.6f}".rstrip("0").rstrip("."))
    return _neutral(harmless(str(value)))


def _neutral(text: str) -> str:
    return _FORMULA.sub(r"\1'", text)


# ---- JSON


def to_json(rows: Iterable[Connection], wall: float, now: float | None = None) -> str:
    """A list of objects, one for each connection."""
    now = time.monotonic() if now is None else now
    return json_text([_object(one, wall, now) for one in rows])


def json_text(value: Any) -> str:
    """Any tree, for programs and for people."""
    return json.dumps(_plain(value), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {harmless(str(key)): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def _object(one: Connection, wall: float, now: float) -> dict[str, Any]:
    host, port = split_host_port(one.target)
    return {
        "started": _stamp(wall + one.opened),
        "ended": _stamp(wall + one.ended) if one.ended is not None else None,
        "seconds": _rounded(max(0.0, one.age(now))),
        "target": one.target,
        "host": host,
        "port": str(port or ""),
        **_ours(one, now),
    }


def _ours(one: Connection, now: float) -> dict[str, Any]:
    """What no other format has a place for."""
    began = one.opened
    return {
        "id": one.id,
        "conn": one.conn,
        "role": str(one.role),
        "inbound": one.inbound,
        "client": one.client,
        "program": one.program,
        "pid": one.pid or None,
        "user": one.user,
        "route": one.route,
        "rule": one.rule,
        "server": one.server,
        "stage": one.stage.name,
        "reason": str(one.reason) if one.reason is not None else None,
        "detail": one.detail,
        "up": one.up,
        "down": one.down,
        "stages": [{"stage": stage.name, "at": _rounded(at - began)} for stage, at in one.timeline],
        "segments": {str(kind): seconds for kind, seconds in _spent(one, now).items()},
        "first_up": _since(one.first_up, began),
        "first_down": _since(one.first_down, began),
        "moments": [{"moment": str(moment), "at": _rounded(at - began)} for at, moment in one.moments],
    }


# ---- HAR 1.2


def to_har(rows: Iterable[Connection], wall: float, now: float | None = None) -> str:
    """An HTTP archive with an entry for each connection that has a target; what is only ours is in `_ssgui`.

    HAR's phases, in the order in which it shows them: handshake as blocked, DNS, connecting, IDLE as send, WAIT as
    wait, and the stream as receive.
    """
    now = time.monotonic() if now is None else now
    entries = [_entry(one, wall, now) for one in rows if one.target]
    creator = {"name": "ssgui", "version": __version__}
    return json_text({"log": {"version": "1.2", "creator": creator, "entries": entries}})


def _entry(one: Connection, wall: float, now: float) -> dict[str, Any]:
    timings = _timings(one, now)
    failed = not one.down and one.reason is not None
    response: dict[str, Any] = {
        "status": 0 if failed else 200,
        "statusText": str(one.reason or ""),
        "httpVersion": "",
        "cookies": [],
        "headers": [],
        "content": {"size": one.down, "mimeType": "application/octet-stream"},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": one.down,
    }
    if failed:
        response["_error"] = str(one.reason)
    return {
        "startedDateTime": _stamp(wall + one.opened),
        "time": round(sum(value for value in timings.values() if value > 0), 3),
        "request": {
            "method": "CONNECT",
            "url": url_of(one),
            "httpVersion": "",
            "cookies": [],
            "headers": [],
            "queryString": [],
            "headersSize": -1,
            "bodySize": one.up,
        },
        "response": response,
        "cache": {},
        "timings": timings,
        "connection": str(one.conn),
        "comment": one.detail,
        "_ssgui": {"target": one.target, **_ours(one, now)},
    }


def _timings(one: Connection, now: float) -> dict[str, float]:
    """Milliseconds; -1 for a phase that there was not, where HAR allows that."""
    spent = _spent(one, now)

    def phase(*kinds: SegmentKind, unless: float = 0.0) -> float:
        there = [spent[kind] for kind in kinds if kind in spent]
        return round(sum(there) * 1000, 3) if there else unless

    return {
        "blocked": phase(SegmentKind.HANDSHAKE, unless=-1),
        "dns": phase(SegmentKind.DNS, unless=-1),
        "connect": phase(SegmentKind.CONNECTING, unless=-1),
        "send": phase(SegmentKind.IDLE),
        "wait": phase(SegmentKind.WAIT),
        "receive": phase(SegmentKind.STREAM, SegmentKind.UDP),
        "ssl": -1,
    }


# ---- a line for a shell


def curl_line(one: Connection, address: str) -> str:
    """What asks for the target once more through the proxy at `address`, in a POSIX shell; "" where curl cannot.

    `socks5h` leaves the name to the server: here it is never looked up.
    """
    host, port = split_host_port(one.target)
    if not address or not host or is_udp(one):
        return ""
    scheme, shape = _SCHEMES.get(port, "http"), _shape(host)
    url = f"{scheme}://{shape}/" if port in _SCHEMES or not port else f"{scheme}://{shape}:{port}/"
    unglobbed = ["-g"] if "[" in url else []  # or brackets would be a pattern
    proxy = quote(harmless(f"socks5h://{address}"), safe=":/[]%._-")
    return shlex.join(["curl", "-v", *unglobbed, "-x", proxy, url])


# ---- what they share


def url_of(one: Connection) -> str:
    """The target as an address that every reader of addresses takes: https and http by the port, otherwise tcp, udp."""
    host, port = split_host_port(one.target)
    host = host or "unknown.invalid"
    scheme = _SCHEMES.get(port) if _USUAL.fullmatch(host) or _is_v6(host) else None
    if scheme is not None and not is_udp(one):
        return f"{scheme}://{_shape(host)}/"
    return f"{'udp' if is_udp(one) else 'tcp'}://{_shape(host)}:{port}/"


def _shape(host: str) -> str:
    """As it stands in an address: printable ASCII, and nothing that would end it."""
    return f"[{host}]" if _is_v6(host) else quote(harmless(host), safe="")


def _is_v6(host: str) -> bool:
    try:
        IPv6Address(host)
    except ValueError:
        return False
    return "%" not in host


def is_udp(one: Connection) -> bool:
    """Whether it carried datagrams."""
    return any(stage is Stage.UDP_ASSOC for stage, _ in one.timeline) or one.stage is Stage.UDP_ASSOC


def _spent(one: Connection, now: float) -> dict[SegmentKind, float]:
    """Seconds that each kind of segment took, of those that there were."""
    spent: dict[SegmentKind, float] = {}
    for kind, start, end in segments(one, now):
        spent[kind] = spent.get(kind, 0.0) + max(0.0, end - start)
    return {kind: _rounded(seconds) for kind, seconds in spent.items()}


def _since(moment: float | None, began: float) -> float | None:
    return None if moment is None else _rounded(moment - began)


def _rounded(seconds: float) -> float:
    return round(seconds, 6) if math.isfinite(seconds) else 0.0


def _stamp(unix: float) -> str:
    """As ISO 8601 in UTC, milliseconds."""
    unix = min(_LAST_DAY, max(0.0, unix)) if math.isfinite(unix) else 0.0
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
