"""The words of the window and their translations.

Source texts are English and stand in the code, inside of `tr(...)`; translations are Qt's `.ts` files, read as
they are, so that no compiler is needed to run from a checkout. A test finds every text without a translation.
"""

import locale
import os
from functools import lru_cache
from xml.etree import ElementTree

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from ssgui.assets import asset

LANGUAGES = {"en": "English", "zh_CN": "简体中文"}
_CONTEXT = "ssgui"


def tr(text: str, /, **values: object) -> str:
    """`text` in the language of the window, with `{name}` replaced by values that are never translated."""
    found = QCoreApplication.translate(_CONTEXT, text)
    return found.format_map(values) if values else found


@lru_cache(maxsize=4)
def translations(language: str) -> dict[str, str]:
    """Source text to translation, of what is translated; {} for English."""
    if language == "en":
        return {}
    tree = ElementTree.parse(asset(f"resources/translations/{language}.ts"))
    found = {}
    for message in tree.iter("message"):
        source, translation = message.find("source"), message.find("translation")
        if source is not None and source.text and translation is not None and translation.text:
            found[source.text] = translation.text
    return found


class Translator(QTranslator):
    """Looks texts up in a `.ts` file."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self.name = language
        self._texts = translations(language)
        self._qt = QTranslator(self)  # of buttons, file dialogs and the names of keys
        self._qt.load(f"qtbase_{language}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))

    def isEmpty(self) -> bool:
        return not self._texts

    def translate(self, context: str, source: str, disambiguation: str | None = None, n: int = -1) -> str:
        if context == _CONTEXT:
            return self._texts.get(source, source)
        found = self._qt.translate(context, source, disambiguation, n)
        return found or None  # type: ignore[return-value]  # "" would be a translation, and leave buttons empty


def system_language() -> str:
    """The language of `LANGUAGES` that the system's settings ask for."""
    for name in (os.environ.get("LC_ALL"), os.environ.get("LC_MESSAGES"), os.environ.get("LANG"), _locale()):
        if name:
            return "zh_CN" if name.lower().startswith("zh") else "en"
    return "zh_CN" if QLocale.system().language() == QLocale.Language.Chinese else "en"


def _locale() -> str | None:
    try:
        return locale.getlocale()[0]
    except ValueError:  # a name that this system does not know
        return None
