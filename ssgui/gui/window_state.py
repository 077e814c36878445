"""Where the window was, which page was open and how pages were arranged, from one start to the next."""

import base64
import binascii
from typing import Any, Protocol, runtime_checkable

from PySide6.QtCore import QByteArray

from ssgui.gui.window import MainWindow


@runtime_checkable
class Arranged(Protocol):
    """A page that a person can arrange."""

    def state(self, before: object) -> dict[str, Any]:
        """What to keep; what of `before` is others' stays."""

    def restore(self, state: object) -> None:
        """Arrange it so. What cannot be read is left out."""


def state_of(window: MainWindow, before: dict[str, Any]) -> dict[str, Any]:
    """What to keep; keys of `before` that are others' stay."""
    geometry = base64.b64encode(window.saveGeometry().data()).decode()
    kept = {key: page.state(before.get(key)) for key, page in window.pages.items() if isinstance(page, Arranged)}
    return {**before, **kept, "geometry": geometry, "page": window.current_page()}


def restore(window: MainWindow, state: dict[str, Any]) -> None:
    """Put the window there. What cannot be read, or lies outside of today's screens, is left to Qt."""
    for key, arranged in window.pages.items():
        if isinstance(arranged, Arranged):
            arranged.restore(state.get(key))
    geometry, page = state.get("geometry"), state.get("page")
    if isinstance(geometry, str):
        try:
            window.restoreGeometry(QByteArray(base64.b64decode(geometry, validate=True)))
        except (binascii.Error, ValueError):
            pass  # somebody edited the file
    if isinstance(page, str) and window.has_page(page):
        window.open_page(page)
