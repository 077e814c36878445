"""What one source of settings said (flags, a file), and how two are laid over each other.

`Options` leaves out what its source did not say (None, or () for lists). Flags win: `overlay(flags, file)`.
`ssgui.config.settings` makes of it the models the engine runs from.
"""

from typing import Any

import msgspec

from ssgui.config.models import ManagerAddress, Network, PluginSettings, ServerChoice, ServerUser, UpstreamProxy
from ssgui.config.secret import Secret
from ssgui.protocol.address import Address


class ServerEntry(msgspec.Struct, frozen=True):
    """A server with its own port; what it leaves out is the common one. `udp` is for who serves on it."""

    host: str
    port: int
    method: str | None = None
    password: Secret | None = None
    remarks: str = ""
    plugin: PluginSettings | None = None
    users: tuple[ServerUser, ...] = ()
    udp: bool | None = None


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Settings as one source gave them. Servers are every host with every port, and `servers`.

    `users` are the pairs a program gives to a client, `server_users` those of a server. `acl` is a file's name.
    A `plugin` whose program is "" is none, also where the other source has one. `metrics` is an address.
    """

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
    server_users: tuple[ServerUser, ...] = ()
    prefer_ipv6: bool | None = None
    forbidden: tuple[Network, ...] | None = None
    nameservers: tuple[str, ...] = ()
    udp: bool | None = None
    udp_timeout: float | None = None
    tunnel: Address | None = None
    choice: ServerChoice | None = None
    probe_url: str | None = None
    plugin: PluginSettings | None = None
    acl: str | None = None
    bypass_lan: bool | None = None
    fast_open: bool | None = None
    mptcp: bool | None = None
    upstream_proxy: UpstreamProxy | None = None
    segmented_header: bool | None = None
    legacy_methods: tuple[str, ...] = ()
    workers: int | None = None
    manager: ManagerAddress | None = None
    metrics: tuple[str, int] | None = None
    verbosity: int | None = None


_UNSAID = Options()
_APART = frozenset({"ports", "port_passwords", "servers", "legacy_methods"})


def overlay(flags: Options, file: Options) -> Options:
    """`file` with everything that `flags` says instead."""
    laid: dict[str, Any] = {
        name: getattr(file if getattr(flags, name) == getattr(_UNSAID, name) else flags, name)
        for name in Options.__struct_fields__
        if name not in _APART
    }
    return Options(
        ports=_other_ports(flags, file) if flags.ports else file.ports,
        port_passwords=_port_passwords(flags, file),
        servers=() if flags.hosts else tuple(_overlay_entry(flags, entry) for entry in file.servers),
        legacy_methods=(*file.legacy_methods, *flags.legacy_methods),
        **laid,
    )


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
        flags.plugin or entry.plugin,
        entry.users,
        entry.udp if flags.udp is None else flags.udp,
    )


def with_password(options: Options, password: Secret | None) -> Options:
    """`options` with `password` for everything that has none yet."""
    return options if options.password else msgspec.structs.replace(options, password=password)


def with_proxy(options: Options, proxy: UpstreamProxy | None) -> Options:
    """`options` with `proxy` if they name none."""
    return options if options.upstream_proxy else msgspec.structs.replace(options, upstream_proxy=proxy)
