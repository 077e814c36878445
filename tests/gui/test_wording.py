"""Window and terminal say the same, in English."""

import pytest
from PySide6.QtWidgets import QApplication

from ssgui.engine.stages import Reason, Role, Stage
from ssgui.gui import words
from ssgui.services import wording
from ssgui.services.diagnosis.evidence import Verdict


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("waiting", [False, True])
def test_stages(application: QApplication, stage: Stage, waiting: bool) -> None:
    assert wording.stage_word(stage, waiting=waiting) == words.stage_word(stage, waiting=waiting)


def test_a_server_reads_the_request_first() -> None:
    assert wording.stage_word(Stage.INIT, Role.SERVER) == "Request"


@pytest.mark.parametrize("reason", [None, *Reason])
def test_reasons(application: QApplication, reason: Reason | None) -> None:
    assert wording.reason_word(reason) == words.reason_word(reason)


@pytest.mark.parametrize(
    "verdict",
    [
        Verdict("on", "Tokyo 1", 0.3),
        Verdict("connecting", "Tokyo 1", 1.4),
        Verdict("failing", "Tokyo 1", 0.0, 4, 4, Reason.CONNECT_TIMEOUT),
        Verdict("failing", "Tokyo 1", 0.0, 4, 4, why="way"),
        *(
            Verdict("suspicious", "Tokyo 1", count=12, why=why)
            for why in ("key", "key-or-clock", "unreadable", "plugin")
        ),
        *(Verdict("suspicious", "Tokyo 1", seconds, 1, why="clock") for seconds in (0.0, 400.0, -2.5)),
        Verdict("suspicious", "Tokyo 1", count=1, why="key"),
        Verdict("offline", "Tokyo 1"),
        Verdict("ready", "Tokyo 1", 70.0),
        Verdict("ready", "Tokyo 1"),
        Verdict("none"),
        Verdict("paused", "Tokyo 1", 500.0),
        *(Verdict("blocked", "Tokyo 1", why=why) for why in ("plugin", "password", "sealed", "way", "method")),
    ],
    ids=lambda one: f"{one.kind} {one.why} {one.seconds}",
)
def test_verdicts(application: QApplication, verdict: Verdict) -> None:
    shown = words.header_state(verdict, "127.0.0.1:1080")
    assert wording.verdict_words(verdict) == (shown.title, shown.subtitle)


def test_off() -> None:
    assert wording.verdict_words(Verdict("off"))[0] == "Off"
