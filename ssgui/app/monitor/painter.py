"""Lines of cells as what a terminal is to be sent: all of it once, then what has changed.

Cells are rich's `Text`, so that nothing in them is taken for markup. Behind text that is not ASCII the next cell is
placed by its column: terminals do not agree on how wide such characters are.
"""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import ControlType, Segment
from rich.text import Text

from ssgui.app.monitor.cells import Cell, Line

_ERASE_REST = "\x1b[K"


class _Placed:
    """Cells for rich, that begin in column `at`; with `placed` the terminal is told so where it may think otherwise."""

    def __init__(self, cells: Sequence[Cell], at: int = 0, *, placed: bool) -> None:
        self._cells, self._at, self._placed = cells, at, placed

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        at, certain = self._at, True
        for cell in self._cells:
            if not cell.text:
                continue
            if self._placed and not certain:
                yield Segment(f"\x1b[{at + 1}G", None, [(ControlType.CURSOR_MOVE_TO_COLUMN, at)])
                certain = True
            yield from Segment.apply_style(Text(cell.text, end="").render(console), console.get_style(cell.style))
            at += cell_len(cell.text)
            certain = certain and cell.text.isascii()


def _rendered(console: Console, cells: _Placed) -> str:
    with console.capture() as capture:
        console.print(cells, end="", soft_wrap=True)
    return capture.get()


def console_lines(console: Console, lines: Iterable[Line]) -> list[str]:
    """Each line as text with its colours, as far as `console` has any."""
    return [_rendered(console, _Placed(line, placed=False)) for line in lines]


class Painter:
    """Remembers what is on the screen."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: list[Line] = []
        self._size = (0, 0)

    def forget(self) -> None:
        """What is on the screen is not known any more."""
        self._shown = []

    def paint(self, lines: Sequence[Line], size: tuple[int, int]) -> str:
        """What makes the screen show `lines`; "" when it does already."""
        out: list[str] = []
        if size != self._size or not self._shown:
            self._size, self._shown = size, [[] for _ in lines]
            out.append("\x1b[0m\x1b[2J")
        for at, (before, line) in enumerate(zip(self._shown, lines, strict=True)):
            if before != line:
                out.append(self._changed(at, before, line))
        self._shown = [list(line) for line in lines]
        return "".join(out)

    def _changed(self, row: int, before: Line, line: Line) -> str:
        """From the first cell that is another to the last one, or to the end where the line has another width."""
        most = min(len(before), len(line))
        first = next((at for at in range(most) if before[at] != line[at]), most)
        tail = 0
        same_width = _width(before) == _width(line)
        if same_width:
            while tail < most - first and before[-1 - tail] == line[-1 - tail]:
                tail += 1
        start = _width(line[:first])
        text = _rendered(self._console, _Placed(line[first : len(line) - tail], start, placed=True))
        return f"\x1b[{row + 1};{start + 1}H{text}" + ("" if same_width else f"\x1b[0m{_ERASE_REST}")


def _width(line: Line) -> int:
    return sum(cell_len(cell.text) for cell in line)
