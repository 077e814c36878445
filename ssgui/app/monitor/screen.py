"""What is on the screen: the view as lines, whatever its size."""

from ssgui.app.monitor.cells import Cell, Line, cropped, fitted, in_ascii, visible
from ssgui.app.monitor.columns import Chosen, Look, choose, head_line, row_line
from ssgui.app.monitor.controls import HELP, Controls, Mode
from ssgui.app.monitor.detail import detail_lines
from ssgui.app.monitor.glyphs import FINE, Glyphs
from ssgui.app.monitor.head import health_line, process_line
from ssgui.app.monitor.summary import summary_of
from ssgui.app.monitor.view import Scope, View
from ssgui.engine.stages import Role
from ssgui.services.control.mirror import Mirror

ABOVE, BELOW = 3, 1  # lines around the table
_KEYS = "/ filter  s sort  1 2 3 which  p pause  Enter more  x close  ? help  q leave"
_DETAIL_KEYS = "Esc back  up and down others  x close it  p pause  q leave"


def table_lines(mirror: Mirror, glyphs: Glyphs, width: int) -> list[Line]:
    """Everything at once, for paper: the newest on top."""
    view = View(mirror)
    view.look()
    summary = summary_of(mirror)
    chosen, look = choose(width, role_of(mirror)), Look(view.now, glyphs)
    head = [process_line(mirror, summary, glyphs), health_line(summary, glyphs), head_line(chosen, glyphs, None)]
    return [_shown(line, width, glyphs) for line in (*head, *(row_line(one, chosen, look) for one in view.rows))]


def _shown(line: Line, width: int, glyphs: Glyphs) -> Line:
    line = cropped(line, width)
    return line if glyphs is FINE else in_ascii(line)


def role_of(mirror: Mirror) -> Role:
    """Which end of the tunnel it is."""
    return Role.SERVER if mirror.role == "server" else Role.LOCAL


class Screen:
    """Turns a view into lines. `say` puts a message where the keys are told."""

    def __init__(self, view: View, glyphs: Glyphs) -> None:
        self.view, self.glyphs = view, glyphs
        self.width, self.height = 80, 24
        self.controls = Controls(view, self.chosen)
        self.message = ""

    def resize(self, width: int, height: int) -> None:
        """The terminal has this size now."""
        self.width, self.height = max(1, width), max(1, height)
        self.view.height = max(1, self.height - ABOVE - BELOW)

    def chosen(self) -> Chosen:
        """The columns that there is room for."""
        return choose(self.width, role_of(self.view.mirror))

    def lines(self) -> list[Line]:
        """As many as the terminal has."""
        view, mode = self.view, self.controls.mode
        view.look()
        summary = summary_of(view.mirror)
        head = [process_line(view.mirror, summary, self.glyphs), health_line(summary, self.glyphs)]
        if mode is Mode.HELP:
            body = [[Cell(fitted(keys, 24, ""), "bold"), Cell(f"  {what}")] for keys, what in HELP]
        elif self._shows_one() and (one := view.chosen()) is not None:
            body = detail_lines(one, Look(view.now, self.glyphs), self.width)
            body = body[self.controls.scrolled(len(body) - self.height + len(head) + BELOW) :]
        else:
            body = self._table()
        room = max(0, self.height - len(head) - BELOW)
        body = body[:room]
        lines: list[Line] = [*head, *body, *[[]] * (room - len(body)), self._foot()]
        return [_shown(line, self.width, self.glyphs) for line in lines[: self.height]]

    def _shows_one(self) -> bool:
        controls = self.controls
        return controls.mode is Mode.DETAIL or (controls.mode is Mode.CONFIRM and controls.over_detail)

    def _table(self) -> list[Line]:
        view, chosen = self.view, self.chosen()
        look = Look(view.now, self.glyphs, view.seconds)
        lines = [head_line(chosen, self.glyphs, view.sorted_by)]
        for one in view.rows[view.top : view.top + view.height]:
            line = row_line(one, chosen, look)
            if one.id == view.selected:
                line = [Cell(cell.text, f"{cell.style} reverse".strip()) for cell in line]
            lines.append(line)
        if not view.rows:
            lines.append([Cell(self._why_empty(), "bright_black")])
        return lines

    def _why_empty(self) -> str:
        if self.view.filter.text and self.view.found:
            return f"none of {self.view.found} is what the filter wants"
        kind = "" if self.view.scope is Scope.ALL else f" {self.view.scope}"
        return f"no{kind} connections yet"

    def _foot(self) -> Line:
        """Where a filter is typed, a question asked, or the keys are told."""
        controls = self.controls
        match controls.mode:
            case Mode.FILTER:
                line = [Cell("/", "bold"), Cell(visible(controls.text)), Cell(self.glyphs.cursor)]
                return [*line, Cell(f"  {visible(controls.fault)}", "red")] if controls.fault else line
            case Mode.CONFIRM:
                return [Cell(visible(controls.question), "bold yellow"), Cell("  y yes, any other key no")]
            case Mode.HELP:
                return [Cell("any key goes back", "bright_black")]
        if self.message:
            return [Cell(visible(self.message), "bold")]
        state = self._state()
        keys = _DETAIL_KEYS if controls.mode is Mode.DETAIL else _KEYS
        return [Cell(f"{state}  ", "bold") if state else Cell(""), Cell(keys, "bright_black")]

    def _state(self) -> str:
        """What is not as it is at first."""
        view = self.view
        parts = []
        if view.paused_at is not None:
            parts.append(f"Paused, {view.newer()} newer")
        if view.filter.text:
            parts.append(f"{len(view.rows)} of {view.found}: {visible(view.filter.text)}")
        if view.filter_fault:
            parts.append(visible(view.filter_fault))
        if view.scope is not Scope.ALL:
            parts.append(view.scope)
        if view.seconds:
            parts.append(f"{view.seconds:.0f} s")
        return "  ".join(parts)
