"""XChaCha20-Poly1305."""

from typing import Any

import pytest
from cryptography.exceptions import InvalidTag

from ssgui.protocol.xchacha20 import XChaCha20Poly1305, hchacha20
from tests.protocol.vectors import load

# draft-irtf-cfrg-xchacha-03, appendix A.3.1
KEY = bytes(range(0x80, 0xA0))
NONCE = bytes(range(0x40, 0x58))
EXTRA = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
PLAIN = (
    b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    b"sunscreen would be it."
)
TAG = bytes.fromhex("c0875924c1c7987947deafd8780acf49")


@pytest.mark.parametrize("case", load("blake3_hchacha.json")["hchacha20"])
def test_hchacha20_vectors(case: dict[str, Any]) -> None:
    assert hchacha20(bytes.fromhex(case["key"]), bytes.fromhex(case["nonce16"])).hex() == case["out"]


def test_the_example_of_the_draft() -> None:
    cipher = XChaCha20Poly1305(KEY)
    sealed = cipher.encrypt(NONCE, PLAIN, EXTRA)
    assert sealed[:4].hex() == "bd6d179d"
    assert sealed[-16:] == TAG
    assert cipher.decrypt(NONCE, sealed, EXTRA) == PLAIN


def test_into_a_buffer_is_the_same() -> None:
    cipher = XChaCha20Poly1305(KEY)
    sealed, opened = bytearray(len(PLAIN) + 16), bytearray(len(PLAIN))
    assert cipher.encrypt_into(NONCE, PLAIN, EXTRA, memoryview(sealed)) == len(sealed)
    assert sealed == cipher.encrypt(NONCE, PLAIN, EXTRA)
    assert cipher.decrypt_into(NONCE, memoryview(sealed), EXTRA, memoryview(opened)) == len(opened)
    assert opened == PLAIN


def test_both_halves_of_the_nonce_count() -> None:
    cipher = XChaCha20Poly1305(KEY)
    sealed = cipher.encrypt(NONCE, PLAIN, None)
    for place in range(24):
        other = NONCE[:place] + bytes([NONCE[place] ^ 1]) + NONCE[place + 1 :]
        with pytest.raises(InvalidTag):
            cipher.decrypt(other, sealed, None)
