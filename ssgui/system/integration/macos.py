"""macOS: start at login by a launch agent of the person (launchd.plist(5)). ss:// links are the bundle's Info.plist's.

A new agent is not loaded: it is for the next login, and to unload one would end the app that it started.
"""

import plistlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ssgui.system.integration.files import remove_file, write_file
from ssgui.system.integration.setting import SystemSetting

LABEL: Final = "io.github.ssgui"


class LaunchAgent(SystemSetting):
    """The agent of our label starts `command`, in sessions with a screen only."""

    def __init__(self, command: Sequence[str], home: Path) -> None:
        self._command = list(command)
        self.path = home / "Library/LaunchAgents" / f"{LABEL}.plist"

    def is_on(self) -> bool:
        """One whose program is gone starts nothing."""
        try:
            tree = plistlib.loads(self.path.read_bytes())
            program = tree["ProgramArguments"][0]
        except FileNotFoundError:
            return False
        except (OSError, ValueError, KeyError, IndexError, TypeError, plistlib.InvalidFileException):
            return False  # not one of ours, or not whole: it is written anew when it is turned on
        return tree.get("RunAtLoad") is True and tree.get("Disabled") is not True and Path(str(program)).is_file()

    def turn(self, on: bool) -> None:
        if not on:
            return self.forget()
        agent = {
            "Label": LABEL,
            "ProgramArguments": self._command,
            "RunAtLoad": True,
            "LimitLoadToSessionType": "Aqua",
            "ProcessType": "Interactive",
        }
        write_file(self.path, plistlib.dumps(agent))
        return None

    def forget(self) -> None:
        remove_file(self.path)
