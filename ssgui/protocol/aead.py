"""The stream format of SIP004, sealed and opened from one buffer into another.

    salt | chunk | chunk | ...        chunk = E(length) tag | E(payload) tag

The length has two bytes, big-endian, 1..0x3FFF. The nonce is a little-endian counter that starts at 0 and
grows by one with every seal. Both directions of a connection have their own salt, and so their own key.

Nothing is allocated per chunk: a fresh buffer of a read's size would be mapped, zeroed and faulted in each
time. No view of a caller's buffer is kept when a call returns.
"""

from typing import Final

from cryptography.exceptions import InvalidTag

from ssgui.protocol.errors import (
    AuthenticationError,
    BadRequestError,
    LocalProtocolError,
    RemoteProtocolError,
    ReplayError,
)
from ssgui.protocol.methods import AeadCipher, Method
from ssgui.protocol.replay import Salts

MAX_CHUNK: Final = 0x3FFF
_TAG = Method.tag
_HEAD = 2 + _TAG
_OVERHEAD = _HEAD + _TAG
# All but the last chunk of a fill are full.
_FULL = MAX_CHUNK.to_bytes(2, "big")
MAX_HELD: Final = _HEAD + MAX_CHUNK + _TAG


def sealed_bound(n: int, method: Method) -> int:
    """The most bytes that `encode` writes for `n` bytes of data: the salt and every chunk."""
    return method.salt_size + n + _OVERHEAD * -(-n // MAX_CHUNK)


class AeadEncoder:
    """Seals one direction of a connection. `salt` must be random and fresh.

    The salt leaves with the first chunk, in the same fill: alone it would be a packet of a telling size.
    """

    __slots__ = ("_count", "_nonce_size", "_seal", "salt")

    def __init__(self, method: Method, key: bytes, salt: bytes) -> None:
        if len(salt) != method.salt_size:
            raise LocalProtocolError(f"{method.name} has a salt of {method.salt_size} bytes, not {len(salt)}")
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
        count, salt, nonce_size, seal = self._count, self.salt, self._nonce_size, self._seal
        at = 0 if count else len(salt)
        end = at + size + _OVERHEAD * -(-size // MAX_CHUNK)
        if len(out) < end:
            raise LocalProtocolError(f"{end} bytes of output are needed, there are {len(out)}")
        if at:
            out[:at] = salt
        if size > MAX_CHUNK:
            data = memoryview(data)
            start = 0
            for start in range(0, size - MAX_CHUNK, MAX_CHUNK):
                middle = at + _HEAD
                seal(count.to_bytes(nonce_size, "little"), _FULL, None, out[at:middle])
                at = middle + MAX_CHUNK + _TAG
                payload = data[start : start + MAX_CHUNK]
                seal((count + 1).to_bytes(nonce_size, "little"), payload, None, out[middle:at])
                count += 2
            start += MAX_CHUNK
            data = data[start:]
            size -= start
        middle = at + _HEAD
        seal(count.to_bytes(nonce_size, "little"), size.to_bytes(2, "big"), None, out[at:middle])
        seal((count + 1).to_bytes(nonce_size, "little"), data, None, out[middle:end])
        self._count = count + 2
        return end


class AeadDecoder:
    """Opens one direction of a connection.

    `held` is the incomplete unit at the end of the last input (at most MAX_HELD bytes): the next input must
    begin with it. After a bad chunk `error` is set and the stream is dead.
    `authenticated` says that a chunk opened with our key, in a stream that is no replay.
    """

    __slots__ = (
        "_count", "_key", "_method", "_open", "_salts", "_want", "authenticated", "error", "held", "salt",
        "user",
    )  # fmt: skip

    def __init__(self, method: Method, key: bytes, salts: Salts | None = None) -> None:
        self._method, self._key, self._salts = method, key, salts
        self._open: AeadCipher | None = None
        self._count = 0
        self._want = 0  # length of the payload that comes next; 0: a length comes next
        self.held = b""
        self.salt = b""
        self.error: RemoteProtocolError | None = None
        self.authenticated = False
        self.user = ""  # this edition has none

    @property
    def at_boundary(self) -> bool:
        """Whether the stream may end here: before its first byte, or behind a whole chunk."""
        if self.error is not None or self.held or self._want:
            return False
        return self.authenticated or not self.salt

    def decode(self, data: memoryview, out: memoryview) -> int:
        """Open every whole chunk in `data` (`held` and what came since) into `out`; how many bytes that gave.

        `out` must be as long as `data`; what is in it behind the returned count is undefined. A bad chunk
        sets `error`: the chunks before it are delivered, nothing of it, nothing behind it.
        """
        if self.error is not None:
            raise LocalProtocolError("this stream has failed already") from self.error
        size = len(data)
        if len(out) < size:
            raise LocalProtocolError(f"{size} bytes of output are needed, there are {len(out)}")
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
                    end = at + _HEAD
                    if size < end:
                        break
                    length = open_(count.to_bytes(nonce_size, "little"), data[at:end], None)
                    want = int.from_bytes(length, "big")
                    if (not count or not 0 < want <= MAX_CHUNK) and not self._accept(want):
                        return done
                    count += 1
                    at = end
                end = at + want + _TAG
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
                return self._fail(ReplayError("the salt of this stream was seen before"))
            self.authenticated = True
        if not 0 < length <= MAX_CHUNK:
            return self._fail(BadRequestError(f"a chunk of {length} bytes; 1 to {MAX_CHUNK} are allowed"))
        return True

    def _fail(self, error: RemoteProtocolError) -> bool:
        self.error = error
        self.held = b""
        return False
