"""What a person should know about settings that can be run but may not be meant so."""

from collections.abc import Iterable

from ssgui.config.access_list import acl_warnings
from ssgui.config.keys import LEGACY_WEAKNESS, is_legacy
from ssgui.config.models import LocalSettings, PluginSettings, ServerSettings
from ssgui.config.options import Options

_WILDCARDS = ("0.0.0.0", "::")  # noqa: S104


def local_warnings(settings: LocalSettings, options: Options) -> list[str]:
    """What a client is warned about; `options` are those that the settings were made of."""
    warnings = _timeout_warnings(settings.timeout) + _legacy_warnings(server.method for server in settings.servers)
    if settings.bind_host in _WILDCARDS and not settings.users:
        what = "the proxy" if settings.tunnel is None else "the tunnel"
        warnings.append(f"listening on {settings.bind_host}: everybody who reaches this computer can use {what}")
    if settings.udp:
        if any(entry.udp is False for entry in options.servers):
            warnings.append('"mode" of one of "servers" has no effect here: UDP goes to all of them')
        for plugin in {server.plugin.program: server.plugin for server in settings.servers if server.plugin}.values():
            warnings.append(_udp_beside(plugin))
    if settings.acl is not None:
        warnings += acl_warnings(settings.acl)
    if settings.fast_open and settings.upstream_proxy is not None:
        warnings.append("TCP Fast Open has no effect through an upstream proxy")
    if options.tunnel is not None and settings.tunnel is None:
        warnings.append("the tunnel of the file has no effect here: ssgui --headless tunnel is the command for it")
    if options.workers not in (None, 1) or options.manager is not None or options.metrics is not None:
        warnings.append("workers, managers and metrics are a server's: they have no effect here")
    if options.server_users:
        warnings.append('"users" has no effect here: they are the users of a server')
    return warnings


def server_warnings(settings: tuple[ServerSettings, ...], options: Options) -> list[str]:
    """What a server is warned about; `options` are those that the settings were made of."""
    if not settings:  # a manager will name them
        return []
    first = settings[0]
    warnings = _timeout_warnings(first.timeout) + _legacy_warnings(server.method for server in settings)
    for host in dict.fromkeys(server.bind_host for server in settings):
        if host in ("127.0.0.1", "localhost", "::1"):
            warnings.append(f"the server listens on {host}: only programs on this computer reach it")
    if any(server.udp for server in settings):
        for plugin in {server.plugin.program: server.plugin for server in settings if server.plugin}.values():
            warnings.append(_udp_beside(plugin))
    if first.acl is not None:
        warnings += acl_warnings(first.acl)
    if options.tunnel is not None:
        warnings.append("a server has no tunnel: that of the file has no effect")
    return warnings


def _udp_beside(plugin: PluginSettings) -> str:
    return f"the plugin {plugin.program!a} carries TCP only: UDP goes beside it, as it is"


def _legacy_warnings(methods: Iterable[str]) -> list[str]:
    return [f"{name} is an old method: {LEGACY_WEAKNESS}" for name in dict.fromkeys(methods) if is_legacy(name)]


def _timeout_warnings(timeout: float) -> list[str]:
    if 0 < timeout < 100:
        return [f"the timeout of {timeout:g} s is short: connections that wait that long are ended"]
    if timeout > 600:
        return [f"the timeout of {timeout:g} s is long: dead connections are kept that long"]
    return []
