"""The button of an empty table: one request through our own port, which is then a row of it."""

from PySide6.QtCore import QObject

from ssgui.app.context import AppContext
from ssgui.app.own_proxy import send_test_request
from ssgui.engine.tasks import spawn
from ssgui.gui.frame.notices import Notice
from ssgui.gui.texts import tr
from ssgui.gui.units import said, span
from ssgui.gui.window import MainWindow

_NOTICE = "trying"


class Trying(QObject):
    """Sends it, and says how it ended."""

    def __init__(self, context: AppContext, window: MainWindow) -> None:
        super().__init__(window)
        self._context, self._window = context, window
        self._under_way = False

    def start(self) -> None:
        """Send one, unless one is on its way."""
        if not self._under_way:
            self._under_way = True
            self._window.banners.withdraw(_NOTICE)
            spawn(self._send(), name="send a test request")

    async def _send(self) -> None:
        try:
            tried = await send_test_request(self._context)
        finally:
            self._under_way = False
        if not tried.failure:
            words = said(span(tried.seconds))
            self._window.toast.say(tr("The page answered {status} in {time}", status=tried.status, time=words))
            return
        fact, detail = tr("The test request did not come back."), tr("Its row under Closed says why.")
        if tried.failure == "off":
            detail = tr("The proxy does not listen, or everything goes directly now.")
        self._window.banners.show_notice(Notice(_NOTICE, "warn", fact, detail))
