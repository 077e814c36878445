"""Which backend fits this desktop."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping

from ssgui.system.proxy.backend import ProxyBackend, ProxyError
from ssgui.system.proxy.gnome import GnomeProxy
from ssgui.system.proxy.kde import KdeProxy

# Names in XDG_CURRENT_DESKTOP, in small letters, of desktops whose programs ask GNOME's settings. Those of XFCE, LXQt
# and of bare window managers ask the environment, which nobody can change from outside.
_GNOME = {
    "gnome", "gnome-classic", "gnome-flashback", "unity", "x-cinnamon", "cinnamon", "budgie", "pantheon", "deepin",
    "dde", "ukui", "mate",
}  # fmt: skip
_BACKENDS: dict[str, Callable[[], ProxyBackend]] = {GnomeProxy.name: GnomeProxy, KdeProxy.name: KdeProxy}


def choose_backend(environment: Mapping[str, str] = os.environ) -> ProxyBackend | None:
    """The backend for the desktop that `environment` tells of; None where there is no system proxy."""
    if sys.platform in ("win32", "darwin"):
        return None
    names = {name.strip().lower() for name in environment.get("XDG_CURRENT_DESKTOP", "").split(":")}
    if "kde" in names or environment.get("KDE_FULL_SESSION"):
        return KdeProxy()
    if names & _GNOME and shutil.which("gsettings", path=environment.get("PATH")):
        return GnomeProxy()
    return None


def backend_named(name: str) -> ProxyBackend:
    """The backend of a journal's entry, whatever desktop this is now; ProxyError for a name that is not known."""
    if name not in _BACKENDS:
        raise ProxyError(f"no way is known to set the system's proxy of {name!r}")
    return _BACKENDS[name]()
