"""The streams of SIP022 and SIP023 as they should be: the vectors, both ends, every size."""

import hashlib
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssgui.protocol.address import encode_address
from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.identity import Users
from ssgui.protocol.salt_pool import SaltPool
from ssgui.protocol.sip022 import MAX_CHUNK, METHODS_2022, Method2022, parse_key, parse_keys
from ssgui.protocol.sip022_decoders import MAX_HELD, AnswerDecoder, RequestDecoder
from ssgui.protocol.sip022_encoders import AnswerEncoder, RequestEncoder
from tests.protocol.sip022_wires import (
    ADDRESS,
    AES_VECTORS,
    KEY,
    METHOD,
    NOW,
    SALT,
    VECTORS,
    Clock,
    Sealer,
    identity_headers,
    vector_name,
)
from tests.protocol.splits import cut, places
from tests.protocol.streams import CANARY, Shell

SIZES = [0, 1, 2, 0x3FFF, 0xFFFE, 0xFFFF, 0x10000, 0x1FFFE, 0x1FFFF]
methods = pytest.mark.parametrize("method", METHODS_2022.values(), ids=lambda method: method.name)
vectors = pytest.mark.parametrize("case", VECTORS, ids=vector_name)


def request_shell(method: Method2022 = METHOD, key: bytes = KEY, *, users: Users | None = None) -> Shell:
    """A server that takes a header in pieces."""
    return Shell(RequestDecoder(method, key, SaltPool(Clock()), Clock(), users=users, segmented=True), MAX_HELD)


def answer_shell(method: Method2022 = METHOD, key: bytes = KEY, salt: bytes = SALT) -> Shell:
    return Shell(AnswerDecoder(method, key, Clock(), salt), MAX_HELD)


def encode(encoder: RequestEncoder | AnswerEncoder, data: bytes) -> bytes:
    """Into an output that is longer than it must be, which must stay as it was behind the result."""
    out = bytearray([CANARY]) * (len(data) + 2000 + 34 * (len(data) // MAX_CHUNK + 1))
    with memoryview(out) as sink, memoryview(data) as source:
        count = encoder.encode(source, sink)
    assert set(out[count:]) == {CANARY}
    return bytes(out[:count])


def request_encoder(method: Method2022 = METHOD, *keys: bytes, salt: bytes = SALT) -> RequestEncoder:
    return RequestEncoder(method, keys or (KEY,), salt, Clock(), os.urandom)


# ---- vectors


@vectors
def test_a_request_of_the_vectors_opens(case: dict[str, Any]) -> None:
    method, request = METHODS_2022[case["method"]], case["tcp_request"]
    wire = bytes.fromhex(request["wire"])
    for pieces in ([wire], [bytes((byte,)) for byte in wire]):
        shell = request_shell(method, parse_key(method, case["psk_base64"]))
        plain = bytes.fromhex("017f4d000194c0" + request["initial_payload"] + request["next_chunk_plain"])
        assert shell.feed(*pieces) == plain
        assert shell.decoder.at_boundary
        assert shell.decoder.authenticated
        assert shell.decoder.salt.hex() == case["salt"]


@vectors
def test_an_answer_of_the_vectors_opens(case: dict[str, Any]) -> None:
    method, answer = METHODS_2022[case["method"]], case["tcp_response"]
    shell = answer_shell(method, parse_key(method, case["psk_base64"]), bytes.fromhex(case["salt"]))
    assert shell.feed(bytes.fromhex(answer["wire"])) == b"reply bodymore"
    assert shell.decoder.at_boundary


@vectors
def test_an_answer_is_sealed_as_in_the_vectors(case: dict[str, Any]) -> None:
    method, answer = METHODS_2022[case["method"]], case["tcp_response"]
    key = parse_key(method, case["psk_base64"])
    clock = Clock(answer["timestamp"] + 0.9)
    encoder = AnswerEncoder(method, key, bytes.fromhex(answer["salt"]), clock, bytes.fromhex(case["salt"]))
    assert (encode(encoder, b"reply body") + encode(encoder, b"more")).hex() == answer["wire"]


@vectors
def test_the_sealer_of_these_tests_is_right(case: dict[str, Any]) -> None:
    method, request = METHODS_2022[case["method"]], case["tcp_request"]
    sealer = Sealer(method, parse_key(method, case["psk_base64"]), bytes.fromhex(case["salt"]))
    wire = sealer.raw_request(bytes.fromhex(request["variable_header"]))
    assert (wire + sealer.chunk(b"second chunk")).hex() == request["wire"]
    big = case["max_chunk_0xFFFF"]
    sealer = Sealer(method, sealer.key, sealer.salt)
    data = bytes(index & 255 for index in range(MAX_CHUNK))
    wire = sealer.raw_request(bytes.fromhex(request["variable_header"])) + sealer.chunk(data)
    assert (len(wire), hashlib.sha256(wire).hexdigest()) == (big["wire_len"], big["wire_sha256"])
    assert request_shell(method, sealer.key).feed(wire)[24:] == data


@pytest.mark.parametrize("count", ["one", "two"])
@pytest.mark.parametrize("case", AES_VECTORS, ids=vector_name)
def test_identity_headers_of_the_vectors(case: dict[str, Any], count: str) -> None:
    method, eih = METHODS_2022[case["method"]], case[f"eih_{count}_ipsk"]
    keys, salt = parse_keys(method, eih["password_field"]), bytes.fromhex(case["salt"])
    wire = bytes.fromhex(eih["tcp_request_wire"])
    end = len(salt) + 16 * (len(keys) - 1)
    assert encode(request_encoder(method, *keys, salt=salt), ADDRESS + b"x")[:end] == wire[:end]
    if count == "one":
        shell = request_shell(method, keys[0], users=Users(keys[0], [("bob", bytes(16)), ("ann", keys[1])]))
        assert shell.feed(wire)[7:] == b"GET / first bytes"
        assert shell.decoder.user == "ann"
        assert isinstance(shell.decoder, RequestDecoder)
        assert shell.decoder.key == keys[1]


# ---- what our encoders say, to an own opener and to each other


@methods
def test_a_request_with_payload_has_no_padding(method: Method2022) -> None:
    key, salt = os.urandom(method.key_size), os.urandom(method.key_size)
    wire = encode(request_encoder(method, key, salt=salt), ADDRESS + b"payload")
    assert wire == Sealer(method, key, salt).request(ADDRESS, 0, b"payload")


def test_a_request_without_payload_is_padded() -> None:
    lengths = set()
    for _ in range(200):
        wire = encode(request_encoder(), ADDRESS)
        length = len(wire) - len(Sealer().request(ADDRESS, 0, b""))
        assert wire == Sealer().request(ADDRESS, length, b"")
        lengths.add(length)
    assert len(lengths) > 100
    assert min(lengths) >= 1
    assert max(lengths) <= 900


@pytest.mark.parametrize(("drawn", "length"), [(0, 1), (899, 900), (900, 1)])
def test_the_edges_of_the_padding(drawn: int, length: int) -> None:
    encoder = RequestEncoder(METHOD, (KEY,), SALT, Clock(), lambda size: drawn.to_bytes(size, "big"))
    assert encode(encoder, ADDRESS) == Sealer().request(ADDRESS, length, b"")


@methods
@pytest.mark.parametrize("size", SIZES)
def test_every_size_both_ways(method: Method2022, size: int) -> None:
    key, salt, payload = os.urandom(method.key_size), os.urandom(method.key_size), os.urandom(size)
    name = encode_address("example.com", 443)
    encoder, shell = request_encoder(method, key, salt=salt), request_shell(method, key)
    assert shell.feed(encode(encoder, name + payload)) == name + payload
    assert shell.feed(encode(encoder, payload)) == name + payload * 2
    assert shell.decoder.at_boundary
    answer = AnswerEncoder(method, key, os.urandom(method.key_size), Clock(), salt)
    shell = answer_shell(method, key, salt)
    assert encode(answer, b"") == b""
    assert shell.feed(encode(answer, payload)) == payload
    assert shell.feed(encode(answer, payload)) == payload * 2
    assert shell.decoder.at_boundary


@pytest.mark.parametrize("size", SIZES[1:])
def test_how_data_is_cut(size: int) -> None:
    data = os.urandom(size)
    fits = MAX_CHUNK - 2 - len(ADDRESS)
    encoder, sealer = request_encoder(), Sealer()
    wire = sealer.request(ADDRESS, 0, data[:fits])
    rest = data[fits:]
    wire += b"".join(sealer.chunk(rest[start : start + MAX_CHUNK]) for start in range(0, len(rest), MAX_CHUNK))
    assert encode(encoder, ADDRESS + data) == wire
    wire = b"".join(sealer.chunk(data[start : start + MAX_CHUNK]) for start in range(0, size, MAX_CHUNK))
    assert encode(encoder, data) == wire


@settings(max_examples=60)
@given(
    st.sampled_from(list(METHODS_2022.values())), st.binary(min_size=1, max_size=300),
    st.lists(st.integers(1, 200) | st.sampled_from([0xFFFE, 0xFFFF]), max_size=3), places,
)  # fmt: skip
def test_any_split_gives_the_same(method: Method2022, first: bytes, sizes: list[int], where: list[int]) -> None:
    key, salt = os.urandom(method.key_size), os.urandom(method.key_size)
    request, answer = request_encoder(method, key, salt=salt), AnswerEncoder(method, key, salt, Clock(), salt)
    data = [first, *(bytes((number,)) * size for number, size in enumerate(sizes))]
    wire = encode(request, ADDRESS + data[0]) + b"".join(encode(request, one) for one in data[1:])
    shell = request_shell(method, key)
    assert shell.feed(*cut(wire, where)) == ADDRESS + b"".join(data)
    assert shell.decoder.at_boundary
    shell = answer_shell(method, key, salt)
    assert shell.feed(*cut(b"".join(encode(answer, one) for one in data), where)) == b"".join(data)
    assert shell.decoder.at_boundary


def test_users_get_answers_with_their_own_key() -> None:
    server, ann = os.urandom(16), os.urandom(16)
    shell = request_shell(METHOD, server, users=Users(server, [("ann", ann)]))
    assert shell.feed(encode(request_encoder(METHOD, server, ann), ADDRESS + b"x")) == ADDRESS + b"x"
    decoder = shell.decoder
    assert isinstance(decoder, RequestDecoder)
    answer = AnswerEncoder(METHOD, decoder.key, os.urandom(16), Clock(), decoder.salt)
    assert answer_shell(METHOD, ann).feed(encode(answer, b"y")) == b"y"
    own = Sealer(METHOD, ann).request(ADDRESS, 0, b"x", identities=identity_headers((server, ann), SALT))
    assert own == encode(request_encoder(METHOD, server, ann), ADDRESS + b"x")


def test_long_padding_and_payload_come_together() -> None:
    wire = Sealer().request(ADDRESS, 60_000, b"payload")
    assert request_shell().feed(wire) == ADDRESS + b"payload"


def test_where_a_stream_may_end() -> None:
    sealer = Sealer()
    first = sealer.request(ADDRESS, 1, b"")
    wire = first + sealer.chunk(b"three")
    clean = {0, len(first), len(wire)}
    for end in range(len(wire) + 1):
        shell = request_shell()
        shell.feed(wire[:end])
        assert shell.decoder.at_boundary is (end in clean), end
        assert shell.decoder.authenticated is (end >= 16 + 27)
        assert shell.decoder.error is None


def test_no_more_than_a_chunk_is_held() -> None:
    sealer = Sealer()
    shell = request_shell()
    shell.feed(sealer.request(ADDRESS, 1, b"") + sealer.chunk(bytes(MAX_CHUNK))[:-1])
    assert len(shell.decoder.held) == MAX_HELD - 1


# ---- clocks that are heard


@pytest.mark.parametrize("offset", [-31, -30, 0, 30, 31])
def test_a_client_hears_what_time_its_server_has(offset: int) -> None:
    heard: list[int] = []
    decoder = AnswerDecoder(METHOD, KEY, Clock(), SALT, heard.append)
    Shell(decoder, MAX_HELD).feed(Sealer().answer(SALT, b"x", now=NOW + offset))
    assert heard == [offset]


# ---- misuse


def test_a_salt_of_the_wrong_size() -> None:
    with pytest.raises(LocalProtocolError, match="16 bytes, not 15"):
        request_encoder(salt=SALT[1:])


@pytest.mark.parametrize("first", [ADDRESS[:-1], b"\x03\x05abc", b"\x07\x01"])
def test_a_request_must_begin_with_an_address(first: bytes) -> None:
    encoder = request_encoder()
    with pytest.raises(LocalProtocolError):
        encode(encoder, first)
    assert encode(encoder, ADDRESS + b"x") == encode(request_encoder(), ADDRESS + b"x")


@pytest.mark.parametrize("size", [1, MAX_CHUNK - 9, MAX_CHUNK, MAX_CHUNK + 1])
@pytest.mark.parametrize("which", ["request", "answer"])
def test_an_output_too_short_for_sealing_leaves_everything_as_it_was(size: int, which: str) -> None:
    def make() -> RequestEncoder | AnswerEncoder:
        return request_encoder() if which == "request" else AnswerEncoder(METHOD, KEY, SALT, Clock(), SALT)

    encoder, fresh, data = make(), make(), ADDRESS + bytes(size)
    for _ in range(2):
        need = len(encode(fresh, data))
        short = bytearray([CANARY]) * (need - 1)
        with pytest.raises(LocalProtocolError, match=f"{need} bytes of output"):
            encoder.encode(data, memoryview(short))
        assert set(short) == {CANARY}
        encode(encoder, data)
    assert encode(encoder, b"x") == encode(fresh, b"x")


def test_an_output_too_short_for_opening_leaves_everything_as_it_was() -> None:
    wire = Sealer().request(ADDRESS, 0, b"x")
    shell = request_shell()
    with pytest.raises(LocalProtocolError, match=f"{len(wire)} bytes of output"):
        shell.decoder.decode(memoryview(wire), memoryview(bytearray(len(wire) - 1)))
    assert shell.feed(wire) == ADDRESS + b"x"
