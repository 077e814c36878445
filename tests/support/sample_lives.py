"""Connections with whole lives, for pictures of where their time went: every shape of a bar, and 30 that stall."""

import random
from itertools import count

from ssgui.engine.stages import Reason, Role, Stage, StreamStatus
from ssgui.services.connections.course import Course
from ssgui.services.connections.records import Connection, Connections, Moment
from tests.support.sample import NOW, TOKYO, StillEngine

_R, _W, _NONE = StreamStatus.READING, StreamStatus.WRITING, StreamStatus.NONE
_BLOCKED = {True: (Moment.UP_BLOCKED, Moment.UP_FLOWS), False: (Moment.DOWN_BLOCKED, Moment.DOWN_FLOWS)}
_STAGES = {
    "addr": Stage.ADDR,
    "dns": Stage.DNS,
    "conn": Stage.CONNECTING,
    "stream": Stage.STREAM,
    "udp": Stage.UDP_ASSOC,
}
_LOOK = 0.2
Flow = tuple[float, float, float, float]  # from and to (seconds of its age), bytes per second up and down
_numbers = count(1)


def life(
    target: str, rule: str, program: str, age: float, *stages: tuple[str, float], up: float | None = None,
    down: float | None = None, flows: tuple[Flow, ...] = (), flags: tuple[StreamStatus, StreamStatus] = (_R, _NONE),
    held: tuple[int, int] = (0, 0), ended: float | None = None, reason: Reason | None = None, detail: str = "",
    role: Role = Role.LOCAL, inbound: str = "socks5", now: float = NOW,
) -> Connection:  # fmt: skip
    """A connection that was accepted `age` seconds ago; all other times are seconds of its age.

    `stages` are entered one after the other, INIT at 0; `up` and `down` are first bytes.
    """
    number, opened = next(_numbers), now - age
    one = Connection(number, number, inbound, f"127.0.0.1:{50000 + number % 9999}", opened, role, program)
    one.pid = 1000 + sum(map(ord, program)) if program else 0
    one.timeline = [(Stage.INIT, opened), *((_STAGES[name], opened + at) for name, at in stages)]
    one.stage = one.timeline[-1][0]
    one.target, one.route = target, "direct" if rule == "direct" else "proxy"
    one.rule = "" if rule in ("direct", "") else rule
    one.server = TOKYO if one.route == "proxy" and target and role is Role.LOCAL else ""
    one.first_up, one.first_down = (None if at is None else opened + at for at in (up, down))
    one.moments = [
        (at, moment)
        for at, moment in ((one.first_up, Moment.FIRST_UP), (one.first_down, Moment.FIRST_DOWN))
        if at is not None
    ]
    _flow(one, flows, now)
    one.up_status, one.down_status = flags
    one.held_up, one.held_down = held
    if ended is not None:
        one.ended, one.reason, one.detail, one.stage = opened + ended, reason, detail, Stage.DESTROYED
        one.timeline.append((Stage.DESTROYED, one.ended))
        one.up_status = one.down_status = _NONE
        one.up_rate = one.down_rate = 0.0
    return one


def _flow(one: Connection, flows: tuple[Flow, ...], now: float) -> None:
    one.course = Course()
    for start, end, up, down in flows:
        at = start
        while at < end - 1e-9:
            stop = min(end, at + _LOOK)
            more = int(up * (stop - at)), int(down * (stop - at))
            one.course.add(one.opened + at, one.opened + stop, *more)
            one.up, one.down, at = one.up + more[0], one.down + more[1], stop
        if one.opened + end >= now - _LOOK:
            one.up_rate, one.down_rate = up, down


def blocked(one: Connection, since: float, *, up: bool) -> Connection:
    """Bytes are held for a sink, since that second of its age."""
    at = one.opened + since
    one.moments.append((at, _BLOCKED[up][0]))
    if up:
        one.up_blocked = at
    else:
        one.down_blocked = at
    return one


def _dialled(
    addr: float = 0.0004, dns: float = 0.058, conn: float = 0.1, stream: float = 0.2
) -> list[tuple[str, float]]:
    return [("addr", addr), ("dns", dns), ("conn", conn), ("stream", stream)]


def stuck() -> Connection:
    """Whose program does not read: the one of the pictures of details."""
    one = life(
        "objects.githubusercontent.com:443", "gfwlist", "git", 9.4, *_dialled(0.0004, 0.0584, 0.0994, 0.1964),
        up=0.1965, down=0.4, flows=((0.4, 0.6, 70_000, 2e5), (0.6, 5.2, 40, 1.05e7), (5.2, 5.4, 0, 1e5)),
        flags=(_R, _W), held=(0, 262_144),
    )  # fmt: skip
    return blocked(one, 5.2, up=False)


def timed_out() -> Connection:
    """Whose server did not answer; another was tried before."""
    return life(
        "a-very-long-subdomain.of-some-tracking-service.example-analytics.co.uk:443", "gfwlist", "firefox", 11.1,
        ("addr", 0.0003), ("dns", 0.06), ("conn", 0.121), ended=10.1, reason=Reason.CONNECT_TIMEOUT, held=(517, 0),
        detail="tokyo-1.example.net:8388 did not answer within 10 s",
    )  # fmt: skip


def two_servers() -> Connection:
    """The first server refused, the second took it."""
    return life(
        "www.debian.org:443", "gfwlist", "apt", 3.1, ("addr", 0.001), ("dns", 0.05), ("conn", 0.3), ("dns", 0.9),
        ("conn", 0.98), ("stream", 1.2), up=1.21, down=1.6, flows=((1.6, 3.1, 4e3, 3e5),), flags=(_R, _R),
    )  # fmt: skip


def every_kind() -> list[Connection]:
    """One of every shape, newest first."""
    d = _dialled
    live = [
        life("", "", "curl", 0.12),
        life("", "", "firefox", 0.26, ("addr", 0.02)),
        life("cdn.jsdelivr.net:443", "gfwlist", "firefox", 0.62, ("addr", 0.02), ("dns", 0.07),
             flags=(_W, _NONE), held=(21, 0)),
        life("api.openai.com:443", "geosite:openai", "python3", 2.3, *d(0.001, 0.08, 0.14, 0.28), up=0.3,
             flows=((0.3, 0.5, 6000, 0),), flags=(_R, _R)),
        life("rr4---sn-a5meknzr-q4fl.googlevideo.com:443", "gfwlist", "firefox", 8.1, *d(0.001, 0.07, 0.12, 0.2),
             up=0.2, down=0.44, flows=((0.44, 2.1, 4e3, 6e4), (2.1, 8.1, 1.84e4, 2.61e6)), flags=(_R, _R)),
        stuck(),
        life("www.wikipedia.org:443", "gfwlist", "firefox", 6.2, ("addr", 0.001), ("dns", 0.06), ("conn", 0.1),
             flags=(_R | _W, _R), held=(24, 0)),
        life("xn--efvw92b.xn--fiqs8s:443", "direct", "firefox", 4.9, *d(0.001, 0.06, 0.2, 0.4), up=0.4, down=0.6,
             flows=((0.6, 4.9, 2.1e3, 1.28e4),), flags=(_R, _R)),
        life("192.0.2.10:3478", "", "zoom", 11.0, ("addr", 0.02), ("udp", 0.1), up=0.2, down=0.4,
             flows=((0.2, 11.0, 3.96e5, 4.12e5),), flags=(_R, _R)),
        life("irc.libera.chat:6697", "gfwlist", "weechat", 7.0, *d(0.001, 0.05, 0.09, 0.2), flags=(_R, _R)),
        two_servers(),
    ]  # fmt: skip
    blocked(live[2], 0.0, up=True)
    blocked(live[6], 0.1, up=True)
    ended = [
        timed_out(),
        life("fonts.gstatic.com:443", "gfwlist", "firefox", 7.0, *d(0.001, 0.05, 0.08, 0.2), up=0.2, down=0.5,
             flows=((0.5, 1.4, 1200, 42_000),), ended=1.4, reason=Reason.FINISHED),
        life("example.com:80", "my rule", "wget", 5.1, *d(0.001, 0.06, 0.1, 0.18), up=0.18,
             flows=((0.18, 0.2, 3700, 0),), ended=0.26, reason=Reason.NO_ANSWER),
        life("news.ycombinator.com:443", "gfwlist", "firefox", 9.9, ("addr", 0.01), ("dns", 0.08), ended=4.0,
             reason=Reason.DNS_FAILED, detail="tokyo-1.example.net does not resolve: Name or service not known"),
        life("[2606:4700:4700::1111]:853", "direct", "systemd-resolved", 3.8, ("addr", 0.01), ("dns", 0.06),
             ("conn", 0.06001), ended=0.16, reason=Reason.CONNECT_REFUSED),
        life("registry-1.docker.io:443", "geosite:docker", "dockerd", 7.6, *d(0.001, 0.06, 0.1, 0.2), up=0.2, down=0.6,
             flows=((0.6, 3.3, 3400, 6.6e5),), ended=3.3, reason=Reason.SERVER_RESET),
        life("127.0.0.1:22", "my rule", "nc", 2.9, ("addr", 0.02), ended=0.05, reason=Reason.DENIED),
        life("mtalk.google.com:5228", "gfwlist", "chrome", 305.0, *d(), up=0.2, down=0.4, flows=((0.4, 3.0, 700, 900),),
             ended=300.2, reason=Reason.IDLE_TIMEOUT),
        life("tracker.opentrackr.org:1337", "direct", "qbittorrent", 44.0, *d(), up=0.2, down=0.4,
             flows=((0.4, 42.0, 280, 1150),), ended=42.0, reason=Reason.CLOSED_BY_USER),
    ]  # fmt: skip
    return live + ended


def stalled(number: int = 30, seed: int = 5) -> list[Connection]:
    """Connections that wait for a server: some for a connection, most for a first byte."""
    chance = random.Random(seed)
    found = []
    for at in range(number):
        age = chance.uniform(1.0, 14.0)
        host = f"{chance.choice(('img', 'api', 'static', 'cdn'))}-{at}.example-shop.com:443"
        begun = _dialled(0.001, 0.03 + chance.random() / 20, 0.1, 0.2 + chance.random() / 4)
        if at % 3 == 0:
            found.append(life(host, "gfwlist", "chrome", age, *begun[:3], flags=(_R | _W, _R), held=(517, 0)))
        else:
            found.append(
                life(host, "gfwlist", "chrome", age, *begun, up=0.5, flows=((0.5, 0.7, 2585, 0),), flags=(_R, _R))
            )
    return found


def connections(rows: list[Connection]) -> Connections:
    """These, as a window looks at them: numbered in the order in which they came."""
    made = Connections(StillEngine(), lambda: NOW)
    for number, one in enumerate(sorted(rows, key=lambda one: one.opened), 1):
        one.id = one.conn = number
        (made.live if one.live else made.ended)[one.id] = one
    return made
