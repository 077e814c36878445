"""Identity headers (SIP023): how a request names its user to a server that has many.

The client's password is the server's key and the user's, and for several hops one key for each of them. Each
hop but the last is told who comes next, by a block that holds the first half of a BLAKE3 hash of the next key:

    stream      AES(derive_key("shadowsocks 2022 identity subkey", key | salt), hash)
    datagram    AES(key, hash XOR session ID and packet ID)

Everything behind the headers is sealed with the user's key, and so are answers, which have no such header.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from blake3 import blake3
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from ssgui.protocol.errors import AuthenticationError, LocalProtocolError

IDENTITY_SIZE: Final = 16
_CONTEXT: Final = "shadowsocks 2022 identity subkey"


def key_hash(key: bytes) -> bytes:
    """What a header says of the key that comes next."""
    return blake3(key).digest(IDENTITY_SIZE)


class Block:
    """AES of one block of 16 bytes. ECB is safe here: each block is a hash, or random, and stands alone."""

    __slots__ = ("decrypt", "encrypt")

    def __init__(self, key: bytes) -> None:
        cipher = Cipher(AES(key), ECB())
        # Whole blocks leave no state behind, so one context serves for ever.
        self.encrypt = cipher.encryptor().update
        self.decrypt = cipher.decryptor().update


def xor(one: bytes, other: bytes) -> bytes:
    """Of two blocks."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(IDENTITY_SIZE, "big")


def stream_headers(keys: Sequence[bytes], salt: bytes) -> bytes:
    """The headers behind the salt of a stream, for the `keys` of a client: none for a single one."""
    return b"".join(Block(_subkey(key, salt)).encrypt(key_hash(after)) for key, after in pairwise(keys))


class Users:
    """Who may use a server: (name, key) pairs. `key` is the server's own.

    Raises LocalProtocolError for two users with one key: nobody could tell them apart.
    """

    __slots__ = ("_known", "key")

    def __init__(self, key: bytes, users: Iterable[tuple[str, bytes]]) -> None:
        self.key = key
        self._known: dict[bytes, tuple[str, bytes]] = {}
        for name, own in users:
            other = self._known.setdefault(key_hash(own), (name, own))
            if other[0] != name:
                raise LocalProtocolError(f"the users {other[0]!a} and {name!a} have the same key")

    def of_stream(self, header: bytes, salt: bytes) -> tuple[str, bytes]:
        """Name and key of who sent the stream; AuthenticationError for a stranger."""
        return self._find(Block(_subkey(self.key, salt)).decrypt(header))

    def of_packet(self, block: Block, header: bytes, head: bytes) -> tuple[str, bytes]:
        """Likewise for a datagram whose session and packet ID are `head`; `block` has the server's key."""
        return self._find(xor(block.decrypt(header), head))

    def _find(self, found: bytes) -> tuple[str, bytes]:
        user = self._known.get(found)
        if user is None:
            raise AuthenticationError("no user has this key")
        return user


def _subkey(key: bytes, salt: bytes) -> bytes:
    return blake3(key + salt, derive_key_context=_CONTEXT).digest(len(key))
