"""Where log lines go and how they look: standard error, one line each, as text or as JSON."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

# "verbosity" counts -v; -q is -1. Destinations of connections are told at DEBUG only.
_LEVELS = {-1: logging.WARNING, 0: logging.INFO}


def set_up_logging(verbosity: int, *, as_json: bool, stream: TextIO | None = None) -> None:
    """Send this program's log to `stream`. Of libraries only warnings are shown, from -vv everything."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JSONFormatter() if as_json else LineFormatter())
    logging.raiseExceptions = False  # a standard error that is closed must not stop the proxy
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbosity > 1 else logging.WARNING)
    logging.getLogger("ssgui").setLevel(_LEVELS.get(verbosity, logging.DEBUG))


def only_warnings() -> None:
    """Of what goes to standard error: whoever has a window reads the log there."""
    for handler in logging.getLogger().handlers:
        handler.setLevel(logging.WARNING)


def plain(text: str) -> str:
    """`text` with what is not printable escaped: host names and remarks come from strangers."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def name_worker(number: int) -> None:
    """From now on every line says that it comes from worker `number`."""
    for handler in logging.getLogger().handlers:
        as_json = isinstance(handler.formatter, JSONFormatter)
        handler.setFormatter(JSONFormatter(number) if as_json else LineFormatter(number))


class LineFormatter(logging.Formatter):
    """`2026-01-31 12:00:00 INFO message`; a traceback follows on its own lines."""

    def __init__(self, worker: int | None = None) -> None:
        who = "" if worker is None else f"worker {worker}: "
        super().__init__(f"%(asctime)s %(levelname)s {who}%(message)s", "%Y-%m-%d %H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        return plain(super().format(record))


class JSONFormatter(logging.Formatter):
    """One object a line: time, level, logger, message, and what the record has in `fields`."""

    def __init__(self, worker: int | None = None) -> None:
        super().__init__()
        self._worker = {} if worker is None else {"worker": worker}

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self._worker,
        }
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)
