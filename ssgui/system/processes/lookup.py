"""Which program is at the other end of a connection that came from this machine."""

import sys

from ssgui.system.processes.flows import ProcessLookup


def new_process_lookup(platform: str = sys.platform) -> ProcessLookup | None:
    """That of this system; None where there is none."""
    match platform:
        case "linux":
            from ssgui.system.processes.linux import LinuxLookup

            return LinuxLookup()
        case "darwin":
            from ssgui.system.processes.macos import MacLookup

            return MacLookup()
        case "win32":
            from ssgui.system.processes.windows import WindowsLookup

            return WindowsLookup()
    return None
