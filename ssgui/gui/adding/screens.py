"""Pictures of every screen: from Qt, or on Wayland from the desktop's portal, which asks the person."""

from PySide6.QtGui import QGuiApplication, QImage


class ScreenError(Exception):
    """No picture could be had."""


async def grab_screens() -> list[QImage]:
    """One picture a screen, in its own pixels. ScreenError."""
    if QGuiApplication.platformName().startswith("wayland"):
        from ssgui.gui.adding.portal import ask_portal

        return [await ask_portal()]
    pictures = [screen.grabWindow(0).toImage() for screen in QGuiApplication.screens()]
    pictures = [picture for picture in pictures if not picture.isNull()]
    if not pictures:
        raise ScreenError("the system gives no picture of it")
    return pictures
