"""Start at login on Linux: a desktop entry in the person's autostart directory (Desktop Application Autostart 0.5)."""

from collections.abc import Sequence

from ssgui.system.integration.desktop_entry import escaped, exec_line, read_entry, write_entry
from ssgui.system.integration.files import remove_file, write_file
from ssgui.system.integration.setting import SystemSetting
from ssgui.system.integration.xdg import ENTRY, Places, read_text, starts


class XdgAutostart(SystemSetting):
    """An entry of our name there starts `command`. Desktops let people turn it off in it; that is seen."""

    def __init__(self, command: Sequence[str], places: Places) -> None:
        self._command = list(command)
        self.path = places.config / "autostart" / ENTRY

    def is_on(self) -> bool:
        """One whose program is gone starts nothing."""
        values = read_entry(read_text(self.path))
        off = values.get("Hidden") == "true" or values.get("X-GNOME-Autostart-enabled") == "false"
        return not off and starts(self.path)

    def turn(self, on: bool) -> None:
        if not on:
            return self.forget()
        values = {
            "Type": "Application",
            "Name": "ssgui",
            "TryExec": escaped(self._command[0]),  # without the program nothing happens, and nothing is complained of
            "Exec": exec_line(self._command),
            "Icon": "ssgui",
            "Terminal": "false",
            "X-GNOME-Autostart-enabled": "true",
        }
        write_file(self.path, write_entry(values))
        return None

    def forget(self) -> None:
        remove_file(self.path)
