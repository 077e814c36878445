"""The stream ciphers of before 2017: encryption without authentication, spoken only where somebody allowed it.

They hide what is said from those who only listen. Whoever can change bytes on the way can change what is said,
and can find out that this is Shadowsocks; no key, no length and no order is ever checked.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers import algorithms as old
from cryptography.hazmat.decrepit.ciphers.modes import CFB, CFB8, OFB
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES, ChaCha20
from cryptography.hazmat.primitives.ciphers.modes import CTR

from ssgui.protocol.errors import LocalProtocolError


@dataclass(frozen=True, slots=True)
class StreamMethod:
    """A stream cipher. Sizes are in bytes; an IV is to a stream or packet what a salt is in other editions."""

    name: str
    key_size: int
    iv_size: int
    _cipher: Callable[[bytes, bytes], "Cipher[Any]"]

    def encryptor(self, key: bytes, iv: bytes) -> CipherContext:
        """Encrypts what begins with `iv`, one byte to one byte."""
        return self._cipher(key, iv).encryptor()

    def decryptor(self, key: bytes, iv: bytes) -> CipherContext:
        """Undoes the encryptor."""
        return self._cipher(key, iv).decryptor()

    def require(self) -> None:
        """Raises LocalProtocolError where the library was built without this cipher."""
        try:
            self.encryptor(bytes(range(self.key_size)), bytes(self.iv_size))
        except UnsupportedAlgorithm:
            raise LocalProtocolError(f"the cryptography library of this computer lacks {self.name}") from None


def _block(algorithm: Callable[[bytes], Any], mode: Callable[[bytes], Any], key: bytes, iv: bytes) -> "Cipher[Any]":
    return Cipher(algorithm(key), mode(iv))


def _des(key: bytes) -> old.TripleDES:
    return old.TripleDES(key * 3)  # with one key three times it is DES


def _rc4_md5(key: bytes, iv: bytes) -> "Cipher[Any]":
    return Cipher(old.ARC4(hashlib.md5(key + iv, usedforsecurity=False).digest()), None)


def _chacha20(key: bytes, iv: bytes) -> "Cipher[Any]":
    """The library's nonce is the block counter (little-endian, from 0) and behind it the IV, 16 bytes together."""
    return Cipher(ChaCha20(key, iv.rjust(16, b"\0")), None)


_BLOCK_CIPHERS: Final = (
    *((f"aes-{8 * size}-{name}", size, 16, AES, mode)
      for size in (16, 24, 32) for name, mode in (("ctr", CTR), ("cfb", CFB), ("cfb8", CFB8), ("ofb", OFB))),
    *((f"camellia-{8 * size}-{name}", size, 16, old.Camellia, mode)
      for size in (16, 24, 32) for name, mode in (("cfb", CFB), ("ofb", OFB))),
    ("bf-cfb", 16, 8, old.Blowfish, CFB),
    ("cast5-cfb", 16, 8, old.CAST5, CFB),
    ("idea-cfb", 16, 8, old.IDEA, CFB),
    ("seed-cfb", 16, 16, old.SEED, CFB),
    ("des-cfb", 8, 8, _des, CFB),
)  # fmt: skip

STREAM_METHODS: Final[dict[str, StreamMethod]] = {
    method.name: method
    for method in (
        *(StreamMethod(name, size, iv_size, partial(_block, algorithm, mode))
          for name, size, iv_size, algorithm, mode in _BLOCK_CIPHERS),
        StreamMethod("rc4-md5", 16, 16, _rc4_md5),
        StreamMethod("chacha20-ietf", 32, 12, _chacha20),
        StreamMethod("chacha20", 32, 8, _chacha20),
    )
}  # fmt: skip

# Why those are not there that some other program has, or had.
_UNCIPHERED: Final = "encrypts nothing, or nothing to speak of"
_NO_LIBRARY: Final = "is an old one that does not protect against changes, and no library here has it"
IMPOSSIBLE: Final[dict[str, str]] = {
    **dict.fromkeys(("none", "plain", "table", "rc4"), _UNCIPHERED),
    **dict.fromkeys(
        (
            "rc2-cfb", "salsa20", "salsa20-ctr", "xchacha20", "rc4-md5-6",
            *(f"aes-{size}-cfb1" for size in (128, 192, 256)),
            *(f"camellia-{size}-{mode}" for size in (128, 192, 256) for mode in ("cfb1", "cfb8", "ctr")),
        ),
        _NO_LIBRARY,
    ),
}  # fmt: skip
