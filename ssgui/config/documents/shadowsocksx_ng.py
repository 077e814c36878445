"""The preferences of ShadowsocksX-NG, a property list in XML or binary."""

from ssgui.config.classic_values import is_off
from ssgui.config.documents.content import Content
from ssgui.config.documents.entry import Names, read_entry
from ssgui.config.documents.result import Ledger
from ssgui.config.documents.settings import read_local_port, read_rest

NAME = "shadowsocksx-ng"
TITLE = "preferences of ShadowsocksX-NG"

_NAMES = Names(
    host=("ServerHost",), port=("ServerPort",), method=("Method",), password=("Password",), remarks=("Remark",),
    identity=("Id",), plugin=("Plugin",), options=("PluginOptions",),
)  # fmt: skip
_MODES = {"auto": "pac", "global": "global", "manual": "off"}
_TAKEN = frozenset({
    "ServerProfiles", "ActiveServerProfileId", "LocalSocks5.ListenPort", "ShadowsocksOn", "ShadowsocksRunningMode",
    "LocalSocks5.EnableUDPRelay", "LocalSocks5.ListenAddress", "LocalSocks5.Timeout",
})  # fmt: skip


def recognises(content: Content) -> bool:
    """Whether it is one."""
    return content.syntax == "plist" and isinstance(content.tree, dict) and "ServerProfiles" in content.tree


def read(content: Content, ledger: Ledger) -> None:
    """Read it."""
    tree = {key: value for key, value in content.tree.items() if isinstance(key, str)}
    profiles = tree["ServerProfiles"]
    for number, item in enumerate(profiles if isinstance(profiles, list) else [profiles], 1):
        where = f"entry {number}"
        read_entry(ledger, where, item, _NAMES)
        if isinstance(item, dict) and item.get("Id") == tree.get("ActiveServerProfileId"):
            ledger.use(where)
    read_local_port(ledger, tree, "LocalSocks5.ListenPort")
    mode = tree.get("ShadowsocksRunningMode")
    if tree.get("ShadowsocksOn") is False:
        ledger.mode = "off"
    elif isinstance(mode, str):
        ledger.mode = _MODES.get(mode, "")
    if isinstance(tree.get("LocalSocks5.EnableUDPRelay"), bool):
        ledger.udp = tree["LocalSocks5.EnableUDPRelay"]
    if not is_off(tree.get("LocalSocks5.ListenAddress")) and tree["LocalSocks5.ListenAddress"] != "127.0.0.1":
        ledger.setting("LocalSocks5.ListenAddress")
    # What begins with NS, Apple or SU belongs to windows and updates of that program.
    own = {key: value for key, value in tree.items() if not key.startswith(("NS", "Apple", "SU"))}
    read_rest(ledger, own, _TAKEN)
