"""Windows: start at login by the Run key, ss:// links by the person's classes. Nothing of it wants an administrator."""

import subprocess
from collections.abc import Sequence
from typing import Final

from ssgui.system.integration.registry import Registry
from ssgui.system.integration.setting import SystemSetting, turned

NAME: Final = "ssgui"
RUN: Final = r"Software\Microsoft\Windows\CurrentVersion\Run"
# Where Windows keeps what the person turned off in its Task Manager or Settings: 12 bytes, the first one odd for off.
APPROVED: Final = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
SCHEME: Final = r"Software\Classes\ss"
_ICON, _SHELL = rf"{SCHEME}\DefaultIcon", rf"{SCHEME}\shell"
_COMMAND = rf"{_SHELL}\open\command"


class WindowsLogin(SystemSetting):
    """The value of our name in the Run key, unless Windows says that the person turned it off."""

    def __init__(self, command: Sequence[str], registry: Registry) -> None:
        self._line, self._registry = quoted(command), registry

    def is_on(self) -> bool:
        said = self._registry.read(APPROVED, NAME)
        refused = isinstance(said, bytes) and said[:1] != b"" and bool(said[0] & 1)
        return bool(self._registry.read(RUN, NAME) == self._line and not refused)

    def turn(self, on: bool) -> None:
        if not on:
            return self.forget()
        self._registry.write(RUN, NAME, self._line)
        self._registry.remove(APPROVED, NAME)  # it is the person who wants it again
        return turned(self, True, "Windows does not keep ssgui among the programs that start at login")

    def forget(self) -> None:
        self._registry.remove(RUN, NAME)
        self._registry.remove(APPROVED, NAME)


class WindowsLinks(SystemSetting):
    """The scheme's class of this person. Everything in it is quoted, and a link can never become a flag: see `--`."""

    def __init__(self, command: Sequence[str], registry: Registry) -> None:
        # Behind "--" nothing is a flag: a link with quotes in it could be more than one argument.
        self._line = f'{quoted(command)} -- "%1"'
        self._icon = f'"{command[0]}",0'
        self._registry = registry

    def is_on(self) -> bool:
        return bool(self._ours() and self._registry.read(SCHEME, "URL Protocol") == "")

    def _ours(self) -> bool:
        return bool(self._registry.read(_COMMAND, "") == self._line)

    def turn(self, on: bool) -> None:
        if not on:
            return self.forget()
        self._registry.write(SCHEME, "", "URL:Shadowsocks link")
        self._registry.write(SCHEME, "URL Protocol", "")
        self._registry.write(_ICON, "", self._icon)
        self._registry.write(_COMMAND, "", self._line)
        return turned(self, True, "Windows does not keep ssgui as the program for ss:// links")

    def forget(self) -> None:
        if not self._ours():
            return  # it is another program's, or nobody's
        for key in (_COMMAND, rf"{_SHELL}\open", _SHELL, _ICON, SCHEME):
            self._registry.remove_key(key)


def quoted(command: Sequence[str]) -> str:
    """A command line as Windows' programs take it apart; the program itself is always in quotes."""
    program, arguments = command[0], list(command[1:])
    return " ".join([f'"{program}"', *([subprocess.list2cmdline(arguments)] if arguments else [])])
