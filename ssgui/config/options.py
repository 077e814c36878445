"""What one source of settings said (flags, a file), how two are laid over each other, and what results.

`Options` leaves out what its source did not say (None, or () for lists). Flags win: `overlay(flags, file)`.
`local_settings` and `server_settings` then make the models the engine runs from, or raise ConfigError.
"""

from ipaddress import ip_address
from typing import TypeVar

import msgspec

from ssgui.config.models import (
    DEFAULT_FORBIDDEN,
    DEFAULT_LOCAL_HOST,
    DEFAULT_LOCAL_PORT,
    DEFAULT_METHOD,
    DEFAULT_SERVER_HOST,
    DEFAULT_SERVER_PORT,
    DEFAULT_TIMEOUT,
    LocalSettings,
    Network,
    ServerProfile,
    ServerSettings,
)
from ssgui.config.secret import Secret
from ssgui.config.values import ConfigError

_T = TypeVar("_T")


class ServerEntry(msgspec.Struct, frozen=True):
    """A server with its own port; the method and password it leaves out are the common ones."""

    host: str
    port: int
    method: str | None = None
    password: Secret | None = None
    remarks: str = ""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Settings as one source gave them. Servers are every host with every port, and `servers`."""

    hosts: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    port_passwords: tuple[tuple[int, Secret], ...] = ()
    servers: tuple[ServerEntry, ...] = ()
    method: str | None = None
    password: Secret | None = None
    bind_host: str | None = None
    bind_port: int | None = None
    timeout: float | None = None
    users: tuple[tuple[str, Secret], ...] = ()
    prefer_ipv6: bool | None = None
    forbidden: tuple[Network, ...] | None = None
    nameservers: tuple[str, ...] = ()
    udp: bool | None = None
    verbosity: int | None = None


def overlay(flags: Options, file: Options) -> Options:
    """`file` with everything that `flags` says instead."""
    return Options(
        hosts=flags.hosts or file.hosts,
        ports=_other_ports(flags, file) if flags.ports else file.ports,
        port_passwords=_port_passwords(flags, file),
        servers=() if flags.hosts else tuple(_overlay_entry(flags, entry) for entry in file.servers),
        method=_first(flags.method, file.method),
        password=_first(flags.password, file.password),
        bind_host=_first(flags.bind_host, file.bind_host),
        bind_port=_first(flags.bind_port, file.bind_port),
        timeout=_first(flags.timeout, file.timeout),
        users=flags.users or file.users,
        prefer_ipv6=_first(flags.prefer_ipv6, file.prefer_ipv6),
        forbidden=_first(flags.forbidden, file.forbidden),
        nameservers=flags.nameservers or file.nameservers,
        udp=_first(flags.udp, file.udp),
        verbosity=_first(flags.verbosity, file.verbosity),
    )


def _first(flag: _T | None, file: _T | None) -> _T | None:
    return file if flag is None else flag


def _port_passwords(flags: Options, file: Options) -> tuple[tuple[int, Secret], ...]:
    """A port flag picks from the file's `port_password`; a password flag is for all that are left."""
    pairs = [pair for pair in file.port_passwords if not flags.ports or pair[0] in flags.ports]
    return tuple((port, flags.password or password) for port, password in pairs)


def _other_ports(flags: Options, file: Options) -> tuple[int, ...]:
    known = {port for port, _ in file.port_passwords}
    return tuple(port for port in flags.ports if port not in known)


def _overlay_entry(flags: Options, entry: ServerEntry) -> ServerEntry:
    return ServerEntry(
        entry.host,
        flags.ports[0] if flags.ports else entry.port,
        flags.method or entry.method,
        flags.password or entry.password,
        entry.remarks,
    )


def with_password(options: Options, password: Secret | None) -> Options:
    """`options` with `password` for everything that has none yet."""
    return options if options.password else msgspec.structs.replace(options, password=password)


def local_settings(options: Options) -> LocalSettings:
    """A client's settings; every server must have host, port and password."""
    if not options.hosts and not options.servers:
        raise ConfigError("no server: give -s HOST, or -c FILE with a server in it")
    if options.hosts and not options.ports and not options.port_passwords:
        raise ConfigError("no server port: give -p PORT, or server_port in the -c file")
    servers = _endpoints(options, options.hosts, options.ports)
    if not all(server.password for server in servers):
        raise ConfigError("no password: give --password-file FILE, -c FILE or SSGUI_PASSWORD (or -k, which ps shows)")
    return LocalSettings(
        servers=servers,
        bind_host=options.bind_host or DEFAULT_LOCAL_HOST,
        bind_port=DEFAULT_LOCAL_PORT if options.bind_port is None else options.bind_port,
        timeout=DEFAULT_TIMEOUT if options.timeout is None else options.timeout,
        users=options.users,
        prefer_ipv6=bool(options.prefer_ipv6),
        udp=bool(options.udp),
    )


def server_settings(options: Options) -> tuple[ServerSettings, ...]:
    """A server's settings, one for each address and port. One that has no password yet has an empty one."""
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
    return tuple(_server(options, endpoint) for endpoint in endpoints)


def _server(options: Options, endpoint: ServerProfile) -> ServerSettings:
    return ServerSettings(
        bind_host=endpoint.host,
        bind_port=endpoint.port,
        method=endpoint.method,
        password=endpoint.password,
        timeout=DEFAULT_TIMEOUT if options.timeout is None else options.timeout,
        forbidden=DEFAULT_FORBIDDEN if options.forbidden is None else options.forbidden,
        prefer_ipv6=bool(options.prefer_ipv6),
        nameservers=options.nameservers,
        udp=bool(options.udp),
    )


def _endpoints(options: Options, hosts: tuple[str, ...], ports: tuple[int, ...]) -> tuple[ServerProfile, ...]:
    method, common = options.method or DEFAULT_METHOD, options.password or Secret("")
    pairs = [*options.port_passwords, *((port, common) for port in ports)]
    from_hosts = [ServerProfile(host, port, method, password) for host in hosts for port, password in pairs]
    from_entries = [
        ServerProfile(entry.host, entry.port, entry.method or method, entry.password or common, entry.remarks)
        for entry in options.servers
    ]
    return (*from_hosts, *from_entries)


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


def local_warnings(settings: LocalSettings) -> list[str]:
    """What the original warned a client about."""
    warnings = _timeout_warnings(settings.timeout)
    if settings.bind_host in ("0.0.0.0", "::") and not settings.users:  # noqa: S104
        warnings.append(f"listening on {settings.bind_host}: everybody who reaches this computer can use the proxy")
    return warnings


def server_warnings(settings: ServerSettings) -> list[str]:
    """What the original warned a server about."""
    warnings = _timeout_warnings(settings.timeout)
    if settings.bind_host in ("127.0.0.1", "localhost", "::1"):
        warnings.append(f"the server listens on {settings.bind_host}: only programs on this computer reach it")
    return warnings


def _timeout_warnings(timeout: float) -> list[str]:
    if 0 < timeout < 100:
        return [f"the timeout of {timeout:g} s is short: connections that wait that long are ended"]
    if timeout > 600:
        return [f"the timeout of {timeout:g} s is long: dead connections are kept that long"]
    return []
