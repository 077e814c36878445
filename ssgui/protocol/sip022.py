"""Shadowsocks 2022 (SIP022): its methods, its keys, and what every header has in common.

A key is no password: it is random bytes, written in base64, and its size is the method's. A stream or session
has a key of its own, subkey = BLAKE3's derive_key("shadowsocks 2022 session subkey", key | salt).
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from blake3 import blake3
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from ssgui.protocol.errors import ClockError, LocalProtocolError

Cipher2022 = AESGCM | ChaCha20Poly1305

MAX_CHUNK: Final = 0xFFFF
MAX_PADDING: Final = 900
MAX_SKEW: Final = 30  # whole seconds between two clocks
FROM_CLIENT: Final = 0
FROM_SERVER: Final = 1
_SESSION: Final = "shadowsocks 2022 session subkey"


@dataclass(frozen=True, slots=True)
class Method2022:
    """A method of 2022. The salt is as long as the key, the nonce has 12 bytes.

    Only the AES methods have identity headers (SIP023), and so several users.
    """

    tag: ClassVar[int] = 16
    nonce_size: ClassVar[int] = 12

    name: str
    key_size: int
    _cipher: Callable[[bytes], Cipher2022]

    @property
    def salt_size(self) -> int:
        """Bytes of the salt that a stream begins with."""
        return self.key_size

    @property
    def has_identities(self) -> bool:
        """Whether a request can name its user."""
        return self._cipher is AESGCM

    def subkey(self, key: bytes, salt: bytes) -> bytes:
        """The key of the stream that begins with `salt`, or of the UDP session with this ID."""
        return blake3(key + salt, derive_key_context=_SESSION).digest(self.key_size)

    def cipher(self, subkey: bytes) -> Cipher2022:
        """Seals and opens with `subkey`."""
        return self._cipher(subkey)


METHODS_2022: Final[dict[str, Method2022]] = {
    method.name: method
    for method in (
        Method2022("2022-blake3-aes-128-gcm", 16, AESGCM),
        Method2022("2022-blake3-aes-256-gcm", 32, AESGCM),
        Method2022("2022-blake3-chacha20-poly1305", 32, ChaCha20Poly1305),
    )
}


def parse_keys(method: Method2022, password: str) -> tuple[bytes, ...]:
    """The keys in `password`: the server's (one per hop) and last the user's, joined by ":"; or just one.

    Raises LocalProtocolError, which says what is needed and never shows a key.
    """
    if not password:
        raise LocalProtocolError(f"the password is empty; {_wanted(method)}")
    parts = password.split(":")
    if len(parts) > 1 and not method.has_identities:
        raise LocalProtocolError(f"{method.name} takes one key: only the AES methods of 2022 have users")
    return tuple(_key(method, part, _place(number, len(parts))) for number, part in enumerate(parts, 1))


def parse_key(method: Method2022, password: str, what: str = "the password") -> bytes:
    """The one key that `password` is; errors as `parse_keys`."""
    return _key(method, password, what)


def _place(number: int, count: int) -> str:
    return "the password" if count == 1 else f"key {number} of the {count} in the password"


def _key(method: Method2022, text: str, what: str) -> bytes:
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    # Raised outside of the handler, so that no traceback leads to the text.
    if not key:
        raise LocalProtocolError(f"{what} is no base64; {_wanted(method)}")
    if len(key) != method.key_size:
        raise LocalProtocolError(f"{what} has {len(key)} bytes; {_wanted(method)}")
    return key


def _wanted(method: Method2022) -> str:
    size = method.key_size
    return f"{method.name} needs a key of {size} bytes in base64, as `openssl rand -base64 {size}` makes it"


def check_clock(theirs: int, ours: int, *, client: bool) -> int:
    """How many seconds their clock is ahead of ours. Raises ClockError if the two are too far apart.

    `client` tells which side is asking: a person can only set the client's clock.
    """
    offset = theirs - ours
    if abs(offset) > MAX_SKEW:
        text = clock_words(offset) if client else f"the client's clock is {_ahead(offset)}"
        raise ClockError(text, offset)
    return offset


def clock_words(offset: int) -> str:
    """For a client whose server's clock is `offset` seconds ahead: what is wrong with its own."""
    return f"your clock is {_ahead(-offset)}{'' if offset > 0 else ' of'} the server's"


def _ahead(offset: int) -> str:
    seconds = abs(offset)
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{round(seconds / size)} {unit} {'ahead' if offset > 0 else 'behind'}"
    return f"{seconds} s {'ahead' if offset > 0 else 'behind'}"
