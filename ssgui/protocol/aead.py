"""The stream format of SIP004, sealed and opened from one buffer into another.

    salt | chunk | chunk | ...

A chunk (see `chunks`) has 1..0x3FFF bytes of payload; nonces start at 0. Both directions of a connection have
their own salt, and so their own key.
"""

from typing import Final

from cryptography.exceptions import InvalidTag

from ssgui.protocol.chunks import HEAD, TAG, ChunkDecoder, check_room, check_salt, chunked, seal_chunks
from ssgui.protocol.errors import (
    AuthenticationError,
    BadRequestError,
    LocalProtocolError,
    ReplayError,
)
from ssgui.protocol.methods import AeadCipher, Method
from ssgui.protocol.replay import Salts

MAX_CHUNK: Final = 0x3FFF
MAX_HELD: Final = HEAD + MAX_CHUNK + TAG


def sealed_bound(n: int, method: Method) -> int:
    """The most bytes that `encode` writes for `n` bytes of data: the salt and every chunk."""
    return method.salt_size + chunked(n, MAX_CHUNK)


class AeadEncoder:
    """Seals one direction of a connection. `salt` must be random and fresh.

    The salt leaves with the first chunk, in the same fill: alone it would be a packet of a telling size.
    """

    __slots__ = ("_count", "_nonce_size", "_seal", "salt")

    def __init__(self, method: Method, key: bytes, salt: bytes) -> None:
        check_salt(method.name, method.salt_size, salt)
        self.salt = salt
        self._seal = method.cipher(method.subkey(key, salt)).encrypt_into
        self._nonce_size = method.nonce_size
        self._count = 0

    def encode(self, data: memoryview | bytes, out: memoryview) -> int:
        """Fill `out` with all of `data`, sealed; how many bytes that took. Nothing comes of nothing.

        Raises LocalProtocolError, and has done nothing, if `out` is shorter than what this takes.
        """
        size = len(data)
        if not size:
            return 0
        at = 0 if self._count else len(self.salt)
        check_room(at + chunked(size, MAX_CHUNK), out)
        if at:
            out[:at] = self.salt
        end = seal_chunks(self._seal, self._count, self._nonce_size, MAX_CHUNK, data, out, at)
        self._count += 2 * -(-size // MAX_CHUNK)
        return end


class AeadDecoder(ChunkDecoder):
    """Opens one direction of a connection. At most MAX_HELD bytes are `held`."""

    __slots__ = ("_key", "_method", "_open", "_salts")

    def __init__(self, method: Method, key: bytes, salts: Salts | None = None) -> None:
        super().__init__()
        self._method, self._key, self._salts = method, key, salts
        self._open: AeadCipher | None = None

    def decode(self, data: memoryview, out: memoryview) -> int:
        """Open every whole chunk in `data` (`held` and what came since) into `out`; how many bytes that gave.

        `out` must be as long as `data`; what is in it behind the returned count is undefined. A bad chunk
        sets `error`: the chunks before it are delivered, nothing of it, nothing behind it.
        """
        if self.error is not None:
            raise LocalProtocolError("this stream has failed already") from self.error
        size = len(data)
        check_room(size, out)
        cipher, at = self._open, 0
        if cipher is None:
            at = self._method.salt_size
            if size < at:
                self.held = bytes(data)
                return 0
            cipher = self._begin(bytes(data[:at]))
            if cipher is None:
                return 0
        return self._decode(cipher, data, at, out)

    def _begin(self, salt: bytes) -> AeadCipher | None:
        self.salt = salt
        if self._salts is not None and salt in self._salts:
            self._fail(ReplayError("the salt of this stream was seen before"))
            return None
        self._open = self._method.cipher(self._method.subkey(self._key, salt))
        self._key = b""
        return self._open

    def _decode(self, cipher: AeadCipher, data: memoryview, at: int, out: memoryview) -> int:
        size, count, want, nonce_size = len(data), self._count, self._want, self._method.nonce_size
        open_, open_into = cipher.decrypt, cipher.decrypt_into
        done = 0
        try:
            while True:
                if not want:
                    end = at + HEAD
                    if size < end:
                        break
                    length = open_(count.to_bytes(nonce_size, "little"), data[at:end], None)
                    want = int.from_bytes(length, "big")
                    if (not count or not 0 < want <= MAX_CHUNK) and not self._accept(want):
                        return done
                    count += 1
                    at = end
                end = at + want + TAG
                if size < end:
                    break
                filled = done + want
                open_into(count.to_bytes(nonce_size, "little"), data[at:end], None, out[done:filled])
                count += 1
                at, done, want = end, filled, 0
        except InvalidTag:
            self._fail(AuthenticationError("a chunk does not open with this key and method"))
            return done
        self._count, self._want = count, want
        self.held = bytes(data[at:])
        return done

    def _accept(self, length: int) -> bool:
        """Check the first length, and any that is out of range; False if the stream ends here."""
        if not self.authenticated:
            # A second time: another connection may have brought the same salt since the first look.
            if self._salts is not None and not self._salts.add(self.salt):
                self._fail(ReplayError("the salt of this stream was seen before"))
                return False
            self.authenticated = True
        if not 0 < length <= MAX_CHUNK:
            self._fail(BadRequestError(f"a chunk of {length} bytes; 1 to {MAX_CHUNK} are allowed"))
            return False
        return True
