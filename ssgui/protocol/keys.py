"""Passwords to keys."""

import hashlib


def evp_bytes_to_key(password: bytes, size: int) -> bytes:
    """OpenSSL's EVP_BytesToKey with MD5, no salt and one round, which Shadowsocks has always used."""
    key = digest = b""
    while len(key) < size:
        digest = hashlib.md5(digest + password, usedforsecurity=False).digest()
        key += digest
    return key[:size]
