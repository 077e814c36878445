"""What commands read and write: what was asked for goes to standard output, what is to be said about it to standard
error, with a line for each remark."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from ssgui.app.log_output import plain

STDIN = "standard input"


class CommandError(Exception):
    """A command cannot do what it was asked for, and not by a mistake of who asked: exit code 1."""


def read_file(file: str, most: int) -> bytes:
    """All of FILE, or of standard input for "-"; ConfigError when that cannot be, or it has more than `most` bytes."""
    from ssgui.config.values import ConfigError

    try:
        if file == "-":
            data = sys.stdin.buffer.read(most + 1)
        else:
            with Path(file).open("rb") as opened:
                data = opened.read(most + 1)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file}: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > most:
        raise ConfigError(f"{STDIN if file == '-' else file}: too large (more than {most >> 20} MiB)")
    return data


def write_file(path: Path, data: bytes, *, shared: bool = False) -> None:
    """Replace `path` whole, readable by its owner, or by everybody if it is `shared`. ConfigError."""
    from ssgui.config.atomic_file import PRIVATE, write_atomically
    from ssgui.config.values import ConfigError

    try:
        if path.exists() and not path.is_file():
            raise ConfigError(f"{path}: it is no file; - is standard output")
        write_atomically(path, data, mode=0o644 if shared else PRIVATE)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def print_text(text: str, end: str = "\n") -> None:
    """To standard output; what that cannot show is escaped."""
    encoding = sys.stdout.encoding or "utf-8"
    click.echo(plain(text).encode(encoding, "backslashreplace").decode(encoding) + end, nl=False)


def print_json(tree: dict[str, Any]) -> None:
    """One line of JSON to standard output."""
    from ssgui.config.documents.writers import json_text

    text = json_text(tree)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(tree)
    click.echo(text)


def say(text: str) -> None:
    """One line to standard error."""
    encoding = sys.stderr.encoding or "utf-8"
    line = f"ssgui: {plain(' '.join(text.split()))}"
    click.echo(line.encode(encoding, "backslashreplace").decode(encoding), err=True)


def at(where: str, what: str) -> str:
    """`what`, and where it is if that is known."""
    return ": ".join(part for part in (where, what) if part)


def counted(number: int, thing: str) -> str:
    """ "1 rule", "1,234 rules"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
