"""An own, slow SIP022 sealer: whatever a peer may send, right or wrong."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from blake3 import blake3
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from ssgui.protocol.sip022 import METHODS_2022, Method2022
from tests.protocol.vectors import load

VECTORS: list[dict[str, Any]] = load("aead_2022_sip022_sip023.json")["cases"]
AES_VECTORS = [case for case in VECTORS if "aes" in case["method"]]
NOW = 1_700_000_000
METHOD = METHODS_2022["2022-blake3-aes-128-gcm"]
KEY = bytes(range(100, 116))
SALT = bytes(range(16))
ADDRESS = b"\x01\x7f\x00\x00\x01\x00\x50"


def vector_name(case: dict[str, Any]) -> str:
    return str(case["method"])


def derive(what: str, key: bytes, salt: bytes) -> bytes:
    return blake3(key + salt, derive_key_context=f"shadowsocks 2022 {what} subkey").digest()[: len(key)]


def ecb(key: bytes, block: bytes) -> bytes:
    return Cipher(AES(key), ECB()).encryptor().update(block)


@dataclass
class Sealer:
    """Seals units with the nonces 0, 1, 2, ... of one stream."""

    method: Method2022 = METHOD
    key: bytes = KEY
    salt: bytes = SALT
    number: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        kind = AESGCM if "aes" in self.method.name else ChaCha20Poly1305
        self._cipher = kind(derive("session", self.key, self.salt))

    def unit(self, data: bytes) -> bytes:
        nonce = self.number.to_bytes(12, "little")
        self.number += 1
        return self._cipher.encrypt(nonce, data, None)

    def chunk(self, data: bytes, length: int | None = None) -> bytes:
        """With its length, or with one that is a lie."""
        return self.unit((len(data) if length is None else length).to_bytes(2, "big")) + self.unit(data)

    def request(
        self, address: bytes, padding: int, payload: bytes, *,
        now: int = NOW, kind: int = 0, padding_length: int | None = None, length: int | None = None,
        identities: bytes = b"",
    ) -> bytes:  # fmt: skip
        """Salt and headers of a client; each number can be a lie."""
        said = padding if padding_length is None else padding_length
        variable = address + said.to_bytes(2, "big") + bytes(padding) + payload
        return self.raw_request(variable, now=now, kind=kind, length=length, identities=identities)

    def raw_request(
        self, variable: bytes, *, now: int = NOW, kind: int = 0, length: int | None = None, identities: bytes = b""
    ) -> bytes:
        said = len(variable) if length is None else length
        fixed = bytes((kind,)) + now.to_bytes(8, "big") + said.to_bytes(2, "big")
        return self.salt + identities + self.unit(fixed) + self.unit(variable)

    def answer(self, request_salt: bytes, payload: bytes, *, now: int = NOW, kind: int = 1) -> bytes:
        """Salt, header and first payload of a server."""
        fixed = bytes((kind,)) + now.to_bytes(8, "big") + request_salt + len(payload).to_bytes(2, "big")
        return self.salt + self.unit(fixed) + self.unit(payload)


def identity_headers(keys: Sequence[bytes], salt: bytes) -> bytes:
    """Of a stream whose client has these keys."""
    return b"".join(
        ecb(derive("identity", key, salt), blake3(after).digest()[:16]) for key, after in pairwise(keys)
    )  # fmt: skip


def text(*keys: bytes) -> str:
    """Keys as a password."""
    return ":".join(base64.b64encode(key).decode() for key in keys)


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
