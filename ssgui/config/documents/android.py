"""What shadowsocks-android exports: a list of servers, each with settings of its own."""

from ssgui.config.documents.content import Content
from ssgui.config.documents.entry import Names, read_entry
from ssgui.config.documents.result import Ledger

NAME = "android"
TITLE = "export of shadowsocks-android"

_NAMES = Names(silent=frozenset({"udpdns"}))
_ITS_OWN = {"route", "remote_dns", "metered", "proxy_apps", "udpdns", "udp_fallback"}


def recognises(content: Content) -> bool:
    """Whether it is one."""
    tree = content.tree
    return isinstance(tree, list) and any(isinstance(item, dict) and item.keys() & _ITS_OWN for item in tree)


def read(content: Content, ledger: Ledger) -> None:
    """Read it."""
    for number, item in enumerate(content.tree, 1):
        read_entry(ledger, f"entry {number}", item, _NAMES)
