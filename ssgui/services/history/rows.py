"""What the history keeps of a connection that has ended, and how it names hosts."""

import hashlib
from dataclasses import dataclass, field
from datetime import date
from ipaddress import ip_address
from itertools import pairwise
from typing import Final, NamedTuple

from ssgui.config.app_config import HistoryHosts
from ssgui.engine.stages import Stage
from ssgui.protocol.address import split_host_port
from ssgui.services.connections.records import Connection
from ssgui.services.diagnosis.outcomes import worked
from ssgui.services.diagnosis.server_quality import connect_time, first_byte_time
from ssgui.services.harmless import harmless

BULK: Final = 256 << 10  # bytes down from which on a connection says how fast a server is
_MOST_LETTERS: Final = 255  # of any name
_LATEST: Final = 253_370_000_000.0  # in the year 9998: clocks say anything
_HASH_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Naming:
    """How hosts are kept; `key` is for hashes, and does not show."""

    hosts: HistoryHosts
    key: bytes = field(default=b"", repr=False)

    def hashed(self, host: str) -> str:
        """What stands for `host`: with this key always the same."""
        return hashlib.blake2b(host.encode("utf-8", "replace"), key=self.key, digest_size=_HASH_BYTES).hexdigest()


class Row(NamedTuple):
    """One ended connection. `ended` is Unix seconds, `day` the ordinal of its local date, durations are seconds.

    `host` and `client` (of another device, "" for this computer) are as they are: whoever writes them names them.
    `busy` is the time in which bytes came.
    """

    ended: float
    day: int
    seconds: float
    host: str
    port: int
    client: str
    inbound: str
    program: str
    server: str
    route: str
    rule: str
    reason: str
    worked: bool | None
    up: int
    down: int
    dns: float | None
    connect: float | None
    wait: float | None
    busy: float


def row_of(one: Connection, ahead: float) -> Row | None:
    """`one`, which has ended; None where it went nowhere. `ahead`: from monotonic to Unix seconds, when it ended."""
    host, port = split_host_port(one.target)
    if not host or one.ended is None:
        return None
    ended = min(_LATEST, max(0.0, one.ended + ahead))
    return Row(
        ended, date.fromtimestamp(ended).toordinal(), max(0.0, one.ended - one.opened),
        _short(host.lower().removesuffix(".")), port, _device(one.client), one.inbound, _short(one.program),
        _short(one.server), one.route, _short(one.rule), str(one.reason or ""), worked(one), max(0, one.up),
        max(0, one.down), _dns_time(one), connect_time(one), first_byte_time(one),
        sum(end - start for start, end in one.course.spans),
    )  # fmt: skip


def _short(text: str) -> str:
    return harmless(text[:_MOST_LETTERS])


def _device(client: str) -> str:
    """The address of another device, "" for a program of this computer."""
    host = split_host_port(client)[0]
    try:
        return "" if ip_address(host).is_loopback else host
    except ValueError:
        return ""


def _dns_time(one: Connection) -> float | None:
    spent = [max(0.0, end - start) for (stage, start), (_, end) in pairwise(one.timeline) if stage is Stage.DNS]
    return sum(spent) if spent else None
