"""The `ssgui` command: flags to settings, errors to one line and an exit code.

Exit codes: 0 done, 1 could not run (a port in use), 2 a mistake in the command, key or configuration, 128 + n
ended by a second signal n. What is slow to import is imported by the command that needs it.
"""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from ssgui.app.commands.diagnose import diagnose
from ssgui.app.commands.documents import add_document_commands
from ssgui.app.commands.pac import add_pac_commands
from ssgui.app.commands.uninstall import uninstall
from ssgui.app.monitor.command import monitor
from ssgui.cli_flags import common_flags, local_flags, server_flags, tunnel_flags

if TYPE_CHECKING:
    from ssgui.app.desktop_job import DesktopJob
    from ssgui.config.models import LocalSettings
    from ssgui.config.options import Options

_APP = "app"
_PASSWORD_HELP = (
    "The password is the first of: -k (visible in ps), --password-file, the -c file, the variable SSGUI_PASSWORD."  # noqa: S105
)
_SIGNAL_HELP = (
    "SIGTERM and Ctrl-C end it within 2 s, a second one at once; SIGQUIT ends it after the last connection; "
    "SIGHUP has it read its settings again, and connections go on."
)


class _Commands(click.Group):
    """The commands. Without one the flags and links are the app's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        words = list(args)
        command = next((word for word in words if word in self.commands), None)
        completing = ctx.resilient_parsing  # a shell asks what may follow: a command, too
        if command is None and not completing and not {"-h", "--help", "--version"} & set(words):
            return super().parse_args(ctx, [_APP, *words])
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if not any(error.option_name in one.opts for command in self.commands.values() for one in command.params):
                raise
            raise click.UsageError(f"{error.option_name} must stand after {command!r}") from None


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Without a command the app opens: ssgui, or ssgui ss://… to add servers, or ssgui -s HOST -p PORT … "
    "(the flags of local) to use a server for this run only. The flags above may stand before or after the "
    "command. ssgui COMMAND -h tells about its own.",
)  # fmt: skip
@common_flags
@click.pass_context
def _ssgui(context: click.Context, /, **given: Any) -> None:
    """Shadowsocks: a client, a server, and a look at what they do."""
    context.obj = given


@_ssgui.command(_APP, hidden=True, epilog=_PASSWORD_HELP)
@click.argument("links", nargs=-1, metavar="[ss://…]…")
@local_flags
@common_flags
@click.pass_context
def _app(context: click.Context, /, links: tuple[str, ...], **given: Any) -> int:
    """Open the app; with flags of a client, connected to that server for this run."""
    for link in links:
        if not link.lower().startswith("ss://"):
            raise click.UsageError(f"{link!r} is no command, and no ss:// link (see -h)")
    if given["headless"] or context.obj["headless"]:
        raise click.UsageError("--headless needs a command: local, tunnel or server, or see -h")
    if given["uvloop"]:
        raise click.UsageError("--uvloop is for commands without a window")
    from ssgui.app.desktop_job import DesktopJob
    from ssgui.app.folders import data_folder
    from ssgui.app.headless import startup
    from ssgui.app.log_output import only_warnings
    from ssgui.config.advice import local_warnings
    from ssgui.config.settings import local_settings

    with startup.Startup(context.obj, given) as start:
        run = None
        if start.has_settings:
            if links:
                raise click.UsageError("links are kept, and servers given by flags are not: give one or the other")
            run = local_settings(start.options)
            start.warn(local_warnings(run, start.options))
        if start.common.verbosity is None:
            only_warnings()
        folder = data_folder(start.common.data_dir)
        return _open_window(DesktopJob(folder, links, run, start.events(), (start.common.verbosity or 0) > 0))


def _open_window(job: "DesktopJob") -> int:
    from ssgui.system.display import has_display

    if not has_display():
        return _complain("there is no display to open a window on; see ssgui -h for what runs without one", 1)
    run_desktop, missing = _gui("run")
    if run_desktop is None:
        return _complain(f"the window needs more than is here; {missing}: pip install 'ssgui[gui]'", 1)
    return int(run_desktop(job))


def _gui(purpose: str) -> tuple[Any, str]:
    """What runs the window ("run") or tries it ("selftest"); None where there is none, and what is missing."""
    try:
        if purpose == "selftest":
            from ssgui.gui.selftest import window_checks

            return window_checks, ""
        from ssgui.gui.desktop import run_desktop
    except ImportError as error:
        if (error.name or "").partition(".")[0] in ("PySide6", "shiboken6", "qasync"):
            return None, f"{error.name} is not installed"
        raise
    return run_desktop, ""


@_ssgui.command("local", epilog=f"{_PASSWORD_HELP} {_SIGNAL_HELP}")
@local_flags
@common_flags
@click.pass_context
def _local(context: click.Context, /, **given: Any) -> int:
    """Run a client: a proxy for the programs of this computer, Shadowsocks to the server."""
    from ssgui.config.settings import local_settings

    return _client(local_settings, context, given)


@_ssgui.command("tunnel", epilog=f"{_PASSWORD_HELP} {_SIGNAL_HELP}")
@tunnel_flags
@common_flags
@click.pass_context
def _tunnel(context: click.Context, /, **given: Any) -> int:
    """Run a client whose port leads to one target behind the server."""
    from ssgui.config.settings import tunnel_settings

    return _client(tunnel_settings, context, given)


def _client(make: "Callable[[Options], LocalSettings]", context: click.Context, given: dict[str, Any]) -> int:
    from ssgui.app.headless import job, reload, run, startup
    from ssgui.config.advice import local_warnings

    def settings(options: "Options") -> reload.Settings:
        local = make(options)
        start.warn(local_warnings(local, options))
        return reload.Settings(local, options=options)

    with startup.Startup(context.obj, given) as start:
        local = settings(start.options).local
        return run.run_headless(
            job.Job(
                local=local, events=start.events(), uvloop=given["uvloop"], read=lambda: settings(start.read_again())
            )
        )


@_ssgui.command("server", epilog=f"{_PASSWORD_HELP} Without one it makes one and shows its link. {_SIGNAL_HELP}")
@server_flags
@common_flags
@click.pass_context
def _server(context: click.Context, /, **given: Any) -> int:
    """Run a server."""
    from ssgui.app import passwords
    from ssgui.app.headless import job, reload, run, startup
    from ssgui.config.advice import server_warnings
    from ssgui.config.models import DEFAULT_METHOD
    from ssgui.config.options import with_password
    from ssgui.config.settings import check_workers, server_settings
    from ssgui.config.values import ConfigError

    def settings(options: "Options") -> reload.Settings:
        servers = server_settings(with_password(options, made))
        start.warn(server_warnings(servers, options))
        return reload.Settings(servers=servers, options=options)

    with startup.Startup(context.obj, given) as start:
        made = passwords.make_password(start.options.method or DEFAULT_METHOD)
        first = settings(start.options)
        links = sys.stderr if start.common.events == "-" else sys.stdout
        workers = start.options.workers or 1
        try:
            check_workers(workers, first.servers)
        except ConfigError as error:
            if given["workers"] is not None:
                raise
            start.warn([f"{error}; one process serves"])  # a file may be for other programs, or systems, too
            workers = 1
        return run.run_headless(
            job.Job(
                servers=first.servers, events=start.events(), made=made, links=links, uvloop=given["uvloop"],
                workers=workers, options=first.options, read=lambda: settings(start.read_again()),
            )
        )  # fmt: skip


@_ssgui.command("demo")
@click.option("--once", is_flag=True, help="End with 0 after the proof.")
@common_flags
@click.pass_context
def _demo(context: click.Context, /, **given: Any) -> int:
    """Run a server, a client and a web site on this computer and fetch a page through them."""
    from ssgui.app.demo.command import run_demo
    from ssgui.app.headless import startup

    with startup.Startup(context.obj, given) as start:
        if start.common.events is not None:
            raise click.UsageError("--events is for local, tunnel and server; the demo shows its connections itself")
        return run_demo(once=given["once"])


@_ssgui.command("restore-proxy")
@common_flags
@click.pass_context
def _restore_proxy(context: click.Context, /, **given: Any) -> int:
    """Put the system's proxy back to what it was, should ssgui have been killed. The next start does it too."""
    from ssgui.app.commands.restore import restore_proxy
    from ssgui.app.folders import data_folder
    from ssgui.app.log_output import plain

    restore_proxy(data_folder(given["data_dir"] or context.obj["data_dir"]), lambda text: click.echo(plain(text)))
    return 0


@_ssgui.command("selftest")
@common_flags
@click.pass_context
def _selftest(context: click.Context, /, **given: Any) -> int:
    """Try whether this installation works: relay with every method, serve the PAC, open the window. Loopback only."""
    from ssgui.app.log_output import only_warnings, plain, set_up_logging
    from ssgui.app.selftest.command import run_selftest

    verbose = given["verbose"] + context.obj["verbose"]
    set_up_logging(verbose, as_json=given["log_json"] or context.obj["log_json"])
    if not verbose:
        only_warnings()
    quiet = given["quiet"] or context.obj["quiet"]
    window, missing = _gui("selftest")
    return run_selftest(
        lambda text: None if quiet else click.echo(plain(text)), lambda text: click.echo(plain(text), err=True),
        window, missing,
    )  # fmt: skip


add_document_commands(_ssgui, common_flags)
add_pac_commands(_ssgui, common_flags)
_ssgui.add_command(common_flags(diagnose))
_ssgui.add_command(common_flags(uninstall))
_ssgui.add_command(common_flags(monitor))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    try:
        code = _ssgui.main(args=arguments, prog_name="ssgui", standalone_mode=False)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        return _complain(error.format_message(), 2)
    except (KeyboardInterrupt, click.Abort):
        return 130
    except Exception as error:  # noqa: BLE001  becomes one line, or a traceback
        return _explain(error)
    return int(code or 0)


def _explain(error: Exception) -> int:
    """The line for what a command could not do; anything unforeseen keeps its traceback."""
    from ssgui.app.commands.io import CommandError
    from ssgui.config.store import StoreError
    from ssgui.config.values import ConfigError
    from ssgui.engine.errors import BindError, EngineError, PluginError
    from ssgui.protocol.errors import LocalProtocolError
    from ssgui.system.proxy.backend import ProxyError

    if isinstance(error, CommandError | ProxyError | StoreError):
        return _complain(str(error), 1)
    if isinstance(error, BindError):
        from ssgui.system.port_owner import owner_of_port

        owner = owner_of_port(error.port, udp=error.udp) if error.in_use else None
        return _complain(f"{error}{f' ({owner})' if owner else ''}", 1)
    if isinstance(error, PluginError):
        return _complain(str(error), 2 if error.missing else 1)
    if isinstance(error, EngineError):
        return _complain(str(error), 1)
    if isinstance(error, ConfigError | LocalProtocolError):
        return _complain(str(error), 2)
    raise error


def _complain(message: str, code: int) -> int:
    from ssgui.app.log_output import plain

    click.echo(f"ssgui: {plain(' '.join(message.split()))}", err=True)
    return code
