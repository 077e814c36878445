"""The settings the engine runs from. Frozen; times in seconds, addresses as text without brackets."""

from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network

import msgspec

from ssgui.config.secret import Secret
from ssgui.protocol.address import Address, join_host_port
from ssgui.rules.acl import Acl

Network = IPv4Network | IPv6Network

DEFAULT_TIMEOUT = 300.0
DEFAULT_LOCAL_HOST = "127.0.0.1"
DEFAULT_LOCAL_PORT = 1080
DEFAULT_SERVER_HOST = "0.0.0.0"  # noqa: S104  a server is there to be reached
DEFAULT_SERVER_PORT = 8388
DEFAULT_METHOD = "chacha20-ietf-poly1305"
# Answers 204 with nothing; fetched through a server it tells whether that works, and how fast.
DEFAULT_PROBE_URL = "http://www.gstatic.com/generate_204"

# What a stranger with the password must not reach through the server: the machine itself and its link
# (cloud metadata services live on 169.254.0.0/16). The check adds v4-mapped and NAT64 forms.
DEFAULT_FORBIDDEN: tuple[Network, ...] = tuple(
    ip_network(text) for text in ("127.0.0.0/8", "::1", "0.0.0.0/8", "::", "169.254.0.0/16", "fe80::/10")
)


class PluginSettings(msgspec.Struct, frozen=True):
    """A SIP003 plugin: the program, its options (`k=v;k2=v2`) and further arguments."""

    program: str
    options: str = ""
    arguments: tuple[str, ...] = ()


class ServerProfile(msgspec.Struct, frozen=True):
    """One Shadowsocks server as a client knows it.

    `host` and `port` are the server's own, also where a `plugin` carries its TCP connections.
    """

    host: str
    port: int
    method: str
    password: Secret
    remarks: str = ""
    plugin: PluginSettings | None = None


class UpstreamProxy(msgspec.Struct, frozen=True):
    """A proxy through which a client reaches its servers; `kind` is "socks5" or "http"."""

    kind: str
    host: str
    port: int
    user: str = ""
    password: Secret = Secret("")


class ServerUser(msgspec.Struct, frozen=True):
    """One user of a 2022 server: the name that counters and logs show, and a key in base64."""

    name: str
    password: Secret


class ManagerAddress(msgspec.Struct, frozen=True):
    """Where a server takes orders from managers: a unix socket at `path`, or UDP at `host` and `port`."""

    path: str = ""
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        return self.path or join_host_port(self.host, self.port)


class ServerChoice(StrEnum):
    """How a client with several servers chooses one."""

    FIXED = "fixed"  # the first, and another only while that one is dead
    RANDOM = "random"
    AUTO = "auto"  # the fastest, measured


class LocalSettings(msgspec.Struct, frozen=True):
    """A client: where it listens, and the servers that it may use.

    `users` are the (name, password) pairs a program must give; none means anybody may use it.
    `timeout` is the idle limit of TCP, `udp_timeout` that of an association's targets; 0 for none.
    With a `tunnel` the port speaks no proxy protocol: everything goes to that one target.
    """

    servers: tuple[ServerProfile, ...]
    bind_host: str = DEFAULT_LOCAL_HOST
    bind_port: int = DEFAULT_LOCAL_PORT
    timeout: float = DEFAULT_TIMEOUT
    users: tuple[tuple[str, Secret], ...] = ()
    prefer_ipv6: bool = False
    udp: bool = False
    udp_timeout: float = DEFAULT_TIMEOUT
    tunnel: Address | None = None
    choice: ServerChoice = ServerChoice.RANDOM
    probe_url: str = DEFAULT_PROBE_URL
    acl: Acl | None = None
    bypass_lan: bool = False
    fast_open: bool = False
    mptcp: bool = False
    upstream_proxy: UpstreamProxy | None = None
    own_addresses: frozenset[str] = frozenset()  # of this computer; clients from elsewhere never get there
    legacy_methods: frozenset[str] = frozenset()  # stream ciphers that somebody allowed by name


class ServerSettings(msgspec.Struct, frozen=True):
    """A server on one port. Targets inside `forbidden` are denied; `nameservers` () are the system's.

    With `users` (a 2022 AES method) the `password` is the server's key and each user has one of their own.
    `segmented_header` lets the first bytes of a 2022 stream come in pieces (None: only behind a plugin).
    """

    bind_host: str
    bind_port: int
    method: str
    password: Secret
    timeout: float = DEFAULT_TIMEOUT
    forbidden: tuple[Network, ...] = DEFAULT_FORBIDDEN
    prefer_ipv6: bool = False
    nameservers: tuple[str, ...] = ()
    udp: bool = False
    udp_timeout: float = DEFAULT_TIMEOUT
    users: tuple[ServerUser, ...] = ()
    plugin: PluginSettings | None = None
    acl: Acl | None = None
    fast_open: bool = False
    mptcp: bool = False
    segmented_header: bool | None = None
    legacy_methods: frozenset[str] = frozenset()
