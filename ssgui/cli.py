"""The `ssgui` command: flags to settings, errors to one line and an exit code.

Exit codes: 0 done, 1 could not run (a port in use), 2 a mistake in the command, key or configuration, 128 + n
ended by a second signal n. What is slow to import is imported by the command that needs it.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from ssgui import __version__

_F = TypeVar("_F", bound=Callable[..., Any])
_NO_WINDOW = (
    "the window is not part of this version; use ssgui --headless local, ssgui --headless server or ssgui demo (see -h)"
)
_LOCAL_FLAGS = frozenset({"-s", "-p", "-k", "-m", "-b", "-l", "-t", "-u", "-c", "--user", "--pass", "--prefer-ipv6"})
_PASSWORD_HELP = (
    "The password is the first of: -k (visible in ps), --password-file, the -c file, the variable SSGUI_PASSWORD."  # noqa: S105
)
_SIGNAL_HELP = "SIGTERM and Ctrl-C end it within 2 s, a second one at once; SIGQUIT ends it after the last connection."


def _options(*options: Callable[[_F], _F]) -> Callable[[_F], _F]:
    def decorate(function: _F) -> _F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def _checked(parse: str, **how: Any) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """A callback that checks a value with a function of `ssgui.config.values`."""

    def check(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        if value is None:
            return None
        from ssgui.config import values

        try:
            return getattr(values, parse)(value, **how)
        except values.ConfigError as error:
            raise click.BadParameter(str(error)) from None

    return check


def _networks(context: click.Context, parameter: click.Parameter, value: str | None) -> Any:
    return _checked("parse_networks")(context, parameter, None if value is None else [value])


_common_flags = _options(
    click.option("--headless", is_flag=True, help="Without a window."),
    click.option("--data-dir", metavar="DIR", help="Where ssgui keeps its files; these commands keep none."),
    click.option("--events", metavar="FILE|-", help="Add what happens to connections, as JSON lines."),
    click.option("--password-file", metavar="FILE|-", help="Read the password from the first line."),
    click.option(
        "-v", "verbose", count=True, help="Say more: every connection, and where it goes. -vv: libraries' lines too."
    ),
    click.option("-q", "quiet", is_flag=True, help="Only warnings."),
    click.option("--log-json", is_flag=True, help="Log as JSON lines."),
    click.version_option(__version__, prog_name="ssgui", message="%(prog)s %(version)s"),
)
_shared_flags = _options(
    click.option("-k", "password", metavar="PASSWORD", callback=_checked("parse_password"), help="The password."),
    click.option(
        "-m", "method", metavar="METHOD", callback=_checked("parse_method"), help="The method (chacha20-ietf-poly1305)."
    ),
    click.option(
        "-t", "timeout", type=float, metavar="SECONDS", callback=_checked("parse_timeout"), help="Idle limit (300)."
    ),
    click.option("-u", "udp", is_flag=True, help="UDP too."),
    click.option("-c", "config", metavar="FILE", help="Settings as shadowsocks JSON; flags win over it."),
    click.option("--prefer-ipv6", is_flag=True, help="Try a name's IPv6 addresses first."),
    click.option("--uvloop", is_flag=True, help="Run on uvloop, if it is installed."),
)


class _Commands(click.Group):
    """The commands; anything else that the app would take is answered with where the app is."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        words = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if error.option_name not in _LOCAL_FLAGS:
                raise
            command = next((word for word in words if word in self.commands), None)
            if command is None:
                raise click.UsageError(_NO_WINDOW) from None
            raise click.UsageError(f"{error.option_name} must stand after {command!r}") from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self.commands:
            what = "" if args[0].startswith("ss://") else f"{args[0]!r} is no command of this version, and "
            raise click.UsageError(what + _NO_WINDOW)
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]},
    epilog="The flags above may stand before or after the command. ssgui COMMAND -h tells about its own.",
)  # fmt: skip
@_common_flags
@click.pass_context
def _ssgui(context: click.Context, /, **given: Any) -> None:
    """Shadowsocks: a client, a server, and a look at what they do."""
    context.obj = given
    if context.invoked_subcommand is None:
        raise click.UsageError(_NO_WINDOW)


@_ssgui.command("local", epilog=f"{_PASSWORD_HELP} {_SIGNAL_HELP}")
@click.option("-s", "host", metavar="HOST", callback=_checked("parse_host"), help="The server's address.")
@click.option("-p", "port", metavar="PORT", callback=_checked("parse_port"), help="The server's port.")
@_shared_flags
@click.option("-b", "bind_host", metavar="ADDRESS", callback=_checked("parse_host"), help="Listen here (127.0.0.1).")
@click.option(
    "-l", "bind_port", metavar="PORT", callback=_checked("parse_port", zero=True), help="and on this port (1080)."
)
@click.option("--user", metavar="NAME", help="Ask programs for this name and")
@click.option("--pass", "user_password", metavar="PASSWORD", help="this password (visible in ps).")
@_common_flags
@click.pass_context
def _local(context: click.Context, /, **given: Any) -> int:
    """Run a client: SOCKS5 on this computer, Shadowsocks to the server."""
    from ssgui.app import headless, startup
    from ssgui.config.options import local_settings, local_warnings

    with startup.Startup(context.obj, given) as start:
        settings = local_settings(start.options)
        start.warn(local_warnings(settings))
        return headless.run_headless(headless.Job(local=settings, events=start.events(), uvloop=given["uvloop"]))


@_ssgui.command("server", epilog=f"{_PASSWORD_HELP} Without one it makes one and shows its link. {_SIGNAL_HELP}")
@click.option("-s", "host", metavar="HOST", callback=_checked("parse_host"), help="Listen here (0.0.0.0).")
@click.option("-p", "port", metavar="PORT", callback=_checked("parse_port", zero=True), help="and on this port (8388).")
@_shared_flags
@click.option(
    "--forbidden-ip", "forbidden", metavar="LIST", callback=_networks,
    help="Addresses it does not connect to; '' for none. Without it: this machine and its link.",
)  # fmt: skip
@_common_flags
@click.pass_context
def _server(context: click.Context, /, **given: Any) -> int:
    """Run a server."""
    from ssgui.app import headless, passwords, startup
    from ssgui.config.models import DEFAULT_METHOD
    from ssgui.config.options import server_settings, server_warnings, with_password

    with startup.Startup(context.obj, given) as start:
        made = passwords.make_password(start.options.method or DEFAULT_METHOD)
        servers = server_settings(with_password(start.options, made))
        start.warn([text for settings in servers for text in server_warnings(settings)])
        links = sys.stderr if start.common.events == "-" else sys.stdout
        return headless.run_headless(
            headless.Job(servers=servers, events=start.events(), made=made, links=links, uvloop=given["uvloop"])
        )


@_ssgui.command("demo")
@click.option("--once", is_flag=True, help="End with 0 after the proof.")
@_common_flags
@click.pass_context
def _demo(context: click.Context, /, **given: Any) -> int:
    """Run a server, a client and a web site on this computer and fetch a page through them."""
    from ssgui.app import startup
    from ssgui.app.demo import run_demo

    with startup.Startup(context.obj, given) as start:
        if start.common.events is not None:
            raise click.UsageError("--events is for local and server; the demo shows its connections itself")
        return run_demo(once=given["once"])


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
    from ssgui.config.values import ConfigError
    from ssgui.engine.errors import BindError
    from ssgui.protocol.errors import LocalProtocolError

    if isinstance(error, BindError):
        from ssgui.system.port_owner import owner_of_port

        owner = owner_of_port(error.port, udp=error.udp) if error.in_use else None
        return _complain(f"{error}{f' ({owner})' if owner else ''}", 1)
    if isinstance(error, ConfigError | LocalProtocolError):
        return _complain(str(error), 2)
    raise error


def _complain(message: str, code: int) -> int:
    from ssgui.app.log_output import plain

    click.echo(f"ssgui: {plain(' '.join(message.split()))}", err=True)
    return code
