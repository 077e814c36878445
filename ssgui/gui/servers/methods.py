"""The methods that can be chosen: the recommended ones first, old ones below a line, with a warning."""

from PySide6.QtWidgets import QComboBox

from ssgui.gui import icons
from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.methods import METHODS, find_method

_2022 = ("2022-blake3-aes-256-gcm", "2022-blake3-aes-128-gcm", "2022-blake3-chacha20-poly1305")
_LEGACY = ("aes-256-cfb", "aes-128-cfb", "aes-256-ctr", "chacha20-ietf", "rc4-md5")


def fill_methods(box: QComboBox) -> None:
    """The entries of a method field."""
    box.clear()
    for name in (*_2022, *reversed(METHODS)):
        if known(name):
            box.addItem(name, name)
    box.insertSeparator(box.count())
    for name in _LEGACY:
        box.addItem(icons.icon("warning", "warn"), name, name)


def known(method: str) -> bool:
    """Whether the engine speaks it without being asked twice."""
    try:
        find_method(method)
    except LocalProtocolError:
        return False
    return True


def is_legacy(method: str) -> bool:
    """Whether it is one of those that do not protect against changes."""
    return method in _LEGACY
