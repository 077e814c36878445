"""Diagnoses in people's words: a bold fact, the numbers behind it, and what to do next."""

from typing import Final

from ssgui.gui.connections.row_words import ROW_WORDS
from ssgui.gui.connections.server_words import SERVER_WORDS
from ssgui.gui.texts import tr
from ssgui.services.diagnosis.finding import Finding, FindingKind

K = FindingKind
_WORDS: Final = {**SERVER_WORDS, **ROW_WORDS}


def finding_text(finding: Finding) -> tuple[str, str, str]:
    """The fact, its numbers, and the label of its action ("" for none)."""
    fact, numbers = _WORDS[finding.kind](finding)
    return fact, numbers, action_label(finding)


def action_label(finding: Finding) -> str:
    """What the button says."""
    if finding.action == "open-server":
        return _open_label(finding.kind)
    if finding.action == "check-clock":
        return tr("Check the clock") if finding.ahead is None else tr("Check again")
    return {
        "": "",
        "test-server": tr("Test server"),
        "restart-plugin": tr("Start it again"),
        "open-settings": tr("Open settings"),
        "show-program": tr("Show program"),
        "close": tr("Close"),
        "always-direct": tr("Always direct"),
        "always-proxy": tr("Always proxy"),
    }[finding.action]


def _open_label(kind: FindingKind) -> str:
    if kind in (K.WRONG_KEY, K.KEY_OR_CLOCK):
        return tr("Check the password")
    return tr("Check the address") if kind is K.SERVER_DNS else tr("Check the server")
