"""Buttons that are a picture: their name is their tooltip."""

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QToolButton, QWidget

from ssgui.gui import icons


def icon_button(name: str, text: str, parent: QWidget) -> QToolButton:
    """A tool button with the icon `name` that says `text`."""
    button = QToolButton(parent)
    button.setProperty("kind", "icon")
    button.setIcon(icons.icon(name))
    button.setIconSize(QSize(18, 18))
    button.setToolTip(text)
    button.setAccessibleName(text)
    return button
