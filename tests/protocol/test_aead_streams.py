"""The decoder against streams that come in pieces, changed, replayed, or are no streams at all."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssgui.protocol.aead import MAX_CHUNK, MAX_HELD, AeadDecoder
from ssgui.protocol.errors import AuthenticationError, LocalProtocolError, ReplayError
from ssgui.protocol.methods import METHODS, Method, key_for
from ssgui.protocol.replay import SaltFilter
from tests.protocol.splits import cut, places
from tests.protocol.streams import CANARY, KEY, METHOD, SALT, Sealer, Shell, sealed

PLAIN = st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=5)
SIZES = st.lists(st.integers(1, 200) | st.sampled_from([MAX_CHUNK - 1, MAX_CHUNK]), min_size=1, max_size=4)
FEW_PLACES = st.lists(st.integers(0, 2**20), max_size=6)


def delivered(chunks: list[bytes], flipped: int) -> bytes:
    """What must come out of a stream (16 bytes of salt) with a change at this place: the chunks before it."""
    out, end = b"", len(SALT)
    for data in chunks:
        end += len(data) + 34
        if flipped < end:
            break
        out += data
    return out if flipped >= len(SALT) else b""


def flip(wire: bytes, place: int, mask: int) -> bytes:
    return wire[:place] + bytes((wire[place] ^ mask,)) + wire[place + 1 :]


def check_flip(chunks: list[bytes], wire: bytes, place: int, pieces: list[bytes]) -> None:
    salts = SaltFilter()
    shell = Shell(AeadDecoder(METHOD, KEY, salts))
    assert shell.feed(*pieces) == delivered(chunks, place)
    assert type(shell.decoder.error) is AuthenticationError
    assert not shell.decoder.at_boundary
    assert shell.decoder.held == b""
    # The stream counts as seen only if something in it was genuine.
    assert (SALT in salts) is shell.decoder.authenticated is (place >= len(SALT) + 18)
    with pytest.raises(LocalProtocolError, match="failed already"):
        shell.decoder.decode(memoryview(wire), memoryview(bytearray(len(wire))))


# ---- pieces


@given(st.sampled_from(list(METHODS.values())), SIZES, places)
def test_any_split_gives_the_same(method: Method, sizes: list[int], where: list[int]) -> None:
    key, salt = key_for(method, "x"), bytes(method.salt_size)
    chunks = [bytes((number,)) * size for number, size in enumerate(sizes)]
    wire = b"".join(sealed(chunks, method, key, salt))
    shell = Shell(AeadDecoder(method, key, SaltFilter()))
    assert shell.feed(*cut(wire, where)) == b"".join(chunks)
    assert shell.decoder.at_boundary


@given(PLAIN)
def test_one_byte_at_a_time(chunks: list[bytes]) -> None:
    wire = b"".join(sealed(chunks))
    shell = Shell(AeadDecoder(METHOD, KEY))
    assert shell.feed(*(bytes((byte,)) for byte in wire)) == b"".join(chunks)
    assert shell.fed == len(wire)


def test_a_long_stream_in_every_read_size() -> None:
    chunks = [bytes((number,)) * MAX_CHUNK for number in range(6)]
    wire = b"".join(sealed(chunks))
    for size in (1448, 4096, 16_383, 16_417, 16_418, 65_536):
        shell = Shell(AeadDecoder(METHOD, KEY))
        pieces = (wire[start : start + size] for start in range(0, len(wire), size))
        assert shell.feed(*pieces) == b"".join(chunks)


def test_chunks_are_delivered_as_soon_as_they_are_whole() -> None:
    salt, one, two = sealed([b"one", b"two"])
    shell = Shell(AeadDecoder(METHOD, KEY))
    assert shell.feed(salt) == b""
    assert shell.feed(one[:-1]) == b""
    assert shell.feed(one[-1:] + two[:-1]) == b"one"
    assert shell.feed(two[-1:]) == b"onetwo"


# ---- changes


def every_flip_and_split(wire: bytes) -> Iterator[tuple[int, list[bytes]]]:
    for place in range(len(wire)):
        changed = flip(wire, place, 1 << place % 8)
        for split in range(len(wire)):
            yield place, [changed[:split], changed[split:]]


def test_every_flipped_byte_and_every_split_in_two() -> None:
    chunks = [b"a", b"bcdef", b"ghi"]
    wire = b"".join(sealed(chunks))
    for place, pieces in every_flip_and_split(wire):
        check_flip(chunks, wire, place, pieces)


def test_every_flipped_byte_one_byte_at_a_time() -> None:
    chunks = [b"a", b"bcdef", b"ghi"]
    wire = b"".join(sealed(chunks))
    for place in range(len(wire)):
        check_flip(chunks, wire, place, [bytes((byte,)) for byte in flip(wire, place, 0xFF)])


@given(PLAIN, st.integers(0, 2**20), st.integers(1, 255), places)
def test_any_change_and_any_split(chunks: list[bytes], place: int, mask: int, where: list[int]) -> None:
    wire = b"".join(sealed(chunks))
    place %= len(wire)
    check_flip(chunks, wire, place, cut(flip(wire, place, mask), where))


@settings(max_examples=40)
@given(st.lists(st.just(MAX_CHUNK), min_size=2, max_size=4), st.integers(0, 2**20), st.integers(1, 255), FEW_PLACES)
def test_a_change_in_long_chunks(sizes: list[int], place: int, mask: int, where: list[int]) -> None:
    chunks = [bytes((number,)) * size for number, size in enumerate(sizes)]
    wire = b"".join(sealed(chunks))
    place %= len(wire)
    check_flip(chunks, wire, place, cut(flip(wire, place, mask), where))


def test_a_bad_chunk_may_dirty_the_output_and_is_not_counted() -> None:
    """The library fills the output before it checks the tag. It must stay behind the count."""
    salt, one, two = sealed([b"one", b"SECRET" * 50])
    wire = salt + one + flip(two, len(two) - 1, 1)
    out = bytearray([CANARY]) * len(wire)
    decoder = AeadDecoder(METHOD, KEY)
    count = decoder.decode(memoryview(wire), memoryview(out))
    assert out[:count] == b"one"
    assert type(decoder.error) is AuthenticationError
    assert out[count + 300 :] == bytearray([CANARY]) * (len(wire) - count - 300)


@pytest.mark.parametrize("swap", [(1, 2), (1, 1), (2, 2)])
def test_chunks_do_not_open_in_another_place(swap: tuple[int, int]) -> None:
    parts = sealed([b"one", b"two"])
    shell = Shell(AeadDecoder(METHOD, KEY))
    order = [parts[0], *(parts[number] for number in reversed(swap))]
    assert shell.feed(b"".join(order)) == (b"one" if swap == (1, 1) else b"")
    assert type(shell.decoder.error) is AuthenticationError


@pytest.mark.parametrize("other", ["aes-128-gcm", "aes-256-gcm", "chacha20-ietf-poly1305"])
def test_another_key_or_method(other: str) -> None:
    method = METHODS[other]
    shell = Shell(AeadDecoder(method, key_for(method, "another password")))
    assert shell.feed(b"".join(sealed([b"one" * 20]))) == b""
    assert type(shell.decoder.error) is AuthenticationError
    assert not shell.decoder.authenticated


@given(st.sampled_from(list(METHODS.values())), st.binary(max_size=400), places)
def test_random_bytes_deliver_nothing(method: Method, data: bytes, where: list[int]) -> None:
    salts = SaltFilter()
    shell = Shell(AeadDecoder(method, bytes(method.key_size), salts))
    assert shell.feed(*cut(data, where)) == b""
    enough = len(data) >= method.salt_size + 18
    assert type(shell.decoder.error) is (AuthenticationError if enough else type(None))
    assert not shell.decoder.authenticated
    assert data[: method.salt_size] not in salts
    assert len(shell.decoder.held) < method.salt_size + 18 <= MAX_HELD


# ---- replays


def test_a_replay_is_refused_before_anything_is_opened() -> None:
    salts = SaltFilter()
    wire = b"".join(sealed([b"one"]))
    assert Shell(AeadDecoder(METHOD, KEY, salts)).feed(wire) == b"one"
    for again in (SALT, SALT + b"x" * 50, wire):
        shell = Shell(AeadDecoder(METHOD, KEY, salts))
        assert shell.feed(again) == b""
        assert type(shell.decoder.error) is ReplayError
        assert not shell.decoder.authenticated
        assert shell.decoder.salt == SALT
    shell = Shell(AeadDecoder(METHOD, KEY, salts))
    shell.feed(wire[:15], wire[15:])
    assert type(shell.decoder.error) is ReplayError
    assert shell.decoder.held == b""
    assert not shell.decoder.at_boundary


def test_our_own_salt_that_comes_back_is_a_replay() -> None:
    salts = SaltFilter()
    salts.add(SALT)
    shell = Shell(AeadDecoder(METHOD, KEY, salts))
    shell.feed(SALT)
    assert type(shell.decoder.error) is ReplayError


@pytest.mark.parametrize("first", [16, 16 + 1, 16 + 17])
def test_two_connections_with_one_salt_do_not_slip_past(first: int) -> None:
    """Both look before either is known: so it is looked at again when the first chunk opens (libev #1948)."""
    salts = SaltFilter()
    wire = b"".join(sealed([b"one", b"two"]))
    one, two = (Shell(AeadDecoder(METHOD, KEY, salts)) for _ in range(2))
    for shell in (one, two):
        shell.feed(wire[:first])
        assert shell.decoder.error is None
    assert one.feed(wire[first:]) == b"onetwo"
    assert two.feed(wire[first:]) == b""
    assert type(two.decoder.error) is ReplayError
    assert not two.decoder.authenticated


def test_a_salt_that_did_not_authenticate_is_not_burnt() -> None:
    """Else a stranger who saw a salt go by could spend it before its owner, or flood the filter."""
    salts = SaltFilter(capacity=1)
    wire = b"".join(sealed([b"one"]))
    for place in range(16, 16 + 18):
        Shell(AeadDecoder(METHOD, KEY, salts)).feed(flip(wire, place, 1))
    assert SALT not in salts
    assert Shell(AeadDecoder(METHOD, KEY, salts)).feed(wire) == b"one"


def test_without_a_filter_nothing_is_remembered() -> None:
    wire = SALT + Sealer().chunk(b"one")
    assert [Shell(AeadDecoder(METHOD, KEY)).feed(wire) for _ in range(2)] == [b"one", b"one"]
