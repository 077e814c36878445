"""All about one connection: where it goes and why, the stages that it went through and what happened in between."""

from ssgui.app.monitor.bar import own_bar
from ssgui.app.monitor.cells import Cell, Line, fitted, visible, wrapped
from ssgui.app.monitor.columns import Look
from ssgui.app.monitor.glyphs import FAILED, STYLES, mark_of
from ssgui.engine.stages import Role, Stage, StreamStatus
from ssgui.services.connections.records import Connection, Moment
from ssgui.services.connections.segments import segments
from ssgui.services.units import age, amount, rate, span
from ssgui.services.wording import stage_word, state_word

_LABEL = 10
_BLOCKED = "bold yellow"
_MOMENTS = {
    Moment.FIRST_UP: "the first bytes left",
    Moment.FIRST_DOWN: "the first bytes came back",
    Moment.UP_BLOCKED: "{far} takes no more",
    Moment.UP_FLOWS: "{far} takes bytes again",
    Moment.DOWN_BLOCKED: "{near} does not read",
    Moment.DOWN_FLOWS: "{near} reads again",
}


def detail_lines(one: Connection, look: Look, width: int) -> list[Line]:
    """What is known, a line for each."""
    mark, style = mark_of(one, look.glyphs)
    lines: list[Line] = [
        [Cell(f"{mark} {state_word(one)}  ", f"bold {style}"), Cell(visible(one.target or "no target yet"), "bold")],
        [],
        *_facts(one, look),
        [],
        *_streams(one, look),
        [],
        *_parts(one, look, width),
        [],
        [Cell("    since      after  what happened", "bold")],
        *_happened(one),
    ]
    return lines


def _fact(label: str, text: str, style: str = "") -> Line:
    return [Cell(fitted(label, _LABEL, ""), "bright_black"), Cell(visible(text), style)]


def _facts(one: Connection, look: Look) -> list[Line]:
    program = f"{one.program} ({one.pid})" if one.program and one.pid else one.program
    way = " · ".join(part for part in (one.route, one.rule) if part)
    facts = [
        ("from", " · ".join(part for part in (one.client, program, one.inbound, one.user) if part), ""),
        ("way", way.replace("·", look.glyphs.dot), ""),
        ("server", one.server, ""),
        ("age", " ".join(age(one.age(look.now))), ""),
    ]
    if (wait := one.wait(look.now)) is not None:
        facts.append(("wait", f"{' '.join(span(wait))} for the first byte", ""))
    if one.acked is not None and one.first_down is None:
        facts.append(("unanswered", f"{' '.join(amount(one.acked))} of ours were acknowledged", "yellow"))
    if not one.live:
        reason = str(one.reason or "nobody knows why")
        facts.append(("ended", f"{reason}: {one.detail}" if one.detail else reason, mark_of(one, look.glyphs)[1]))
    return [_fact(label, text, style) for label, text, style in facts if text]


def _streams(one: Connection, look: Look) -> list[Line]:
    lines: list[Line] = [[Cell("             bytes       rate     held  status", "bold")]]
    rows = (
        ("up", one.up, one.up_rate, one.held_up, one.up_status, one.up_blocked),
        ("down", one.down, one.down_rate, one.held_down, one.down_status, one.down_blocked),
    )
    for label, total, per_second, held, status, since in rows:
        figures = (" ".join(amount(total)), " ".join(rate(per_second)), " ".join(amount(held)))
        line: Line = [Cell(f"{label:<8}{figures[0]:>10} {figures[1]:>10} {figures[2]:>8}  ")]
        line.append(Cell(_status(status), _BLOCKED if status & StreamStatus.WRITING else ""))
        if since is not None:
            line.append(Cell(f"  blocked for {' '.join(age(look.now - since))}", _BLOCKED))
        lines.append(line)
    return lines


def _status(status: StreamStatus) -> str:
    words = [word for flag, word in ((StreamStatus.READING, "reading"), (StreamStatus.WRITING, "writing"))
             if status & flag]  # fmt: skip
    return " and ".join(words) or "paused"


def _parts(one: Connection, look: Look, width: int) -> list[Line]:
    """Where the time went: a bar, and how long each part took."""
    bar = own_bar(one, look.now, max(10, min(width, 72)), look.glyphs)
    parts: Line = []
    for part in segments(one, look.now):
        text = f"{look.glyphs.bars[part.kind].strip() or ' '} {part.kind} {' '.join(span(part.end - part.start))}   "
        parts.append(Cell(text, STYLES[part.kind]))
    return [[Cell(*run) for run in bar], *wrapped(parts, width)]


def _happened(one: Connection) -> list[Line]:
    """Stages and moments in the order of time, from the first one on, each with what went by since the one before."""
    near, far = ("the client", "the target") if one.role is Role.SERVER else ("the program", "the other side")
    events = [(t, stage.name, _meaning(stage, one)) for stage, t in one.timeline]
    events += [(t, "", _MOMENTS[moment].format(near=near, far=far)) for t, moment in one.moments]
    events.sort(key=lambda event: event[0])  # stable: a stage before what happened at the same time
    lines: list[Line] = []
    before = events[0][0] if events else 0.0
    for t, name, meaning in events:
        since, after = " ".join(span(t - one.opened)), f"+{' '.join(span(t - before))}"
        style = FAILED if name == Stage.DESTROYED.name and one.reason != "finished" else ""
        lines.append([
            Cell(f"{since:>9} "), Cell(f"{after:>10}  ", "bright_black"), Cell(f"{name:<11}", f"bold {style}".strip()),
            Cell(visible(meaning), style),
        ])  # fmt: skip
        before = t
    return lines


def _meaning(stage: Stage, one: Connection) -> str:
    if stage is Stage.DESTROYED:
        return str(one.reason or "")
    if stage is Stage.INIT and one.role is Role.SERVER:
        return "reading the address"
    return stage_word(stage, one.role).lower() if stage is not Stage.UDP_ASSOC else "UDP"
