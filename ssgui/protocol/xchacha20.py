"""XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) out of the ChaCha20 that `cryptography` has."""

from struct import Struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

_WORDS = Struct("<16I")
_EIGHT = Struct("<8I")
_FOUR = Struct("<4I")
_CONSTANT = _FOUR.unpack(b"expand 32-byte k")
_ZEROS = bytes(64)
_MASK = 0xFFFFFFFF


def hchacha20(key: bytes, nonce: bytes) -> bytes:
    """A 32-byte key out of a 32-byte key and a 16-byte nonce.

    HChaCha20 is ChaCha20's block function without the last addition of its input. A block of key stream is
    that function with the addition, so what was added is taken off again: the constant from the first four
    words, the nonce from the last four.
    """
    words = _WORDS.unpack(Cipher(ChaCha20(key, nonce), None).encryptor().update(_ZEROS))
    first = [(word - added) & _MASK for word, added in zip(words[:4], _CONSTANT, strict=True)]
    last = [(word - added) & _MASK for word, added in zip(words[12:], _FOUR.unpack(nonce), strict=True)]
    return _EIGHT.pack(*first, *last)


class XChaCha20Poly1305:
    """An AEAD with a 32-byte key and a 24-byte nonce; every call makes the key of its nonce anew."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def _at(self, nonce: bytes) -> tuple[ChaCha20Poly1305, bytes]:
        return ChaCha20Poly1305(hchacha20(self._key, nonce[:16])), b"\0\0\0\0" + nonce[16:]

    def encrypt(self, nonce: bytes, data: bytes | memoryview, extra: bytes | None, /) -> bytes:
        cipher, rest = self._at(nonce)
        return cipher.encrypt(rest, data, extra)

    def decrypt(self, nonce: bytes, data: bytes | memoryview, extra: bytes | None, /) -> bytes:
        cipher, rest = self._at(nonce)
        return cipher.decrypt(rest, data, extra)

    def encrypt_into(self, nonce: bytes, data: bytes | memoryview, extra: bytes | None, out: memoryview, /) -> int:
        cipher, rest = self._at(nonce)
        return cipher.encrypt_into(rest, data, extra, out)

    def decrypt_into(self, nonce: bytes, data: bytes | memoryview, extra: bytes | None, out: memoryview, /) -> int:
        cipher, rest = self._at(nonce)
        return cipher.decrypt_into(rest, data, extra, out)
