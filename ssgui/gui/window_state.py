"""Where the window was and which page was open, from one start to the next."""

import base64
import binascii
from typing import Any

from PySide6.QtCore import QByteArray

from ssgui.gui.window import MainWindow


def state_of(window: MainWindow, before: dict[str, Any]) -> dict[str, Any]:
    """What to keep; keys of `before` that are others' stay."""
    geometry = base64.b64encode(window.saveGeometry().data()).decode()
    return {**before, "geometry": geometry, "page": window.current_page()}


def restore(window: MainWindow, state: dict[str, Any]) -> None:
    """Put the window there. What cannot be read, or lies outside of today's screens, is left to Qt."""
    geometry, page = state.get("geometry"), state.get("page")
    if isinstance(geometry, str):
        try:
            window.restoreGeometry(QByteArray(base64.b64decode(geometry, validate=True)))
        except (binascii.Error, ValueError):
            pass  # somebody edited the file
    if isinstance(page, str) and window.has_page(page):
        window.open_page(page)
