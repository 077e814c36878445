"""Whether the tray's panel is dark: on many desktops that has nothing to do with the windows."""

import os
import sys

_ALWAYS_DARK = {"gnome", "unity", "xfce"}  # as they come; a theme may change it, which nobody tells


def panel_is_dark(windows_are_dark: bool) -> bool:
    """A guess from the desktop, and from the colour scheme of its windows."""
    if sys.platform == "win32":
        return _windows_panel(windows_are_dark)
    desktops = os.environ.get("XDG_CURRENT_DESKTOP", "").lower().split(":")
    return windows_are_dark or not _ALWAYS_DARK.isdisjoint(desktops)


if sys.platform == "win32":
    import winreg

    def _windows_panel(windows_are_dark: bool) -> bool:
        path = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"
        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, path) as key:
                return not winreg.QueryValueEx(key, "SystemUsesLightTheme")[0]
        except OSError:  # before Windows 10 1903
            return windows_are_dark
