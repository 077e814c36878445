"""The server side of SOCKS5."""

import gc
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.protocol.address import Address
from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.socks5 import (
    ConnectRequested,
    Rejected,
    Reply,
    Socks5Server,
    UdpAssociateRequested,
    decode_datagram,
)
from tests.protocol.playbook import Accept, Outcome, Playbook, Refuse, bytewise, move, whole
from tests.protocol.splits import cut, places
from tests.protocol.vectors import load

GREETING, NO_AUTH = b"\x05\x01\x00", b"\x05\x00"
HERE = Address("127.0.0.1", 1080)
TARGET = Address("127.0.0.1", 80)
CONNECT = b"\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x50"
FAILED = b"\x00\x01\x00\x00\x00\x00\x00\x00"
USERS = {b"user": b"pass", b"nobody": b""}

# ---- the vectors

# The dialogues of SOCKS4 and 4a are in test_socks4.py.
CASES = {case["name"]: case for case in load("socks.json")["cases"] if not case["name"].startswith("socks4")}
EVENTS: dict[str, type | None] = {
    "no-auth connect v4": ConnectRequested,
    "no acceptable method": Rejected,
    "user/pass ok": ConnectRequested,
    "user/pass wrong": Rejected,
    "both offered, auth required": None,
    "bind refused": Rejected,
    "unknown command 9": Rejected,
    "unknown atyp 2": Rejected,
    "udp associate": UdpAssociateRequested,
    "greeting one byte at a time": ConnectRequested,
    "pipelined greeting+request+data": ConnectRequested,
}
DATAGRAMS = {"udp datagram in", "udp frag dropped"}
WITH_USERS = {"user/pass ok", "user/pass wrong", "both offered, auth required"}


def pattern(reply: str) -> bytes:
    """A reply in hex as an expression: `<bnd4>`, `<port>`, `<udp bind>` are any such bytes, `...` any rest."""
    sizes = {"<bnd4>": b".{4}", "<port>": b".{2}", "<udp bind>": b".{6}", "...": b".+", "": b""}
    parts = re.findall(r"([0-9a-f]*)(<[^>]*>|\.\.\.|$)", reply)
    return b"".join(re.escape(bytes.fromhex(literal)) + sizes[wild] for literal, wild in parts)


def play(case: dict[str, Any], steps: list[bytes]) -> list[Outcome]:
    """What came of each step; a request is accepted."""
    server = Socks5Server(USERS if case["name"] in WITH_USERS else None)
    outcomes = []
    for step in steps:
        outcome = move(server, step)
        if outcome.events and not isinstance(outcome.events[0], Rejected):
            outcome += move(server, Accept(HERE))
        outcomes.append(outcome)
    return outcomes


def test_every_socks5_vector_is_played() -> None:
    assert set(CASES) == set(EVENTS) | DATAGRAMS


@pytest.mark.parametrize("name", EVENTS)
def test_dialogue_vectors(name: str) -> None:
    case, kind = CASES[name], EVENTS[name]
    client = [bytes.fromhex(step) for step in case["c2s"]]
    expected = [pattern(reply) for reply in case["s2c"]]
    for steps in (client, list(bytewise(b"".join(client))), [b"".join(client)]):
        total = sum(play(case, steps), Outcome())
        assert re.fullmatch(b"".join(expected), total.sent, re.DOTALL), total.sent.hex()
        assert [type(event) for event in total.events] == ([] if kind is None else [kind])
    if len(client) == len(expected):
        for outcome, reply in zip(play(case, client), expected, strict=True):
            assert re.fullmatch(reply, outcome.sent, re.DOTALL)
    if case.get("then") == "close":
        assert kind is Rejected


def test_datagram_vectors() -> None:
    good, fragment = (bytes.fromhex(CASES[name]["c2s"][0]) for name in ("udp datagram in", "udp frag dropped"))
    found = decode_datagram(good)
    assert found is not None
    assert found[0] == Address("127.0.0.1", 18081)
    assert good[found[1] :] == b"udp ping"
    assert decode_datagram(fragment) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(3),
        b"\x01\x00\x00" + CONNECT[3:],
        b"\x00\x01\x00" + CONNECT[3:],
        bytes(3) + b"\x02abcd",
        bytes(3) + b"\x03\x00ab",
        bytes(3) + CONNECT[3:-1],
    ],
)
def test_what_is_no_datagram_is_dropped(data: bytes) -> None:
    assert decode_datagram(data) is None


# ---- dialogues, each as it stands, byte by byte, and all at once


def test_connect() -> None:
    play = Playbook()
    play >> GREETING << NO_AUTH
    play >> CONNECT << ConnectRequested(TARGET)
    play >> Accept(HERE) << b"\x05\x00\x00\x01\x7f\x00\x00\x01\x04\x38"
    play.check()


def test_payload_behind_the_request_is_kept() -> None:
    play = Playbook()
    play >> GREETING << NO_AUTH
    play >> CONNECT << ConnectRequested(TARGET)
    play >> b"GET / HTTP/1.1\r\n"
    play >> b"\r\n"
    play >> Accept(Address("::1", 1)) << b"\x05\x00\x00\x04" + bytes(15) + b"\x01\x00\x01"
    play.leaves(b"GET / HTTP/1.1\r\n\r\n").check()


@pytest.mark.parametrize(
    ("wire", "host"),
    [
        (b"\x03\x0bexample.com", "example.com"),
        (b"\x03\x04a\x00\xff.", "a\x00\udcff."),
        (b"\x03\x03::1", "::1"),
        (b"\x04" + bytes(15) + b"\x01", "::1"),
    ],
)
def test_targets_of_every_kind(wire: bytes, host: str) -> None:
    play = Playbook()
    play >> b"\x05\x03\x02\x01\x00" << NO_AUTH
    play >> b"\x05\x01\x00" + wire + b"\x01\xbb" << ConnectRequested(Address(host, 443))
    play.check()


@pytest.mark.parametrize("reply", [reply for reply in Reply if reply is not Reply.SUCCEEDED])
def test_a_refusal_is_a_whole_reply(reply: Reply) -> None:
    play = Playbook()
    play >> GREETING << NO_AUTH
    play >> CONNECT << ConnectRequested(TARGET)
    play >> Refuse(reply) << bytes((5, reply)) + FAILED
    play.check()


def test_udp_associate() -> None:
    play = Playbook()
    play >> GREETING << NO_AUTH
    play >> b"\x05\x03\x00\x01" + bytes(6) << UdpAssociateRequested(Address("0.0.0.0", 0))
    play >> Refuse(Reply.COMMAND_NOT_SUPPORTED) << b"\x05\x07" + FAILED
    play.check()


@pytest.mark.parametrize("users", [None, {}])
def test_without_users_nobody_is_asked(users: dict[bytes, bytes] | None) -> None:
    (Playbook(users) >> b"\x05\x02\x02\x00" << NO_AUTH >> CONNECT << ConnectRequested(TARGET)).check()


def test_user_and_password() -> None:
    play = Playbook(USERS)
    play >> b"\x05\x02\x00\x02" << b"\x05\x02"
    play >> b"\x01\x04user\x04pass" << b"\x01\x00"
    play >> CONNECT << ConnectRequested(TARGET)
    play.check()


@pytest.mark.parametrize(
    "credentials",
    [
        b"\x04user\x04Pass",
        b"\x04user\x00",
        b"\x04user\x05pass\x00",
        b"\x05user2\x04pass",
        b"\x06nobody\x00",  # a configured user without a password never gets in
        b"\x04none\x00",
        b"\x00\x00",
        b"\x00\x04pass",
        b"\xff" + bytes(255) + b"\xff" + bytes(255),
    ],
)
def test_wrong_credentials(credentials: bytes) -> None:
    play = Playbook(USERS)
    play >> b"\x05\x01\x02" << b"\x05\x02"
    play >> b"\x01" + credentials << b"\x01\x01" << Rejected("wrong user or password", Reply.NOT_ALLOWED)
    play >> CONNECT
    play.check()


def test_another_version_of_authentication() -> None:
    play = Playbook(USERS)
    play >> b"\x05\x01\x02" << b"\x05\x02"
    play >> b"\x05" << b"\x01\x01" << Rejected("authentication version 5 instead of 1", Reply.NOT_ALLOWED)
    play.check()


@pytest.mark.parametrize(
    ("users", "greeting"),
    [
        (None, b"\x05\x00"),
        (None, b"\x05\x01\x02"),
        (None, b"\x05\x02\x80\xff"),
        (USERS, b"\x05\x00"),
        (USERS, b"\x05\x01\x00"),
    ],
)
def test_no_acceptable_method(users: dict[bytes, bytes] | None, greeting: bytes) -> None:
    play = Playbook(users)
    why = Rejected("none of the offered authentication methods will do", Reply.NOT_ALLOWED)
    play >> greeting << b"\x05\xff" << why
    play >> CONNECT
    play.check()


@pytest.mark.parametrize("data", [b"\x04\x01\x00\x50", b"GET / HTTP/1.1\r\n", b"\x00", b"\x16\x03\x01"])
def test_another_protocol_gets_no_answer(data: bytes) -> None:
    (Playbook() >> data << Rejected(f"version {data[0]} instead of 5", Reply.GENERAL_FAILURE)).check()


@pytest.mark.parametrize(
    ("request_", "why", "reply"),
    [
        (b"\x04", "request version 4 instead of 5", Reply.GENERAL_FAILURE),
        (b"\x05\x02" + CONNECT[2:], "command 2 is not supported", Reply.COMMAND_NOT_SUPPORTED),
        (b"\x05\x00" + CONNECT[2:], "command 0 is not supported", Reply.COMMAND_NOT_SUPPORTED),
        (b"\x05\x01\x00\x02", "unknown address type 2", Reply.ADDRESS_TYPE_NOT_SUPPORTED),
        (b"\x05\x01\x00\x03\x00", "the host name is empty", Reply.HOST_UNREACHABLE),
    ],
)
def test_bad_requests_get_a_whole_reply(request_: bytes, why: str, reply: Reply) -> None:
    play = Playbook()
    play >> GREETING << NO_AUTH
    play >> request_ << bytes((5, reply)) + FAILED << Rejected(why, reply)
    play >> CONNECT
    play.check()


def test_the_reserved_byte_does_not_matter() -> None:
    (Playbook() >> GREETING << NO_AUTH >> b"\x05\x01\x99" + CONNECT[3:] << ConnectRequested(TARGET)).check()


# ---- misuse


@pytest.mark.parametrize("before", [b"", GREETING, GREETING + b"\x05\x02" + CONNECT[2:], b"GET"])
def test_only_a_waiting_request_is_answered(before: bytes) -> None:
    server = Socks5Server()
    server.receive_data(before)
    for answer in (Accept(HERE), Refuse(Reply.NOT_ALLOWED)):
        with pytest.raises(LocalProtocolError, match="no request"):
            move(server, answer)


def test_a_request_is_answered_once() -> None:
    server = Socks5Server()
    server.receive_data(GREETING + CONNECT)
    server.accept(HERE)
    with pytest.raises(LocalProtocolError, match="no request"):
        server.accept(HERE)


def test_success_is_no_refusal() -> None:
    server = Socks5Server()
    server.receive_data(GREETING + CONNECT)
    with pytest.raises(LocalProtocolError, match="success"):
        server.refuse(Reply.SUCCEEDED)
    assert server.data_to_send() == NO_AUTH


def test_a_finished_dialogue_needs_no_garbage_collector() -> None:
    """One of these is made per connection: a cycle in it would be work for later."""
    gc.disable()
    try:
        server = Socks5Server(USERS)
        server.receive_data(GREETING)
        del server
        assert not [thing for thing in gc.get_objects() if type(thing) is Socks5Server]
    finally:
        gc.enable()


# ---- any bytes, any pieces

FRAGMENTS = st.sampled_from(
    [
        GREETING,
        b"\x05\x02\x00\x02",
        b"\x01\x04user\x04pass",
        CONNECT,
        b"\x05\x03\x00\x01",
        b"\x05\x01\x00\x03\x05",
        b"hello",
    ]
)
TALK = st.lists(FRAGMENTS | st.binary(max_size=8), max_size=6).map(b"".join) | st.binary(max_size=600)


def outcome_of(users: dict[bytes, bytes] | None, pieces: list[bytes]) -> tuple[Outcome, bytes]:
    server = Socks5Server(users)
    total = sum((move(server, piece) for piece in pieces), Outcome())
    return total, server.trailing


@given(st.sampled_from([None, USERS]), TALK, places)
def test_any_split_gives_the_same(users: dict[bytes, bytes] | None, data: bytes, where: list[int]) -> None:
    together = outcome_of(users, list(whole(data)))
    assert outcome_of(users, cut(data, where)) == together
    assert outcome_of(users, list(bytewise(data))) == together
    assert len(together[0].events) <= 1
