"""Every text of the window has a translation, and every translation a text."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication

from ssgui.gui.texts import LANGUAGES, Translator, tr, translations

ROOT = Path(__file__).parents[2]
OTHERS = [language for language in LANGUAGES if language != "en"]


def texts() -> dict[str, str]:
    """Every literal inside of `tr(...)`, and where it stands."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "ssgui" / "gui").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr":
                where = f"{path.relative_to(ROOT)}:{node.lineno}"
                argument = node.args[0]
                assert isinstance(argument, ast.Constant), f"{where}: only a literal can be translated"
                assert isinstance(argument.value, str)
                found[argument.value] = where
    return found


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_there_are_texts() -> None:
    assert len(texts()) > 200


@pytest.mark.parametrize("language", OTHERS)
def test_everything_is_translated_and_nothing_else(language: str) -> None:
    wanted, there = texts(), translations(language)
    missing = {text: where for text, where in wanted.items() if text not in there}
    assert not missing
    assert not there.keys() - wanted.keys()


@pytest.mark.parametrize("language", OTHERS)
def test_translations_keep_what_is_filled_in(language: str) -> None:
    wrong = {text: other for text, other in translations(language).items() if fields(text) != fields(other)}
    assert not wrong


def test_chinese_has_its_own_punctuation() -> None:
    """Full width in sentences, a space between Han and Latin or digits."""
    han = "[\u4e00-\u9fff]"
    rules = {
        "half-width punctuation": re.compile(rf"{han}[,;!?]|{han}\.(?!\d)|{han}:(?!//)"),
        "no space before Latin": re.compile(rf"{han}[A-Za-z0-9]"),
        "no space behind Latin": re.compile(rf"[A-Za-z0-9]{han}"),
    }
    wrong = {
        (what, text) for text in translations("zh_CN").values() for what, rule in rules.items() if rule.search(text)
    }
    assert not wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_qts_own_words_are_there(application: QApplication, language: str) -> None:
    translator = Translator(language)
    application.installTranslator(translator)
    try:
        words = QCoreApplication.translate("QFileDialog", "Files of type:")
        assert words != ""
        assert (words == "Files of type:") is (language == "en")
        keys = QKeySequence("Ctrl+Shift+Q").toString(QKeySequence.SequenceFormat.NativeText)
        assert keys.endswith("Q")
        assert len(keys) > 2
    finally:
        application.removeTranslator(translator)


def test_a_translator_is_asked(application: QApplication) -> None:
    translator = Translator("zh_CN")
    application.installTranslator(translator)
    try:
        assert tr("Servers") == "服务器"
        assert tr("{name} deleted", name="{x}") == "已删除 {x}"
    finally:
        application.removeTranslator(translator)
    assert tr("Servers") == "Servers"
