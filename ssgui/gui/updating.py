"""A newer version is told of in a banner with a link; what is done about it is the person's business."""

from functools import partial

from PySide6.QtCore import QObject, QTimer, QUrl
from PySide6.QtGui import QDesktopServices

from ssgui import __version__
from ssgui.app.context import AppContext
from ssgui.app.updates import Updates
from ssgui.gui.frame.notices import Notice
from ssgui.gui.texts import tr
from ssgui.gui.window import MainWindow
from ssgui.services.updates import Releases, releases

_NOTICE = "update"
_FIRST_MS, _LOOK_MS = 20_000, 600_000


class Updating(QObject):
    """Looks now and then, if there is somewhere to look."""

    def __init__(self, context: AppContext, window: MainWindow) -> None:
        super().__init__(window)
        self._context, self._window = context, window
        self.updates: Updates | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)

    def begin(self, place: Releases | None = None) -> None:
        """A while after the start, when nothing else waits."""
        place = place or releases()
        if place is not None:
            self.updates = Updates(self._context, place, partial(self.tell, place.page))
            self._timer.start(_FIRST_MS)

    def end(self) -> None:
        """No more of it."""
        self._timer.stop()
        if self.updates is not None:
            self.updates.stop()

    def _look(self) -> None:
        self._timer.setInterval(_LOOK_MS)
        if self.updates is not None:
            self.updates.look()

    def tell(self, page: str, version: str) -> None:
        """Say that there is one."""
        fact = tr("Version {version} is there.", version=version)
        detail = tr("This is {version}.", version=__version__)

        def show() -> None:
            QDesktopServices.openUrl(QUrl(page))

        self._window.banners.show_notice(Notice(_NOTICE, "info", fact, detail, tr("Show it"), show))
