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


def _windows() -> ProxyBackend:
    from ssgui.system.proxy.windows import WindowsProxy

    return WindowsProxy()


def _macos() -> ProxyBackend:
    from ssgui.system.proxy.macos import MacProxy

    return MacProxy()


_BACKENDS: dict[str, Callable[[], ProxyBackend]] = {GnomeProxy.name: GnomeProxy, KdeProxy.name: KdeProxy}
_NATIVE: dict[str, tuple[str, Callable[[], ProxyBackend]]] = {
    "win32": ("windows", _windows),
    "darwin": ("macos", _macos),
}
# Once here and not in time: the guard must have all that it needs before it says that it is ready.
if sys.platform == "win32":
    import ssgui.system.proxy.windows
elif sys.platform == "darwin":
    import ssgui.system.proxy.macos  # noqa: F401


def choose_backend(environment: Mapping[str, str] = os.environ) -> ProxyBackend | None:
    """The backend for this system, or the desktop that `environment` tells of; None where there is no such setting."""
    if sys.platform in _NATIVE:
        return _NATIVE[sys.platform][1]()
    names = {name.strip().lower() for name in environment.get("XDG_CURRENT_DESKTOP", "").split(":")}
    if "kde" in names or environment.get("KDE_FULL_SESSION"):
        return KdeProxy()
    if names & _GNOME and shutil.which("gsettings", path=environment.get("PATH")):
        return GnomeProxy()
    return None


def backend_named(name: str) -> ProxyBackend:
    """The backend of a journal's entry, whatever desktop this is now; ProxyError for one that is not of this system."""
    known = _BACKENDS | dict([_NATIVE[sys.platform]] if sys.platform in _NATIVE else [])
    if name not in known:
        raise ProxyError(f"no way is known to set the system's proxy of {name!r}")
    return known[name]()
