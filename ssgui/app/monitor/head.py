"""The lines above the table: which process it is, what may be said about its server, how its connections stand."""

from dataclasses import replace

from ssgui.app.monitor.cells import Cell, Line, visible
from ssgui.app.monitor.glyphs import FAILED, STYLES, Glyphs
from ssgui.app.monitor.summary import Summary
from ssgui.services.connections.health import SLOW
from ssgui.services.connections.segments import SegmentKind
from ssgui.services.control.mirror import Mirror
from ssgui.services.diagnosis.evidence import Verdict
from ssgui.services.units import rate
from ssgui.services.wording import reason_word, verdict_words

SILENT_SECONDS = 4.0  # without a line something is wrong over there
_WORDS = {
    SegmentKind.HANDSHAKE: "greeting", SegmentKind.DNS: "resolving", SegmentKind.CONNECTING: "connecting",
    SegmentKind.WAIT: "waiting", SegmentKind.STREAM: "streaming", SegmentKind.UDP: "UDP",
}  # fmt: skip
_VERDICT_STYLES = {
    "on": "bold green", "failing": "bold red", "suspicious": "bold yellow", "blocked": "bold yellow",
    "offline": "bold yellow", "paused": "bold yellow",
}  # fmt: skip


def process_line(mirror: Mirror, summary: Summary, glyphs: Glyphs) -> Line:
    """`local 4711  ↓ 1.2 MB/s ↑ 3 KB/s  Connected · Tokyo 1 · Bytes came back 0.3 s ago  127.0.0.1:1080`."""
    rates = f"{glyphs.down} {' '.join(rate(summary.down))} {glyphs.up} {' '.join(rate(summary.up))}"
    line = [Cell(visible(f"{mirror.role} {mirror.pid}  "), "bold"), Cell(f"{rates}  ")]
    if (silent := mirror.silent()) > SILENT_SECONDS:
        line.append(Cell(f"no news for {silent:.0f} s  ", "bold yellow"))
    elif mirror.role == "server":
        users = f", {_count(summary.users, 'user')}" if summary.users else ""
        line.append(Cell(f"{_count(summary.clients, 'client')}{users}  ", "bold"))
    elif mirror.verdict is not None:
        title, evidence = verdict_words(_aged(mirror, mirror.verdict))
        line.append(Cell(visible(title), _VERDICT_STYLES.get(mirror.verdict.kind, "bold")))
        line.append(Cell(f" {glyphs.dot} {visible(evidence)}  " if evidence else "  "))
    return [*line, Cell(visible(" ".join(mirror.listens[:3])), "bright_black")]


def _aged(mirror: Mirror, verdict: Verdict) -> Verdict:
    """It was true a moment ago, and has grown older since."""
    older = max(0.0, mirror.now() - mirror.judged)
    if verdict.kind == "paused":
        return replace(verdict, seconds=max(0.0, verdict.seconds - older))
    if verdict.kind in ("on", "ready", "connecting") and verdict.seconds:
        return replace(verdict, seconds=verdict.seconds + older)
    return verdict


def health_line(summary: Summary, glyphs: Glyphs) -> Line:
    """`◔ 3 connecting (2 over 5 s)  ● 12 streaming    9 errors in 10 min: 5 Timed out, 4 No answer`."""
    line: Line = []
    for kind, count in summary.standing.counts.items():
        if not count:
            continue
        line.append(Cell(f"{glyphs.marks[kind]} {count} {_WORDS[kind]}", STYLES[kind]))
        if slow := summary.standing.slow.get(kind):
            line.append(Cell(f" ({slow} over {SLOW:.0f} s)", "bold yellow"))
        line.append(Cell("  "))
    if not line:
        line.append(Cell("nothing is open  ", "bright_black"))
    if total := summary.failures.total():
        why = ", ".join(f"{count} {reason_word(reason)}" for reason, count in summary.failures.most_common(3))
        line.append(Cell(f"{_count(total, 'error')} in 10 min: {why}", FAILED))
    return line


def _count(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
