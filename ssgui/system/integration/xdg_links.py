"""Who opens ss:// links on Linux: freedesktop.org's Association between MIME types and applications 1.0.

The person's mimeapps.list says it; where it says nothing, the programs that are installed do, by their desktop
entries. Lines that are not about ss:// are kept as they are.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ssgui.system.integration.desktop_entry import escaped, exec_line, read_entry, write_entry
from ssgui.system.integration.files import remove_file, write_file
from ssgui.system.integration.setting import IntegrationError, SystemSetting, turned
from ssgui.system.integration.xdg import ENTRY, Places, read_text, starts

SCHEME = "x-scheme-handler/ss"
_DEFAULT, _ADDED, _REMOVED = "Default Applications", "Added Associations", "Removed Associations"
_GROUPS = (_DEFAULT, _ADDED, _REMOVED)
_LIST, _CACHE = "mimeapps.list", "mimeinfo.cache"
_OURS = "X-ssgui-links"  # marks the entry that was written here


class XdgLinks(SystemSetting):
    """`command` opens the links if no desktop entry of ssgui is installed, else that entry's program does."""

    def __init__(self, command: Sequence[str], places: Places) -> None:
        self._command, self._places = list(command), places
        self.list = places.config / _LIST
        self.entry = places.data / "applications" / ENTRY

    # ---- asking

    def is_on(self) -> bool:
        return self._handler() == ENTRY

    def _handler(self) -> str:
        """The desktop entry that a click on a link starts; "" for none."""
        removed: set[str] = set()
        for path, folder in self._lists():
            said = read_list(read_text(path))
            for name in said[_DEFAULT]:
                if self._is_there(name):
                    return name
            for name in (*said[_ADDED], *self._offered(folder)):
                if name not in removed and name not in said[_REMOVED] and self._is_there(name):
                    return name
            removed |= set(said[_REMOVED])
        return ""

    def _lists(self) -> Iterator[tuple[Path, Path | None]]:
        """The files in the order of their precedence, and with the last one of a folder of entries that folder."""
        names = [*(f"{desktop}-{_LIST}" for desktop in self._places.desktops), _LIST]
        for folder in self._places.all_config:
            yield from ((folder / name, None) for name in names)
        for data in self._places.all_data:
            folder = data / "applications"
            yield from ((folder / name, folder if name == _LIST else None) for name in names)

    @staticmethod
    def _offered(folder: Path | None) -> list[str]:
        """The entries in `folder` that say they open such links, as its cache lists them."""
        if folder is None:
            return []
        lines = read_text(folder / _CACHE).splitlines()
        return next((_names(line.partition("=")[2]) for line in lines if line.startswith(f"{SCHEME}=")), [])

    def _is_there(self, name: str) -> bool:
        paths = (folder / "applications" / name for folder in self._places.all_data)
        path = next((path for path in paths if path.is_file()), None)
        return path is not None and (name != ENTRY or starts(path))

    # ---- changing

    def turn(self, on: bool) -> None:
        if on:
            self._offer()
        else:
            self._withdraw()
        installed = self._places.find_entry() is not None
        self._say(*({_DEFAULT} if on else {_REMOVED} if installed else ()))
        turned(self, on, "this desktop keeps another program for ss:// links; its own settings say which")

    def forget(self) -> None:
        self._withdraw()
        self._say()

    def _offer(self) -> None:
        """Without an entry there is nothing to name. One of ours may lead to where ssgui was before."""
        found = self._places.find_entry()
        if found is not None and found != self.entry:
            return
        if found is not None and _OURS not in read_entry(read_text(found)):
            return
        values = {
            "Type": "Application",
            "Name": "ssgui",
            "TryExec": escaped(self._command[0]),
            "Exec": exec_line(self._command, "%u"),
            "Icon": "ssgui",
            "Terminal": "false",
            "NoDisplay": "true",  # it is no entry of the menu
            "MimeType": f"{SCHEME};",
            _OURS: "true",
        }
        write_file(self.entry, write_entry(values))

    def _withdraw(self) -> None:
        if _OURS in read_entry(read_text(self.entry)):
            remove_file(self.entry)

    def _say(self, *groups: str) -> None:
        """Name our entry in these groups of the person's list, and in no other."""
        try:
            before = self.list.read_text("utf-8", "surrogateescape") if self.list.exists() else ""
            after = with_entry(before, groups)
            if before and not after:
                self.list.unlink()
        except OSError as error:
            raise IntegrationError(f"{self.list} cannot be changed: {error.strerror or error}") from None
        if after and after != before:
            write_file(self.list, after.encode("utf-8", "surrogateescape"))


def read_list(text: str) -> dict[str, list[str]]:
    """What a mimeapps.list says of ss:// links, by group."""
    found: dict[str, list[str]] = {name: [] for name in _GROUPS}
    for group, line in _grouped(text):
        if _is_said(group, line):
            found[group] += _names(line.partition("=")[2])
    return found


def with_entry(text: str, groups: Sequence[str]) -> str:
    """A mimeapps.list that names our entry for ss:// first in `groups` and in no other; all else stays."""
    said = read_list(text)
    lines = [line for group, line in _grouped(text) if not _is_said(group, line)]
    for group in _GROUPS:
        names = [name for name in dict.fromkeys(said[group]) if name != ENTRY]
        if group in groups:
            names = [ENTRY, *names]
        if names:
            _put(lines, group, f"{SCHEME}={';'.join(names)};")
    _drop_empty(lines)
    return "\n".join(lines) + "\n" if lines else ""


def _grouped(text: str) -> Iterator[tuple[str, str]]:
    """Each line with the group that it is in."""
    group = ""
    for line in text.removesuffix("\n").split("\n") if text else ():
        if line.startswith("["):
            group = line.strip().strip("[]")
        yield group, line


def _is_said(group: str, line: str) -> bool:
    return group in _GROUPS and line.partition("=")[0].strip() == SCHEME


def _put(lines: list[str], group: str, line: str) -> None:
    """At the beginning of its group, which may be new."""
    head = f"[{group}]"
    at = next((number for number, one in enumerate(lines) if one.strip() == head), None)
    if at is None:
        at = len(lines)
        lines.append(head)
    lines.insert(at + 1, line)


def _drop_empty(lines: list[str]) -> None:
    """Groups of ours that say nothing any more."""
    heads = [number for number, line in enumerate(lines) if line.strip() in {f"[{group}]" for group in _GROUPS}]
    for number in reversed(heads):
        rest = lines[number + 1 :]
        end = next((at for at, line in enumerate(rest) if line.startswith("[")), len(rest))
        if not any(line.strip() for line in rest[:end]):
            del lines[number : number + 1 + end]


def _names(value: str) -> list[str]:
    return [name for name in (one.strip() for one in value.split(";")) if name]
