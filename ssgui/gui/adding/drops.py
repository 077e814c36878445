"""Things dropped anywhere on the window."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QMimeData, QObject
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QWidget


class Drops(QObject):
    """Takes what no widget inside of `window` wants: files, pictures and text."""

    def __init__(self, window: QWidget, offer: Callable[[QMimeData], object]) -> None:
        super().__init__(window)
        self._offer = offer
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDropEvent):
            data = event.mimeData()
            if not (data.hasUrls() or data.hasImage() or data.hasText()):
                return False
            event.acceptProposedAction()
            if not isinstance(event, QDragEnterEvent | QDragMoveEvent):
                self._offer(data)
            return True
        return False
