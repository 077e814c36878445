"""The lines of `--events`: exactly the contract, whatever the names hold."""

import errno
import io
import json
import os
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ssgui.app.events.line_writer import LineWriter
from ssgui.app.events.output import EventLog
from ssgui.engine.events import Closed, Event, Opened, StageChanged
from ssgui.engine.handler_base import HandlerView, Pulse
from ssgui.engine.journal import Journal
from ssgui.engine.stages import Reason, Role, Stage, StreamStatus
from tests.support.processes import wait_until

ROOT = Path(__file__).parents[2]

OPENED = Opened(1, 2, 10.5, Role.LOCAL, "socks5", "127.0.0.1:5000")
DNS = StageChanged(1, 10.7500004, Stage.DNS, "example.com:443", "proxy")
DESTROYED = StageChanged(1, 11.0, Stage.DESTROYED, "example.com:443", "proxy")
CLOSED = Closed(
    1, 11.0, Reason.FINISHED, 123, 456, ((Stage.INIT, 10.6265433), (Stage.DNS, 10.8765433), (Stage.DESTROYED, 11.0)),
    "example.com:443", "127.0.0.1:5000",
)  # fmt: skip
BRIEF = ((Stage.INIT, 1.0), (Stage.DESTROYED, 1.0))
NOON = datetime(2026, 1, 31, 13, 0, 0, 1000, tzinfo=timezone(timedelta(hours=1)))


class FakeEngine:
    """A journal, and live handlers."""

    def __init__(self, size: int = 100) -> None:
        self.journal = Journal(size)
        self.handlers: dict[int, FakeHandler] = {}


class FakeHandler:
    """Looks as it is told."""

    def __init__(self, **values: Any) -> None:
        self.now = replace(LIVE, **values)

    def view(self) -> HandlerView:
        return self.now

    def pulse(self) -> Pulse:
        one = self.now
        return one.up, one.down, one.held_up, one.held_down, int(one.up_status) | int(one.down_status) << 2


LIVE = HandlerView(
    id=1, conn=2, role=Role.LOCAL, inbound="socks5", client="127.0.0.1:5000", target="example.com:443", route="proxy",
    rule="", server="", user="", stage=Stage.STREAM, up_status=StreamStatus.READING, down_status=StreamStatus.READING,
    up=0, down=0, held_up=0, held_down=0, timeline=((Stage.INIT, 10.5), (Stage.STREAM, 10.8)), first_up=None,
    first_down=None,
)  # fmt: skip


def new_log(engine: FakeEngine, stream: io.StringIO) -> EventLog:
    return EventLog(engine, stream, version="1.2.3", role="local", clock=lambda: 5.25, wall=lambda: NOON)


def parsed(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def written(*events: Event, size: int = 100) -> list[dict[str, Any]]:
    engine, stream = FakeEngine(size), io.StringIO()
    log = new_log(engine, stream)
    for event in events:
        engine.journal.append(event)
    log.close()
    return parsed(stream)


def test_start_line() -> None:
    stream = io.StringIO()
    log = new_log(FakeEngine(), stream)
    log.start()
    log.close()
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
        "stages": {"INIT": 0.25, "DNS": 0.123457}, "conn": 0, "role": "local", "inbound": "",
        "client": "127.0.0.1:5000", "target": "example.com:443", "route": "",
        "timeline": [["INIT", 10.626543], ["DNS", 10.876543], ["DESTROYED", 11.0]],
    }  # fmt: skip


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_written_as_its_word(reason: Reason) -> None:
    assert written(Closed(1, 1.0, reason, 0, 0, BRIEF, "", ""))[0]["reason"] == reason.value


def test_an_end_says_everything_that_is_known() -> None:
    closed = replace(
        CLOSED, conn=2, inbound="http", route="proxy", rule="a rule", server="Tokyo 1", user="ann", detail="more",
        first_up=10.9, first_down=10.95, acked=7,
    )  # fmt: skip
    first, second, last = written(closed)[-3:]
    assert (last["conn"], last["inbound"], last["route"], last["rule"]) == (2, "http", "proxy", "a rule")
    assert (last["server"], last["user"], last["detail"], last["acked"]) == ("Tokyo 1", "ann", "more", 7)
    assert (last["first_up"], last["first_down"]) == (10.9, 10.95)
    assert first == {"event": "moment", "id": 1, "t": 10.9, "moment": "first-up"}
    assert second == {"event": "moment", "id": 1, "t": 10.95, "moment": "first-down"}


def test_moments_are_told_once_as_they_come() -> None:
    engine, stream = FakeEngine(), io.StringIO()
    log = new_log(engine, stream)
    for event in (OPENED, DNS, StageChanged(1, 10.8, Stage.STREAM, "example.com:443", "proxy")):
        engine.journal.append(event)
    one = engine.handlers[1] = FakeHandler(up=9, first_up=10.9)
    log.pump()
    one.now = replace(one.now, held_down=65536, down_status=StreamStatus.WRITING, down=99, first_down=10.95)
    log.pump()
    log.pump()
    one.now = replace(one.now, held_down=0, down_status=StreamStatus.READING)
    log.pump()
    del engine.handlers[1]
    engine.journal.append(DESTROYED)
    engine.journal.append(replace(CLOSED, first_up=10.9, first_down=10.95))
    log.close()
    lines = parsed(stream)
    moments = [(line["moment"], line["t"], line.get("held")) for line in lines if line["event"] == "moment"]
    assert moments == [
        ("first-up", 10.9, None), ("first-down", 10.95, None), ("down-blocked", 5.25, 65536),
        ("down-flows", 5.25, None),
    ]  # fmt: skip
    assert [line["event"] for line in lines[-2:]] == ["stage", "closed"]


def test_moments_come_before_the_stage_that_ends_it() -> None:
    lines = written(OPENED, DNS, DESTROYED, replace(CLOSED, first_up=10.9))
    assert [line.get("moment") or line.get("stage") for line in lines[2:]] == [
        "DNS",
        "first-up",
        "DESTROYED",
        "DESTROYED",
    ]


def test_a_program_is_told_when_it_is_known() -> None:
    engine, stream = FakeEngine(), io.StringIO()
    log = new_log(engine, stream)
    engine.journal.append(OPENED)
    engine.handlers[1] = FakeHandler(stage=Stage.INIT)
    log.pump()
    connections = log._lines._connections
    one = connections.live[1]
    one.program, one.pid = "curl\x1b", 4711
    connections.touch(one)
    log.pump()
    log.pump()
    del engine.handlers[1]
    engine.journal.append(DESTROYED)
    engine.journal.append(CLOSED)
    log.close()
    lines = parsed(stream)
    assert [line for line in lines if line["event"] == "program"] == [
        {"event": "program", "id": 1, "program": "curl\x1b", "pid": 4711}
    ]
    assert (lines[-1]["program"], lines[-1]["pid"]) == ("curl\x1b", 4711)
    assert "\x1b" not in stream.getvalue()


def test_every_line_of_a_worker_says_its_number() -> None:
    engine, stream = FakeEngine(), io.StringIO()
    log = EventLog(engine, stream, version="1", role="server", worker=2)
    log.start()
    engine.journal.append(OPENED)
    log.close()
    assert [json.loads(line)["worker"] for line in stream.getvalue().splitlines()] == [2, 2, 2]


def test_pump_writes_each_event_once() -> None:
    engine, stream = FakeEngine(), io.StringIO()
    log = new_log(engine, stream)
    engine.journal.append(OPENED)
    for _ in range(3):
        log.pump()
    engine.journal.append(DNS)
    log.close()
    assert [line["event"] for line in parsed(stream)] == ["opened", "stage", "stage"]


def test_reader_that_fell_behind_says_how_much_it_lost() -> None:
    lines = written(OPENED, DNS, DNS, DESTROYED, CLOSED, size=2)
    assert [line["event"] for line in lines] == ["dropped", "stage", "closed"]
    assert lines[0] == {"event": "dropped", "n": 3}


def test_close_writes_what_is_left_and_leaves_the_stream() -> None:
    engine, stream = FakeEngine(), io.StringIO()
    log = new_log(engine, stream)
    engine.journal.append(CLOSED)
    log.close()
    assert json.loads(stream.getvalue())["event"] == "closed"
    assert not stream.closed


def test_names_of_strangers_cannot_break_lines_or_terminals() -> None:
    name = "evil\n\x1b[2J\x9b\u202e\udcff:1"
    engine, stream = FakeEngine(), io.StringIO()
    log = new_log(engine, stream)
    engine.journal.append(StageChanged(1, 1.0, Stage.DNS, name, "proxy"))
    log.close()
    text = stream.getvalue()
    assert text.removesuffix("\n").isprintable()
    assert text.isascii()
    assert json.loads(text)["target"] == name


# ---- streams that fail, and readers that stall


class FullDisk(io.RawIOBase):
    """Takes nothing."""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_stream_that_breaks_is_told_once_and_can_be_closed(caplog: pytest.LogCaptureFixture) -> None:
    engine = FakeEngine()
    stream = io.TextIOWrapper(io.BufferedWriter(FullDisk()))
    log = EventLog(engine, stream, version="1", role="server")
    log.start()
    engine.journal.append(OPENED)
    log.pump()
    log.close()
    stream.close()
    told = [record.getMessage() for record in caplog.records]
    assert told == ["events can no longer be written: No space left on device"]


def test_a_reader_that_stalls_holds_nothing_up_and_hears_what_it_lost() -> None:
    inlet, outlet = os.pipe()
    with open(outlet, "w", encoding="utf-8") as stream, open(inlet, encoding="utf-8") as reader:
        engine = FakeEngine(20_000)
        log = EventLog(engine, stream, version="1", role="local")
        log.start()
        begun = time.monotonic()
        for number in range(40):  # 16 MB, with nobody reading
            for id_ in range(1000):
                engine.journal.append(StageChanged(number * 1000 + id_, 1.0, Stage.DNS, "x" * 400, "proxy"))
            log.pump()
        assert time.monotonic() - begun < 10
        held = log._writer._held
        assert held < 5 << 20
        found: list[str] = []
        reading = threading.Thread(target=lambda: found.extend(reader))
        reading.start()
        wait_until(lambda: log._writer._held == 0, "all that was held is written")
        engine.journal.append(CLOSED)
        log.close()
        stream.close()
        reading.join(10)
    lines = [json.loads(line) for line in found]
    (lost,) = [line["n"] for line in lines if line["event"] == "dropped"]
    assert lost > 0
    assert sum(line["event"] == "stage" for line in lines) + lost == 40_000
    assert lines[-1]["event"] == "closed"


def test_the_end_does_not_wait_for_a_reader_that_stalls() -> None:
    code = """
import sys
from ssgui.app.events.line_writer import LineWriter
writer = LineWriter(sys.stdout, "lines")
writer.write("x" * 1_000_000 + "\\n")
sys.stderr.write(str(writer.close(0.1)))
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stderr is not None
        assert process.wait(20) == 0  # with nobody reading its output
        assert process.stderr.read() == "False"


def test_a_descriptor_that_does_not_wait_is_waited_for() -> None:
    inlet, outlet = os.pipe()
    os.set_blocking(outlet, False)
    with open(outlet, "w", encoding="utf-8") as stream, open(inlet, encoding="utf-8") as reader:
        writer = LineWriter(stream, "lines")
        writer.write("x" * 1_000_000)
        assert reader.read(1_000_000) == "x" * 1_000_000
        assert writer.close()


lines_of_text = st.lists(st.text(max_size=20), max_size=20)


@given(lines_of_text)
def test_what_is_written_is_written_in_order(texts: list[str]) -> None:
    stream = io.StringIO()
    writer = LineWriter(stream, "lines")
    assert all(writer.write(text) for text in texts)
    assert writer.close()
    assert writer.write("more")  # nobody is to count it
    assert stream.getvalue() == "".join(texts)
