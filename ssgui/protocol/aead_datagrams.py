"""The datagrams of SIP004: every packet stands alone.

    salt | E(address payload) tag        the nonce is zero, for each salt makes a key of its own

A salt opens one packet. Own ones count as seen: a packet that is sent back to its sender would open as well.
"""

from collections.abc import Callable, Hashable

from cryptography.exceptions import InvalidTag

from ssgui.protocol.codecs import OpenedDatagram
from ssgui.protocol.errors import AuthenticationError, ReplayError
from ssgui.protocol.methods import Method
from ssgui.protocol.replay import SaltFilter


class AeadClientDatagrams:
    """Seals and opens with one key. `random(n)` gives n random bytes; all that share a key share `salts`."""

    __slots__ = ("_key", "_least", "_method", "_nonce", "_random", "_salts")

    def __init__(self, method: Method, key: bytes, random: Callable[[int], bytes], salts: SaltFilter) -> None:
        self._method, self._key, self._random, self._salts = method, key, random, salts
        self._nonce = bytes(method.nonce_size)
        self._least = method.salt_size + method.tag

    def seal(self, plain: bytes | memoryview) -> bytes:
        """The packet for the other end."""
        method = self._method
        salt = self._random(method.salt_size)
        self._salts.add(salt)
        return salt + method.cipher(method.subkey(self._key, salt)).encrypt(self._nonce, plain, None)

    def open(self, packet: bytes | memoryview) -> bytes:
        """The plaintext of a packet. AuthenticationError if it was not sealed with our key, or ReplayError."""
        method = self._method
        if len(packet) < self._least:
            raise AuthenticationError(f"a packet of {len(packet)} bytes has no room for salt and tag")
        salt = bytes(packet[: method.salt_size])
        if salt in self._salts:
            raise ReplayError("the salt of the packet was seen before")
        try:
            plain = method.cipher(method.subkey(self._key, salt)).decrypt(self._nonce, packet[len(salt) :], None)
        except InvalidTag:
            raise AuthenticationError("the packet does not open with our key") from None
        self._salts.add(salt)
        return plain


class AeadServerDatagrams:
    """The packets of a port; a client is known by its source address."""

    __slots__ = ("_packets",)

    def __init__(self, method: Method, key: bytes, random: Callable[[int], bytes], salts: SaltFilter) -> None:
        self._packets = AeadClientDatagrams(method, key, random, salts)

    def open(self, packet: bytes | memoryview, source: Hashable) -> OpenedDatagram:
        """Open a packet from `source`; errors as the client's."""
        return OpenedDatagram(source, self._packets.open(packet))

    def seal(self, session: Hashable, plain: bytes | memoryview) -> bytes:
        """The packet for the client of `session`."""
        return self._packets.seal(plain)

    def forget(self, session: Hashable) -> None:
        """Nothing is kept of a session."""
