"""What of it this system has."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ssgui.system.integration.program import own_command
from ssgui.system.integration.setting import Feature, IntegrationError, Settings


def system_settings(
    arguments: Sequence[str] = (), *, platform: str = sys.platform, environment: Mapping[str, str] = os.environ
) -> Settings:
    """The settings of this system, that start ssgui with `arguments`. {} where there are none."""
    command = own_command(arguments)
    try:
        if platform == "win32":
            return _windows(command)
        if platform == "darwin":
            return _macos(command)
        return _desktop(command, environment)
    except IntegrationError:  # a Windows without what it should have
        return {}


def _desktop(command: Sequence[str], environment: Mapping[str, str]) -> Settings:
    from ssgui.system.integration.xdg import Places
    from ssgui.system.integration.xdg_autostart import XdgAutostart
    from ssgui.system.integration.xdg_links import XdgLinks

    places = Places.of(environment)
    return {Feature.LOGIN: XdgAutostart(command, places), Feature.LINKS: XdgLinks(command, places)}


def _windows(command: Sequence[str]) -> Settings:
    from ssgui.system.integration.registry import Registry
    from ssgui.system.integration.windows import WindowsLinks, WindowsLogin
    from ssgui.system.integration.windows_store_apps import StoreApps

    registry = Registry()
    return {
        Feature.LOGIN: WindowsLogin(command, registry),
        Feature.LINKS: WindowsLinks(command, registry),
        Feature.STORE_APPS: StoreApps(own_command(), registry),
    }


def _macos(command: Sequence[str]) -> Settings:
    from ssgui.system.integration.macos import LaunchAgent

    return {Feature.LOGIN: LaunchAgent(command, Path.home())}
