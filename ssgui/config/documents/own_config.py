"""`config.json` of this program's own data directory, from here or from another computer."""

from ssgui.config.documents.content import Content
from ssgui.config.documents.entry import Names, read_entry
from ssgui.config.documents.result import Ledger
from ssgui.config.documents.settings import read_local_port, read_rest, read_subscriptions

NAME = "ssgui"
TITLE = "configuration of ssgui"

_NAMES = Names(silent=frozenset({"subscription", "gone", "udp", "sealed"}))
_MODES = ("off", "pac", "rules", "global")
_TAKEN = frozenset({"local_port", "mode", "share", "window"})


def recognises(content: Content) -> bool:
    """Whether it is one."""
    tree = content.tree
    return (
        isinstance(tree, dict)
        and isinstance(tree.get("servers"), list)
        and isinstance(tree.get("settings"), dict)
        and isinstance(tree.get("subscriptions"), list)
    )


def read(content: Content, ledger: Ledger) -> None:
    """Read it."""
    tree = content.tree
    for number, item in enumerate(tree["servers"], 1):
        where = f"entry {number}"
        read_entry(ledger, where, item, _NAMES)
        if isinstance(item, dict) and item.get("id") == tree.get("current"):
            ledger.use(where)
    for item in tree["subscriptions"]:
        if isinstance(item, dict):
            read_subscriptions(ledger, item, "url")
    settings = tree["settings"]
    read_local_port(ledger, settings, "local_port")
    ledger.mode = settings["mode"] if settings.get("mode") in _MODES else ""
    ledger.share = settings["share"] if isinstance(settings.get("share"), bool) else None
    read_rest(ledger, settings, _TAKEN)
