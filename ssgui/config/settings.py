"""Makes of complete `Options` the models the engine runs from; ConfigError for what cannot be run."""

import sys
from collections.abc import Iterable
from ipaddress import ip_address

import msgspec

from ssgui.config.access_list import read_acl
from ssgui.config.keys import check_allowed, check_key, check_users
from ssgui.config.models import (
    DEFAULT_FORBIDDEN,
    DEFAULT_LOCAL_HOST,
    DEFAULT_LOCAL_PORT,
    DEFAULT_METHOD,
    DEFAULT_PROBE_URL,
    DEFAULT_SERVER_HOST,
    DEFAULT_SERVER_PORT,
    DEFAULT_TIMEOUT,
    LocalSettings,
    PluginSettings,
    ServerChoice,
    ServerProfile,
    ServerSettings,
)
from ssgui.config.options import Options, ServerEntry
from ssgui.config.secret import Secret
from ssgui.config.values import ConfigError, located
from ssgui.protocol.address import Address, join_host_port
from ssgui.rules.acl import Acl


def tunnel_settings(options: Options) -> LocalSettings:
    """A client's settings whose port leads to one target."""
    if options.tunnel is None:
        raise ConfigError("no target: give -L HOST:PORT, or tunnel_address in the -c file")
    return _local(options, options.tunnel)


def local_settings(options: Options) -> LocalSettings:
    """A client's settings; every server must have host, port and a password that fits its method."""
    return _local(options, None)


def _local(options: Options, tunnel: Address | None) -> LocalSettings:
    if not options.hosts and not options.servers:
        raise ConfigError("no server: give -s HOST, or -c FILE with a server in it")
    if options.hosts and not options.ports and not options.port_passwords:
        raise ConfigError("no server port: give -p PORT, or server_port in the -c file")
    servers = tuple(_profile(options, entry) for entry in _endpoints(options, options.hosts, options.ports))
    if not all(server.password for server in servers):
        raise ConfigError("no password: give --password-file FILE, -c FILE or SSGUI_PASSWORD (or -k, which ps shows)")
    for server in servers:
        _check(options, server)
        if server.plugin is not None and options.upstream_proxy is not None:
            raise ConfigError(f"{_name(server)}: its plugin connects by itself, not through the upstream proxy")
    return LocalSettings(
        servers=servers,
        bind_host=options.bind_host or DEFAULT_LOCAL_HOST,
        bind_port=DEFAULT_LOCAL_PORT if options.bind_port is None else options.bind_port,
        timeout=_or(options.timeout, DEFAULT_TIMEOUT),
        users=options.users,
        prefer_ipv6=bool(options.prefer_ipv6),
        udp=bool(options.udp),
        udp_timeout=_or(options.udp_timeout, DEFAULT_TIMEOUT),
        tunnel=tunnel,
        choice=options.choice or ServerChoice.RANDOM,
        probe_url=options.probe_url or DEFAULT_PROBE_URL,
        acl=_acl(options),
        bypass_lan=bool(options.bypass_lan),
        fast_open=bool(options.fast_open),
        mptcp=bool(options.mptcp),
        upstream_proxy=options.upstream_proxy,
        legacy_methods=frozenset(options.legacy_methods),
    )


def server_settings(options: Options) -> tuple[ServerSettings, ...]:
    """A server's settings, one for each address and port. One that has no password yet has an empty one.

    There is none where a manager will say what to serve, and nothing else says it.
    """
    if options.manager is not None and not (options.ports or options.port_passwords or options.servers):
        return ()
    hosts, ports = options.hosts, options.ports
    if not options.servers or options.port_passwords:
        hosts = hosts or (DEFAULT_SERVER_HOST,)
    if not options.port_passwords:
        ports = ports or (DEFAULT_SERVER_PORT,)
    endpoints = _endpoints(options, _without_covered(hosts), ports)
    taken: set[tuple[str, int]] = set()
    for endpoint in endpoints:
        if endpoint.port and (endpoint.host, endpoint.port) in taken:
            raise ConfigError(f"port {endpoint.port} of {endpoint.host} is there twice")
        taken.add((endpoint.host, endpoint.port))
    acl = _acl(options)
    return tuple(_server(options, endpoint, acl) for endpoint in endpoints)


def check_workers(count: int, servers: Iterable[ServerSettings]) -> None:
    """ConfigError when so many processes cannot serve this here."""
    if count < 2:
        return
    if sys.platform != "linux":
        raise ConfigError("--workers: this system does not share a port among processes (SO_REUSEPORT of Linux)")
    if any(one.plugin is not None for one in servers):
        raise ConfigError("--workers: a plugin is one process that everything goes through: there is nothing to share")


def managed_server(options: Options, entry: ServerEntry, acl: Acl | None) -> tuple[ServerSettings, ...]:
    """What a manager wants served on the port of `entry`, at every address that `options` name; else as they say.

    The entry's own host has no meaning. ConfigError.
    """
    hosts = _without_covered(options.hosts) or tuple(dict.fromkeys(one.host for one in options.servers))
    entries = [msgspec.structs.replace(entry, host=host) for host in hosts or (DEFAULT_SERVER_HOST,)]
    common = msgspec.structs.replace(options, server_users=())
    return tuple(_server(common, one, acl) for one in entries)


def _server(options: Options, endpoint: ServerEntry, acl: Acl | None) -> ServerSettings:
    profile = _profile(options, endpoint)
    users = endpoint.users or options.server_users
    _check(options, profile)
    with located(_name(profile)):
        check_users(profile.method, users)
    return ServerSettings(
        bind_host=profile.host,
        bind_port=profile.port,
        method=profile.method,
        password=profile.password,
        timeout=_or(options.timeout, DEFAULT_TIMEOUT),
        forbidden=DEFAULT_FORBIDDEN if options.forbidden is None else options.forbidden,
        prefer_ipv6=bool(options.prefer_ipv6),
        nameservers=options.nameservers,
        udp=bool(options.udp if endpoint.udp is None else endpoint.udp),
        udp_timeout=_or(options.udp_timeout, DEFAULT_TIMEOUT),
        users=users,
        plugin=profile.plugin,
        acl=acl,
        fast_open=bool(options.fast_open),
        mptcp=bool(options.mptcp),
        segmented_header=options.segmented_header,
        legacy_methods=frozenset(options.legacy_methods),
    )


def _acl(options: Options) -> Acl | None:
    return read_acl(options.acl) if options.acl else None


def _endpoints(options: Options, hosts: tuple[str, ...], ports: tuple[int, ...]) -> tuple[ServerEntry, ...]:
    pairs = [*options.port_passwords, *((port, None) for port in ports)]
    from_hosts = [ServerEntry(host, port, password=password) for host in hosts for port, password in pairs]
    return (*from_hosts, *options.servers)


def _profile(options: Options, entry: ServerEntry) -> ServerProfile:
    return ServerProfile(
        entry.host,
        entry.port,
        entry.method or options.method or DEFAULT_METHOD,
        entry.password or options.password or Secret(""),
        entry.remarks,
        _plugin(entry.plugin or options.plugin),
    )


def _plugin(plugin: PluginSettings | None) -> PluginSettings | None:
    return plugin if plugin is not None and plugin.program else None


def _check(options: Options, profile: ServerProfile) -> None:
    with located(_name(profile)):
        check_allowed(profile.method, options.legacy_methods)
        if profile.password:
            check_key(profile.method, profile.password)


def _name(profile: ServerProfile) -> str:
    return f"server {join_host_port(profile.host, profile.port)}"


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _without_covered(hosts: tuple[str, ...]) -> tuple[str, ...]:
    """Listening on :: covers IPv4, so the usual pair ["::", "0.0.0.0"] is one listener."""
    if any(_is_any6(host) for host in hosts):
        return tuple(host for host in hosts if host != "0.0.0.0")  # noqa: S104
    return hosts


def _is_any6(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.version == 6 and address.is_unspecified
