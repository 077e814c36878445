"""The settings the engine runs from. Frozen; times in seconds, addresses as text without brackets."""

from ipaddress import IPv4Network, IPv6Network, ip_network

import msgspec

from ssgui.config.secret import Secret

Network = IPv4Network | IPv6Network

DEFAULT_TIMEOUT = 300.0
DEFAULT_LOCAL_HOST = "127.0.0.1"
DEFAULT_LOCAL_PORT = 1080
DEFAULT_SERVER_HOST = "0.0.0.0"  # noqa: S104  a server is there to be reached
DEFAULT_SERVER_PORT = 8388
DEFAULT_METHOD = "chacha20-ietf-poly1305"

# What a stranger with the password must not reach through the server: the machine itself and its link
# (cloud metadata services live on 169.254.0.0/16). The check adds v4-mapped and NAT64 forms.
DEFAULT_FORBIDDEN: tuple[Network, ...] = tuple(
    ip_network(text) for text in ("127.0.0.0/8", "::1", "0.0.0.0/8", "::", "169.254.0.0/16", "fe80::/10")
)


class ServerProfile(msgspec.Struct, frozen=True):
    """One Shadowsocks server as a client knows it."""

    host: str
    port: int
    method: str
    password: Secret
    remarks: str = ""


class LocalSettings(msgspec.Struct, frozen=True):
    """A client: where it listens, and the servers it chooses from at random for each connection.

    `users` are the (name, password) pairs a SOCKS5 client must give; none means anybody may use it.
    `timeout` is the idle limit, 0 for none.
    """

    servers: tuple[ServerProfile, ...]
    bind_host: str = DEFAULT_LOCAL_HOST
    bind_port: int = DEFAULT_LOCAL_PORT
    timeout: float = DEFAULT_TIMEOUT
    users: tuple[tuple[str, Secret], ...] = ()
    prefer_ipv6: bool = False


class ServerSettings(msgspec.Struct, frozen=True):
    """A server on one port. Targets inside `forbidden` are denied; `nameservers` () are the system's."""

    bind_host: str
    bind_port: int
    method: str
    password: Secret
    timeout: float = DEFAULT_TIMEOUT
    forbidden: tuple[Network, ...] = DEFAULT_FORBIDDEN
    prefer_ipv6: bool = False
    nameservers: tuple[str, ...] = ()
