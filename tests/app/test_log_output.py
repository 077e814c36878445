"""Log lines: which are shown, on how many lines, and in what form."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from ssgui.app.log_output import plain, set_up_logging


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("ssgui")
    before = root.handlers[:], root.level, ours.level, logging.raiseExceptions
    yield
    root.handlers[:], logging.raiseExceptions = before[0], before[3]
    root.setLevel(before[1])
    ours.setLevel(before[2])


def shown(verbosity: int, *, as_json: bool = False) -> list[str]:
    out = io.StringIO()
    set_up_logging(verbosity, as_json=as_json, stream=out)
    for name in ("ssgui.part", "library"):
        for level in (logging.DEBUG, logging.INFO, logging.WARNING):
            logging.getLogger(name).log(level, "%s %d", name, level)
    return [" ".join(line.split()[-2:]) for line in out.getvalue().splitlines()]


def test_how_much_is_said() -> None:
    assert shown(-1) == ["ssgui.part 30", "library 30"]
    assert shown(0) == ["ssgui.part 20", "ssgui.part 30", "library 30"]
    assert shown(1) == ["ssgui.part 10", "ssgui.part 20", "ssgui.part 30", "library 30"]
    assert len(shown(2)) == 6


def test_strangers_cannot_write_lines_or_colours() -> None:
    out = io.StringIO()
    set_up_logging(0, as_json=False, stream=out)
    logging.getLogger("ssgui").info("to %s", "evil\x1b[31m.example\r\u202e\udcff")
    assert out.getvalue().endswith("INFO to evil\\x1b[31m.example\\r\\u202e\\udcff\n")


def test_json_lines_carry_fields_and_tracebacks() -> None:
    out = io.StringIO()
    set_up_logging(0, as_json=True, stream=out)
    logger = logging.getLogger("ssgui.part")
    logger.info("one\ntwo", extra={"fields": {"up": 3}})
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        logger.exception("failed")
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert (first["level"], first["logger"], first["message"], first["up"]) == ("info", "ssgui.part", "one\ntwo", 3)
    assert first["time"].endswith("Z")
    assert "RuntimeError: broken" in second["traceback"]


def test_a_traceback_stays_readable() -> None:
    out = io.StringIO()
    set_up_logging(0, as_json=False, stream=out)
    try:
        raise RuntimeError("bro\x1bken")
    except RuntimeError:
        logging.getLogger("ssgui").exception("failed")
    assert "failed\nTraceback (most recent call last):\n" in out.getvalue()
    assert out.getvalue().endswith("RuntimeError: bro\\x1bken\n")


def test_plain_text_is_left_alone() -> None:
    assert plain("пример.рф ok") == "пример.рф ok"
