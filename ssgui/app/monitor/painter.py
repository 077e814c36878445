"""Lines of cells as what a terminal is to be sent: all of it once, then what has changed.

Cells are rich's `Text`, so that nothing in them is taken for markup. Behind text that is not ASCII the next cell is
placed by its column: terminals do not agree on how wide such characters are.
"""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import ControlType, Segment
from rich.text import Text

from ssgui.app.monitor.cells import Line

_ERASE_REST = "\x1b[K"


class _Placed:
    """A line for rich."""

    def __init__(self, line: Line, *, placed: bool) -> None:
        self._line, self._placed = line, placed

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        at, certain = 0, True
        for cell in self._line:
            if not cell.text:
                continue
            if self._placed and not certain:
                yield Segment(f"\x1b[{at + 1}G", None, [(ControlType.CURSOR_MOVE_TO_COLUMN, at)])
                certain = True
            yield from Segment.apply_style(Text(cell.text, end="").render(console), console.get_style(cell.style))
            at += cell_len(cell.text)
            certain = certain and cell.text.isascii()


def console_lines(console: Console, lines: Iterable[Line], *, placed: bool) -> list[str]:
    """Each line as text with its colours, as far as `console` has any."""
    found = []
    for line in lines:
        with console.capture() as capture:
            console.print(_Placed(line, placed=placed), end="", soft_wrap=True)
        found.append(capture.get())
    return found


class Painter:
    """Remembers what is on the screen."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: list[str] = []
        self._size = (0, 0)

    def forget(self) -> None:
        """What is on the screen is not known any more."""
        self._shown = []

    def paint(self, lines: Sequence[Line], size: tuple[int, int]) -> str:
        """What makes the screen show `lines`; "" when it does already."""
        cleared = ""
        if size != self._size or not self._shown:
            self._size, self._shown = size, []
            cleared = "\x1b[0m\x1b[2J"
        new = console_lines(self._console, lines, placed=True)
        out = [cleared]
        for at, text in enumerate(new):
            if at >= len(self._shown) or self._shown[at] != text:
                out.append(f"\x1b[{at + 1};1H{text}\x1b[0m{_ERASE_REST}")
        self._shown = new
        return "".join(out)
