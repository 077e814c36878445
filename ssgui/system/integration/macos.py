"""macOS: start at login by a launch agent of the person (launchd.plist(5)). ss:// links are the bundle's Info.plist's.

A new agent is not loaded: it is for the next login, and to unload one would end the app that it started.
"""

import plistlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ssgui.config.atomic_file import write_atomically
from ssgui.system.integration.setting import IntegrationError, SystemSetting

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
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path, plistlib.dumps(agent), mode=0o644)
        except OSError as error:
            raise IntegrationError(f"{self.path} cannot be written: {error.strerror or error}") from None
        return None

    def forget(self) -> None:
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise IntegrationError(f"{self.path} cannot be removed: {error.strerror or error}") from None
