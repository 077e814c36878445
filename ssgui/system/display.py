"""Whether there is a screen to open a window on; Qt would end the process if there is none."""

import os
import sys


def has_display() -> bool:
    """On Unix the session says so in its environment; elsewhere there is one."""
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DISPLAY"))
