"""Passwords sealed with a key that the system's keyring holds (AES-256-GCM).

sealed = "v1:" base64(nonce(12) | ciphertext | tag(16))
"""

import binascii
import os
from base64 import b64decode, b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ssgui.config.secret import Secret

_PREFIX = "v1:"
_NONCE = 12
_PURPOSE = b"ssgui password"


class SealError(Exception):
    """A sealed password that does not open."""


def seal(secret: Secret, key: bytes) -> str:
    """`secret` as text that only `key` opens; different each time."""
    nonce = os.urandom(_NONCE)
    text = secret.reveal().encode("utf-8", "surrogatepass")
    return _PREFIX + b64encode(nonce + AESGCM(key).encrypt(nonce, text, _PURPOSE)).decode()


def open_sealed(text: str, key: bytes) -> Secret:
    """What was sealed; SealError when the key is another one or the text is damaged."""
    try:
        raw = b64decode(text.removeprefix(_PREFIX), validate=True)
        if not text.startswith(_PREFIX) or len(raw) < _NONCE:
            raise SealError("its sealed password is damaged")
        plain = AESGCM(key).decrypt(raw[:_NONCE], raw[_NONCE:], _PURPOSE)
        return Secret(plain.decode("utf-8", "surrogatepass"))
    except (binascii.Error, ValueError, InvalidTag):
        raise SealError("its password was sealed with another key of the keyring, or is damaged") from None
