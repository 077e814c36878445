"""Writes what is shipped and made from the program itself: `python -m tests.support.shipped` (make man).

The man page is the commands' own help, so it cannot say what they do not, and the completions are click's. A test
compares the files with what this makes.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from ssgui import __version__
from ssgui.cli import _ssgui
from ssgui.cli_flags import common_flags

RESOURCES = Path(__file__).parents[2] / "resources"
SHELLS: dict[str, type[ShellComplete]] = {
    "completions/ssgui.bash": BashComplete,
    "completions/_ssgui": ZshComplete,
    "completions/ssgui.fish": FishComplete,
}
SIGNALS = (
    ("SIGTERM, SIGINT", "Stop listening, give connections 2 s, and end with 0; a second one ends it at once."),
    ("SIGQUIT", "Stop listening, and end with the last connection."),
    (
        "SIGHUP",
        "Read the settings again. Ports, users and connections that did not change go on; settings that are wrong "
        "are said, and what ran before goes on. If it comes because the terminal has gone it is as SIGTERM.",
    ),
)
STATUS = (
    ("0", "It did what it was to do, or was ended by a signal."),
    ("1", "It could not run, because of a port in use for example."),
    ("2", "There is a mistake in the command, a key or the settings."),
    ("128+N", "A second signal N ended it."),
)
VARIABLES = (
    ("SSGUI_PASSWORD", "The password, where neither a flag nor the file says one. It is not seen in ps."),
    ("SSGUI_UPSTREAM_PROXY", "The proxy through which servers are reached, likewise."),
    ("SSGUI_HOME", "Where the app keeps its files; --data-dir wins."),
)


def command() -> click.Group:
    """The command of the program."""
    return _ssgui


def man_page() -> str:
    """ssgui(1), as roff."""
    context = click.Context(_ssgui, info_name="ssgui", **_ssgui.context_settings)
    lines = [
        r".\" Made by tests/support/shipped.py of what the commands say with -h: do not edit, type make man.",
        f'.TH SSGUI 1 "" "ssgui {__version__}" "User Commands"',
        ".SH NAME",
        rf"ssgui \- {_roff(_first(_ssgui.help).rstrip('.'))}",
        ".SH SYNOPSIS",
        *_synopsis(context),
        ".SH DESCRIPTION",
        _roff(_ssgui.epilog or ""),
        ".SH COMMON OPTIONS",
        *_options(_ssgui, context, without=()),
        ".SH COMMANDS",
        *_commands(context),
        ".SH SIGNALS",
        *_table(SIGNALS),
        ".SH ENVIRONMENT",
        *_table(VARIABLES),
        ".SH EXIT STATUS",
        *_table(STATUS),
        ".SH SEE ALSO",
        r".BR ss\-server (1),",
        r".BR ss\-local (1),",
        r".BR ss\-manager (1)",
    ]
    return "\n".join(lines) + "\n"


def completion(shell: type[ShellComplete]) -> str:
    """What a shell loads."""
    script = shell.source_template % shell(_ssgui, {}, "ssgui", "_SSGUI_COMPLETE").source_vars()
    return re.sub(r"[ \t]+$", "", script.strip(), flags=re.MULTILINE).replace("\t", "    ") + "\n"


def files() -> dict[str, str]:
    """Path below resources/, and what stands in it."""
    return {"man/ssgui.1": man_page()} | {name: completion(shell) for name, shell in SHELLS.items()}


def _shown(context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command that is not hidden, those of groups too, by its whole name."""
    group = context.command
    assert isinstance(group, click.Group)
    for name in sorted(group.commands):
        found = group.commands[name]
        inner = click.Context(found, parent=context, info_name=name)
        if found.hidden:
            continue
        yield inner.command_path, found, inner
        if isinstance(found, click.Group):
            yield from _shown(inner)


def _synopsis(context: click.Context) -> Iterator[str]:
    yield ".B ssgui"
    yield r"[\fIss://\fR...]"
    for path, found, inner in _shown(context):
        yield ".br"
        yield f".B {_roff(path)}"
        yield " ".join(rf"\fI{_roff(piece)}\fR" for piece in found.collect_usage_pieces(inner))


def _commands(context: click.Context) -> Iterator[str]:
    common = {name for parameter in _common() for name in parameter.opts}
    for path, found, inner in _shown(context):
        yield f".SS {_roff(path)}"
        yield _roff(" ".join((found.help or "").split()))
        yield from _options(found, inner, without=common)
        if found.epilog:
            yield ".PP"
            yield _roff(found.epilog)


def _common() -> list[click.Parameter]:
    return common_flags(click.Command("common", callback=lambda: None)).params


def _options(found: click.Command, context: click.Context, without: Iterable[str]) -> Iterator[str]:
    for parameter in found.get_params(context):
        record = parameter.get_help_record(context)
        told = record is not None and record[1] and "--help" not in parameter.opts
        if record is not None and told and not set(parameter.opts) & set(without):
            yield from _table([record])


def _table(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, text in rows:
        yield ".TP"
        yield f".B {_roff(term)}"
        yield _roff(text)


def _first(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split())


def _roff(text: str) -> str:
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq").replace("\u2026", "...")
    return rf"\&{text}" if text.startswith(".") else text


def main() -> None:
    for name, text in files().items():
        path = RESOURCES / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        print(path.relative_to(RESOURCES.parent))


if __name__ == "__main__":
    main()
