"""Settings that documents have beside their servers."""

from collections.abc import Mapping
from typing import Any

from ssgui.config.classic_values import is_off
from ssgui.config.documents.entry import read_port
from ssgui.config.documents.result import Ledger
from ssgui.config.values import ConfigError

_MAX_ADDRESS = 8192


def read_local_port(ledger: Ledger, tree: Mapping[str, Any], key: str) -> None:
    """The port of the proxy, if it is there; the first one counts."""
    value = tree.get(key)
    if is_off(value):
        return
    if ledger.local_port is not None:
        ledger.setting(key, "is not imported: one port serves all")
        return
    try:
        ledger.local_port = read_port(value)
    except ConfigError as error:
        ledger.setting(key, f"is not imported: {error}")


def read_subscriptions(ledger: Ledger, tree: Mapping[str, Any], key: str) -> None:
    """An address of an online configuration, or a list of them."""
    value = tree.get(key)
    for number, address in enumerate(value if isinstance(value, list) else [] if is_off(value) else [value], 1):
        if is_web_address(address):
            ledger.subscription(address.strip())
        else:
            ledger.setting(key, f"entry {number} is not imported: it is no https address")


def is_web_address(value: Any) -> bool:
    """Whether it may be fetched."""
    return isinstance(value, str) and len(value) <= _MAX_ADDRESS and value.strip().isprintable() and (
        value.strip().lower().startswith(("https://", "http://"))
    )  # fmt: skip


def read_rest(ledger: Ledger, tree: Mapping[str, Any], taken: frozenset[str]) -> None:
    """Name every other setting that says something."""
    for key, value in tree.items():
        if key not in taken and not key.startswith("_") and not is_off(value):
            ledger.setting(str(key))
