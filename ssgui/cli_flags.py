"""The flags of `ssgui`: their names, what is checked when they are read, and what -h says about them."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ssgui import __version__

_F = TypeVar("_F", bound=Callable[..., Any])
_Callback = Callable[[click.Context, click.Parameter, Any], Any]


def _options(*options: Callable[[_F], _F]) -> Callable[[_F], _F]:
    def decorate(function: _F) -> _F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def _checked(parse: str, module: str = "values", **how: Any) -> _Callback:
    """A callback that checks a value with a function of `ssgui.config`, imported when it is needed."""

    def check(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        if value is None or value == ():
            return value
        from importlib import import_module

        from ssgui.config.values import ConfigError

        function = getattr(import_module(f"ssgui.config.{module}"), parse)
        try:
            return tuple(function(one, **how) for one in value) if parameter.multiple else function(value, **how)
        except ConfigError as error:
            raise click.BadParameter(str(error)) from None

    return check


def _networks(context: click.Context, parameter: click.Parameter, value: str | None) -> Any:
    return _checked("parse_networks")(context, parameter, None if value is None else [value])


common_flags = _options(
    click.option("--headless", is_flag=True, help="Without a window."),
    click.option("--data-dir", metavar="DIR", help="Where ssgui keeps its files; most commands keep none."),
    click.option("--events", metavar="FILE|-", help="Add what happens to connections, as JSON lines."),
    click.option("--password-file", metavar="FILE|-", help="Read the password from the first line."),
    click.option(
        "-v", "verbose", count=True, help="Say more: every connection, and where it goes. -vv: libraries' lines too."
    ),
    click.option("-q", "quiet", is_flag=True, help="Only warnings."),
    click.option("--log-json", is_flag=True, help="Log as JSON lines."),
    click.version_option(__version__, prog_name="ssgui", message="%(prog)s %(version)s"),
)
shared_flags = _options(
    click.option("-k", "password", metavar="PASSWORD", callback=_checked("parse_password"), help="The password."),
    click.option(
        "-m", "method", metavar="METHOD", callback=_checked("parse_method"), help="The method (chacha20-ietf-poly1305)."
    ),
    click.option(
        "-t", "timeout", type=float, metavar="SECONDS", callback=_checked("parse_timeout"), help="Idle limit (300)."
    ),
    click.option("-u", "udp", is_flag=True, help="UDP too."),
    click.option(
        "--udp-timeout", type=float, metavar="SECONDS", callback=_checked("parse_timeout"),
        help="Idle limit of UDP (300).",
    ),
    click.option("-c", "config", metavar="FILE", help="Settings as shadowsocks JSON; flags win over it."),
    click.option("--plugin", metavar="PROGRAM", help="Carry TCP by this SIP003 plugin; '' for none,"),
    click.option("--plugin-opts", metavar="OPTIONS", help="with these options: 'key=value;key=value'."),
    click.option("--acl", metavar="FILE", help="Which targets go where, as in shadowsocks-libev and -rust."),
    click.option("--prefer-ipv6", is_flag=True, help="Try a name's IPv6 addresses first."),
    click.option("--fast-open", is_flag=True, help="TCP Fast Open, where the system has it."),
    click.option("--mptcp", is_flag=True, help="Multipath TCP, where the system has it."),
    click.option(
        "--allow-legacy", multiple=True, metavar="METHOD", callback=_checked("parse_legacy", "keys"),
        help="Allow this old method, which protects nothing against changes. May be given again.",
    ),
    click.option("--uvloop", is_flag=True, help="Run on uvloop, if it is installed."),
)  # fmt: skip
client_flags = _options(
    click.option("-s", "host", metavar="HOST", callback=_checked("parse_host"), help="The server's address."),
    click.option("-p", "port", metavar="PORT", callback=_checked("parse_port"), help="The server's port."),
    shared_flags,
    click.option(
        "-b", "bind_host", metavar="ADDRESS", callback=_checked("parse_host"), help="Listen here (127.0.0.1),"
    ),
    click.option(
        "-l", "bind_port", metavar="PORT", callback=_checked("parse_port", zero=True), help="and on this port (1080)."
    ),
    click.option("--bypass-lan", is_flag=True, help="Connect to addresses of local networks directly."),
    click.option(
        "--upstream-proxy", metavar="URL", callback=_checked("parse_proxy", "addresses"),
        help="Reach the servers through socks5:// or http://[USER:PASSWORD@]HOST:PORT. A password shows in ps: "
        "the variable SSGUI_UPSTREAM_PROXY or the -c file do not.",
    ),
    click.option(
        "--choose", type=click.Choice(["fixed", "random", "auto"]),
        help="Of several servers: the first that works, any (the default), or the fastest.",
    ),
    click.option(
        "--probe-url", metavar="URL", callback=_checked("parse_probe_url", "addresses"),
        help="The page that --choose auto measures with (http://www.gstatic.com/generate_204).",
    ),
)  # fmt: skip
local_flags = _options(
    client_flags,
    click.option("--user", metavar="NAME", help="Ask programs for this name and"),
    click.option("--pass", "user_password", metavar="PASSWORD", help="this password (visible in ps)."),
)
tunnel_flags = _options(
    click.option(
        "-L", "tunnel", metavar="HOST:PORT", callback=_checked("parse_target", "addresses"),
        help="Where everything that comes to the port goes.",
    ),
    client_flags,
)  # fmt: skip
server_flags = _options(
    click.option("-s", "host", metavar="HOST", callback=_checked("parse_host"), help="Listen here (0.0.0.0),"),
    click.option(
        "-p", "port", metavar="PORT", callback=_checked("parse_port", zero=True), help="and on this port (8388)."
    ),
    shared_flags,
    click.option(
        "--forbidden-ip", "forbidden", metavar="LIST", callback=_networks,
        help="Addresses it does not connect to; '' for none. Without it: this machine and its link.",
    ),
    click.option(
        "--workers", metavar="N", callback=_checked("parse_workers", "addresses"),
        help="Serve with N processes, to use as many cores (1). Linux.",
    ),
    click.option(
        "--manager-address", "manager", metavar="ADDRESS", callback=_checked("parse_manager", "addresses"),
        help="Let managers add and remove ports, as ss-manager does: the path of a socket, or a port of 127.0.0.1.",
    ),
    click.option(
        "--metrics", metavar="[HOST:]PORT", callback=_checked("parse_loopback", "addresses"),
        help="Serve counters for Prometheus at this port of 127.0.0.1, under /metrics.",
    ),
    click.option(
        "--segmented-header/--no-segmented-header", default=None,
        help="2022: take a stream whose first bytes come in pieces (only behind a plugin).",
    ),
)  # fmt: skip
