"""A picture of the screens from org.freedesktop.portal.Screenshot: on Wayland no program may take one by itself."""

import asyncio
import os
from pathlib import Path
from typing import cast
from uuid import uuid4

from PySide6.QtCore import SLOT, QObject, QUrl, Slot
from PySide6.QtDBus import (
    QDBusConnection,
    QDBusMessage,
    QDBusPendingCall,
    QDBusPendingCallWatcher,
)
from PySide6.QtGui import QImage

from ssgui.engine.tasks import run_blocking
from ssgui.gui.adding.screens import ScreenError

_SERVICE, _PATH = "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop"
_SCREENSHOT, _REQUEST = "org.freedesktop.portal.Screenshot", "org.freedesktop.portal.Request"
_SLOT = cast("bytes", SLOT("responded(uint,QVariantMap)"))  # the stubs say bytes, and it is text
_SECONDS = 120  # a person may have to agree


class _Request(QObject):
    """One question, and the answer to come."""

    def __init__(self, bus: QDBusConnection) -> None:
        super().__init__()
        self.answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        token = f"ssgui_{uuid4().hex}"
        sender = bus.baseService().removeprefix(":").replace(".", "_")
        self._bus, self._place = bus, f"{_PATH}/request/{sender}/{token}"
        bus.connect(_SERVICE, self._place, _REQUEST, "Response", self, _SLOT)
        call = QDBusMessage.createMethodCall(_SERVICE, _PATH, _SCREENSHOT, "Screenshot")
        call.setArguments(["", {"handle_token": token, "interactive": False}])
        self._watch = QDBusPendingCallWatcher(QDBusPendingCall(bus.asyncCall(call)), self)
        self._watch.finished.connect(self._called)

    def end(self) -> None:
        """Listen no more."""
        self._bus.disconnect(_SERVICE, self._place, _REQUEST, "Response", self, _SLOT)
        self.deleteLater()

    def _called(self, watch: QDBusPendingCallWatcher) -> None:
        if watch.isError():
            self._fail("the desktop has no portal for it")

    # By these types Qt takes the answer apart itself: Python cannot read a map out of a QDBusArgument.
    @Slot("uint", "QVariantMap")
    def responded(self, code: int, results: dict[str, object]) -> None:
        """The portal's answer: 0 and the address of a file, 1 for no."""
        uri = results.get("uri") if code == 0 else None
        if not uri:
            self._fail("it was not allowed")
        elif not self.answer.done():
            self.answer.set_result(str(uri))

    def _fail(self, why: str) -> None:
        if not self.answer.done():
            self.answer.set_exception(ScreenError(why))


async def ask_portal(bus: QDBusConnection | None = None) -> QImage:
    """All screens in one picture. ScreenError."""
    request = _Request(bus or QDBusConnection.sessionBus())
    try:
        uri = await asyncio.wait_for(request.answer, _SECONDS)
    except TimeoutError:
        raise ScreenError("the desktop does not answer") from None
    finally:
        request.end()
    return await run_blocking(_load, Path(QUrl(uri).toLocalFile()))


def _load(path: Path) -> QImage:
    """The picture, which nobody needs to keep."""
    picture = QImage(str(path))
    if picture.isNull():
        raise ScreenError("the picture of the desktop cannot be read")
    try:
        os.unlink(path)
    except OSError:
        pass  # it is not ours to remove
    return picture
