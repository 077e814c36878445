"""Every way out leads through one door.

Qt leaves its event loop as soon as somebody asks it to quit, with connections open and settings unsaved. The
guard eats the request and sets an event; the app then stops in order, inside of the loop, and leaves last.
"""

import asyncio
from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QUrl
from PySide6.QtGui import QFileOpenEvent, QSessionManager
from PySide6.QtWidgets import QApplication


class Application(QApplication):
    """A QApplication that asks its guard before it quits.

    An event filter would do it for any application, and be called for every event of every widget and timer: that
    was a tenth of what new connections cost.
    """

    guard: "QuitGuard | None" = None
    _heard: Callable[[str], None] | None = None

    def __init__(self, arguments: Sequence[str]) -> None:
        super().__init__(list(arguments))
        self._links: list[str] = []  # that came before anybody listened

    def hear_links(self, heard: Callable[[str], None]) -> None:
        """Call `heard` with every ss:// link that macOS hands over: it does not start the program again for one.

        Qt writes hosts in small letters, so a link whose host is base64 arrives damaged, and is refused as such.
        """
        self._heard = heard
        links, self._links = self._links, []
        for link in links:
            heard(link)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QFileOpenEvent):
            self._opened(event.url().toString(QUrl.ComponentFormattingOption.FullyEncoded))
            return True
        if event.type() == QEvent.Type.Quit and self.guard is not None and not self.guard.leaving.is_set():
            event.ignore()
            self.guard.leave()
            return True
        return super().event(event)

    def _opened(self, link: str) -> None:
        if not link.lower().startswith("ss://"):
            return
        if self._heard is None:
            self._links.append(link)
        else:
            self._heard(link)


class QuitGuard(QObject):
    """`leaving` is set by the first request to quit: a menu, the last window, the end of the session."""

    def __init__(self, application: Application) -> None:
        super().__init__(application)
        self.leaving = asyncio.Event()
        application.setQuitOnLastWindowClosed(False)
        application.guard = self
        self.ending: list[Callable[[], None]] = []  # called when the system ends the session: there is no time
        application.commitDataRequest.connect(self._session_ends)

    def leave(self) -> None:
        """Ask the app to end."""
        self.leaving.set()

    def _session_ends(self, _manager: QSessionManager) -> None:
        for act in self.ending:
            act()
        self.leave()
