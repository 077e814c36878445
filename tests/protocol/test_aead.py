"""The stream codecs: vectors, sizes, limits."""

import hashlib
from typing import Any

import pytest

from ssgui.protocol.address import encode_address
from ssgui.protocol.aead import MAX_CHUNK, MAX_HELD, AeadDecoder, AeadEncoder, sealed_bound
from ssgui.protocol.errors import BadRequestError, LocalProtocolError
from ssgui.protocol.methods import METHODS, Method, key_for
from tests.protocol.streams import CANARY, KEY, METHOD, SALT, Sealer, Shell, sealed
from tests.protocol.vectors import load

AEAD = load("aead_sip004.json")
of_each_vector = pytest.mark.parametrize("case", AEAD["cases"], ids=[case["method"] for case in AEAD["cases"]])
of_each_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


def encode(encoder: AeadEncoder, data: bytes, method: Method = METHOD) -> bytes:
    """One fill, from and into buffers that must be free again afterwards."""
    source, out = bytearray(data), bytearray(sealed_bound(len(data), method))
    with memoryview(source) as view, memoryview(out) as sink:
        count = encoder.encode(view, sink)
    wire = bytes(out[:count])
    source.clear()
    out.clear()
    return wire


def codecs(case: dict[str, Any], salt: str) -> tuple[Method, AeadEncoder, Shell]:
    method = METHODS[case["method"]]
    key = key_for(method, case["password_utf8"])
    return method, AeadEncoder(method, key, bytes.fromhex(salt)), Shell(AeadDecoder(method, key))


# ---- vectors


@of_each_vector
def test_requests_and_responses(case: dict[str, Any]) -> None:
    for salt, part in ((case["salt"], case["tcp_request"]), (case["tcp_response"]["salt"], case["tcp_response"])):
        method, encoder, shell = codecs(case, salt)
        chunks = [bytes.fromhex(chunk) for chunk in part["plain_chunks"]]
        assert b"".join(encode(encoder, chunk, method) for chunk in chunks).hex() == part["wire"]
        assert shell.feed(bytes.fromhex(part["wire"])) == b"".join(chunks)
        assert shell.decoder.at_boundary
        assert shell.decoder.authenticated
        assert shell.decoder.salt.hex() == salt


@of_each_vector
def test_the_longest_chunk(case: dict[str, Any]) -> None:
    method, encoder, shell = codecs(case, case["salt"])
    plain = bytes(i & 255 for i in range(MAX_CHUNK))
    wire = encode(encoder, plain, method)
    assert len(wire) == case["max_chunk_0x3FFF"]["wire_len"]
    assert hashlib.sha256(wire).hexdigest() == case["max_chunk_0x3FFF"]["wire_sha256_with_salt"]
    assert shell.feed(wire) == plain


@of_each_vector
def test_how_long_data_is_cut(case: dict[str, Any]) -> None:
    method, encoder, shell = codecs(case, case["salt"])
    plain = encode_address(*AEAD["targets"]["tcp"]) + b"x" * 32771
    wire = encode(encoder, plain, method)
    assert len(wire) == method.salt_size + sum(case["split_rule"]["chunks"])
    assert hashlib.sha256(wire).hexdigest() == case["split_rule"]["wire_sha256_with_salt"]
    assert shell.feed(wire) == plain


# ---- round trips

SIZES = (0, 1, MAX_CHUNK - 1, MAX_CHUNK, MAX_CHUNK + 1, 0x7FFE, 0x7FFF, 0x8000, 512 * 1024)


@of_each_method
@pytest.mark.parametrize("size", SIZES)
def test_round_trip(method: Method, size: int) -> None:
    key, salt = key_for(method, "x"), bytes(method.salt_size)
    plain = hashlib.shake_128(b"plain").digest(size)
    encoder, shell = AeadEncoder(method, key, salt), Shell(AeadDecoder(method, key))
    first, second = encode(encoder, plain, method), encode(encoder, plain, method)
    cuts = [plain[start : start + MAX_CHUNK] for start in range(0, size, MAX_CHUNK)]
    assert [first + second] == [b"".join(sealed(cuts * 2, method, key, salt))] or not size
    assert len(first) == (sealed_bound(size, method) if size else 0)
    assert len(second) == (len(first) - method.salt_size if size else 0)
    assert shell.feed(first, second) == plain * 2
    assert shell.decoder.at_boundary


@of_each_method
def test_the_bound_is_reached_and_never_passed(method: Method) -> None:
    for size in (1, 5, MAX_CHUNK, MAX_CHUNK + 1, 3 * MAX_CHUNK, 3 * MAX_CHUNK + 1):
        encoder = AeadEncoder(method, bytes(method.key_size), bytes(method.salt_size))
        assert len(encode(encoder, bytes(size), method)) == sealed_bound(size, method)


def test_nothing_comes_of_nothing_not_even_the_salt() -> None:
    encoder = AeadEncoder(METHOD, KEY, SALT)
    assert encode(encoder, b"") == b""
    assert encoder.salt == SALT
    wire = encode(encoder, b"data")
    assert wire == b"".join(sealed([b"data"]))
    assert encode(encoder, b"") == b""


def test_bytes_are_as_good_as_a_view() -> None:
    for size in (1, MAX_CHUNK, MAX_CHUNK + 1):
        out = memoryview(bytearray(sealed_bound(size, METHOD)))
        count = AeadEncoder(METHOD, KEY, SALT).encode(bytes(size), out)
        assert out[:count] == encode(AeadEncoder(METHOD, KEY, SALT), bytes(size))


@pytest.mark.parametrize("name", ["aes-256-gcm", "chacha20-ietf-poly1305", "xchacha20-ietf-poly1305"])
def test_the_nonce_carries_from_byte_to_byte(name: str) -> None:
    method = METHODS[name]
    key, salt = bytes(method.key_size), bytes(method.salt_size)
    encoder, shell, sealer = AeadEncoder(method, key, salt), Shell(AeadDecoder(method, key)), Sealer(method, key, salt)
    shell.feed(salt)
    wires = [encode(encoder, bytes((i & 255,)), method) for i in range(200)]
    assert b"".join(wires) == salt + b"".join(sealer.chunk(bytes((i & 255,))) for i in range(200))
    assert shell.feed(b"".join(wires)[len(salt) :]) == bytes(i & 255 for i in range(200))


def test_the_nonce_carries_into_the_third_byte() -> None:
    encoder, sealer = AeadEncoder(METHOD, KEY, SALT), Sealer()
    out = memoryview(bytearray(128))
    pieces = [bytes(out[: encoder.encode(b"x", out)]) for _ in range(0x8000 + 2)]
    sealer.number = 0xFFFE
    assert pieces[-3:] == [sealer.chunk(b"x") for _ in range(3)]
    assert Shell(AeadDecoder(METHOD, KEY)).feed(b"".join(pieces)) == b"x" * len(pieces)


# ---- limits of the format


@pytest.mark.parametrize("length", [0, MAX_CHUNK + 1, 0x4001, 0x8001, 0xC001, 0xFFFF])
@pytest.mark.parametrize("before", [[], [b"one", b"two"]])
def test_a_length_that_is_not_allowed(length: int, before: list[bytes]) -> None:
    sealer = Sealer()
    wire = SALT + b"".join(sealer.chunk(data) for data in before)
    wire += sealer.chunk(b"\xff" * min(length, MAX_CHUNK), length) + sealer.chunk(b"after")
    for pieces in ([wire], [wire[:20], wire[20:]], [bytes((byte,)) for byte in wire]):
        shell = Shell(AeadDecoder(METHOD, KEY))
        assert shell.feed(*pieces) == b"".join(before)
        assert isinstance(shell.decoder.error, BadRequestError)
        assert str(length) in str(shell.decoder.error)
        assert shell.decoder.authenticated  # they have the key: they are no stranger
        assert not shell.decoder.at_boundary
        assert shell.decoder.held == b""


@pytest.mark.parametrize("size", [1, MAX_CHUNK])
def test_no_more_than_one_chunk_is_held(size: int) -> None:
    sealer = Sealer()
    shell = Shell(AeadDecoder(METHOD, KEY))
    shell.feed(SALT + sealer.chunk(bytes(size)) + sealer.chunk(bytes(MAX_CHUNK))[:-1])
    assert shell.plain == bytes(size)
    assert 0 < len(shell.decoder.held) <= MAX_HELD == 16_417


def test_where_a_stream_may_end() -> None:
    wire = b"".join(sealed([b"one", b"three"]))
    clean = {0, 16 + 34 + 3, len(wire)}
    for end in range(len(wire) + 1):
        shell = Shell(AeadDecoder(METHOD, KEY))
        shell.feed(wire[:end])
        assert shell.decoder.at_boundary is (end in clean), end
        assert shell.decoder.authenticated is (end >= 16 + 18)
        assert shell.decoder.salt == (SALT if end >= 16 else b"")
        assert shell.decoder.error is None


# ---- misuse


def test_a_salt_of_the_wrong_size() -> None:
    with pytest.raises(LocalProtocolError, match="16 bytes, not 15"):
        AeadEncoder(METHOD, KEY, SALT[1:])


@pytest.mark.parametrize("size", [1, MAX_CHUNK, MAX_CHUNK + 1])
def test_an_output_too_short_for_sealing_leaves_everything_as_it_was(size: int) -> None:
    """Above all no nonce may be used up, or used twice."""
    encoder, fresh = AeadEncoder(METHOD, KEY, SALT), AeadEncoder(METHOD, KEY, SALT)
    for _ in range(2):
        need = len(encode(fresh, bytes(size)))
        short = bytearray([CANARY]) * (need - 1)
        with pytest.raises(LocalProtocolError, match=f"{need} bytes of output"):
            encoder.encode(bytes(size), memoryview(short))
        assert set(short) == {CANARY}
        encode(encoder, bytes(size))
    assert encode(encoder, b"x") == encode(fresh, b"x")


def test_an_output_too_short_for_opening_leaves_everything_as_it_was() -> None:
    wire = b"".join(sealed([b"one"]))
    shell = Shell(AeadDecoder(METHOD, KEY))
    with pytest.raises(LocalProtocolError, match=f"{len(wire)} bytes of output"):
        shell.decoder.decode(memoryview(wire), memoryview(bytearray(len(wire) - 1)))
    assert shell.feed(wire) == b"one"
