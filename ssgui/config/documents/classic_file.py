"""The configuration of shadowsocks (Python), -libev and -rust, as a list of servers.

`ssgui.config.classic` reads the same for running it; here one bad entry costs only itself.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ssgui.config.classic_values import is_off, split_port
from ssgui.config.documents.content import Content
from ssgui.config.documents.entry import read_entry
from ssgui.config.documents.result import Ledger, shown
from ssgui.config.documents.settings import read_local_port, read_rest, read_subscriptions
from ssgui.config.models import DEFAULT_METHOD

NAME = "classic"
TITLE = "configuration of shadowsocks"

_MAX_PAIRS = 10_000
_COMMON = ("method", "password", "plugin", "plugin_opts", "plugin_args", "one_time_auth", "auth")
_ITS_OWN = frozenset(
    {"local_port", "local_address", "port_password", "locals", "mode", "fast_open", "workers", "online_config"}
)
_TAKEN = frozenset({
    "server", "server_port", "servers", "port_password", "local_port", "locals", "mode", "online_config", "remarks",
    "name", "id", "group", "local_address", "version", "no_delay", "keep_alive", "timeout", *_COMMON,
})  # fmt: skip


def recognises(content: Content) -> bool:
    """Whether it is one: a server and its port, or a key that only these programs have."""
    tree = content.tree
    if not isinstance(tree, dict) or content.syntax == "yaml":
        return False
    if isinstance(tree.get("servers"), list):
        return bool(tree.keys() & _ITS_OWN)
    return "server" in tree and bool(tree.keys() & {"server_port", "port_password"} or isinstance(tree["server"], list))


def read(content: Content, ledger: Ledger) -> None:
    """Read it."""
    tree: dict[str, Any] = content.tree
    common = {key: tree[key] for key in _COMMON if key in tree}
    for where, item in _entries(tree, common, ledger):
        if is_off(item.get("method")):
            ledger.remark(where, f"it names no method: {DEFAULT_METHOD} is taken")
            item = {**item, "method": DEFAULT_METHOD}
        if not is_off(item.pop("disabled", None)):
            ledger.remark(where, "it was switched off there")
        read_entry(ledger, where, item)
    if isinstance(tree.get("mode"), str):
        ledger.udp = tree["mode"] in ("tcp_and_udp", "udp_only")
    read_local_port(ledger, tree, "local_port")
    for item in tree["locals"] if isinstance(tree.get("locals"), list) else []:
        if isinstance(item, Mapping):
            read_local_port(ledger, item, "local_port")
    online = tree.get("online_config")
    if isinstance(online, Mapping):
        read_subscriptions(ledger, online, "config_url")
    read_rest(ledger, tree, _TAKEN)


def _entries(tree: dict[str, Any], common: dict[str, Any], ledger: Ledger) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every host with every port, and `servers`."""
    names: dict[str, Any] = {key: tree[key] for key in ("remarks", "name", "id", "group") if key in tree}
    ports = tree.get("port_password")
    pairs = [*ports.items()] if isinstance(ports, dict) else [(port, None) for port in _listed(tree.get("server_port"))]
    hosts = _listed(tree.get("server"))
    if len(hosts) * len(pairs) > _MAX_PAIRS:
        ledger.skip("server", f"more than {_MAX_PAIRS} servers")
        hosts = []
    for number, host in enumerate(hosts, 1):
        where = "server" if len(hosts) == 1 else f"server {number}"
        own, own_port = split_port(host) if isinstance(host, str) else (host, None)
        for port, password in [(own_port, None)] if own_port else pairs or [(None, None)]:
            given = common if password is None else {**common, "password": password}
            place = where if len(pairs) < 2 or own_port else f"{where}, port {shown(str(port))}"
            yield place, {**names, **given, "server": own, "server_port": port}
    for number, item in enumerate(_listed(tree.get("servers")), 1):
        if isinstance(item, dict):
            yield f"entry {number}", {**common, **item}
        else:
            ledger.skip(f"entry {number}", "it is no object")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
