"""Connections that have ended, for the history's tests, its benchmark and its pictures."""

import random
from collections.abc import Iterator
from pathlib import Path

from ssgui.engine.stages import Reason, Stage
from ssgui.services.connections.records import Connection
from ssgui.services.history.rows import Row, row_of

NOW = 1_795_600_000.0  # Unix seconds, in November 2026
DAY = 86_400.0


def ended(
    number: int = 1, target: str = "example.com:443", *, at: float = 100.0, seconds: float = 2.0,
    program: str = "firefox", server: str = "Tokyo 1", route: str = "proxy", rule: str = "",
    reason: Reason = Reason.FINISHED, up: int = 500, down: int = 40_000, connect: float = 0.05, wait: float = 0.1,
    client: str = "127.0.0.1:50000", busy: float = 0.5,
) -> Connection:  # fmt: skip
    """One that ended at the monotonic moment `at`."""
    began = at - seconds
    one = Connection(number, number, "socks5", client, began, program=program)
    streaming = began + 0.01 + connect
    one.timeline = [(Stage.INIT, began), (Stage.ADDR, began + 0.001), (Stage.DNS, began + 0.002),
                    (Stage.CONNECTING, began + 0.01)]  # fmt: skip
    if down or reason is Reason.NO_ANSWER:
        one.timeline.append((Stage.STREAM, streaming))
        one.first_up = streaming + 0.001
    if down:
        one.first_down = streaming + 0.001 + wait
        one.course.add(at - busy, at, up, down)
    one.timeline.append((Stage.DESTROYED, at))
    one.target, one.route, one.rule, one.server = target, route, rule, server
    one.up, one.down, one.reason, one.ended, one.stage = up, down, reason, at, Stage.DESTROYED
    return one


def row(number: int = 1, target: str = "example.com:443", *, unix: float = NOW, **more: object) -> Row:
    """The same as the history keeps it, ended at `unix`."""
    made = row_of(ended(number, target, **more), unix - 100.0)  # type: ignore[arg-type]
    assert made is not None
    return made


def many(count: int, *, days: float = 30, until: float = NOW, seed: int = 5) -> Iterator[Row]:
    """Any number of the last days, in order, to a few hundred hosts through some servers."""
    chance = random.Random(seed)
    programs = ("firefox", "chrome", "telegram-desktop", "git-remote-https", "", "steam")
    for number in range(count):
        unix = until - days * DAY * (1 - (number + 1) / count)
        server = chance.choice(("Tokyo 1", "Tokyo 1", "Tokyo 1", "Los Angeles 3", "Frankfurt"))
        slow = {"Tokyo 1": 0.04, "Los Angeles 3": 0.16, "Frankfurt": 0.21}[server]
        bad = chance.random() < (0.02 if server == "Tokyo 1" else 0.12)
        size = 0 if bad else int(chance.paretovariate(0.6) * 2000) % 50_000_000
        yield row(
            number, f"host-{int(chance.expovariate(1 / 80)):03d}.example.com:443", unix=unix,
            program=chance.choice(programs), server=server, down=size, up=chance.randrange(200, 9000),
            reason=chance.choice((Reason.CONNECT_TIMEOUT, Reason.NO_ANSWER)) if bad else Reason.FINISHED,
            connect=slow * chance.uniform(0.9, 1.6), wait=slow * chance.uniform(1.5, 4),
            busy=max(0.2, size / chance.uniform(2e6, 9e6)), seconds=chance.uniform(1, 60),
        )  # fmt: skip


def bytes_in(folder: Path) -> bytes:
    """All that is on the disk."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
