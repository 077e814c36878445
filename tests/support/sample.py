"""Seeded sample data: servers and connections in every state, for screenshots and for tests of pages."""

import random
from typing import Any

from ssgui.config.app_config import AppConfig, Mode, Server, Settings
from ssgui.config.secret import Secret
from ssgui.engine.journal import Journal
from ssgui.engine.stages import Reason, Stage, StreamStatus
from ssgui.services.connections.records import Connection, Connections, Handler, Moment

NOW = 1000.0
_R, _W, _NONE = StreamStatus.READING, StreamStatus.WRITING, StreamStatus.NONE
TOKYO = "Tokyo 1 东京"


class StillEngine:
    """An engine in which nothing happens."""

    def __init__(self) -> None:
        self.journal, self.handlers = Journal(), dict[int, Handler]()


def _one(
    number: int, stage: Stage, target: str, rule: str, age: float, *, up: StreamStatus = _R,
    down: StreamStatus = _NONE, rates: tuple[float, float] = (0.0, 0.0), first: tuple[bool, bool] = (True, True),
    program: str = "firefox", user: str = "",
) -> Connection:  # fmt: skip
    route = "direct" if rule == "direct" else "proxy"
    opened = NOW - age
    one = Connection(number, number, "socks5", f"127.0.0.1:{50000 + number}", opened, stage=stage)
    one.target, one.route, one.rule = target, route if target else "", "" if rule in ("direct", "") else rule
    one.server = TOKYO if route == "proxy" and target else ""
    one.program, one.pid, one.user = program, 4000 + len(program) if program else 0, user
    one.up_status, one.down_status = up, down
    one.up_blocked = opened + age / 2 if up & _W else None
    one.down_blocked = opened + age / 2 if down & _W else None
    one.down_rate, one.up_rate = rates
    one.down, one.up = int(rates[0] * age), int(rates[1] * age)
    if any(rates):
        one.course.add(opened + age / 9, NOW, one.up, one.down)
    one.first_up = opened + 0.1 if first[0] else None
    one.first_down = opened + 0.3 if first[1] else None
    one.timeline = [(Stage.INIT, opened), (Stage.ADDR, opened + 0.0004)]
    if stage >= Stage.DNS:
        one.timeline += [(Stage.DNS, opened + 0.05), (Stage.CONNECTING, opened + 0.09)][
            : 1 + (stage >= Stage.CONNECTING)
        ]
    if stage is Stage.UDP_ASSOC:
        one.timeline.append((stage, opened + 0.05))
    if stage is Stage.STREAM:
        one.timeline.append((Stage.STREAM, opened + 0.15))
    one.moments = [
        (at, moment)
        for at, moment in (
            (one.first_up, Moment.FIRST_UP), (one.first_down, Moment.FIRST_DOWN), (one.up_blocked, Moment.UP_BLOCKED),
            (one.down_blocked, Moment.DOWN_BLOCKED),
        )
        if at is not None
    ]  # fmt: skip
    return one


def _ended(
    number: int, target: str, rule: str, age: float, reason: Reason, totals: tuple[int, int], program: str = "firefox"
) -> Connection:  # fmt: skip
    stage = {Reason.DNS_FAILED: Stage.DNS, Reason.CONNECT_TIMEOUT: Stage.CONNECTING}.get(reason, Stage.STREAM)
    first = (stage is Stage.STREAM, stage is Stage.STREAM and reason is not Reason.NO_ANSWER)
    one = _one(number, stage, target, rule, age, program=program, first=first)
    one.stage, one.reason, one.ended = Stage.DESTROYED, reason, NOW - age / 3
    one.down, one.up = totals
    one.up_status = one.down_status = _NONE
    return one


def connections(seed: int = 7, more: int = 0) -> Connections:
    """One of every kind, and `more` at random."""
    rows = Connections(StillEngine(), lambda: NOW)
    bidi = "abc.\u202egnp.example.com:443"
    live = [
        _one(40, Stage.INIT, "", "", 0.1, program="curl", first=(False, False)),
        _one(39, Stage.ADDR, "", "", 0.2, first=(False, False)),
        _one(38, Stage.DNS, "cdn.jsdelivr.net:443", "gfwlist", 0.6, up=_W, first=(False, False)),
        _one(37, Stage.STREAM, "api.openai.com:443", "geosite:openai", 2.3, down=_R, rates=(0, 1200),
             first=(True, False), program="python3"),
        _one(36, Stage.STREAM, "rr4---sn-a5meknzr-q4fl.googlevideo.com:443", "gfwlist", 8.1, down=_R | _W,
             rates=(2.61e6, 18.4e3)),
        _one(35, Stage.STREAM, "objects.githubusercontent.com:443", "gfwlist", 9.4, down=_W, program="git"),
        _one(34, Stage.CONNECTING, "www.wikipedia.org:443", "gfwlist", 6.2, up=_R | _W, down=_R, first=(False, False)),
        _one(33, Stage.STREAM, "xn--efvw92b.xn--fiqs8s:443", "direct", 4.9, down=_R, rates=(12.8e3, 2.1e3)),
        _one(32, Stage.UDP_ASSOC, "192.0.2.10:3478", "", 11, down=_R, rates=(412e3, 396e3), program="zoom"),
        _one(31, Stage.STREAM, bidi, "||example.com (line 12)", 3.3, down=_R, rates=(900, 100),
             program="evil\u202egpj.exe", user="ann"),
    ]  # fmt: skip
    ended = [
        _ended(20, "a-very-long-subdomain-of-some.analytics.co.uk:443", "gfwlist", 10.0, Reason.CONNECT_TIMEOUT,
               (0, 517)),
        _ended(19, "fonts.gstatic.com:443", "gfwlist", 1.4, Reason.FINISHED, (38_200, 1100)),
        _ended(18, "example.com:80", "my rule", 0.2, Reason.NO_ANSWER, (0, 74), "wget"),
        _ended(17, "news.ycombinator.com:443", "gfwlist", 4.8, Reason.DNS_FAILED, (0, 0)),
        _ended(16, "[2001:db8::1]:22", "direct", 300, Reason.SERVER_RESET, (5_400_000, 90_000), "ssh"),
    ]  # fmt: skip
    chance = random.Random(seed)
    for number in range(more):
        size = chance.randrange(1 << 20)
        host = f"host-{chance.randrange(1000)}.example.com:443"
        ended.append(_ended(-number, host, "gfwlist", chance.uniform(0.1, 90), Reason.FINISHED, (size, size // 9)))
    for one in live:
        rows.live[one.id] = one
    for one in reversed(ended):
        rows.ended[one.id] = one
    return rows


def server(number: int, **more: Any) -> Server:
    """One of many."""
    fields = {"remarks": f"Server {number}", "host": "203.0.113.7", "port": 8388, "method": "aes-256-gcm"}
    return Server(id=str(number), **{**fields, "password": Secret("a long password"), **more})


def app_config() -> AppConfig:
    """Servers of every kind, in two groups."""

    def one(number: int, name: str, host: str, port: int = 8388, **more: Any) -> Server:
        fields = {"method": "chacha20-ietf-poly1305", "password": Secret("a long password"), **more}
        return Server(id=str(number), remarks=name, host=host, port=port, **fields)

    servers = (
        one(1, TOKYO, "tokyo-1.example.net"),
        one(2, "香港 02 专线", "hk02.example.org", 443),
        one(3, "Frankfurt · v2ray-plugin", "fra.example.com", 443, plugin="v2ray-plugin", plugin_opts="tls;host=a"),
        one(4, "Old office", "203.0.113.7", method="rc4"),
        one(5, "新加坡 A · 负载均衡 · 流媒体解锁 · 仅限移动宽带用户使用", "sg-a.a-very-long-provider.cdn.example.com",
            30443, group="Nebula"),
        one(6, "Los Angeles 3", "la3.nebula.example.com", 8443, group="Nebula"),
        one(7, "Seoul 2", "2001:db8:4f::21", group="Nebula"),
        one(8, "London", "lon.nebula.example.com", 443, group="Nebula", password=Secret("")),
        one(9, "Amsterdam 1", "ams1.nebula.example.com", 443, group="Nebula", gone=True),
    )  # fmt: skip
    return AppConfig(servers=servers, current="1", settings=Settings(mode=Mode.GLOBAL))
