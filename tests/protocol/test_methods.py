"""Names, sizes and keys of the methods."""

from typing import Any

import pytest
from cryptography.exceptions import InvalidTag

from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.keys import evp_bytes_to_key
from ssgui.protocol.methods import METHODS, find_method, key_for
from ssgui.protocol.sip022 import METHODS_2022
from tests.protocol.vectors import load

AEAD = load("aead_sip004.json")["cases"]
of_each_method = pytest.mark.parametrize("case", AEAD, ids=[case["method"] for case in AEAD])


def test_there_are_five() -> None:
    assert list(METHODS) == [case["method"] for case in AEAD]
    assert all(method.name == name for name, method in METHODS.items())


@of_each_method
def test_keys_of_the_vectors(case: dict[str, Any]) -> None:
    method = METHODS[case["method"]]
    key = key_for(method, case["password_utf8"])
    assert key.hex() == case["key"]
    assert len(key) == method.key_size == method.salt_size
    assert method.tag == 16
    for part in (case, case["tcp_response"]):
        assert method.subkey(key, bytes.fromhex(part["salt"])).hex() == part["subkey"]


@of_each_method
def test_datagrams_of_the_vectors(case: dict[str, Any]) -> None:
    """A datagram is sealed in one piece, with a salt of its own and the nonce zero."""
    method = METHODS[case["method"]]
    key = bytes.fromhex(case["key"])
    for part in (case["udp_request"], case["udp_response"]):
        wire, plain = bytes.fromhex(part["wire"]), bytes.fromhex(part["plain"])
        salt, sealed = wire[: method.salt_size], wire[method.salt_size :]
        cipher = method.cipher(method.subkey(key, salt))
        assert cipher.encrypt(bytes(method.nonce_size), plain, None) == sealed
        assert cipher.decrypt(bytes(method.nonce_size), sealed, None) == plain


@of_each_method
def test_nonces_of_the_vectors_carry(case: dict[str, Any]) -> None:
    method, carry = METHODS[case["method"]], case["nonce_carry"]
    cipher = method.cipher(bytes.fromhex(case["subkey"]))
    for number, plain in ((255, b"\x00\x01"), (256, b"A")):
        nonce = number.to_bytes(method.nonce_size, "little")
        assert cipher.encrypt(nonce, plain, None).hex() == carry[f"seal_{number}"]


@of_each_method
def test_a_bad_tag_is_noticed(case: dict[str, Any]) -> None:
    method = METHODS[case["method"]]
    cipher = method.cipher(bytes.fromhex(case["subkey"]))
    sealed = bytearray(cipher.encrypt(bytes(method.nonce_size), b"payload", None))
    sealed[0] ^= 1
    with pytest.raises(InvalidTag):
        cipher.decrypt(bytes(method.nonce_size), bytes(sealed), None)
    with pytest.raises(InvalidTag):
        cipher.decrypt_into(bytes(method.nonce_size), bytes(sealed), None, memoryview(bytearray(7)))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("AES-256-GCM", "aes-256-gcm"),
        (" aes-128-gcm ", "aes-128-gcm"),
        ("chacha20-poly1305", "chacha20-ietf-poly1305"),
        ("AEAD_CHACHA20_POLY1305", "chacha20-ietf-poly1305"),
        ("xchacha20-poly1305", "xchacha20-ietf-poly1305"),
    ],
)
def test_other_names(name: str, meant: str) -> None:
    assert find_method(name) is METHODS[meant]


def test_methods_of_2022_are_found() -> None:
    for name in METHODS_2022:
        assert find_method(name.upper()) is METHODS_2022[name]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("aes-256-cfb", "'aes-256-cfb' is an old one"),
        ("RC4-MD5", "'RC4-MD5' is an old one"),
        ("2022-blake3-chacha8-poly1305", "no library"),
        ("2022-blake3-aes-192-gcm", "there is no method"),
        ("aes-255-gcm", "there is no method 'aes-255-gcm'"),
        ("", "no method is given"),
        ("\x1b[2J", r"'\\x1b\[2J'"),
    ],
)
def test_unknown_methods_are_explained(name: str, message: str) -> None:
    with pytest.raises(LocalProtocolError, match=message) as caught:
        find_method(name)
    assert all(known in str(caught.value) for known in (*METHODS, *METHODS_2022))


def test_a_password_that_was_no_utf8_on_the_command_line_is_its_bytes() -> None:
    method = METHODS["aes-128-gcm"]
    assert key_for(method, b"\xff\xfe".decode("utf-8", "surrogateescape")) == evp_bytes_to_key(b"\xff\xfe", 16)


@pytest.mark.parametrize("password", ["", "secret\ud800"])
def test_passwords_that_are_none(password: str) -> None:
    with pytest.raises(LocalProtocolError, match="password") as caught:
        key_for(METHODS["aes-128-gcm"], password)
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None
