"""The methods of every edition by name, and those of SIP004: sizes, and how a stream's own key is made.

subkey = HKDF-SHA1(key = the password's key, salt = the stream's salt, info = "ss-subkey").
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, NoReturn, Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.keys import evp_bytes_to_key
from ssgui.protocol.sip022 import METHODS_2022, Method2022, parse_keys
from ssgui.protocol.stream_ciphers import IMPOSSIBLE, STREAM_METHODS, StreamMethod
from ssgui.protocol.xchacha20 import XChaCha20Poly1305

_SHA1 = SHA1()  # noqa: S303  the format says so; HKDF does not rest on SHA-1's collision resistance


class AeadCipher(Protocol):
    """One key. `encrypt_into` and `decrypt_into` want an output of exactly the right length.

    The decrypting calls raise cryptography's InvalidTag; `decrypt_into` has filled its output by then.
    """

    def encrypt(self, nonce: bytes, data: bytes | memoryview, extra: bytes | None, /) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes | memoryview, extra: bytes | None, /) -> bytes: ...

    def encrypt_into(self, nonce: bytes, data: bytes | memoryview, extra: bytes | None, out: memoryview, /) -> int: ...

    def decrypt_into(self, nonce: bytes, data: bytes | memoryview, extra: bytes | None, out: memoryview, /) -> int: ...


@dataclass(frozen=True, slots=True)
class Method:
    """An AEAD method. Sizes are in bytes; the salt is as long as the key."""

    tag: ClassVar[int] = 16

    name: str
    key_size: int
    salt_size: int
    nonce_size: int
    _cipher: Callable[[bytes], AeadCipher]

    def subkey(self, key: bytes, salt: bytes) -> bytes:
        """The key of the stream that begins with `salt`."""
        return HKDF(_SHA1, self.key_size, salt, b"ss-subkey").derive(key)

    def cipher(self, subkey: bytes) -> AeadCipher:
        """Seals and opens with `subkey`."""
        return self._cipher(subkey)


METHODS: Final[dict[str, Method]] = {
    name: Method(name, size, size, nonce_size, cipher)
    for name, size, nonce_size, cipher in (
        ("aes-128-gcm", 16, 12, AESGCM),
        ("aes-192-gcm", 24, 12, AESGCM),
        ("aes-256-gcm", 32, 12, AESGCM),
        ("chacha20-ietf-poly1305", 32, 12, ChaCha20Poly1305),
        ("xchacha20-ietf-poly1305", 32, 24, XChaCha20Poly1305),
    )
}

# What other programs call them.
_ALIASES: Final = {
    "chacha20-poly1305": "chacha20-ietf-poly1305",
    "xchacha20-poly1305": "xchacha20-ietf-poly1305",
    "aead_aes_128_gcm": "aes-128-gcm",
    "aead_aes_192_gcm": "aes-192-gcm",
    "aead_aes_256_gcm": "aes-256-gcm",
    "aead_chacha20_poly1305": "chacha20-ietf-poly1305",
    "aead_xchacha20_poly1305": "xchacha20-ietf-poly1305",
}

AnyMethod = Method | Method2022 | StreamMethod
ALL_LEGACY: Final = frozenset(STREAM_METHODS)


def find_method(name: str, legacy: frozenset[str] = frozenset()) -> AnyMethod:
    """The method called `name`, in any case and under any of its names; a stream cipher only if `legacy` names it.

    Raises LocalProtocolError, which says what is wrong with it and what there is.
    """
    wanted = name.strip().lower()
    wanted = _ALIASES.get(wanted, wanted)
    method = METHODS.get(wanted) or METHODS_2022.get(wanted)
    if method is not None:
        return method
    if wanted in STREAM_METHODS and wanted in legacy:
        found = STREAM_METHODS[wanted]
        found.require()
        return found
    return _unknown(name, wanted)


def _unknown(name: str, wanted: str) -> NoReturn:
    shown = f"{name[:40]!a}"
    also = ""
    if wanted in ("2022-blake3-chacha8-poly1305", "2022-blake3-chacha12-poly1305"):
        what = f"the method {shown} needs a weaker ChaCha that no library of Python has"
    elif wanted in STREAM_METHODS:
        what = f"the method {shown} is an old one that does not protect against changes"
        also = f", or allow it all the same (--allow-legacy {wanted})"
    elif wanted in IMPOSSIBLE:
        what = f"the method {shown} {IMPOSSIBLE[wanted]}"
    elif not wanted:
        what = "no method is given"
    else:
        what = f"there is no method {shown}"
    raise LocalProtocolError(f"{what}; choose one of {', '.join((*METHODS, *METHODS_2022))}{also}")


def check_password(method: AnyMethod, password: str) -> None:
    """Raises LocalProtocolError, without showing it, if `password` cannot be one for `method`."""
    if isinstance(method, Method2022):
        parse_keys(method, password)
    else:
        key_for(method, password)


def key_for(method: Method | StreamMethod, password: str) -> bytes:
    """The key that `password` stands for in the methods before 2022.

    Text is UTF-8; bytes of a command line that were not come back as they were (surrogateescape).
    Raises LocalProtocolError for an empty password, or one that is no text.
    """
    if not password:
        raise LocalProtocolError("the password is empty")
    try:
        raw = password.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = b""
    if not raw:  # raised outside of the handler: the error above shows the password
        raise LocalProtocolError("the password has a character that does not exist in UTF-8")
    return evp_bytes_to_key(raw, method.key_size)
