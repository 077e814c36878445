"""Every diagnosis has words, in every language, that hold whatever strangers are called."""

import re
from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication

from ssgui.engine.stages import Reason
from ssgui.gui.connections.finding_words import finding_text
from ssgui.gui.texts import LANGUAGES, Translator
from ssgui.gui.words import header_state
from ssgui.protocol.sip022 import clock_words
from ssgui.services.diagnosis.evidence import Verdict
from ssgui.services.diagnosis.finding import Finding, FindingKind
from ssgui.services.diagnosis.servers import _ACTIONS

K = FindingKind
EVIL = "evil\u202egnp\x1b[31m<b>\n=cmd()"
HAN = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest, application: QApplication) -> Iterator[str]:
    translator = Translator(request.param)
    application.installTranslator(translator)
    yield request.param
    application.removeTranslator(translator)


def of(kind: FindingKind, **values: object) -> Finding:
    figures = {"seconds": 12.5, "count": 4, "attempts": 5, "others": 3, "size": 9421, "rate": 2048.0, "ahead": 480.0}
    texts = {"server": "Tokyo 1", "place": "tokyo.example:8388", "target": "www.example.org:443", "name": "curl"}
    return Finding(kind, "warn", **{**figures, **texts, "words": "a word", "addresses": ("127.0.0.1",), **values})  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", K)
def test_every_kind_has_a_fact_and_its_figures(language: str, kind: FindingKind) -> None:
    for values in ({}, {"ongoing": True}, {"confirmed": True, "direct": True}, {"count": 1, "others": 0, "rate": 0.0}):
        for action in ("", "test-server", "open-server", "check-clock", "close", "show-program", "restart-plugin",
                       "open-settings", "always-direct", "always-proxy"):  # fmt: skip
            fact, numbers, label = finding_text(of(kind, action=action, **values))
            assert fact
            assert numbers or kind in (K.DENIED, K.NOT_A_REQUEST, K.NETWORK_LOST)
            assert bool(label) == bool(action)
            assert "{" not in fact + numbers
            if language == "zh_CN":
                assert HAN.search(fact)


@pytest.mark.parametrize("kind", K)
def test_figures_that_are_not_known_leave_no_gap(language: str, kind: FindingKind) -> None:
    """Names are always there."""
    names = {"server": "Tokyo 1", "place": "tokyo.example:8388", "target": "a.example:443", "name": "x"}
    fact, numbers, _ = finding_text(Finding(kind, "info", addresses=("127.0.0.1",), **names))  # type: ignore[arg-type]
    assert fact
    assert "  " not in fact + numbers
    assert not numbers.startswith((" ", ":"))


@pytest.mark.parametrize("kind", K)
def test_strangers_do_no_harm(language: str, kind: FindingKind) -> None:
    finding = of(kind, server=EVIL, place=f"{EVIL}:1", target=f"{EVIL}:1", name=EVIL * 50, words=EVIL * 50,
                 addresses=(EVIL,))  # fmt: skip
    fact, numbers, _ = finding_text(finding)
    assert not set("\u202e\x1b\n") & set(fact + numbers)
    assert len(fact + numbers) < 700


def test_figures_are_said(application: QApplication) -> None:
    fact, numbers, label = finding_text(of(K.WRONG_KEY, action="open-server", count=12, confirmed=True))
    assert fact == "Wrong password or method?"
    assert numbers == (
        "The server took 9.42 KB from 12 connections, and not one byte came back. A test through it got nothing either."
    )
    assert label == "Check the password"
    fact, numbers, label = finding_text(of(K.CLOCK_OFF, action="check-clock", source="asked", ahead=-480.0))
    assert (fact, label) == ("This computer's clock is 8 min ahead.", "Check again")
    assert numbers.startswith("The page that was asked says so.")
    fact, numbers, _ = finding_text(of(K.TARGET_SILENT, ongoing=True))
    assert fact == "www.example.org does not answer."
    assert numbers.endswith("3 other targets answered through the same server meanwhile.")
    assert finding_text(of(K.KEY_OR_CLOCK, action="check-clock", ahead=None))[2] == "Check the clock"
    assert finding_text(of(K.PROGRAM_STALLED, name=""))[0] == "The program is not reading."
    assert set(_ACTIONS) <= set(K)


@pytest.mark.parametrize(
    ("verdict", "title", "word"),
    [
        (Verdict("suspicious", "Tokyo", count=3, why="key"), "Wrong password or method?", "3 connections"),
        (Verdict("suspicious", "Tokyo", count=1, why="key"), "Wrong password or method?", "not one came back"),
        (Verdict("suspicious", "Tokyo", count=3, why="key-or-clock"), "Wrong key, or a clock that is off?", "3"),
        (Verdict("suspicious", "Tokyo", 480.0, 3, why="clock"), "This computer's clock is off", "8 min behind"),
        (Verdict("suspicious", "Tokyo", -90.0, 3, why="clock"), "This computer's clock is off", "2 min ahead"),
        (Verdict("suspicious", "Tokyo", count=3, why="unreadable"), "Wrong password or method?", "cannot be opened"),
        (Verdict("suspicious", "Tokyo", count=3, why="plugin"), "Tokyo does not answer", "Its plugin"),
        (Verdict("failing", "Tokyo", 0.0, 2, 2, Reason.CONNECT_REFUSED, "way"), "The proxy on the way does not work",
         "Tokyo"),
        (Verdict("failing", "Tokyo", 0.0, 3, 3, Reason.NO_ANSWER), "Tokyo does not answer", "No answer"),
    ],
)  # fmt: skip
def test_the_header_says_the_same(application: QApplication, verdict: Verdict, title: str, word: str) -> None:
    state = header_state(verdict, "127.0.0.1:1080")
    assert state.title == title
    assert word in state.subtitle


def test_what_a_clock_is_off_by_is_said_in_every_language(language: str) -> None:
    words = clock_words(-480)
    _, numbers, _ = finding_text(of(K.CLOCK_OFF, ahead=None, words=words))
    assert numbers.startswith(
        {"en": "Your clock is 8 min ahead of", "zh_CN": "本机时钟比服务器快了 8 分钟。"}[language]
    )
    _, numbers, _ = finding_text(of(K.CLIENT_CLOCK, words="the client's clock is 8 h behind"))
    assert numbers == {"en": "the client's clock is 8 h behind", "zh_CN": "客户端的时钟慢了 8 小时"}[language]
