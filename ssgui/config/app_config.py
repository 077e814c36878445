"""What the app remembers: servers, subscriptions, settings. Frozen; changed by replacing.

In JSON a server has the keys of SIP008 (`server`, `server_port`, `method`, `password`, `plugin`, `plugin_opts`,
`remarks`, `id`), so that a part of the file is a document that others read.
"""

import shlex
from enum import StrEnum
from typing import Any

import msgspec

from ssgui.config.models import DEFAULT_PROBE_URL, PluginSettings, ServerProfile
from ssgui.config.secret import Secret
from ssgui.protocol.address import join_host_port
from ssgui.rules.model import PolicyMode

VERSION = 1


class Mode(StrEnum):
    """What goes through the server."""

    OFF = "off"
    PAC = "pac"
    RULES = "rules"
    GLOBAL = "global"


class Choice(StrEnum):
    """Which servers may be used."""

    ONE = "one"
    FAILOVER = "failover"  # the chosen one, and another only while that one is dead
    FASTEST = "fastest"  # measured


class HistoryHosts(StrEnum):
    """What of a connection's host the history keeps."""

    NONE = "none"
    HASHED = "hashed"  # with a key of its own: equal hosts stay equal, and none can be read
    CLEAR = "clear"


class Server(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A server of the person's list. `subscription` names where it came from, `gone` that it left there.

    Where the passwords are protected by the system's keyring and its key could not be had, `sealed` is what the
    file says and `password` is empty.
    """

    id: str
    host: str = msgspec.field(name="server")
    port: int = msgspec.field(name="server_port")
    method: str
    password: Secret = Secret("")
    sealed: str = ""
    remarks: str = ""
    plugin: str = ""
    plugin_opts: str = ""
    plugin_args: str = ""
    group: str = ""
    subscription: str = ""
    gone: bool = False
    udp: bool = True

    @property
    def name(self) -> str:
        """What the list shows."""
        if self.remarks:
            return self.remarks
        return join_host_port(self.host, self.port)

    def profile(self) -> ServerProfile:
        """What the engine needs of it."""
        plugin = None
        if self.plugin:
            plugin = PluginSettings(self.plugin, self.plugin_opts, tuple(shlex.split(self.plugin_args)))
        return ServerProfile(self.host, self.port, self.method, self.password, self.remarks, plugin)


def server_of(profile: ServerProfile, identity: str, group: str = "") -> Server:
    """An entry of the list for `profile`: `Server.profile` is the way back."""
    plugin = profile.plugin
    return Server(
        id=identity,
        host=profile.host,
        port=profile.port,
        method=profile.method,
        password=profile.password,
        remarks=profile.remarks,
        plugin=plugin.program if plugin else "",
        plugin_opts=plugin.options if plugin else "",
        plugin_args=shlex.join(plugin.arguments) if plugin else "",
        group=group,
    )


class Subscription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An online list of servers (SIP008, or links). Times are Unix seconds, sizes bytes; 0 is not known."""

    id: str
    url: Secret = Secret("")  # often a password in itself
    sealed: str = ""  # the same, as that of a server
    name: str = ""
    hours: int = 24
    etag: str = ""  # of the list as it was read last
    updated: float = 0.0
    error: str = ""
    bytes_used: int = 0
    bytes_remaining: int = 0
    expires: float = 0.0


class RuleSource(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A list of rules that the person chose; their order is precedence. Without a `url` it comes with ssgui.

    `groups` are those taken out of a dlc.dat. `direct` lists send what they match past the proxy.
    """

    id: str
    url: Secret = Secret("")
    groups: tuple[str, ...] = ()
    name: str = ""
    direct: bool = False
    enabled: bool = True
    hours: int = 24
    etag: str = ""
    updated: float = 0.0
    error: str = ""


STARTER = RuleSource(id="starter")


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The page of settings. "" for language or theme is the system's."""

    mode: Mode = Mode.OFF
    start_mode: str = ""  # a mode to begin with; "" begins as it was left
    leave_system_proxy: bool = False
    local_port: int = 1080
    share: bool = False
    user: str = ""
    user_password: Secret = Secret("")
    choice: Choice = Choice.ONE
    udp: bool = True
    timeout: float = 300.0
    prefer_ipv6: bool = False
    fast_open: bool = False
    probe_url: str = DEFAULT_PROBE_URL
    legacy_methods: tuple[str, ...] = ()
    upstream_proxy: Secret = Secret("")  # an address, perhaps with a name and a password in it
    start_minimised: bool = False
    language: str = ""
    theme: str = ""
    check_updates: bool = True
    fetch_directly: bool = False  # subscriptions, where our own proxy fails; who looks on sees it
    rules_mode: PolicyMode = PolicyMode.LIST  # what PAC and Rules do with what no list knows
    fail_open: bool = False  # browsers go directly where our port does not answer
    ask_dns: bool = False  # names are looked up here to judge them by lists of addresses
    pac_secret: Secret = Secret("")
    log_level: str = "info"
    keep_history: bool = True
    history_hosts: HistoryHosts = HistoryHosts.NONE  # where one goes is nobody's business: not on a disk unless asked
    history_days: int = 30
    history_megabytes: int = 50
    keyring: bool = False
    sealed: dict[str, str] = msgspec.field(default_factory=dict)  # by the name of the setting
    window: dict[str, Any] = msgspec.field(default_factory=dict)


class AppConfig(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. `current` is the id of the server in use; `agreed_plugins` what may be started, each once asked."""

    version: int = VERSION
    servers: tuple[Server, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    current: str = ""
    settings: Settings = Settings()
    agreed_plugins: tuple[str, ...] = ()
    rule_lists: tuple[RuleSource, ...] = (STARTER,)

    def server(self, identity: str) -> Server | None:
        """The server with this id."""
        return next((server for server in self.servers if server.id == identity), None)
