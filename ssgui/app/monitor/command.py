"""The command `ssgui monitor`: which process is meant, and how its connections are shown."""

import asyncio
import json
import os
import sys
from collections.abc import Coroutine
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

    from ssgui.services.control.instances import Instance

_WIDE = 160  # cells, where no terminal says how many there are


@click.command("monitor")
@click.option("--list", "list_", is_flag=True, help="Say which processes there are, and end.")
@click.option("--pid", type=int, metavar="N", help="Of several processes, this one.")
@click.option("--once", is_flag=True, help="Print one table, and end. So it does where no terminal is.")
@click.option("--json", "as_json", is_flag=True, help="JSON, a line for every change of a connection.")
@click.pass_context
def monitor(context: click.Context, /, list_: bool, pid: int | None, once: bool, as_json: bool, **given: Any) -> int:
    """Show what the connections of a running ssgui do: of the app, a client, a tunnel or a server.

    It finds those that this user runs (for root: all); --data-dir or --pid choose among several. Keys sort, filter and
    close connections; ? tells them. With --events FILE or - it writes what --events of that process would write.
    """
    before: dict[str, Any] = context.obj
    events = given["events"] or before["events"]
    found = asyncio.run(_find(given["data_dir"] or before["data_dir"]))
    if list_:
        return _list(found, as_json=as_json)
    chosen = _choose(found, pid)
    if isinstance(chosen, int):
        return chosen
    return _quietly(_show(chosen, events, once=once, as_json=as_json))


# ---- which one


async def _find(data_dir: str | None) -> "list[Instance]":
    from ssgui.app.folders import data_folder
    from ssgui.services.control.instances import find_instances
    from ssgui.services.control.places import place_of

    place = place_of(data_folder(data_dir))
    found = await find_instances([place])
    return [one for one in found if one.place == place] if data_dir else found


def _list(found: "list[Instance]", *, as_json: bool) -> int:
    from ssgui.app.log_output import plain

    for one in found:
        if as_json:
            click.echo(json.dumps({"place": one.place, **({"fault": one.fault} if one.fault else one.about)}))
            continue
        where = one.fault or " ".join(one.listens) or "listens nowhere"
        folder = one.about.get("data_dir")
        click.echo(plain(f"{one.pid or '?':>8}  {one.role:<7} {where}{f'  {folder}' if folder else ''}"))
    if not found:
        _say("none runs")
    return 0 if found else 1


def _choose(found: "list[Instance]", pid: int | None) -> "Instance | int":
    """The one that is meant, or the exit code."""
    if pid is not None:
        found = [one for one in found if one.pid == pid]
    able = [one for one in found if not one.fault]
    if len(able) == 1:
        return able[0]
    if able:
        _say("several run; say which with --pid")
        _list(able, as_json=False)
        return 2
    for one in found:
        _say(f"{one.place}: {one.fault}")
    if not found:
        _say("none runs that can be watched" if pid is None else f"none that can be watched has the PID {pid}")
    return 1


def _say(text: str) -> None:
    from ssgui.app.log_output import plain

    click.echo(f"ssgui: {plain(text)}", err=True)


# ---- how


async def _show(one: "Instance", events: str | None, *, once: bool, as_json: bool) -> int:
    from ssgui.app.monitor.once import follow_events, follow_rows

    if events is not None:
        with ExitStack() as stack:
            stream = sys.stdout if events == "-" else stack.enter_context(_opened(events))
            await follow_events(one.place, lambda text: _put(stream, text))
        return 0
    if as_json:
        await follow_rows(one.place, lambda text: _put(sys.stdout, text), once=once)
        return 0
    able = sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")
    if once or not able:
        return await _print_once(one.place)
    return await _live(one.place)


def _opened(path: str) -> Any:
    from ssgui.config.values import ConfigError

    try:
        return open(path, "a", encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigError(f"--events {path}: {getattr(error, 'strerror', None) or error}") from None


def _put(stream: Any, text: str) -> None:
    stream.write(text)
    stream.flush()


async def _print_once(place: str) -> int:
    from ssgui.app.monitor.glyphs import glyphs_for
    from ssgui.app.monitor.once import snapshot
    from ssgui.app.monitor.painter import console_lines
    from ssgui.app.monitor.screen import table_lines

    mirror = await snapshot(place)
    console = _console()
    lines = table_lines(mirror, glyphs_for(sys.stdout.encoding), console.width)
    for text in console_lines(console, lines):
        click.echo(text.rstrip())
    return 0


async def _live(place: str) -> int:
    from ssgui.app.monitor.glyphs import glyphs_for
    from ssgui.app.monitor.live import Live
    from ssgui.system.terminal import NoTerminal, open_terminal

    try:
        why = await Live(place, open_terminal(), _console(), glyphs_for(sys.stdout.encoding)).run()
    except NoTerminal:
        return await _print_once(place)
    if why:
        _say(why)
    return 0


def _console() -> "Console":
    from rich.console import Console

    width = None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", "") or _WIDE)
    return Console(
        highlight=False, markup=False, emoji=False, legacy_windows=False, width=width, soft_wrap=True, file=sys.stdout
    )  # fmt: skip


def _quietly(showing: Coroutine[Any, Any, int]) -> int:
    """What ends it from outside is no failure of ours."""
    from ssgui.services.control.client import ControlError

    try:
        return asyncio.run(showing)
    except ControlError as error:
        _say(str(error))
        return 1
    except BrokenPipeError:  # who read it has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
