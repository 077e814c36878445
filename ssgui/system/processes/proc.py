"""Processes as Linux shows them in /proc: their names, and the sockets that they hold."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

PROC = Path("/proc")
_MOST_LETTERS = 40


def pids(proc: Path = PROC) -> list[str]:
    """All processes; none where there is no /proc."""
    try:
        return [name for name in os.listdir(proc) if name.isdigit()]
    except OSError:
        return []


def sockets_of(pid: str, proc: Path = PROC) -> Iterator[int]:
    """The inodes of the sockets that a process holds; none of another user's, or of one that is gone."""
    descriptors = os.path.join(proc, pid, "fd")
    try:
        names = os.listdir(descriptors)
    except OSError:
        return
    for name in names:
        try:
            target = os.readlink(f"{descriptors}/{name}")
        except OSError:
            continue
        if target.startswith("socket:["):
            yield int(target[8:-1])


def holder_of(inodes: Iterable[int], among: Iterable[str], proc: Path = PROC) -> dict[int, str]:
    """Which of the processes `among` holds each of the sockets `inodes`; it stops when all are found."""
    wanted, found = set(inodes), dict[int, str]()
    for pid in among:
        if not wanted:
            break
        mine = wanted.intersection(sockets_of(pid, proc))
        found.update(dict.fromkeys(mine, pid))
        wanted -= mine
    return found


def name_of(pid: str, proc: Path = PROC) -> str:
    """The program's name; for an interpreter what it runs. Never an argument: one may be a password. "" if unknown."""
    process = proc / pid
    try:
        arguments = (process / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
        name = (process / "comm").read_text("utf-8", "replace").strip()
    except OSError:
        return ""
    if name.startswith("python") and len(arguments) > 2 and arguments[1] == "-m":
        name = arguments[2]
    elif name.startswith("python") and len(arguments) > 1 and not arguments[1].startswith("-"):
        name = os.path.basename(arguments[1])
    return printable(name)


def user_of(number: int) -> str:
    """The name of the user with this id."""
    try:
        import pwd

        return pwd.getpwuid(number).pw_name
    except (ImportError, KeyError):
        return str(number)


def printable(name: str) -> str:
    """A program's name without what would not show; anybody may call a program anything."""
    return "".join(letter for letter in name if letter.isprintable())[:_MOST_LETTERS]
