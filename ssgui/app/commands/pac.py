"""`ssgui pac build`, `explain` and `update`: the rules of browsers without a window."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ssgui.app.commands.io import counted, print_json, print_text, say, write_file
from ssgui.app.folders import data_folder

if TYPE_CHECKING:
    from ssgui.app.commands.pac_sources import Given
    from ssgui.rules.matcher import Explanation
    from ssgui.rules.model import Found, Policy

_MODES = ("list", "bypass", "global")


def _sources(command: Callable[..., Any]) -> Callable[..., Any]:
    """The flags that say which rules."""
    for option in (
        click.option(
            "--proxy", metavar="RESULT", help='What browsers are told for the proxy ("PROXY 127.0.0.1:1080").'
        ),
        click.option(
            "--mode", type=click.Choice(_MODES),
            help="Only what is listed goes through the proxy (list), all but what is listed (bypass), or all.",
        ),
        click.option("--user", metavar="FILE|-", help="Rules of one's own, which win."),
        click.option(
            "--list", "lists", multiple=True, metavar="FILE|URL",
            help="A list; the first wins. Of a dlc.dat name the groups: dlc.dat#openai,docker.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def add_pac_commands(group: click.Group, common: Callable[[click.Command], click.Command]) -> None:
    """Give `group` the commands; `common` adds the flags that every command has."""
    about = "The rules of browsers: make a PAC, explain it, refresh its lists."
    pac = click.Group("pac", help=about, no_args_is_help=False)
    for command in (_build, _explain, _update):
        pac.add_command(common(command))
    group.add_command(pac)


_FROM = "Without --list and --user it is about the lists and rules that were chosen in the app."


@click.command("build", epilog=_FROM, short_help="Make a PAC of rules.")
@_sources
@click.option("-o", "out", default="-", metavar="FILE|-", help="Where to; FILE is replaced whole.")
@click.pass_context
def _build(context: click.Context, /, out: str, **given: Any) -> int:
    """Make a PAC. Nothing is written when browsers would refuse it (more than 1,000,000 bytes)."""
    from ssgui.app.commands.pac_sources import policy_of
    from ssgui.assets import asset
    from ssgui.config.values import ConfigError
    from ssgui.rules.pac_compiler import PacTooBigError, compile_pac

    policy = policy_of(_given(context, given))
    try:
        pac = compile_pac(policy, asset("pac/template.js").read_text("ascii"))
    except PacTooBigError as error:
        raise ConfigError(str(error)) from None
    _say_networks(policy)
    if out == "-":
        print_text(pac.decode("ascii"), end="")
        return 0
    write_file(Path(out), pac, shared=True)
    count = sum(len(one.rules) for one in (policy.user, *policy.lists))
    say(f"{out}: {len(pac):,} bytes, of {counted(count, 'rule')}")
    return 0


@click.command("explain", epilog=_FROM, short_help="Say where a URL goes, and why.")
@click.argument("url", metavar="URL")
@_sources
@click.pass_context
def _explain(context: click.Context, /, url: str, **given: Any) -> int:
    """Print as JSON where URL goes and which rule in which line says so, what else would match, and what other
    programs get in Rules mode, with the path or by the host alone, where that differs."""
    from ssgui.app.commands.pac_sources import policy_of
    from ssgui.config.values import ConfigError
    from ssgui.rules.address_forms import as_url
    from ssgui.rules.matcher import Matcher

    policy = policy_of(_given(context, given))
    try:
        found = Matcher(policy).explain(as_url(url))
    except ValueError as error:
        raise ConfigError(f"{url[:200]!a}: {error}") from None
    print_json(_tree(found))
    return 0


@click.command("update", short_help="Refresh the lists of the app.")
@click.pass_context
def _update(context: click.Context, /, **given: Any) -> int:
    """Refresh the lists of the app, through the app if it runs, and directly otherwise; say what came of each.

    A list that cannot be had keeps its last good copy, and makes the exit code 1.
    """
    from ssgui.app.commands.pac_update import update_lists

    return 0 if update_lists(_folder(context, given), print_text) else 1


def _folder(context: click.Context, given: dict[str, Any]) -> Path:
    return data_folder(given["data_dir"] or (context.obj or {}).get("data_dir"))


def _given(context: click.Context, given: dict[str, Any]) -> "Given":
    from ssgui.app.commands.pac_sources import Given
    from ssgui.rules.model import PolicyMode

    mode = PolicyMode(given["mode"]) if given["mode"] else None
    return Given(_folder(context, given), given["lists"], given["user"], mode, given["proxy"])


def _say_networks(policy: "Policy") -> None:
    for one in (policy.user, *policy.lists):
        if count := len(one.networks) + len(one.excepted):
            are = "is" if count == 1 else "are"
            say(f"{one.name}: {counted(count, 'network')} {are} left out: a browser would have to ask a name server")


def _tree(found: "Explanation") -> dict[str, Any]:
    made = {"url": found.url, **_decision(found.pac), "also": [_decision(one) for one in found.also]}
    if found.more:
        made["more"] = found.more
    made["differ"] = found.differ
    if found.differ:
        made |= {"rules_mode": _decision(found.rules), "by_host": _decision(found.by_name)}
    return made


def _decision(found: "Found") -> dict[str, Any]:
    """`rule` and `line` are null where no rule decides: in the local network, and by default."""
    return {
        "action": str(found.route), "rule": found.text or None, "list": found.list, "line": found.line or None,
    }  # fmt: skip
