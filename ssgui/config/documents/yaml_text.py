"""YAML from strangers: lists, mappings and text, nothing else.

Read from the events of PyYAML's parser and not by its loaders: those recurse (a deep nesting ends the process),
unfold merge keys without limit, and make numbers and dates of what may be a password.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from ssgui.config.values import ConfigError

_MAX_DEPTH: Final = 64
_MAX_MERGED: Final = 100_000
# The parser in C is ten times as fast; a build without it has the other.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE: Final = "<<"
_NULLS: Final = ("", "~", "null", "Null", "NULL")


def parse_yaml(text: str) -> Any:
    """The one document in `text`; every scalar is text. ConfigError with line and column."""
    try:
        return _Builder().build(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ConfigError(f"{where}{error.problem or 'no YAML'}") from None
    except (yaml.YAMLError, ValueError, IndexError, RecursionError) as error:
        raise ConfigError(f"no YAML: {type(error).__name__}") from None


@dataclass(slots=True)
class _Open:
    """A list or mapping that has begun. `key` is the one whose value comes next."""

    value: Any
    anchor: str | None
    key: str | None = None
    merged: list[Any] = field(default_factory=list)


class _Builder:
    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._anchors: dict[str, Any] = {}
        self._unfinished: set[str] = set()
        self._merges_left = _MAX_MERGED
        self._root: Any = None

    def build(self, text: str) -> Any:
        """Go through the events."""
        documents = 0
        for event in yaml.parse(text, Loader=_LOADER):
            line = event.start_mark.line + 1 if event.start_mark else 0
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise ConfigError(f"line {line}: a second document begins, which is not read")
            elif isinstance(event, yaml.ScalarEvent):
                value = None if not event.style and event.value in _NULLS else event.value
                if event.anchor:
                    self._anchors[event.anchor] = value
                self._add(value, line)
            elif isinstance(event, yaml.AliasEvent):
                self._add(self._referred(event.anchor, line), line)
            elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
                self._begin([] if isinstance(event, yaml.SequenceStartEvent) else {}, event.anchor, line)
            elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
                self._end(line)
        return self._root

    def _referred(self, anchor: str | None, line: int) -> Any:
        if anchor is None or anchor in self._unfinished or anchor not in self._anchors:
            raise ConfigError(f"line {line}: a reference to itself, or to nothing")
        return self._anchors[anchor]

    def _begin(self, value: Any, anchor: str | None, line: int) -> None:
        if len(self._open) >= _MAX_DEPTH:
            raise ConfigError(f"line {line}: nested deeper than {_MAX_DEPTH}")
        if self._open and isinstance(self._open[-1].value, dict) and self._open[-1].key is None:
            raise ConfigError(f"line {line}: a key must be text")
        self._open.append(_Open(value, anchor))
        if anchor:
            self._unfinished.add(anchor)

    def _end(self, line: int) -> None:
        done = self._open.pop()
        for source in done.merged:
            for one in source if isinstance(source, list) else [source]:
                self._merge(done.value, one, line)
        if done.anchor:
            self._unfinished.discard(done.anchor)
            self._anchors[done.anchor] = done.value
        self._add(done.value, line)

    def _merge(self, into: dict[str, Any], source: Any, line: int) -> None:
        if not isinstance(source, dict):
            raise ConfigError(f"line {line}: only a mapping can be merged in")
        self._merges_left -= len(source) + 1
        if self._merges_left < 0:
            raise ConfigError(f"line {line}: too much is merged in")
        for key, value in source.items():
            into.setdefault(key, value)

    def _add(self, value: Any, line: int) -> None:
        if not self._open:
            self._root = value
            return
        top = self._open[-1]
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.key is None:
            if not isinstance(value, str):
                raise ConfigError(f"line {line}: a key must be text")
            top.key = value
        else:
            if top.key == _MERGE:
                top.merged.append(value)
            else:
                top.value[top.key] = value
            top.key = None
