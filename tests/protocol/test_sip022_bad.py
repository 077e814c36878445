"""The decoders of SIP022 against streams that are changed, replayed, late, or no streams at all."""

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.protocol.errors import (
    AuthenticationError,
    BadRequestError,
    ClockError,
    LocalProtocolError,
    RemoteProtocolError,
    ReplayError,
    SegmentedHeaderError,
)
from ssgui.protocol.identity import Users
from ssgui.protocol.salt_pool import SaltPool
from ssgui.protocol.sip022 import METHODS_2022, Method2022, parse_key
from ssgui.protocol.sip022_decoders import MAX_HELD, AnswerDecoder, RequestDecoder
from tests.protocol.sip022_wires import (
    ADDRESS,
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
from tests.protocol.streams import Shell

FIRST = 16 + 27  # what must come in one piece


class Server:
    """What the connections to one port share."""

    def __init__(self, *, method: Method2022 = METHOD, key: bytes = KEY, users: Users | None = None) -> None:
        self.clock, self.monotonic = Clock(), Clock()
        self.salts = SaltPool(self.monotonic)
        self._method, self._key, self._users = method, key, users

    def shell(self, *, segmented: bool = False) -> Shell:
        decoder = RequestDecoder(
            self._method, self._key, self.salts, self.clock, users=self._users, segmented=segmented
        )
        return Shell(decoder, MAX_HELD)

    def refuses(self, *pieces: bytes, why: type[RemoteProtocolError], delivered: bytes = b"") -> str:
        """Nothing may come out but what stands before the fault; what the error says."""
        shell = self.shell()
        assert shell.feed(*pieces) == delivered
        assert type(shell.decoder.error) is why
        assert shell.decoder.held == b""
        assert not shell.decoder.at_boundary
        with pytest.raises(LocalProtocolError, match="failed already"):
            shell.decoder.decode(memoryview(b"x"), memoryview(bytearray(1)))
        return str(shell.decoder.error)


# ---- must be rejected


@pytest.mark.parametrize("case", VECTORS, ids=vector_name)
@pytest.mark.parametrize(
    ("name", "message"), [("no_padding_no_payload", "neither payload nor padding"), ("type_1_from_client", "type 1")]
)
def test_what_the_vectors_reject(case: dict[str, Any], name: str, message: str) -> None:
    method = METHODS_2022[case["method"]]
    server = Server(method=method, key=parse_key(method, case["psk_base64"]))
    assert message in server.refuses(bytes.fromhex(case["must_reject"][name]), why=BadRequestError)


@pytest.mark.parametrize(
    ("wire", "message"),
    [
        (lambda: Sealer().request(ADDRESS, 0, b""), "neither payload nor padding"),
        (lambda: Sealer().request(ADDRESS, 5, b"", padding_length=6), "padding is longer"),
        (lambda: Sealer().request(ADDRESS, 0, b"x", padding_length=0xFFFF), "padding is longer"),
        (lambda: Sealer().raw_request(ADDRESS), "length of the padding is missing"),
        (lambda: Sealer().raw_request(ADDRESS + b"\0"), "length of the padding is missing"),
        (lambda: Sealer().raw_request(ADDRESS[:-1]), "address is cut short"),
        (lambda: Sealer().raw_request(b"\x03\xff" + bytes(250)), "address is cut short"),
        (lambda: Sealer().raw_request(b"\x03\x00\x00\x50\x00\x00x"), "host name is empty"),
        (lambda: Sealer().request(b"\x02" + ADDRESS[1:], 0, b"x"), "unknown address type 2"),
        (lambda: Sealer().request(b"\x11" + ADDRESS[1:], 0, b"x"), "One-Time Auth"),
        (lambda: Sealer().raw_request(b""), "a chunk of 0 bytes"),
        (lambda: Sealer().request(ADDRESS, 0, b"x", kind=1), "type 1"),
        (lambda: Sealer().request(ADDRESS, 0, b"x", kind=255), "type 255"),
    ],
)
def test_headers_that_make_no_sense(wire: Callable[[], bytes], message: str) -> None:
    assert message in Server().refuses(wire(), why=BadRequestError)


def test_a_chunk_of_nothing() -> None:
    sealer = Sealer()
    wire = sealer.request(ADDRESS, 0, b"x") + sealer.chunk(b"")
    assert "0 bytes" in Server().refuses(wire, why=BadRequestError, delivered=ADDRESS + b"x")


def test_a_length_that_is_a_lie() -> None:
    for length in (1, 9, 11, 0xFFFF):
        sealer = Sealer()
        wire = sealer.request(ADDRESS, 0, b"x", length=length) + bytes(0x10000)
        Server().refuses(wire, why=AuthenticationError)


@pytest.mark.parametrize("offset", [-(2**40), -31, -30, 30, 31, 2**40])
def test_times(offset: int) -> None:
    server = Server()
    wire = Sealer().request(ADDRESS, 0, b"x", now=max(0, NOW + offset))
    if abs(offset) <= 30:
        assert server.shell().feed(wire) == ADDRESS + b"x"
        return
    assert server.refuses(wire, why=ClockError).startswith("the client's clock is ")
    assert SALT not in server.salts
    server.clock.now = max(0, NOW + offset)
    assert server.shell().feed(wire) == ADDRESS + b"x"


# ---- pieces


@pytest.mark.parametrize("size", range(1, FIRST))
def test_a_first_header_in_pieces(size: int) -> None:
    server = Server()
    wire = Sealer().request(ADDRESS, 0, b"x")
    message = server.refuses(wire[:size], wire[size:], why=SegmentedHeaderError)
    assert message == "the first header came in pieces"
    assert SALT not in server.salts
    assert server.shell(segmented=True).feed(wire[:size], wire[size:]) == ADDRESS + b"x"


@given(places)
def test_pieces_behind_the_first_header(where: list[int]) -> None:
    sealer = Sealer()
    wire = sealer.request(ADDRESS, 3, b"x") + sealer.chunk(b"more")
    assert Server().shell().feed(wire[:FIRST], *cut(wire[FIRST:], where)) == ADDRESS + b"xmore"


def test_the_identity_header_belongs_to_the_first() -> None:
    server = Server(users=Users(KEY, [("ann", bytes(16))]))
    wire = Sealer(key=bytes(16)).request(ADDRESS, 0, b"x", identities=identity_headers((KEY, bytes(16)), SALT))
    server.refuses(wire[: FIRST + 15], why=SegmentedHeaderError)
    assert server.shell().feed(wire[: FIRST + 16], wire[FIRST + 16 :]) == ADDRESS + b"x"


def test_an_answer_may_come_in_pieces() -> None:
    wire = Sealer().answer(SALT, b"payload")
    for size in range(len(wire)):
        shell = Shell(AnswerDecoder(METHOD, KEY, Clock(), SALT), MAX_HELD)
        assert shell.feed(wire[:size], wire[size:]) == b"payload"


# ---- changes


def flip(wire: bytes, place: int, mask: int) -> bytes:
    return wire[:place] + bytes((wire[place] ^ mask,)) + wire[place + 1 :]


def parts() -> list[bytes]:
    """Salt and fixed header, variable header, two chunks."""
    sealer = Sealer()
    wire = sealer.request(ADDRESS, 2, b"a")
    return [wire[:FIRST], wire[FIRST:], sealer.chunk(b"bcd"), sealer.chunk(b"ef")]


def delivered(flipped: int) -> bytes:
    ends = [sum(map(len, parts()[:count])) for count in range(1, 5)]
    whole = sum(end <= flipped for end in ends)
    return b"".join([b"", b"", ADDRESS + b"a", b"bcd", b"ef"][: whole + 1])


def test_every_flipped_byte_and_every_split_behind_the_first_header() -> None:
    wire = b"".join(parts())
    for place in range(len(wire)):
        changed = flip(wire, place, 1 << place % 8)
        for split in range(FIRST, len(wire)):
            server = Server()
            server.refuses(changed[:split], changed[split:], why=AuthenticationError, delivered=delivered(place))
            # The stream counts as seen only if something in it was genuine.
            assert (SALT in server.salts) is (place >= FIRST)


@given(st.integers(0, 2**20), st.integers(1, 255), places)
def test_any_change_and_any_split(place: int, mask: int, where: list[int]) -> None:
    wire = b"".join(parts())
    place %= len(wire)
    shell = Server().shell(segmented=True)
    assert shell.feed(*cut(flip(wire, place, mask), where)) == delivered(place)
    assert type(shell.decoder.error) is AuthenticationError


@given(st.integers(0, 2**20), st.integers(1, 255), places)
def test_any_change_of_an_answer(place: int, mask: int, where: list[int]) -> None:
    sealer = Sealer()
    first = sealer.answer(SALT, b"first")
    wire = first + sealer.chunk(b"second")
    place %= len(wire)
    shell = Shell(AnswerDecoder(METHOD, KEY, Clock(), SALT), MAX_HELD)
    assert shell.feed(*cut(flip(wire, place, mask), where)) == (b"first" if place >= len(first) else b"")
    assert type(shell.decoder.error) is AuthenticationError


@given(st.sampled_from(list(METHODS_2022.values())), st.binary(max_size=300), st.booleans(), places)
def test_random_bytes_deliver_nothing(method: Method2022, data: bytes, users: bool, where: list[int]) -> None:
    key = os.urandom(method.key_size)
    known = Users(key, [("ann", os.urandom(method.key_size))]) if users and method.has_identities else None
    server = Server(method=method, key=key, users=known)
    for segmented in (False, True):
        shell = server.shell(segmented=segmented)
        assert shell.feed(*cut(data, where)) == b""
        first = method.salt_size + 27 + (16 if known else 0)
        if len(data) >= first and segmented:
            assert type(shell.decoder.error) is AuthenticationError
        assert not shell.decoder.authenticated
    assert len(server.salts) == 0


@given(st.binary(max_size=300), places)
def test_random_bytes_after_a_good_header(data: bytes, where: list[int]) -> None:
    wire = Sealer().request(ADDRESS, 0, b"x")
    shell = Server().shell()
    assert shell.feed(wire, *cut(data, where)) == ADDRESS + b"x"
    assert type(shell.decoder.error) is (AuthenticationError if len(data) >= 18 else type(None))


# ---- strangers, replays


def test_an_unknown_user_is_like_any_stranger() -> None:
    ann, eve = os.urandom(16), os.urandom(16)
    server = Server(users=Users(KEY, [("ann", ann)]))
    for keys in ((KEY, eve), (eve, ann), (ann, KEY)):
        wire = Sealer(key=keys[1]).request(ADDRESS, 0, b"x" * 20, identities=identity_headers(keys, SALT))
        server.refuses(wire, why=AuthenticationError)
    server.refuses(Sealer().request(ADDRESS, 0, b"x" * 20), why=AuthenticationError)
    # The header names a user, the rest is not sealed with that key.
    wire = Sealer(key=eve).request(ADDRESS, 0, b"x" * 20, identities=identity_headers((KEY, ann), SALT))
    server.refuses(wire, why=AuthenticationError)
    assert SALT not in server.salts


def test_a_replay() -> None:
    server = Server()
    wire = Sealer().request(ADDRESS, 0, b"x")
    assert server.shell().feed(wire) == ADDRESS + b"x"
    for again in (wire, wire[:FIRST], SALT + bytes(100)):
        server.refuses(again, why=ReplayError)
    server.monotonic.now += 61
    server.clock.now += 30
    server.refuses(wire, why=ReplayError)
    server.monotonic.now += 1
    server.clock.now += 1
    server.refuses(wire, why=ClockError)


@pytest.mark.parametrize("first", [1, 16, 17, FIRST - 1])
def test_two_connections_with_one_salt_do_not_slip_past(first: int) -> None:
    """Both begin before either is known."""
    server = Server()
    wire = Sealer().request(ADDRESS, 0, b"x")
    one, two = server.shell(segmented=True), server.shell(segmented=True)
    for shell in (one, two):
        shell.feed(wire[:first])
    assert one.feed(wire[first:]) == ADDRESS + b"x"
    assert two.feed(wire[first:]) == b""
    assert type(two.decoder.error) is ReplayError


def test_a_salt_that_did_not_authenticate_is_not_burnt() -> None:
    server = Server()
    wire = Sealer().request(ADDRESS, 0, b"x")
    for place in range(16, FIRST):
        server.refuses(flip(wire, place, 1), why=AuthenticationError)
    server.refuses(Sealer().request(ADDRESS, 0, b"x", kind=1), why=BadRequestError)
    server.refuses(Sealer().request(ADDRESS, 0, b"x", now=NOW - 31), why=ClockError)
    assert len(server.salts) == 0
    assert server.shell().feed(wire) == ADDRESS + b"x"


def test_what_is_sent_back_does_not_open() -> None:
    """The fixed header of an answer is longer than that of a request."""
    Server().refuses(Sealer().answer(SALT, b"x" * 40), why=AuthenticationError)
    assert type(answer_error(Sealer().request(ADDRESS, 0, b"x" * 40))) is AuthenticationError


# ---- answers


def answer_error(wire: bytes) -> RemoteProtocolError | None:
    shell = Shell(AnswerDecoder(METHOD, KEY, Clock(), SALT), MAX_HELD)
    assert shell.feed(wire) == b""
    return shell.decoder.error


def test_answers_that_must_be_refused() -> None:
    assert "type 0" in str(answer_error(Sealer().answer(SALT, b"x", kind=0)))
    assert "another request" in str(answer_error(Sealer().answer(SALT[::-1], b"x")))
    assert "0 bytes" in str(answer_error(Sealer().answer(SALT, b"")))
    late = answer_error(Sealer().answer(SALT, b"x", now=NOW + 47))
    assert type(late) is ClockError
    assert str(late) == "your clock is 47 s behind the server's"


def test_an_old_answer_does_not_look_like_a_clock_that_is_off() -> None:
    error = answer_error(Sealer().answer(SALT[::-1], b"x", now=NOW - 4000))
    assert type(error) is BadRequestError
