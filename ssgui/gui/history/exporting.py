"""Tables of the history as files for other programs: every field as it is, not as the window shows it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from ssgui.services.connections.export import csv_text, json_text
from ssgui.services.history.queries import AnyRow, DayTotal, ServerTotal

_TIMES = ("ended", "last", "start")


def table_csv(rows: Sequence[AnyRow]) -> str:
    """A line for each row; of a server the totals, for its course is a table of its own."""
    trees = [_flat(one) for one in rows]
    heads = list(trees[0]) if trees else []
    return csv_text(heads, [[tree[head] for head in heads] for tree in trees])


def table_json(rows: Sequence[AnyRow]) -> str:
    """A list of objects."""
    return json_text([_tree(one) for one in rows])


def _tree(row: AnyRow) -> dict[str, Any]:
    tree: dict[str, Any] = msgspec.structs.asdict(row)
    if isinstance(row, DayTotal):
        tree["day"] = date.fromordinal(row.day).isoformat()
    if isinstance(row, ServerTotal):
        tree["points"] = [_spreads(msgspec.structs.asdict(point)) for point in row.points]
    return _spreads(tree)


def _spreads(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Medians and long ends by name, times as ISO 8601."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if hasattr(value, "p95"):
            found[key] = {"p50": value.p50, "p95": value.p95}
        elif key in _TIMES:
            found[key] = datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        else:
            found[key] = value
    return found


def _flat(row: AnyRow) -> dict[str, Any]:
    tree = _tree(row)
    if not isinstance(row, ServerTotal):
        return tree
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if key in ("connect", "first_byte"):
            spread = value or {"p50": None, "p95": None}
            found |= {f"{key}_{name}": one for name, one in spread.items()}
        elif key != "points":
            found[key] = value
    return found
