"""Menus whose corners are round where Qt draws them."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu


def rounded(menu: QMenu) -> QMenu:
    """`menu`, without the square that would show behind its corners."""
    menu.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
    menu.setWindowFlag(Qt.WindowType.NoDropShadowWindowHint)
    return menu
