"""Methods, keys and clocks of SIP022, and the users of SIP023."""

import base64
import os
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.protocol.errors import AuthenticationError, ClockError, LocalProtocolError
from ssgui.protocol.identity import Users, key_hash, stream_headers
from ssgui.protocol.methods import METHODS, check_password, find_method
from ssgui.protocol.sip022 import METHODS_2022, Method2022, check_clock, parse_key, parse_keys
from tests.protocol.sip022_wires import AES_VECTORS, VECTORS, text, vector_name
from tests.protocol.vectors import load

methods = pytest.mark.parametrize("method", METHODS_2022.values(), ids=lambda method: method.name)
SECRET = "c2VjcmV0IHNlY3JldCBz"


@pytest.mark.parametrize("case", VECTORS, ids=vector_name)
def test_subkeys(case: dict[str, Any]) -> None:
    method = METHODS_2022[case["method"]]
    key = parse_key(method, case["psk_base64"])
    salt, answer = bytes.fromhex(case["salt"]), case["tcp_response"]
    assert method.subkey(key, salt).hex() == case["session_subkey"]
    assert method.subkey(key, bytes.fromhex(answer["salt"])).hex() == answer["session_subkey"]


def test_blake3_is_what_it_should_be() -> None:
    vectors = load("blake3_hchacha.json")
    for case in vectors["blake3_hash"]:
        assert key_hash(bytes.fromhex(case["in"])).hex() == case["out"][:32]
    method = METHODS_2022["2022-blake3-aes-256-gcm"]
    sessions = [case for case in vectors["blake3_derive_key"] if "session" in case["context"]]
    assert sessions
    for case in sessions:
        data = bytes.fromhex(case["in"])
        assert method.subkey(data[:16], data[16:]).hex() == case["out"]


@pytest.mark.parametrize("count", ["one", "two"])
@pytest.mark.parametrize("case", AES_VECTORS, ids=vector_name)
def test_identity_headers(case: dict[str, Any], count: str) -> None:
    method, eih = METHODS_2022[case["method"]], case[f"eih_{count}_ipsk"]
    keys, salt = parse_keys(method, eih["password_field"]), bytes.fromhex(case["salt"])
    assert [key_hash(key).hex() for key in keys[1:]] == eih["psk_hashes16"]
    headers = stream_headers(keys, salt)
    assert headers.hex() == eih["tcp_identity_headers"]
    # The last header is for the last server on the way, and names the user.
    users = Users(keys[-2], [("eve", bytes(method.key_size)), ("ann", keys[-1])])
    assert users.of_stream(headers[-16:], salt) == ("ann", keys[-1])
    with pytest.raises(AuthenticationError, match="no user"):
        users.of_stream(headers[-16:], bytes(len(salt)))


# ---- keys


@methods
def test_a_key_with_and_without_its_padding(method: Method2022) -> None:
    key = os.urandom(method.key_size)
    for password in (text(key), text(key).rstrip("=")):
        assert parse_keys(method, password) == (key,)
        check_password(find_method(method.name), password)


@methods
@pytest.mark.parametrize("off", [-15, -1, 1, 16])
def test_a_key_of_another_size(method: Method2022, off: int) -> None:
    size = method.key_size + off
    with pytest.raises(LocalProtocolError) as caught:
        parse_keys(method, text(b"k" * size))
    assert str(caught.value) == (
        f"the password has {size} bytes; {method.name} needs a key of {method.key_size} bytes in base64, "
        f"as `openssl rand -base64 {method.key_size}` makes it"
    )


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("", "the password is empty; "),
        ("correct horse battery staple", "the password is no base64; "),
        (SECRET + "\n", "no base64"),
        (SECRET + "-_", "no base64"),
        (SECRET + "é", "no base64"),
        ("=", "no base64"),
        (f":{SECRET}", "key 1 of the 2 in the password is no base64; "),
        (f"{text(bytes(16))}:{SECRET}", "key 2 of the 2 in the password has 15 bytes; "),
        (f"{text(bytes(16))}:", "key 2 of the 2 in the password is no base64; "),
    ],
)
def test_passwords_that_are_no_keys(password: str, message: str) -> None:
    with pytest.raises(LocalProtocolError, match=message) as caught:
        parse_keys(METHODS_2022["2022-blake3-aes-128-gcm"], password)
    shown = "".join(traceback.format_exception(caught.value))
    assert not password or password not in shown
    assert SECRET not in shown
    assert caught.value.__context__ is None
    assert "needs a key of 16 bytes" in shown


@given(st.sampled_from(list(METHODS_2022.values())), st.text() | st.text("AQgw+/=:", max_size=60))
def test_any_text_is_keys_or_is_explained(method: Method2022, password: str) -> None:
    message: str = ""
    keys: tuple[bytes, ...] = ()
    try:
        keys = parse_keys(method, password)
    except LocalProtocolError as error:
        message = str(error)
    if keys:
        assert {len(key) for key in keys} == {method.key_size}
        assert len(keys) == password.count(":") + 1
    else:
        assert method.name in message
        assert message.isprintable()


def test_several_keys_need_an_aes_method() -> None:
    keys = text(bytes(32), bytes(32))
    assert len(parse_keys(METHODS_2022["2022-blake3-aes-256-gcm"], keys)) == 2
    with pytest.raises(LocalProtocolError, match="takes one key"):
        parse_keys(METHODS_2022["2022-blake3-chacha20-poly1305"], keys)


def test_check_password_knows_both_kinds() -> None:
    check_password(METHODS["aes-128-gcm"], "anything")
    with pytest.raises(LocalProtocolError, match="no base64"):
        check_password(find_method("2022-blake3-aes-128-gcm"), "anything at all")


def test_two_users_with_one_key_cannot_be_told_apart() -> None:
    with pytest.raises(LocalProtocolError, match="'ann' and 'bob' have the same key"):
        Users(bytes(16), [("ann", b"k" * 16), ("bob", b"k" * 16)])


# ---- clocks


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        (-31, "behind by 31 s"), (31, "ahead by 31 s"), (119, "ahead by 119 s"), (120, "ahead by 2 min"),
        (-3600, "behind by 60 min"), (-28800, "behind by 8 h"), (3 * 86400, "ahead by 3 days"),
    ],
)  # fmt: skip
def test_a_clock_that_is_off_is_named(theirs: int, words: str) -> None:
    which, _, amount = words.partition(" by ")
    with pytest.raises(ClockError) as caught:
        check_clock(1000 + theirs, 1000, client=False)
    assert str(caught.value) == f"the client's clock is {amount} {which}"
    with pytest.raises(ClockError) as caught:
        check_clock(1000 + theirs, 1000, client=True)
    other = {"behind": "ahead of", "ahead": "behind"}[which]
    assert str(caught.value) == f"your clock is {amount} {other} the server's"
    assert caught.value.offset == theirs


@pytest.mark.parametrize("offset", [-30, 0, 30])
def test_a_clock_that_is_good_enough(offset: int) -> None:
    assert check_clock(1000 + offset, 1000, client=True) == offset


def test_keys_are_plain_base64() -> None:
    assert base64.b64decode(text(b"\xff" * 32)) == b"\xff" * 32
