"""Desktop entries (freedesktop.org's Desktop Entry Specification 1.5): written, and read as far as we ask."""

import re
from collections.abc import Mapping, Sequence

GROUP = "Desktop Entry"
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")  # needs no quotes; a % is doubled all the same
_ESCAPES = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}


def exec_line(command: Sequence[str], *fields: str) -> str:
    """The value of Exec for `command`, with `fields` (such as %u) behind it. ValueError for a command with no words."""
    if not command or any("\0" in word or "\n" in word for word in command):
        raise ValueError("a command that no desktop entry can hold")
    return " ".join([*map(_quoted, command), *fields])


def _quoted(word: str) -> str:
    """Section "The Exec key": quoted, then escaped like any string, and a percent sign that is no field is doubled."""
    word = word.replace("%", "%%")
    if _PLAIN.fullmatch(word):
        return word
    return escaped('"' + re.sub(r'(["`$\\])', r"\\\1", word) + '"')


def escaped(text: str) -> str:
    """A value of type string."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")


def write_entry(values: Mapping[str, str]) -> bytes:
    """An entry; values are written as they are given."""
    lines = [f"[{GROUP}]", *(f"{key}={value}" for key, value in values.items())]
    return ("\n".join(lines) + "\n").encode()


def read_entry(text: str) -> dict[str, str]:
    """The values of an entry, unescaped; what is no entry has none."""
    found: dict[str, str] = {}
    group = ""
    for line in text.split("\n"):
        line = line.strip(" \t\r")
        if line.startswith("["):
            group = line.strip("[]")
        elif group == GROUP and "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key.strip(), _unescaped(value.lstrip(" \t")))
    return found


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), text)


def program_of(values: Mapping[str, str]) -> str:
    """The program that an entry starts; "" if that cannot be told."""
    if values.get("TryExec"):
        return values["TryExec"]
    found = re.match(r'\s*(?:"((?:[^"\\]|\\.)*)"|(\S+))', values.get("Exec", ""))
    if found is None:
        return ""
    word = re.sub(r"\\(.)", r"\1", found[1]) if found[1] is not None else found[2]
    return word.replace("%%", "%")
