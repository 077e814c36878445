"""SIP008, and every JSON that has objects with a server and a port in it.

    {"version": 1, "servers": [{"id", "remarks", "server", "server_port", "password", "method", "plugin",
     "plugin_opts"}], "bytes_used": N, "bytes_remaining": N}

Providers leave out the version or the ids, write ports as text, or send the bare list; all of that is read.
"""

from typing import Any

from ssgui.config.documents.content import Content
from ssgui.config.documents.entry import plain_copy, read_entry
from ssgui.config.documents.result import Ledger, shown
from ssgui.config.values import ConfigError

NAME = "sip008"
TITLE = "online configuration (SIP008)"
OTHER_NAME = "json"
OTHER_TITLE = "JSON with servers in it"

_MAX_LOOKED_AT = 200_000  # values; enough for every document of the size that is read
_HOSTS, _PORTS = {"server", "address", "host", "add"}, {"server_port", "port"}


def recognises(content: Content) -> bool:
    """Whether it is one, or nearly."""
    return isinstance(content.tree, dict) and isinstance(content.tree.get("servers"), list)


def read(content: Content, ledger: Ledger) -> None:
    """Read it; what departs from the specification is remarked."""
    tree = content.tree
    for what in departures(tree):
        ledger.remark("document", what)
    for number, item in enumerate(tree["servers"], 1):
        read_entry(ledger, f"entry {number}", item)
    for key, value in tree.items():
        if key in ("version", "servers"):
            continue
        try:
            ledger.extras[key] = plain_copy(value)
        except ConfigError as error:
            ledger.setting(key, f"is not kept: {error}")


def departures(tree: dict[str, Any]) -> list[str]:
    """What the specification would have otherwise, beside the servers."""
    found = []
    version = tree.get("version")
    if version is None:
        found.append("it says no version of SIP008")
    elif version not in (1, "1") or isinstance(version, bool):
        found.append("it has a version of SIP008 that is not known; read like version 1")
    for key in ("bytes_used", "bytes_remaining"):
        value = tree.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            found.append(f"{shown(key)} is no number of bytes")
    if "bytes_remaining" in tree and "bytes_used" not in tree:
        found.append('it has "bytes_remaining" without "bytes_used"')
    return found


def recognises_any(content: Content) -> bool:
    """Any other tree."""
    return isinstance(content.tree, dict | list)


def read_any(content: Content, ledger: Ledger) -> None:
    """Look for servers everywhere in it."""
    waiting: list[tuple[str, Any]] = [("", content.tree)]
    looked_at = 0
    while waiting:
        where, value = waiting.pop()
        looked_at += 1
        if looked_at > _MAX_LOOKED_AT:
            ledger.skip(where, "the rest is not looked at: there is too much in it")
            return
        if isinstance(value, dict):
            if value.keys() & _HOSTS and value.keys() & _PORTS:
                read_entry(ledger, where or "document", value)
            else:
                inner = [
                    (f"{where}.{shown_part(key)}" if where else shown_part(key), one) for key, one in value.items()
                ]
                waiting += reversed([pair for pair in inner if isinstance(pair[1], dict | list)])
        elif isinstance(value, list):
            if len(where) > 500:
                ledger.skip("document", "nested too deep")
                return
            entries = [(f"{where} entry {number}".strip(), one) for number, one in enumerate(value, 1)]
            if not where:
                for place, one in entries:
                    if not isinstance(one, dict | list):
                        ledger.skip(place, "it is no object")
            waiting += reversed([pair for pair in entries if isinstance(pair[1], dict | list)])


def shown_part(key: Any) -> str:
    """A key as a part of a path."""
    text = str(key)
    return text if text.isidentifier() and text.isascii() and len(text) <= 40 else shown(text)
