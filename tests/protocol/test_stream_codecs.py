"""The stream ciphers of old: the vectors, any split, and what little can be noticed."""

import os
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.protocol.errors import BadRequestError, LocalProtocolError, ReplayError
from ssgui.protocol.methods import ALL_LEGACY, METHODS, check_password, find_method, key_for
from ssgui.protocol.replay import SaltFilter
from ssgui.protocol.stream_ciphers import IMPOSSIBLE, STREAM_METHODS, StreamMethod
from ssgui.protocol.stream_codecs import (
    StreamCipherClientDatagrams,
    StreamCipherDecoder,
    StreamCipherEncoder,
    StreamCipherServerDatagrams,
)
from tests.protocol.streams import Shell
from tests.protocol.vectors import load

CASES = load("stream_legacy.json")["cases"]
HEADER = b"\x01\x7f\x00\x00\x01\x00\x50"
of_each_case = pytest.mark.parametrize("case", CASES, ids=[case["method"] for case in CASES])
of_each_method = pytest.mark.parametrize("method", STREAM_METHODS.values(), ids=STREAM_METHODS)
methods = st.sampled_from(list(STREAM_METHODS.values()))
METHOD = STREAM_METHODS["aes-128-ctr"]
KEY = bytes(range(16))


def encrypted(method: StreamMethod, key: bytes, iv: bytes, *fills: bytes) -> bytes:
    encoder, wire = StreamCipherEncoder(method, key, iv), b""
    for fill in fills:
        out = memoryview(bytearray(len(fill) + len(iv)))
        wire += out[: encoder.encode(fill, out)]
    return wire


def shell(method: StreamMethod, key: bytes, ivs: SaltFilter | None = None, *, is_request: bool = True) -> Shell:
    return Shell(
        StreamCipherDecoder(method, key, SaltFilter() if ivs is None else ivs, is_request=is_request), method.iv_size
    )


def cut(wire: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(wire), *(place for place in places if place < len(wire))})
    return [wire[start:end] for start, end in pairwise(edges)]


# ---- vectors


@of_each_case
@pytest.mark.parametrize("part", ["tcp_request", "tcp_response"])
def test_streams_of_the_vectors(case: dict[str, Any], part: str) -> None:
    method = STREAM_METHODS[case["method"]]
    key, plain, wire = bytes.fromhex(case["key"]), bytes.fromhex(case[part]["plain"]), bytes.fromhex(case[part]["wire"])
    assert key_for(method, case["password_utf8"]) == key
    assert encrypted(method, key, wire[: method.iv_size], plain[:9], b"", plain[9:]) == wire
    one = shell(method, key, is_request=part == "tcp_request")
    assert one.feed(*(wire[at : at + 1] for at in range(len(wire)))) == plain
    assert one.decoder.at_boundary


@of_each_case
def test_packets_of_the_vectors(case: dict[str, Any]) -> None:
    method, key = STREAM_METHODS[case["method"]], bytes.fromhex(case["key"])
    packet, plain = bytes.fromhex(case["udp_request"]["wire"]), bytes.fromhex(case["udp_request"]["plain"])
    codec = StreamCipherClientDatagrams(method, key, lambda size: packet[:size], SaltFilter())
    assert codec.open(packet) == plain
    assert codec.seal(plain) == packet


def test_every_method_of_the_vectors_is_there() -> None:
    assert {case["method"] for case in CASES} <= set(STREAM_METHODS)


# ---- streams


@given(methods, st.lists(st.integers(0, 3000), max_size=6), st.lists(st.integers(1, 5000), max_size=8))
def test_what_went_in_comes_out_however_it_is_cut(method: StreamMethod, sizes: list[int], places: list[int]) -> None:
    key, iv = os.urandom(method.key_size), os.urandom(method.iv_size)
    fills = [HEADER, *(os.urandom(size) for size in sizes)]
    wire = encrypted(method, key, iv, *fills)
    assert len(wire) == method.iv_size + sum(map(len, fills))
    one = shell(method, key)
    assert one.feed(*cut(wire, places)) == b"".join(fills)
    assert one.decoder.error is None
    assert one.decoder.authenticated
    assert one.decoder.salt == iv


@of_each_method
def test_two_directions_differ(method: StreamMethod) -> None:
    key = os.urandom(method.key_size)
    one, other = (encrypted(method, key, bytes([fill]) * method.iv_size, bytes(64)) for fill in (1, 2))
    assert one[method.iv_size :] != other[method.iv_size :]


@given(methods, st.binary(max_size=100), st.lists(st.integers(1, 100), max_size=5))
def test_random_bytes_never_raise(method: StreamMethod, wire: bytes, places: list[int]) -> None:
    one = shell(method, bytes(range(method.key_size)))
    plain = one.feed(*cut(wire, places))
    if plain:
        assert plain[0] & ~0x10 in (1, 3, 4)
    elif len(wire) > method.iv_size:
        assert isinstance(one.decoder.error, BadRequestError)


def test_a_request_that_begins_with_no_address_is_refused_and_not_remembered() -> None:
    ivs = SaltFilter()
    for kind in range(256):
        one = shell(METHOD, KEY, ivs)
        known = kind & ~0x10 in (1, 3, 4)
        plain = one.feed(encrypted(METHOD, KEY, bytes([kind]) * 16, bytes([kind]) + b"more"))
        assert (one.decoder.error is None) == one.decoder.authenticated == bool(plain) == known
    assert len(ivs) == 6
    error = shell(METHOD, KEY)
    error.feed(encrypted(METHOD, KEY, bytes(16), b"\x99"))
    assert str(error.decoder.error) == "unknown address type 153: is it sent with another key or method?"
    with pytest.raises(LocalProtocolError, match="failed already"):
        error.decoder.decode(memoryview(b"x"), memoryview(bytearray(1)))


def test_an_answer_may_begin_with_anything() -> None:
    assert shell(METHOD, KEY, is_request=False).feed(encrypted(METHOD, KEY, bytes(16), b"\x99")) == b"\x99"


def test_a_stream_that_was_seen_is_a_replay() -> None:
    ivs, wire = SaltFilter(), encrypted(METHOD, KEY, bytes(16), HEADER)
    first, second = shell(METHOD, KEY, ivs), shell(METHOD, KEY, ivs)
    assert first.feed(wire) == HEADER
    assert second.feed(wire) == b""
    assert isinstance(second.decoder.error, ReplayError)


def test_an_answer_that_was_seen_is_a_replay_too() -> None:
    """Own IVs are among those that were seen: an echo of what we sent is no answer."""
    ivs, wire = SaltFilter(), encrypted(METHOD, KEY, bytes(16), b"echo")
    ivs.add(bytes(16))
    one = shell(METHOD, KEY, ivs, is_request=False)
    assert one.feed(wire) == b""
    assert isinstance(one.decoder.error, ReplayError)


def test_of_two_streams_at_once_one_is_a_replay() -> None:
    ivs, wire = SaltFilter(), encrypted(METHOD, KEY, bytes(16), HEADER)
    first, second = shell(METHOD, KEY, ivs), shell(METHOD, KEY, ivs)
    first.feed(wire[:16])
    second.feed(wire[:16])
    assert first.feed(wire[16:]) == HEADER
    assert second.feed(wire[16:]) == b""
    assert isinstance(second.decoder.error, ReplayError)


@pytest.mark.parametrize(("size", "whole"), [(0, True), (1, False), (15, False), (16, False), (17, True), (23, True)])
def test_where_a_stream_may_end(size: int, whole: bool) -> None:
    one = shell(METHOD, KEY)
    one.feed(encrypted(METHOD, KEY, bytes(16), HEADER)[:size])
    assert one.decoder.at_boundary is whole


def test_misuse() -> None:
    with pytest.raises(LocalProtocolError, match="IV of 16 bytes, not 15"):
        StreamCipherEncoder(METHOD, KEY, bytes(15))
    encoder = StreamCipherEncoder(METHOD, KEY, bytes(16))
    assert encoder.encode(b"", memoryview(b"")) == 0
    with pytest.raises(LocalProtocolError, match="18 bytes of output"):
        encoder.encode(b"ab", memoryview(bytearray(17)))
    out = memoryview(bytearray(18))
    assert encoder.encode(b"ab", out) == 18  # it had done nothing
    assert bytes(out) == encrypted(METHOD, KEY, bytes(16), b"ab")
    with pytest.raises(LocalProtocolError, match="5 bytes of output"):
        shell(METHOD, KEY).decoder.decode(memoryview(b"12345"), memoryview(bytearray(4)))


# ---- packets


@of_each_method
def test_a_packet_opens_at_the_other_end(method: StreamMethod) -> None:
    key = os.urandom(method.key_size)
    client = StreamCipherClientDatagrams(method, key, os.urandom, SaltFilter())
    server = StreamCipherServerDatagrams(method, key, os.urandom, SaltFilter())
    packet = client.seal(memoryview(HEADER + b"up"))
    assert len(packet) == method.iv_size + len(HEADER) + 2
    opened = server.open(memoryview(packet), "somebody")
    assert (opened.session, opened.plain, opened.user) == ("somebody", HEADER + b"up", "")
    assert client.open(server.seal("somebody", HEADER)) == HEADER
    for end in (client, server._packets):
        with pytest.raises(ReplayError):
            end.open(packet)


@given(methods, st.binary(max_size=60))
def test_random_packets(method: StreamMethod, packet: bytes) -> None:
    codec = StreamCipherClientDatagrams(method, bytes(range(method.key_size)), os.urandom, SaltFilter())
    with suppress(BadRequestError):
        assert codec.open(packet)[0] & ~0x10 in (1, 3, 4)


def test_a_packet_without_an_address_is_dropped() -> None:
    codec = StreamCipherClientDatagrams(METHOD, KEY, os.urandom, SaltFilter())
    with pytest.raises(BadRequestError, match="16 bytes has no room"):
        codec.open(bytes(16))
    with pytest.raises(BadRequestError, match="unknown address type 2: "):
        codec.open(StreamCipherClientDatagrams(METHOD, KEY, os.urandom, SaltFilter()).seal(b"\x02"))


# ---- names


@pytest.mark.parametrize("name", STREAM_METHODS)
def test_an_old_method_must_be_allowed(name: str) -> None:
    with pytest.raises(LocalProtocolError, match=rf"does not protect against changes; .*\(--allow-legacy {name}\)$"):
        find_method(name.upper(), ALL_LEGACY - {name})
    assert find_method(f" {name.upper()} ", frozenset({name})) is STREAM_METHODS[name]
    check_password(STREAM_METHODS[name], "x")
    with pytest.raises(LocalProtocolError, match="password is empty"):
        check_password(STREAM_METHODS[name], "")


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_cannot_be_allowed(name: str) -> None:
    with pytest.raises(LocalProtocolError, match=r"encrypts nothing|no library here has it") as caught:
        find_method(name, frozenset({name}))
    assert "--allow-legacy" not in str(caught.value)


def test_no_name_is_two_things() -> None:
    assert not {*STREAM_METHODS} & {*IMPOSSIBLE, *METHODS}
    assert not {*IMPOSSIBLE} & {*METHODS}


def test_a_library_without_a_cipher_is_named() -> None:
    from cryptography.hazmat.decrepit.ciphers.algorithms import RC2
    from cryptography.hazmat.decrepit.ciphers.modes import CFB
    from cryptography.hazmat.primitives.ciphers import Cipher

    with pytest.raises(LocalProtocolError, match="lacks rc2-cfb"):
        StreamMethod("rc2-cfb", 16, 8, lambda key, iv: Cipher(RC2(key), CFB(iv))).require()
