"""What a person has done to the columns, as the settings keep it.

    {"order": ["stage", …], "widths": {"target": 300}, "shown": {"server": true}, "sort": ["age", true], "bars": "zero"}

What is not understood is left out of what is read, and kept in what is written: another version may know it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ssgui.gui.connections.columns import Column

NARROWEST, WIDEST = 40, 2000
_BY_KEY = {column.key: column for column in Column}


@dataclass
class ColumnState:
    """Only what differs from how the columns come at first; `order` is of all columns, or empty."""

    order: list[Column] = field(default_factory=list)
    widths: dict[Column, int] = field(default_factory=dict)
    shown: dict[Column, bool] = field(default_factory=dict)
    sort: tuple[Column, bool] | None = None
    from_zero: bool = False  # the bars of the waterfall


def read_state(data: object) -> ColumnState:
    """What of `data`, which anybody may have edited, can be used."""
    given: Mapping[str, Any] = data if isinstance(data, dict) else {}
    found = ColumnState()
    widths, shown, order, sort = (given.get(name) for name in ("widths", "shown", "order", "sort"))
    if isinstance(widths, dict):
        found.widths = {
            _BY_KEY[key]: min(WIDEST, max(NARROWEST, width))
            for key, width in widths.items()
            if key in _BY_KEY and isinstance(width, int) and not isinstance(width, bool)
        }
    if isinstance(shown, dict):
        found.shown = {_BY_KEY[key]: on for key, on in shown.items() if key in _BY_KEY and isinstance(on, bool)}
    if isinstance(order, list):
        known = list(dict.fromkeys(_BY_KEY[key] for key in order if isinstance(key, str) and key in _BY_KEY))
        made = _with_new(known) if known else []
        found.order = made if made != list(Column) else []
    if isinstance(sort, list) and [type(one) for one in sort] == [str, bool] and sort[0] in _BY_KEY:
        found.sort = (_BY_KEY[sort[0]], sort[1])
    found.from_zero = given.get("bars") == "zero"
    return found


def _with_new(known: list[Column]) -> list[Column]:
    """A column that did not exist when the order was made comes where it comes at first: after its neighbour."""
    order = list(known)
    for column in Column:
        if column not in order:
            before = [order.index(other) for other in Column if other < column and other in order]
            order.insert(max(before, default=-1) + 1, column)
    return order


def write_state(state: ColumnState, before: object) -> dict[str, Any]:
    """What to keep, and what of `before` was not ours."""
    old: dict[str, Any] = dict(before) if isinstance(before, dict) else {}
    made: dict[str, Any] = {
        "order": _with_strangers([column.key for column in state.order], old.get("order")),
        "widths": _strangers(old.get("widths")) | {column.key: width for column, width in state.widths.items()},
        "shown": _strangers(old.get("shown")) | {column.key: on for column, on in state.shown.items()},
        "sort": [state.sort[0].key, state.sort[1]] if state.sort is not None else None,
        "bars": "zero" if state.from_zero else None,
    }
    for key, value in made.items():
        old.pop(key, None)
        if value:
            old[key] = value
    return old


def _strangers(values: object) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in _BY_KEY} if isinstance(values, dict) else {}


def _with_strangers(order: list[str], before: object) -> list[str]:
    """Names that are not ours stay behind the name that they were behind."""
    if not isinstance(before, list) or not all(isinstance(key, str) for key in before):
        return order
    for at, key in enumerate(before):
        if key in _BY_KEY or key in order:
            continue
        neighbour = before[at - 1] if at else None
        order.insert(order.index(neighbour) + 1 if neighbour in order else 0, key)
    return order
