"""What the cells of the connections' table say: as text, as a hint, and as a sentence for who listens."""

from datetime import datetime

from ssgui.engine.stages import Stage, StreamStatus
from ssgui.gui import words
from ssgui.gui.connections.columns import Column
from ssgui.gui.frame.painting import harmless
from ssgui.gui.texts import tr
from ssgui.gui.units import age, amount, rate, span
from ssgui.protocol.address import split_host_port
from ssgui.services.connections.records import Connection, is_waiting

NOTHING = "\N{EM DASH}"
BLOCKED_FROM = 0.3  # seconds: shorter than that a full buffer is how things should be
_MOST_LETTERS = 200
_FLOWING = (Stage.STREAM, Stage.UDP_ASSOC)
_INBOUNDS = {
    "socks5": "SOCKS5", "socks4": "SOCKS4", "http": "HTTP", "shadowsocks": "Shadowsocks",
    "shadowsocks-udp": "Shadowsocks UDP", "unknown": NOTHING,
}  # fmt: skip


def stage_text(one: Connection) -> str:
    """The word in the first column: a stage, or why it ended."""
    return words.stage_word(one.stage, waiting=is_waiting(one)) if one.live else words.reason_word(one.reason)


def rule_text(one: Connection) -> str:
    """Why it goes where it goes."""
    if one.rule:
        return one.rule
    routes = {"proxy": tr("everything else"), "direct": tr("direct"), "reject": tr("rejected")}
    return routes.get(one.route, NOTHING)


def inbound_text(one: Connection) -> str:
    """How the program asked, as protocols are written."""
    return _INBOUNDS.get(one.inbound, one.inbound)


def flags_text(status: StreamStatus) -> str:
    """R, W, RW or nothing."""
    return ("R" if status & StreamStatus.READING else "") + ("W" if status & StreamStatus.WRITING else "")


def is_blocked(since: float | None, now: float) -> bool:
    """Whether bytes have waited so long for a sink that it explains something."""
    return since is not None and now - since >= BLOCKED_FROM


def flow(one: Connection, *, down: bool) -> tuple[str, str]:
    """Digits and unit: a rate while it lives, a total afterwards; nothing as long as nothing could flow."""
    if one.live and one.stage not in _FLOWING:
        return "", ""
    if one.live:
        return rate(one.down_rate if down else one.up_rate)
    return amount(one.down if down else one.up)


def figure(one: Connection, column: Column, now: float) -> tuple[str, str]:
    """Digits and unit of a column of numbers; two empty texts where there is no number."""
    match column:
        case Column.DOWN_RATE | Column.UP_RATE:
            return flow(one, down=column is Column.DOWN_RATE)
        case Column.DOWN_TOTAL:
            return amount(one.down)
        case Column.UP_TOTAL:
            return amount(one.up)
        case Column.WAIT:
            wait = one.wait(now)
            return ("", "") if wait is None else span(wait)
    return age(one.age(now))


def started_text(one: Connection, wall: float) -> str:
    """The time of day when it was accepted; `wall` is Unix time minus the clock of the records."""
    return datetime.fromtimestamp(one.opened + wall).strftime("%H:%M:%S")


def cell_text(one: Connection, column: Column, now: float, wall: float) -> str:
    """A cell in plain text, safe to be shown in one line."""
    match column:
        case Column.STAGE:
            return stage_text(one)
        case Column.UP_FLAGS:
            return flags_text(one.up_status)
        case Column.DOWN_FLAGS:
            return flags_text(one.down_status)
        case Column.TARGET:
            return harmless(one.target) or NOTHING
        case Column.RULE:
            return harmless(rule_text(one))
        case Column.SERVER:
            return harmless(one.server)
        case Column.INBOUND:
            return harmless(inbound_text(one))
        case Column.PROGRAM:
            return harmless(one.program)
        case Column.STARTED:
            return started_text(one, wall)
        case Column.REASON:
            return "" if one.live else words.reason_word(one.reason)
        case Column.USER:
            return harmless(one.user)
        case Column.WATERFALL:
            return ""
    return " ".join(figure(one, column, now)).strip()


def hint(one: Connection, column: Column, now: float, wall: float) -> str | None:
    """What a cell says when the pointer rests on it."""
    match column:
        case Column.STAGE | Column.REASON:
            parts = (_whose_stage(one), str(one.reason or ""), one.detail)
            return harmless(" · ".join(part for part in parts if part)[:_MOST_LETTERS])
        case Column.UP_FLAGS | Column.DOWN_FLAGS:
            return flags_sentence(one, up=column is Column.UP_FLAGS, now=now) or None
        case Column.RULE:
            return harmless((one.rule or one.route)[:_MOST_LETTERS])
        case Column.PROGRAM:
            known = tr("{program} · PID {pid}", program=one.program, pid=one.pid) if one.pid else one.program
            return harmless(known[:_MOST_LETTERS]) or None
        case Column.STARTED:
            return datetime.fromtimestamp(one.opened + wall).strftime("%Y-%m-%d %H:%M:%S")
        case Column.WAIT:
            return tr("From the first byte sent up to the first byte back")
        case Column.DOWN_RATE | Column.UP_RATE:
            total = amount(one.down if column is Column.DOWN_RATE else one.up)
            return tr("{amount} in total", amount=" ".join(total))
        case Column.WATERFALL:
            return None
    return cell_text(one, column, now, wall)[:_MOST_LETTERS]


def _whose_stage(one: Connection) -> str:
    """The original's name of the stage; through a server DNS and CONNECTING are about that, not about the target."""
    if one.stage not in (Stage.DNS, Stage.CONNECTING):
        return one.stage.name
    whose = tr("the target") if one.route == "direct" else tr("the server {name}", name=one.server or NOTHING)
    return f"{one.stage.name} · {whose}"


def flags_sentence(one: Connection, *, up: bool, now: float) -> str:
    """One direction in words: "Up: reading", "Down: writing blocked for 4.2 s"."""
    status, since = (one.up_status, one.up_blocked) if up else (one.down_status, one.down_blocked)
    if not one.live or status is StreamStatus.NONE:
        return ""
    parts = [tr("reading")] if status & StreamStatus.READING else []
    if status & StreamStatus.WRITING:
        waited = now - since if since is not None else 0.0
        blocked = is_blocked(since, now)
        parts.append(tr("writing blocked for {time}", time=" ".join(span(waited))) if blocked else tr("writing"))
    what = ", ".join(parts)
    return tr("Up: {what}", what=what) if up else tr("Down: {what}", what=what)


def sentence(one: Connection, now: float) -> str:
    """A row in words."""
    host, port = split_host_port(one.target)
    parts = [stage_text(one)]
    if host:
        parts.append(tr("{host} port {port}", host=harmless(host), port=port))
    parts.append(tr("rule {rule}", rule=harmless(rule_text(one))))
    if one.down_status & StreamStatus.WRITING:
        parts.append(tr("down blocked"))
    if one.up_status & StreamStatus.WRITING:
        parts.append(tr("up blocked"))
    parts.append(" ".join(age(one.age(now))))
    return ", ".join(parts)
