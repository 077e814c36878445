"""What a watcher is told, as JSON, one object a line. Fields that have nothing to say are left out.

    {"ok":true,"protocol":1,"t":8123.4,"time":"…Z","role":"local","pid":7,"version":"0.1.0","listens":["127.0.0.1:1080"]}
    {"t":8123.4,"sync":true}                        forget what you know: all of it follows
    {"t":8123.4,"rows":[{"id":1,"conn":1,"opened":8120.1,"stage":"STREAM",…}]}
    {"t":8123.4,"whole":true}                       now all of it was told
    {"t":8123.7,"gone":[5,6]}                       connections that are over, and nobody knows more
    {"t":8123.7,"dropped":12}                       so many changes were never told: the reader fell behind
    {"t":8124.0,"verdict":{"kind":"on",…}}          what may be said about the server in use (`diagnosis/evidence.py`)
    {"t":8125.0,"bye":true}                         the last line: it ends in good order

A row is told whole, when it is new and whenever something about it has changed, its bytes included: those are sampled,
a few times a second. A reader that is slow gets fewer of them, and always what holds when it reads. `t` is the
process's monotonic clock, in seconds, as are all times in rows; `time` says once what hour it was then. Lines with
nothing but `t` come at least once a second or two.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Annotated

import msgspec

from ssgui.engine.stages import Reason, Role, Stage, StreamStatus
from ssgui.services.connections.records import Connection, Moment
from ssgui.services.control.client import MAX_LINE, ControlError
from ssgui.services.diagnosis.evidence import Verdict

_STATUS = {
    StreamStatus.NONE: "", StreamStatus.READING: "R", StreamStatus.WRITING: "W",
    StreamStatus.READING | StreamStatus.WRITING: "RW",
}  # fmt: skip
_STATUS_OF = {text: status for status, text in _STATUS.items()}


# What nobody's clock shows, and nobody's network carries, would make figures infinite.
Time = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]
Rate = Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]


class Row(msgspec.Struct, omit_defaults=True):
    """A `Connection` in words: stages by their names, status as "R", "W", "RW"."""

    id: int
    conn: int
    opened: Time
    role: str = ""
    inbound: str = ""
    client: str = ""
    program: str = ""
    pid: int = 0
    user: str = ""
    stage: str = ""
    timeline: list[tuple[str, Time]] = []
    target: str = ""
    route: str = ""
    rule: str = ""
    server: str = ""
    up_status: str = ""
    down_status: str = ""
    up: int = 0
    down: int = 0
    held_up: int = 0
    held_down: int = 0
    up_rate: Rate = 0.0
    down_rate: Rate = 0.0
    first_up: Time | None = None
    first_down: Time | None = None
    up_blocked: Time | None = None
    down_blocked: Time | None = None
    acked: int | None = None
    moments: list[tuple[Time, str]] = []
    reason: str = ""
    detail: str = ""
    ended: Time | None = None


class Told(msgspec.Struct, omit_defaults=True):
    """One line."""

    t: Time
    sync: bool = False
    whole: bool = False
    rows: list[Row] = []
    gone: list[int] = []
    dropped: int = 0
    verdict: Verdict | None = None
    bye: bool = False


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Told).decode


def row_of(one: Connection) -> Row:
    """What is told about a connection."""
    return Row(
        one.id, one.conn, one.opened, one.role.value, one.inbound, one.client, one.program, one.pid, one.user,
        one.stage.name, [(stage.name, t) for stage, t in one.timeline], one.target, one.route, one.rule, one.server,
        _STATUS[one.up_status], _STATUS[one.down_status], one.up, one.down, one.held_up, one.held_down,
        one.up_rate, one.down_rate, one.first_up, one.first_down, one.up_blocked, one.down_blocked, one.acked,
        [(t, moment.value) for t, moment in one.moments], one.reason.value if one.reason is not None else "",
        one.detail, one.ended,
    )  # fmt: skip


def connection_of(row: Row) -> Connection:
    """The connection that `row` tells about. ControlError for a stage or status that there is not."""
    try:
        stage = Stage[row.stage]
        timeline = [(Stage[name], t) for name, t in row.timeline] or [(stage, row.opened)]
        up_status, down_status = _STATUS_OF[row.up_status], _STATUS_OF[row.down_status]
    except KeyError as error:
        raise ControlError(f"it tells of {error.args[0]!r}, which this version does not know") from None
    return Connection(
        id=row.id, conn=row.conn, inbound=row.inbound, client=row.client, opened=row.opened,
        role=Role.SERVER if row.role == Role.SERVER else Role.LOCAL,
        program=row.program, pid=row.pid, user=row.user, stage=stage, timeline=timeline, target=row.target,
        route=row.route, rule=row.rule, server=row.server, up_status=up_status, down_status=down_status,
        up=row.up, down=row.down, held_up=row.held_up, held_down=row.held_down, up_rate=row.up_rate,
        down_rate=row.down_rate, first_up=row.first_up, first_down=row.first_down, up_blocked=row.up_blocked,
        down_blocked=row.down_blocked, acked=row.acked,
        moments=[(t, moment) for t, name in row.moments if (moment := _moment(name)) is not None],
        reason=_reason(row.reason), detail=row.detail, ended=row.ended,
    )  # fmt: skip


def _reason(word: str) -> Reason | None:
    """A newer version may have more of them."""
    return Reason(word) if word in _REASONS else None


def _moment(word: str) -> Moment | None:
    return Moment(word) if word in _MOMENTS else None


_REASONS, _MOMENTS = frozenset(map(str, Reason)), frozenset(map(str, Moment))


_TEXTS = ("inbound", "client", "program", "user", "target", "route", "rule", "server", "detail")
_MOST_LETTERS = 2000


def lines_of(t: float, rows: list[Row]) -> Iterator[bytes]:
    """Lines that tell `rows`, none of them too long to be read."""
    line = line_of(Told(t, rows=rows))
    if len(line) <= MAX_LINE // 2:
        yield line
    elif len(rows) > 1:
        half = len(rows) // 2
        yield from lines_of(t, rows[:half])
        yield from lines_of(t, rows[half:])
    else:
        for name in _TEXTS:
            setattr(rows[0], name, getattr(rows[0], name)[:_MOST_LETTERS])
        yield line_of(Told(t, rows=rows))


def line_of(told: Told) -> bytes:
    """`told` as its line."""
    try:
        return _encode(told) + b"\n"
    except UnicodeEncodeError:  # half of a surrogate pair, in somebody's remark
        for row in told.rows:
            for name in _TEXTS:
                setattr(row, name, _whole(getattr(row, name)))
        if told.verdict is not None:
            told.verdict = replace(told.verdict, server=_whole(told.verdict.server))
        return _encode(told) + b"\n"


@lru_cache(maxsize=256)
def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def told_by(line: bytes) -> Told:
    """What `line` tells; ControlError when nothing."""
    try:
        return _decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ControlError(f"it tells nonsense: {error}") from None
