"""One line for each connection that ended, and no destination unless asked."""

import json
import logging

import pytest

from ssgui.app.connection_log import ConnectionLog
from ssgui.app.log_output import JSONFormatter
from ssgui.app.rate_limit import RateLimit
from ssgui.engine.events import Closed, Opened
from ssgui.engine.journal import Journal
from ssgui.engine.stages import Reason, Role, Stage

LOGGER = logging.getLogger("ssgui.test_connection_log")


def closed(number: int, client: str = "192.0.2.7:4000", t: float = 1.0) -> Closed:
    timeline = ((Stage.INIT, t - 1.25), (Stage.STREAM, t - 1.0), (Stage.DESTROYED, t))
    return Closed(number, t, Reason.AUTH_FAILED, 12, 34, timeline, "secret.example:443", client)


def test_says_who_why_and_how_much(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal()
    with caplog.at_level(logging.INFO, LOGGER.name):
        log = ConnectionLog(journal, LOGGER)
        journal.append(Opened(1, 1, 0.0, Role.SERVER, "shadowsocks", "192.0.2.7:4000"))
        journal.append(closed(1))
        log.pump()
        log.pump()
    assert caplog.messages == ["192.0.2.7:4000: auth-failed, 12 bytes up, 34 down, 1.2 s"]
    line = json.loads(JSONFormatter().format(caplog.records[0]))
    assert (line["id"], line["reason"], line["up"], line["down"], line["seconds"]) == (1, "auth-failed", 12, 34, 1.25)
    assert "secret" not in json.dumps(line)


def test_a_fault_is_named_and_counted_by_its_name(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal()
    faults = [
        (Reason.BAD_REQUEST, "the first header came in pieces", ""),
        (Reason.CLOCK_SKEW, "the client's clock is 47 s behind", "ann"),
        (Reason.DENIED, "denied by secret.example", ""),
    ]
    with caplog.at_level(logging.INFO, LOGGER.name):
        log = ConnectionLog(journal, LOGGER, RateLimit(burst=1, rate=1))
        for number in range(3):
            for reason, detail, user in faults:
                journal.append(Closed(number, 1.0, reason, 0, 0, (), "", "192.0.2.7:4000", detail, user))
        log.close()
    start, end = "192.0.2.7", ", 0 bytes up, 0 down, 0.0 s"
    assert caplog.messages == [
        f"{start}:4000: bad-request (the first header came in pieces){end}",
        f"{start}:4000: clock-skew (the client's clock is 47 s behind){end}",
        f"{start}:4000: denied{end}",
        f"{start}: bad-request (the first header came in pieces), 2 more connections",
        f"{start}: clock-skew (the client's clock is 47 s behind), 2 more connections",
        f"{start}: denied, 2 more connections",
    ]
    lines = [json.loads(JSONFormatter().format(record)) for record in caplog.records]
    assert (lines[0]["detail"], lines[1]["user"]) == ("the first header came in pieces", "ann")
    assert "secret" not in json.dumps(lines)


def test_destinations_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal()
    with caplog.at_level(logging.DEBUG, LOGGER.name):
        log = ConnectionLog(journal, LOGGER)
        journal.append(closed(1))
        log.close()
    assert "192.0.2.7:4000 to secret.example:443: auth-failed" in caplog.messages[0]


def test_a_flood_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal()
    with caplog.at_level(logging.INFO, LOGGER.name):
        log = ConnectionLog(journal, LOGGER, RateLimit(burst=2, rate=1))
        for number in range(10):
            journal.append(closed(number, f"[2001:db8::1]:{number}"))
        journal.append(closed(10, "192.0.2.8:1"))
        log.pump()
        journal.append(closed(11, "[2001:db8::1]:11", t=2.0))
        log.pump()
        journal.append(closed(12, "[2001:db8::1]:12", t=2.0))
        log.close()
    clients = [message.split(": ")[0] for message in caplog.messages]
    assert clients == [
        "[2001:db8::1]:0", "[2001:db8::1]:1", "192.0.2.8:1", "[2001:db8::1]", "[2001:db8::1]:11", "[2001:db8::1]",
    ]  # fmt: skip
    assert caplog.messages[3].endswith("auth-failed, 8 more connections")
    assert caplog.messages[5].endswith("auth-failed, 1 more connections")


def test_says_when_it_fell_behind(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(size=2)
    with caplog.at_level(logging.INFO, LOGGER.name):
        log = ConnectionLog(journal, LOGGER)
        for number in range(5):
            journal.append(closed(number))
        log.pump()
    assert caplog.messages[0].startswith("3 events came too fast")
    assert len(caplog.messages) == 3


def test_an_association_that_was_idle_ended_as_it_should(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal()
    with caplog.at_level(logging.INFO, LOGGER.name):
        log = ConnectionLog(journal, LOGGER)
        for stage in (Stage.UDP_ASSOC, Stage.STREAM):
            timeline = ((stage, 0.0), (Stage.DESTROYED, 1.0))
            journal.append(Closed(1, 1.0, Reason.IDLE_TIMEOUT, 1, 2, timeline, "", f"{stage.name}:1"))
        log.pump()
    assert caplog.messages == ["STREAM:1: idle-timeout, 1 bytes up, 2 down, 1.0 s"]
