"""A line of the screen as cells of fixed width, and text made to fit into one."""

from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from ssgui.services.harmless import harmless


class Cell(NamedTuple):
    """Text as wide as it says, in a style of rich."""

    text: str
    style: str = ""


Line = list[Cell]


def visible(text: str) -> str:
    """`text`, which may be a stranger's, for one line of a terminal.

    What is not seen there moves the cursor, or does not take its place: marks of direction, joiners, soft hyphens.
    """
    text = harmless(text)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def fitted(text: str, width: int, more: str, *, right: bool = False) -> str:
    """`text`, which may be a stranger's, exactly `width` cells wide: cut at its end, or filled with blanks."""
    text = visible(text)
    size = cell_len(text)
    if size > width:
        return set_cell_size(set_cell_size(text, max(0, width - cell_len(more))) + more, width)
    return " " * (width - size) + text if right else text + " " * (width - size)


def fitted_target(target: str, width: int, more: str) -> str:
    """A target that loses its middle: the beginning of the name, its end and the port stay."""
    text = visible(target)
    if cell_len(text) <= width:
        return fitted(text, width, more)
    host, colon, port = text.rpartition(":")
    tail = colon + port
    room = width - cell_len(tail) - cell_len(more)
    if room < 4:
        return fitted(text, width, more)
    end = room // 2
    return fitted(f"{set_cell_size(host, room - end)}{more}{host[-end:]}{tail}", width, more)


def cropped(line: Line, width: int) -> Line:
    """The first `width` cells of a line."""
    found: Line = []
    for cell in line:
        size = cell_len(cell.text)
        if size > width:
            return [*found, Cell(set_cell_size(cell.text, width), cell.style)] if width > 0 else found
        found.append(cell)
        width -= size
    return found


def wrapped(cells: Line, width: int) -> list[Line]:
    """As many lines as it takes to show all cells; none is cut."""
    lines: list[Line] = [[]]
    used = 0
    for cell in cells:
        size = cell_len(cell.text)
        if lines[-1] and used + size > width:
            lines.append([])
            used = 0
        lines[-1].append(cell)
        used += size
    return lines


_ASCII = str.maketrans({"·": "-", "…": "~", "—": "-", "↑": "^", "↓": "v"})


def in_ascii(line: Line) -> Line:
    """The line for a terminal that knows nothing else, as wide as it was."""
    return [cell if cell.text.isascii() else Cell(_ascii(cell.text), cell.style) for cell in line]


def _ascii(text: str) -> str:
    return "".join(char if char.isascii() else "?" * cell_len(char) for char in text.translate(_ASCII))
