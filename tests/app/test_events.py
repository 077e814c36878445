"""The lines of `--events`: exactly the contract, whatever the names hold."""

import errno
import io
import json
import os
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ssgui.app.events import EventLog
from ssgui.engine.events import Closed, Event, Opened, StageChanged
from ssgui.engine.journal import Journal
from ssgui.engine.stages import Reason, Role, Stage

OPENED = Opened(1, 2, 10.5, Role.LOCAL, "socks5", "127.0.0.1:5000")
DNS = StageChanged(1, 10.7500004, Stage.DNS, "example.com:443", "proxy")
DESTROYED = StageChanged(1, 11.0, Stage.DESTROYED, "example.com:443", "proxy")
CLOSED = Closed(
    1, 11.0, Reason.FINISHED, 123, 456, ((Stage.INIT, 10.6265433), (Stage.DNS, 10.8765433), (Stage.DESTROYED, 11.0)),
    "example.com:443", "127.0.0.1:5000",
)  # fmt: skip
NOON = datetime(2026, 1, 31, 13, 0, 0, 1000, tzinfo=timezone(timedelta(hours=1)))


def new_log(journal: Journal, stream: io.StringIO) -> EventLog:
    return EventLog(journal, stream, version="1.2.3", role="local", clock=lambda: 5.25, wall=lambda: NOON)


def written(*events: Event, size: int = 100) -> list[dict[str, Any]]:
    journal, stream = Journal(size), io.StringIO()
    log = new_log(journal, stream)
    for event in events:
        journal.append(event)
    log.pump()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_start_line() -> None:
    stream = io.StringIO()
    new_log(Journal(), stream).start()
    assert stream.getvalue() == (
        f'{{"event":"start","t":5.25,"time":"2026-01-31T12:00:00.001Z","pid":{os.getpid()},'
        '"version":"1.2.3","role":"local"}\n'
    )


def test_opened_is_followed_by_its_first_stage() -> None:
    assert written(OPENED) == [
        {
            "event": "opened", "id": 1, "conn": 2, "t": 10.5, "role": "local", "inbound": "socks5",
            "client": "127.0.0.1:5000",
        },
        {"event": "stage", "id": 1, "t": 10.5, "stage": "INIT", "target": "", "route": ""},
    ]  # fmt: skip


def test_stage_line() -> None:
    assert written(DNS) == [
        {"event": "stage", "id": 1, "t": 10.75, "stage": "DNS", "target": "example.com:443", "route": "proxy"}
    ]


def test_closed_line_comes_after_the_stage_destroyed() -> None:
    destroyed, closed = written(DESTROYED, CLOSED)
    assert (destroyed["event"], destroyed["stage"]) == ("stage", "DESTROYED")
    assert closed == {
        "event": "closed", "id": 1, "t": 11.0, "stage": "DESTROYED", "reason": "finished", "up": 123, "down": 456,
        "stages": {"INIT": 0.25, "DNS": 0.123457},
    }  # fmt: skip


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_written_as_its_word(reason: Reason) -> None:
    assert written(Closed(1, 1.0, reason, 0, 0, (), "", ""))[0]["reason"] == reason.value


def test_pump_writes_each_event_once() -> None:
    journal, stream = Journal(), io.StringIO()
    log = new_log(journal, stream)
    journal.append(OPENED)
    log.pump()
    first = stream.getvalue()
    log.pump()
    assert stream.getvalue() == first
    journal.append(DNS)
    log.pump()
    assert stream.getvalue().removeprefix(first).count("\n") == 1


def test_reader_that_fell_behind_says_how_much_it_lost() -> None:
    lines = written(OPENED, DNS, DNS, DESTROYED, CLOSED, size=2)
    assert [line["event"] for line in lines] == ["dropped", "stage", "closed"]
    assert lines[0] == {"event": "dropped", "n": 3}


def test_close_writes_what_is_left() -> None:
    journal, stream = Journal(), io.StringIO()
    log = new_log(journal, stream)
    journal.append(CLOSED)
    log.close()
    assert json.loads(stream.getvalue())["event"] == "closed"
    assert not stream.closed


def test_names_of_strangers_cannot_break_lines_or_terminals() -> None:
    name = "evil\n\x1b[2J\x9b\u202e\udcff:1"
    journal, stream = Journal(), io.StringIO()
    journal.append(StageChanged(1, 1.0, Stage.DNS, name, "proxy"))
    new_log(journal, stream).pump()
    text = stream.getvalue()
    assert text.removesuffix("\n").isprintable()
    assert text.isascii()
    assert json.loads(text)["target"] == name


class FullDisk(io.RawIOBase):
    """Takes nothing."""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_stream_that_breaks_is_told_once_and_can_be_closed(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal()
    stream = io.TextIOWrapper(io.BufferedWriter(FullDisk()))
    log = EventLog(journal, stream, version="1", role="server")
    log.start()
    journal.append(OPENED)
    log.pump()
    log.close()
    stream.close()
    told = [record.getMessage() for record in caplog.records]
    assert told == ["events can no longer be written: No space left on device"]
