"""The configuration of Clash and its kin, in YAML: `proxies` of the type ss."""

import re
from typing import Any

from ssgui.config.classic_values import is_off
from ssgui.config.documents.content import Content
from ssgui.config.documents.entry import Names, read_entry, read_name
from ssgui.config.documents.result import Ledger, shown
from ssgui.config.documents.settings import is_web_address, read_local_port, read_rest
from ssgui.config.values import ConfigError

NAME = "clash"
TITLE = "configuration of Clash"

_NAMES = Names(
    host=("server",), port=("port",), method=("cipher",), remarks=("name",),
    silent=frozenset({"type", "udp", "tfo", "plugin-opts", "obfs", "obfs-host", "ip-version"}),
)  # fmt: skip
_MODES = {"global": "global", "rule": "rules", "direct": "off"}
_PORTS = ("mixed-port", "socks-port", "port")
_TAKEN = frozenset({"proxies", "Proxy", "proxy-providers", "mode", "allow-lan", *_PORTS})


def recognises(content: Content) -> bool:
    """Whether it is one."""
    tree = content.tree
    return isinstance(tree, dict) and any(key in tree for key in ("proxies", "Proxy", "proxy-providers"))


def read(content: Content, ledger: Ledger) -> None:
    """Read it."""
    tree = content.tree
    for key in ("proxies", "Proxy"):
        proxies = tree.get(key)
        for number, item in enumerate(proxies if isinstance(proxies, list) else [], 1):
            _proxy(ledger, f"entry {number}", item)
    providers = tree.get("proxy-providers")
    for name, provider in (providers if isinstance(providers, dict) else {}).items():
        if isinstance(provider, dict) and is_web_address(provider.get("url")):
            ledger.subscription(provider["url"].strip())
        else:
            ledger.setting(f"proxy-providers.{name}", "is not imported: it has no https address")
    for key in _PORTS:
        read_local_port(ledger, tree, key)
    ledger.mode = _MODES.get(str(tree.get("mode", "")).lower(), "")
    if "allow-lan" in tree:
        ledger.share = _yes(tree["allow-lan"])
    read_rest(ledger, tree, _TAKEN)


def _proxy(ledger: Ledger, where: str, item: Any) -> None:
    if isinstance(item, dict) and (name := read_name(item.get("name"))):
        where = f"{where} ({shown(name)})"
    with ledger.reading(where):
        if not isinstance(item, dict):
            raise ConfigError("it is no mapping")
        if item.get("type") != "ss":
            raise ConfigError(f"servers of the type {shown(str(item.get('type')))} are not supported, only ss")
        plugin, options, lost = _plugin(item)
        entry = {key: value for key, value in item.items() if key not in ("plugin", "obfs")}
        if plugin:
            entry |= {"plugin": plugin, "plugin_opts": options}
        read_entry(ledger, where, entry, _NAMES)
        for key in lost:
            ledger.remark(where, f"the option {shown(key)} of its plugin has no effect")


def _plugin(item: dict[str, Any]) -> tuple[str, str, list[str]]:
    """The plugin of SIP003 that does the same, its options, and those that it has not."""
    name, given = item.get("plugin"), item.get("plugin-opts")
    if is_off(name) and not is_off(item.get("obfs")):  # of old
        name, given = "obfs", {"mode": item["obfs"], "host": item.get("obfs-host")}
    if is_off(name):
        return "", "", []
    options = {key: value for key, value in given.items() if not is_off(value)} if isinstance(given, dict) else {}
    if name in ("obfs", "obfs-local"):
        return "obfs-local", *_written(
            [("obfs", options.pop("mode", "http")), ("obfs-host", options.pop("host", None))], options
        )
    if name == "v2ray-plugin":
        return "v2ray-plugin", *_v2ray(options, given)
    raise ConfigError(f"its plugin {shown(str(name))} is one of Clash alone and cannot be started")


def _v2ray(options: dict[str, Any], given: Any) -> tuple[str, list[str]]:
    mode = options.pop("mode", "websocket")
    if mode != "websocket":
        raise ConfigError(f"the mode {shown(str(mode))} of its plugin is not known")
    tls, multiplexed = _yes(options.pop("tls", "")), given.get("mux", "true") if isinstance(given, dict) else "true"
    options.pop("mux", None)
    pairs = [
        ("tls", True if tls else None), ("host", options.pop("host", None)), ("path", options.pop("path", None)),
        ("mux", None if _yes(multiplexed) else "0"),
    ]  # fmt: skip
    return _written(pairs, options)


def _written(pairs: list[tuple[str, Any]], rest: dict[str, Any]) -> tuple[str, list[str]]:
    """Options as SIP003 writes them, with its escapes."""
    parts = []
    for key, value in pairs:
        if value is True:
            parts.append(key)
        elif isinstance(value, str | int):
            parts.append(f"{key}=" + re.sub(r"([\\;=])", r"\\\1", str(value)))
    return ";".join(parts), [str(key) for key in rest]


def _yes(value: Any) -> bool:
    return str(value).lower() in ("true", "yes", "on", "1")
