# ruff: noqa: RUF001  Chinese has its own punctuation
"""Reasons from below the window, in its language."""

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication

from ssgui.app.adding import look_through
from ssgui.config.values import ConfigError, parse_host, parse_port
from ssgui.gui.adding.model import ADDRESS, CandidatesModel
from ssgui.gui.reasons import reason
from ssgui.gui.texts import Translator
from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.methods import check_password, find_method
from ssgui.rules.reader import read_user_rules
from tests.config.documents import samples
from tests.support.dialogs import LINKS


@pytest.fixture
def chinese(application: QApplication) -> Iterator[None]:
    translator = Translator("zh_CN")
    application.installTranslator(translator)
    yield
    application.removeTranslator(translator)


def has_han(text: str) -> bool:
    return any("\u4e00" <= one <= "\u9fff" for one in text)


def test_in_english_they_stay_as_they_are(application: QApplication) -> None:
    assert reason("it has no port") == "it has no port"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("entry 3", "第 3 项"),
        ("it has no port", "缺少端口"),
        ("'70000' is no port (1 to 65535)", "'70000' 不是端口（1 到 65535）"),
        ("nebula.example cannot be reached: it does not answer", "无法连接 nebula.example：没有应答"),
        ("the list cannot be read: it is a web page, or other XML", "列表无法读取：这是网页或其他 XML"),
        ("notes.txt: it is empty", "notes.txt：内容为空"),
        ("no answer within 10 s", "10 秒内没有回应"),
        ("none of its servers can be used: entry 1: it has no port", "其中的服务器都不能使用：第 1 项：缺少端口"),
        ("nobody knows this", "nobody knows this"),
        ("", ""),
    ],
)
def test_known_sentences_are_translated(chinese: None, text: str, said: str) -> None:
    assert reason(text) == said


def test_what_importers_and_fields_say_is_known(chinese: None) -> None:
    """The sentences of the code, not of this test: one that was changed there is missed here."""
    documents = [("a.json", samples.GUI_CONFIG), ("b.json", samples.CLASSIC_SERVERS), ("c.txt", b"nothing"),
                 ("d.txt", LINKS.encode()), ("e", b""), ("f", b"<html>")]  # fmt: skip
    found = look_through(documents, ())
    refused = [one for one in found.candidates if one.server is None]
    assert len(refused) > 5
    assert not [one.problem for one in refused if not has_han(reason(one.problem))]
    model = CandidatesModel(found.candidates)
    for row in model.refused():
        assert has_han(str(model.index(row, ADDRESS).data()))
    for check in (
        lambda: parse_port("x"),
        lambda: parse_host("a b"),
        lambda: check_password(find_method("2022-blake3-aes-128-gcm"), "short"),
        lambda: check_password(find_method("2022-blake3-aes-128-gcm"), "AAAA"),
        lambda: check_password(find_method("2022-blake3-aes-128-gcm"), ""),
    ):
        with pytest.raises((ConfigError, LocalProtocolError)) as caught:
            check()
        assert has_han(reason(str(caught.value))), str(caught.value)


WRONG_RULES = r"""
@@
@@@@||example.com
example.com##.banner
||example.com^$third-party
||exa mple.com
||ex*ample.例
|example.com
|http://example.com/a#b
|https://example.com/path
||example.com:443
https://example.com
*
example .com
/例/
/(/
/a)/
/a**b/
/*a/
/\d\1/
/(?i)x/
/a{2000}/
/(a+)+b/
/(a*)(a*)(a*)(a*)(a*)(a*)(a*)(a*)(a*)(a*)(a*)(a*)b/
/((a{50}){50}){50}/
/a\/
/[]/
/[a/
/[[:alpha:]]/
/[\b]/
/[b-a]/
"""


def test_what_is_wrong_with_rules_is_known(chinese: None) -> None:
    many = "\n".join(f"/a{number}/" for number in range(1001))
    for text in (WRONG_RULES, "x" * 5000, "/" + "x" * 3000 + "/", many):
        problems = read_user_rules(text).problems
        assert problems
        assert not [problem for problem in problems if not has_han(reason(problem.why))]
    assert len(read_user_rules(WRONG_RULES).problems) > 25
