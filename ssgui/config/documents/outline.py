"""Access keys of Outline: the object of a static one, and the `transport` of newer ones, in JSON or YAML."""

from typing import Any

from ssgui.config.classic_values import is_off
from ssgui.config.documents.content import Content
from ssgui.config.documents.entry import Names, read_entry, read_name
from ssgui.config.documents.link_list import read_link
from ssgui.config.documents.result import Ledger, shown
from ssgui.config.values import ConfigError
from ssgui.protocol.links import find_links

NAME = "outline"
TITLE = "access key of Outline"

_MAX_DEPTH = 8
_PREFIX = "prefix (Outline's disguise of the first bytes) is not supported"
_NAMES = Names(
    method=("method", "cipher"), password=("password", "secret"), silent=frozenset({"prefix", "$type", "endpoint"})
)


def recognises(content: Content) -> bool:
    """Whether it is one."""
    tree = content.tree
    if not isinstance(tree, dict):
        return False
    if "transport" in tree or "$type" in tree:
        return True
    if isinstance(tree.get("error"), dict | str) and "server" not in tree:
        return True
    return "prefix" in tree and "server" in tree and "server_port" in tree


def read(content: Content, ledger: Ledger) -> None:
    """Read it. What a provider says instead of a key is raised, in its own words."""
    tree = content.tree
    if "error" in tree and not is_off(tree["error"]):
        raise ConfigError(f"its provider says: {_said(tree['error'])}")
    if "transport" in tree:
        _transport(ledger, "transport", tree["transport"], 0)
    elif "$type" in tree:
        _transport(ledger, "transport", tree, 0)
    else:
        _shadowsocks(ledger, "document", tree)


def _said(error: Any) -> str:
    if not isinstance(error, dict):
        return read_name(error)[:500]
    return " ".join(text for key in ("message", "details") if (text := read_name(error.get(key))[:500]))


def _transport(ledger: Ledger, where: str, value: Any, depth: int) -> None:
    if isinstance(value, str):
        found = next(find_links(value), None)
        if found is None:
            ledger.skip(where, "it is no link")
        else:
            read_link(ledger, where, found)
        return
    kind = value.get("$type", "shadowsocks") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(kind, str) or depth > _MAX_DEPTH:
        ledger.skip(where, "it is no transport")
    elif kind == "tcpudp":
        _transport(ledger, f"{where}.tcp", value.get("tcp"), depth + 1)
        if not _same(value.get("tcp"), value.get("udp")):
            ledger.remark(f"{where}.udp", "UDP goes another way there; here it goes the way of TCP")
    elif kind == "first-supported":
        options = value.get("options")
        for number, one in enumerate(options[:100] if isinstance(options, list) else [], 1):
            _transport(ledger, f"{where} option {number}", one, depth + 1)
    elif kind == "shadowsocks":
        _shadowsocks(ledger, where, value)
    else:
        ledger.skip(where, f"the transport {shown(kind)} is not supported")


def _same(one: Any, other: Any) -> bool:
    if not isinstance(one, dict) or not isinstance(other, dict):
        return isinstance(one, str) and one == other
    return all(one.get(key) == other.get(key) for key in ("endpoint", "cipher", "secret"))


def _shadowsocks(ledger: Ledger, where: str, tree: dict[str, Any]) -> None:
    item = dict(tree)
    endpoint = item.get("endpoint")
    if isinstance(endpoint, dict):
        kind = endpoint.get("$type", "dial")
        if kind != "dial":
            ledger.skip(where, f"the endpoint {shown(str(kind))} is not supported")
            return
        endpoint = endpoint.get("address")
    if isinstance(endpoint, str):
        item["server"], _, item["server_port"] = endpoint.rpartition(":")
    read_entry(ledger, where, item, _NAMES)
    if not is_off(tree.get("prefix")):
        ledger.remark(where, _PREFIX)
