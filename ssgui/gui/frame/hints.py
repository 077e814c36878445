"""Tooltips: Qt reads markup in them wherever it finds some, and names come from strangers."""

from PySide6.QtGui import Qt

from ssgui.gui.frame.painting import harmless


def plain_hint(*lines: str) -> str:
    """These lines for a tooltip, every letter as it is; "" for none."""
    text = "\n".join(harmless(line) for line in lines if line)
    return Qt.convertFromPlainText(text) if Qt.mightBeRichText(text) else text
