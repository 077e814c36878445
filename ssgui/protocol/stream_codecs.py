"""What is sent with a stream cipher of old: an IV, then everything encrypted. Nothing is authenticated.

    stream   IV | E(address payload ...)        answer   IV | E(payload ...)        packet   IV | E(address payload)

A wrong key shows only as a request or packet that begins with no address: one in 85 does by accident. An IV
that was seen before is a replay; only those of such beginnings are remembered, so that noise cannot fill the
memory.
"""

from collections.abc import Callable, Hashable

from cryptography.hazmat.primitives.ciphers import CipherContext

from ssgui.protocol.address import is_known_type
from ssgui.protocol.codecs import OpenedDatagram
from ssgui.protocol.errors import BadRequestError, LocalProtocolError, RemoteProtocolError, ReplayError
from ssgui.protocol.replay import Salts
from ssgui.protocol.stream_ciphers import StreamMethod


class StreamCipherEncoder:
    """Encrypts one direction of a connection. `iv` must be random and fresh; it leaves with the first bytes."""

    __slots__ = ("_encrypt", "_iv")

    def __init__(self, method: StreamMethod, key: bytes, iv: bytes) -> None:
        if len(iv) != method.iv_size:
            raise LocalProtocolError(f"{method.name} has an IV of {method.iv_size} bytes, not {len(iv)}")
        self._iv = iv  # b"" when it was sent
        self._encrypt = method.encryptor(key, iv).update_into

    def encode(self, data: memoryview | bytes, out: memoryview) -> int:
        """Fill `out` with all of `data`, encrypted; how many bytes that took. Nothing comes of nothing.

        Raises LocalProtocolError, and has done nothing, if `out` is shorter than what this takes.
        """
        size, at = len(data), len(self._iv)
        if not size:
            return 0
        end = at + size
        if len(out) < end:
            raise LocalProtocolError(f"{end} bytes of output are needed, there are {len(out)}")
        if at:
            out[:at] = self._iv
            self._iv = b""
        self._encrypt(data, out[at:end])
        return end


class StreamCipherDecoder:
    """Decrypts one direction of a connection, which is a request or an answer.

    `held` is an incomplete IV. `authenticated` says no more than that a request began with an address.
    """

    __slots__ = (
        "_decrypt", "_is_request", "_ivs", "_key", "_method", "authenticated", "error", "held", "salt", "user",
    )  # fmt: skip

    def __init__(self, method: StreamMethod, key: bytes, ivs: Salts, *, is_request: bool) -> None:
        self._method, self._key, self._ivs, self._is_request = method, key, ivs, is_request
        self._decrypt: CipherContext | None = None
        self.held = b""
        self.salt = b""
        self.error: RemoteProtocolError | None = None
        self.authenticated = False
        self.user = ""  # this edition has none

    @property
    def at_boundary(self) -> bool:
        """Whether the stream may end here: anywhere, but behind an IV something must come."""
        return self.error is None and not self.held and (self.authenticated or not self.salt)

    def decode(self, data: memoryview, out: memoryview) -> int:
        """Decrypt `data` (`held` and what came since) into `out`, which is as long; how many bytes that gave."""
        if self.error is not None:
            raise LocalProtocolError("this stream has failed already") from self.error
        size, at = len(data), 0
        if len(out) < size:
            raise LocalProtocolError(f"{size} bytes of output are needed, there are {len(out)}")
        decrypt = self._decrypt
        if decrypt is None:
            at = self._method.iv_size
            if size < at:
                self.held = bytes(data)
                return 0
            decrypt = self._begin(bytes(data[:at]))
        count = size - at
        if not count or self.error is not None:
            return 0
        decrypt.update_into(data[at:], out[:count])
        if not self.authenticated and not self._accept(out[0]):
            return 0
        return count

    def _begin(self, iv: bytes) -> CipherContext:
        self.held, self.salt = b"", iv
        if iv in self._ivs:
            self.error = _replay("stream")
        self._decrypt = self._method.decryptor(self._key, iv)
        self._key = b""
        return self._decrypt

    def _accept(self, first: int) -> bool:
        """Look at the first byte that was decrypted; False if the stream ends here."""
        if self._is_request and not is_known_type(first):
            self.error = _no_address(first)
        # A second time: another connection may have brought the same IV since the first look.
        elif not self._ivs.add(self.salt):
            self.error = _replay("stream")
        self.authenticated = self.error is None
        return self.authenticated


class StreamCipherClientDatagrams:
    """Encrypts and decrypts with one key. `random(n)` gives n random bytes; all that share a key share `ivs`."""

    __slots__ = ("_ivs", "_key", "_method", "_random")

    def __init__(self, method: StreamMethod, key: bytes, random: Callable[[int], bytes], ivs: Salts) -> None:
        self._method, self._key, self._random, self._ivs = method, key, random, ivs

    def seal(self, plain: bytes | memoryview) -> bytes:
        """The packet for the other end."""
        iv = self._random(self._method.iv_size)
        self._ivs.add(iv)
        return iv + self._method.encryptor(self._key, iv).update(plain)

    def open(self, packet: bytes | memoryview) -> bytes:
        """The plaintext of a packet. BadRequestError if it begins with no address, or ReplayError."""
        at = self._method.iv_size
        if len(packet) <= at:
            raise BadRequestError(f"a packet of {len(packet)} bytes has no room for an IV and an address")
        iv = bytes(packet[:at])
        if iv in self._ivs:
            raise _replay("packet")
        plain = self._method.decryptor(self._key, iv).update(packet[at:])
        if not is_known_type(plain[0]):
            raise _no_address(plain[0])
        self._ivs.add(iv)
        return plain


class StreamCipherServerDatagrams:
    """The packets of a port; a client is known by its source address."""

    __slots__ = ("_packets",)

    def __init__(self, method: StreamMethod, key: bytes, random: Callable[[int], bytes], ivs: Salts) -> None:
        self._packets = StreamCipherClientDatagrams(method, key, random, ivs)

    def open(self, packet: bytes | memoryview, source: Hashable) -> OpenedDatagram:
        """Open a packet from `source`; errors as the client's."""
        return OpenedDatagram(source, self._packets.open(packet))

    def seal(self, session: Hashable, plain: bytes | memoryview) -> bytes:
        """The packet for the client of `session`."""
        return self._packets.seal(plain)

    def forget(self, session: Hashable) -> None:
        """Nothing is kept of a session."""


def _no_address(kind: int) -> BadRequestError:
    return BadRequestError(f"unknown address type {kind}: is it sent with another key or method?")


def _replay(what: str) -> ReplayError:
    return ReplayError(f"the IV of the {what} was seen before")
