"""Every way out leads through one door.

Qt leaves its event loop as soon as somebody asks it to quit, with connections open and settings unsaved. The
guard eats the request and sets an event; the app then stops in order, inside of the loop, and leaves last.
"""

import asyncio
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QSessionManager
from PySide6.QtWidgets import QApplication


class QuitGuard(QObject):
    """`leaving` is set by the first request to quit: a menu, the last window, the end of the session."""

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self.leaving = asyncio.Event()
        application.setQuitOnLastWindowClosed(False)
        application.installEventFilter(self)
        self.ending: list[Callable[[], None]] = []  # called when the system ends the session: there is no time
        application.commitDataRequest.connect(self._session_ends)

    def leave(self) -> None:
        """Ask the app to end."""
        self.leaving.set()

    def _session_ends(self, _manager: QSessionManager) -> None:
        for act in self.ending:
            act()
        self.leave()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Quit and not self.leaving.is_set():
            event.ignore()
            self.leave()
            return True
        return False
