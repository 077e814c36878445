"""An own, slow SIP004 sealer, and a shell that feeds a decoder as the engine does."""

import hashlib
import hmac
from dataclasses import dataclass, field

from ssgui.protocol.aead import MAX_HELD
from ssgui.protocol.codecs import StreamDecoder
from ssgui.protocol.methods import METHODS, Method, key_for

METHOD = METHODS["aes-128-gcm"]
KEY = key_for(METHOD, "correct horse battery")
SALT = bytes(range(16))
CANARY = 0xA5


def subkey(key: bytes, salt: bytes, size: int) -> bytes:
    """HKDF-SHA1 (RFC 5869), written out."""
    secret = hmac.digest(salt, key, hashlib.sha1)
    block = out = b""
    for number in range(1, 3):
        block = hmac.digest(secret, block + b"ss-subkey" + bytes((number,)), hashlib.sha1)
        out += block
    return out[:size]


class Sealer:
    """Seals units with the nonces 0, 1, 2, ... of one stream."""

    def __init__(self, method: Method = METHOD, key: bytes = KEY, salt: bytes = SALT) -> None:
        self._cipher = method.cipher(subkey(key, salt, method.key_size))
        self._nonce_size = method.nonce_size
        self.number = 0

    def unit(self, data: bytes) -> bytes:
        nonce = self.number.to_bytes(self._nonce_size, "little")
        self.number += 1
        return self._cipher.encrypt(nonce, data, None)

    def chunk(self, data: bytes, length: int | None = None) -> bytes:
        """With its length, or with one that is a lie."""
        return self.unit((len(data) if length is None else length).to_bytes(2, "big")) + self.unit(data)


def sealed(chunks: list[bytes], method: Method = METHOD, key: bytes = KEY, salt: bytes = SALT) -> list[bytes]:
    """The salt, then each chunk."""
    sealer = Sealer(method, key, salt)
    return [salt, *(sealer.chunk(data) for data in chunks)]


@dataclass
class Shell:
    """Feeds `decoder` piece by piece: what it holds in front, scratch buffers that are exactly long enough.

    It checks at every step that the buffers are free again, that no more is held than may be, and that what
    comes out is counted: everything behind the count is canaries or undefined, and is not taken.
    """

    decoder: StreamDecoder
    most: int = MAX_HELD
    plain: bytes = field(default=b"", init=False)
    fed: int = field(default=0, init=False)

    def feed(self, *pieces: bytes) -> bytes:
        """Until the stream fails or the pieces are used up; the plaintext so far."""
        for piece in pieces:
            if self.decoder.error is not None:
                break
            data = bytearray(self.decoder.held + piece)
            out = bytearray([CANARY]) * len(data)
            with memoryview(data) as source, memoryview(out) as sink:
                count = self.decoder.decode(source, sink)
            assert 0 <= count <= len(data)
            assert len(self.decoder.held) <= self.most
            self.plain += bytes(out[:count])
            self.fed += 1
            # A view that was kept would make these raise BufferError.
            data.clear()
            out.clear()
        return self.plain
