"""What goes into the bundle of `services.bundle`: from the running app, or from what it left on the disk."""

import logging
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ssgui import __version__
from ssgui.app.local_proxy import unique_names, usable
from ssgui.config.app_config import AppConfig, Server
from ssgui.config.config_codec import decode_config
from ssgui.config.store import MAX_BYTES, NAME
from ssgui.config.values import ConfigError
from ssgui.services.bundle import Mask, bundle
from ssgui.services.connections.records import Connection

if TYPE_CHECKING:
    from ssgui.app.context import AppContext
    from ssgui.app.log_buffer import LogLine

_MOST_CONNECTIONS = 500
_SESSION = ("XDG_CURRENT_DESKTOP", "XDG_SESSION_TYPE", "LANG", "LC_ALL", "QT_QPA_PLATFORM")
_ABOUT = """\
What is in here: the version and the system (about.json), the settings (settings.json), the servers and what is known
about them (servers.json), the connections and how they ended (connections.json), and the log (log.txt).

What is not: passwords, links, addresses of subscriptions, options of plugins, and where connections went.
{hosts}
Look through it before you show it to somebody: it is all plain text.
"""


Make = Callable[[bool], bytes]  # from whether hosts are to be hidden; long work for a long log


def from_app(context: "AppContext", more: dict[str, Any] | None = None) -> Make:
    """What makes the bundle of a running app as it is now, in any thread. `more` goes into about.json."""
    config, now = context.config, time.monotonic()
    names = unique_names(config.servers)
    relay = context.proxy.relay
    about = {
        **_about(),
        **(more or {}),
        "state": context.verdict().kind,
        "listens": relay is not None,
        "port": relay.address[1] if relay is not None else None,
        "problems": list(context.problems),
        "save_failed": context.save_failed,
    }
    connections = [*context.connections.live.values(), *context.connections.ended.values()][-_MOST_CONNECTIONS:]
    return partial(
        _bundle,
        config,
        about,
        {server.id: _evidence(context, names[server.id], now) for server in config.servers},
        [_connection(one, now) for one in connections],
        [_line(line) for line in context.logs.lines],
        context.store.key,
    )


def from_disk(folder: Path) -> Make:
    """What makes the bundle of an app that does not run. Nothing in `folder` is touched."""
    about = {**_about(), "state": "not running", "problems": []}
    config = AppConfig()
    try:
        with (folder / NAME).open("rb") as file:
            loaded = decode_config(file.read(MAX_BYTES))
        config, about["problems"] = loaded.config, list(loaded.problems)
    except (OSError, ConfigError) as error:
        about["problems"] = [f"{NAME}: {getattr(error, 'strerror', None) or error}"]
    return partial(_bundle, config, about, {}, [], [], None)


def _bundle(
    config: AppConfig, about: dict[str, Any], known: dict[str, dict[str, Any]], connections: list[dict[str, Any]],
    log: list[str], key: bytes | None, hide_hosts: bool,
) -> bytes:  # fmt: skip
    words = _stand_ins(config)
    mask = Mask(
        [*secrets_of(config), *([key.hex()] if key else [])],
        hide_hosts=hide_hosts,
        names=words,
        hosts=[server.host for server in config.servers],
        home=Path.home(),
    )
    said = "Host names and addresses are hidden." if hide_hosts else "Host names and addresses are in it, as you chose."
    servers = [
        {**_server(server, number, config), **known.get(server.id, {})} for number, server in enumerate(config.servers)
    ]
    parts = {
        "README.txt": _ABOUT.format(hosts=said),
        "about.json": about,
        "settings.json": _settings(config),
        "servers.json": servers,
        "connections.json": connections,
        "log.txt": "".join(line + "\n" for line in log),
    }
    return bundle(parts, mask)


def secrets_of(config: AppConfig) -> Iterable[str]:
    """Everything in the configuration that nobody else may see."""
    settings = config.settings
    yield from (settings.user, settings.user_password.reveal(), settings.upstream_proxy.reveal())
    yield settings.pac_secret.reveal()
    yield from settings.sealed.values()
    for server in config.servers:
        yield from (server.password.reveal(), server.sealed, server.plugin_opts, server.plugin_args)
        for part in (*server.plugin_opts.split(";"), *server.plugin_args.split()):
            yield part.partition("=")[2]
        yield from server.password.reveal().split(":")  # the keys of a chain of identities
    for one in config.subscriptions:
        yield from (one.sealed, one.url.reveal(), one.url.reveal().partition("://")[2])
    for source in config.rule_lists:
        yield from (source.url.reveal(), source.url.reveal().partition("://")[2])


def _stand_ins(config: AppConfig) -> dict[str, str]:
    """People's words, and what stands for them."""
    words = {group: f"Group {n}" for n, group in enumerate(dict.fromkeys(one.group for one in config.servers), 1)}
    words |= {one.name: f"Subscription {n}" for n, one in enumerate(config.subscriptions, 1)}
    words |= {one.remarks: f"Server {n}" for n, one in enumerate(config.servers, 1)}
    return words | {unique_names(config.servers)[one.id]: f"Server {n}" for n, one in enumerate(config.servers, 1)}


def _about() -> dict[str, Any]:
    return {
        "ssgui": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "machine": platform.machine(),
        "frozen": bool(getattr(sys, "frozen", False)),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "session": {name: os.environ[name] for name in _SESSION if name in os.environ},
    }


def _settings(config: AppConfig) -> dict[str, Any]:
    settings: dict[str, Any] = msgspec.to_builtins(config.settings, enc_hook=_hidden)
    settings["user"] = bool(config.settings.user)
    settings.pop("window", None)
    settings["sealed"] = sorted(config.settings.sealed)
    subscriptions = [
        {"name": one.name, "hours": one.hours, "updated": one.updated, "error": one.error}
        for one in config.subscriptions
    ]
    return {
        "version": config.version,
        "changed_settings": settings,
        "subscriptions": subscriptions,
        "agreed_plugins": [one.partition(" ")[0] for one in config.agreed_plugins],
    }


def _hidden(value: Any) -> bool:
    return bool(value)


def _server(server: Server, number: int, config: AppConfig) -> dict[str, Any]:
    return {
        "number": number + 1,
        "name": server.name,
        "host": server.host,
        "port": server.port,
        "method": server.method,
        "password": bool(server.password),
        "sealed": bool(server.sealed),
        "plugin": server.plugin,
        "plugin_options": bool(server.plugin_opts or server.plugin_args),
        "group": server.group,
        "from_subscription": bool(server.subscription),
        "gone": server.gone,
        "udp": server.udp,
        "usable": usable(server, config.settings.legacy_methods),
        "in_use": server.id == config.current,
    }


def _evidence(context: "AppContext", name: str, now: float) -> dict[str, Any]:
    if not context.evidence.knows(name):
        return {}
    found = context.evidence.of(name)
    return {
        "attempts": found.attempts,
        "unanswered": [{"ago": round(now - at, 1), "how": str(how)} for at, how in found.unanswered],
        "proven": found.proven,
        "last_byte": round(now - found.last_byte, 1) if found.last_byte is not None else None,
        "failures": [{"ago": round(now - one.t, 1), "reason": str(one.reason)} for one in found.failures],
    }


def _connection(one: Connection, now: float) -> dict[str, Any]:
    """How it went, and nothing of where to; rules may name sites, so only whether there was one."""
    return {
        "id": one.id,
        "inbound": one.inbound,
        "ago": round(now - one.opened, 1),
        "route": one.route,
        "by_rule": bool(one.rule),
        "server": one.server,
        "stages": [[stage.name, round(at - one.opened, 4)] for stage, at in one.timeline],
        "up": one.up,
        "down": one.down,
        "first_up": round(one.first_up - one.opened, 4) if one.first_up is not None else None,
        "first_down": round(one.first_down - one.opened, 4) if one.first_down is not None else None,
        "seconds": round(one.age(now), 3),
        "reason": str(one.reason) if one.reason is not None else "",
    }


def _line(line: "LogLine") -> str:
    stamp = datetime.fromtimestamp(line.time, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    return f"{stamp} {logging.getLevelName(line.level)} {line.text}"
