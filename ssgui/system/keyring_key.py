"""The one random key that the system's keyring holds for us: read, and made where there is none.

Everything in here may take as long as a person takes to unlock the keyring: it is work for a thread.
"""

import secrets
from base64 import b64decode, b64encode
from binascii import Error
from enum import StrEnum

SERVICE, NAME = "ssgui", "key of the passwords"
_SIZE = 32
_RECOMMENDED = 1  # of keyring's priorities: below it are those that keep nothing, or in the clear


class Trouble(StrEnum):
    """Why there is no key."""

    NO_KEYRING = "no-keyring"
    REFUSED = "refused"
    LOST = "lost"


class KeyringError(Exception):
    """There is no key; `trouble` says why, the message what the keyring said."""

    def __init__(self, trouble: Trouble, message: str = "") -> None:
        super().__init__(message or str(trouble))
        self.trouble = trouble


def read_key() -> bytes:
    """The key. KeyringError; LOST if the keyring can be asked and has none."""
    text = _ask("get")
    if text is None:
        raise KeyringError(Trouble.LOST)
    try:
        key = b64decode(text, validate=True)
    except Error:
        key = b""
    if len(key) != _SIZE:
        raise KeyringError(Trouble.LOST, "what the keyring holds is no key")
    return key


def read_or_make_key() -> bytes:
    """The key that is there, or a new one, once the keyring has given it back. KeyringError."""
    try:
        return read_key()
    except KeyringError as error:
        if error.trouble is not Trouble.LOST:
            raise
    key = secrets.token_bytes(_SIZE)
    _ask("set", b64encode(key).decode())
    try:
        if read_key() == key:
            return key
    except KeyringError as error:
        raise KeyringError(Trouble.REFUSED, str(error)) from None
    raise KeyringError(Trouble.REFUSED, "the keyring gives back something else")


def forget_key() -> None:
    """The keyring holds nothing of ours any more. KeyringError where there is one and it refuses."""
    try:
        if _ask("get") is not None:
            _ask("delete")
    except KeyringError as error:
        if error.trouble is not Trouble.NO_KEYRING:
            raise


def _ask(what: str, value: str = "") -> str | None:
    try:
        import keyring
        from keyring.errors import InitError, NoKeyringError
        from keyring.errors import KeyringError as Failure
    except ImportError:
        raise KeyringError(Trouble.NO_KEYRING, "the library keyring is not installed") from None
    try:
        if getattr(keyring.get_keyring(), "priority", 0) < _RECOMMENDED:
            raise KeyringError(Trouble.NO_KEYRING)
        if what == "get":
            return keyring.get_password(SERVICE, NAME)
        if what == "delete":
            keyring.delete_password(SERVICE, NAME)
        else:
            keyring.set_password(SERVICE, NAME, value)
    except (InitError, NoKeyringError):  # a service that cannot be reached is none
        raise KeyringError(Trouble.NO_KEYRING) from None
    except Failure as error:
        raise KeyringError(Trouble.REFUSED, type(error).__name__) from None
    except KeyringError:
        raise
    except Exception as error:  # noqa: BLE001  backends raise whatever their bus or library raises
        raise KeyringError(Trouble.REFUSED, type(error).__name__) from None
    return None
