"""`gui-config.json` of shadowsocks-windows, and of shadowsocks-qt5, which exports the same."""

from typing import Any

from ssgui.config.classic_values import is_off
from ssgui.config.documents.content import Content
from ssgui.config.documents.entry import Names, read_entry
from ssgui.config.documents.result import Ledger
from ssgui.config.documents.settings import read_local_port, read_subscriptions

NAME = "gui-config"
TITLE = "gui-config.json of shadowsocks-windows"

# The program takes this method for an entry that names none. Its `timeout` is one of connecting.
_NAMES = Names(
    silent=frozenset({"warnLegacyUrl", "timeout", "local_address", "local_port"}),
    default_method="chacha20-ietf-poly1305",
)
_TAKEN = frozenset({
    "version", "configs", "index", "onlineConfigSource", "localPort", "enabled", "global", "shareOverLan", "strategy",
})  # fmt: skip
# What is on there without anybody having chosen so, or says nothing by itself.
_SILENT = frozenset({
    "firstRun", "isDefault", "portableMode", "secureLocalPac", "regeneratePacOnUpdate", "geositeDirectGroups",
    "geositeProxiedGroups", "userAgent", "skippedUpdateVersion",
})  # fmt: skip


def recognises(content: Content) -> bool:
    """Whether it is one."""
    return isinstance(content.tree, dict) and isinstance(content.tree.get("configs"), list)


def read(content: Content, ledger: Ledger) -> None:
    """Read it."""
    tree = content.tree
    for number, item in enumerate(tree["configs"], 1):
        read_entry(ledger, f"entry {number}", item, _NAMES)
    index = tree.get("index")
    if isinstance(index, int) and index >= 0 and is_off(tree.get("strategy")):
        ledger.use(f"entry {index + 1}")
    read_local_port(ledger, tree, "localPort")
    read_subscriptions(ledger, tree, "onlineConfigSource")
    if isinstance(tree.get("enabled"), bool):
        ledger.mode = ("global" if tree.get("global") is True else "pac") if tree["enabled"] else "off"
    if isinstance(tree.get("shareOverLan"), bool):
        ledger.share = tree["shareOverLan"]
    if not is_off(tree.get("strategy")):
        ledger.setting("strategy", "is not imported: choose here how a server is chosen")
    for key, value in tree.items():
        if key not in _TAKEN and key not in _SILENT and not _says_nothing(value):
            ledger.setting(key)


def _says_nothing(value: Any) -> bool:
    """Whether a setting, or everything in a group of them, is off."""
    if isinstance(value, dict):
        on = [key for key, one in value.items() if not is_off(one)]
        return set(on) <= {"Font", "BackgroundColor", "TextColor", "proxyTimeout"}
    return is_off(value)
