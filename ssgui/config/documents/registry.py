"""Which formats there are, and which of them a document is of."""

import binascii
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass

from ssgui.config.documents import (
    android,
    clash,
    classic_file,
    gui_config,
    link_list,
    outline,
    own_config,
    shadowsocksx_ng,
    sip008,
)
from ssgui.config.documents.content import Content, open_document, open_text
from ssgui.config.documents.result import Imported, Ledger
from ssgui.config.values import ConfigError

_STANDARD = str.maketrans("-_", "+/", " \t\r\n")


@dataclass(frozen=True, slots=True)
class Format:
    """A format: how it is recognised and read."""

    name: str
    title: str
    recognises: Callable[[Content], bool]
    read: Callable[[Content, Ledger], None]


# The first that recognises a document reads it, so the last ones may be lenient.
FORMATS = (
    Format(gui_config.NAME, gui_config.TITLE, gui_config.recognises, gui_config.read),
    Format(shadowsocksx_ng.NAME, shadowsocksx_ng.TITLE, shadowsocksx_ng.recognises, shadowsocksx_ng.read),
    Format(clash.NAME, clash.TITLE, clash.recognises, clash.read),
    Format(own_config.NAME, own_config.TITLE, own_config.recognises, own_config.read),
    Format(outline.NAME, outline.TITLE, outline.recognises, outline.read),
    Format(classic_file.NAME, classic_file.TITLE, classic_file.recognises, classic_file.read),
    Format(sip008.NAME, sip008.TITLE, sip008.recognises, sip008.read),
    Format(android.NAME, android.TITLE, android.recognises, android.read),
    Format(link_list.NAME, link_list.TITLE, link_list.recognises_tree, link_list.read),
    Format(sip008.OTHER_NAME, sip008.OTHER_TITLE, sip008.recognises_any, sip008.read_any),
    Format(link_list.NAME, link_list.TITLE, link_list.recognises, link_list.read),
)


def read_document(data: bytes) -> Imported:
    """Read a document of any format that is known.

    ConfigError when it cannot be read at all, or has nothing in it that looks like a server. Where single entries
    cannot be used, the notes say which and why.
    """
    content = open_document(data)
    title = ""
    if content.tree is None and "://" not in content.text and (packed := unpack_base64(content.text)):
        content, title = open_text(packed), " in base64"
    chosen = next((one for one in FORMATS if one.recognises(content)), None)
    if chosen is None:
        raise ConfigError("there is no server in it: no link, and no format that is known")
    ledger = Ledger()
    chosen.read(content, ledger)
    result = ledger.finish(chosen.name, chosen.title + title)
    if not result.servers and not result.notes and not result.settings.subscriptions:
        raise ConfigError(f"there is no server in it ({result.title})")
    return result


def unpack_base64(text: str) -> str:
    """The text in base64 of either alphabet, broken into lines or not; "" if it is none."""
    bare = text.translate(_STANDARD).rstrip("=")
    try:
        return b64decode(bare + "=" * (-len(bare) % 4), validate=True).decode("utf-8-sig")
    except (binascii.Error, ValueError):
        return ""
