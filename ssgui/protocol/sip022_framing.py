"""What the datagrams of SIP022 look like from outside; what is in their bodies is `sip022_datagrams`'.

    AES        AES(head) | identity headers | E(body) tag     the key is the session's, the nonce the end of the head
    ChaCha20   nonce (24) | E(head body) tag                  XChaCha20-Poly1305 with the key itself

The head is a session ID (8) and a packet number (8).
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final, Protocol

from ssgui.protocol.identity import Block, key_hash, xor
from ssgui.protocol.sip022 import Method2022
from ssgui.protocol.xchacha20 import XChaCha20Poly1305

HEAD: Final = 16
ID_SIZE: Final = 8
_XNONCE = 24

Packet = bytes | memoryview
Open = Callable[[bytes, Packet], Packet]  # head, sealed body -> body; raises InvalidTag
Seal = Callable[[bytes, bytes], bytes]  # head, body -> packet


class Framing(Protocol):
    """One key's way to make packets, and to take them apart. `overhead` is what they have besides the body."""

    overhead: int

    def split(self, packet: Packet) -> tuple[bytes, Packet]:
        """The head of a packet that is long enough, and what `opener` opens. Raises InvalidTag."""

    def opener(self, session_id: bytes) -> Open:
        """Opens the packets of a session."""

    def sealer(self, session_id: bytes) -> Seal:
        """Makes the packets of a session."""


class AesFraming:
    """`keys` are a client's: the last is the user's, those before it are of the servers on the way."""

    __slots__ = ("_block", "_first", "_hops", "_key", "_method", "overhead")

    def __init__(self, method: Method2022, keys: Sequence[bytes]) -> None:
        self._method, self._key = method, keys[-1]
        self._first, self._block = Block(keys[0]).encrypt, Block(keys[-1]).decrypt
        self._hops = [(Block(key).encrypt, key_hash(after)) for key, after in pairwise(keys)]
        self.overhead = HEAD + method.tag

    def split(self, packet: Packet) -> tuple[bytes, Packet]:
        return self._block(packet[:HEAD]), packet[HEAD:]

    def opener(self, session_id: bytes) -> Open:
        decrypt = self._method.cipher(self._method.subkey(self._key, session_id)).decrypt

        def open_(head: bytes, sealed: Packet) -> bytes:
            return decrypt(head[4:], sealed, None)

        return open_

    def sealer(self, session_id: bytes) -> Seal:
        encrypt = self._method.cipher(self._method.subkey(self._key, session_id)).encrypt
        first, hops = self._first, self._hops

        def seal(head: bytes, body: bytes) -> bytes:
            names = b"".join([block(xor(after, head)) for block, after in hops]) if hops else b""
            return first(head) + names + encrypt(head[4:], body, None)

        return seal


class ChaChaFraming:
    """There is one key, and no identity. `random` gives as many random bytes as it is asked for."""

    __slots__ = ("_cipher", "_random", "overhead")

    def __init__(self, method: Method2022, key: bytes, random: Callable[[int], bytes]) -> None:
        self._cipher, self._random = XChaCha20Poly1305(key), random
        self.overhead = _XNONCE + HEAD + method.tag

    def split(self, packet: Packet) -> tuple[bytes, Packet]:
        plain = memoryview(self._cipher.decrypt(bytes(packet[:_XNONCE]), packet[_XNONCE:], None))
        return bytes(plain[:HEAD]), plain[HEAD:]

    def opener(self, session_id: bytes) -> Open:
        return _opened_already

    def sealer(self, session_id: bytes) -> Seal:
        return self._seal

    def _seal(self, head: bytes, body: bytes) -> bytes:
        nonce = self._random(_XNONCE)
        return nonce + self._cipher.encrypt(nonce, head + body, None)


def _opened_already(head: bytes, body: Packet) -> Packet:
    return body


def framing_of(method: Method2022, keys: Sequence[bytes], random: Callable[[int], bytes]) -> Framing:
    """The way that `method` makes packets with these keys."""
    return AesFraming(method, keys) if method.has_identities else ChaChaFraming(method, keys[-1], random)
