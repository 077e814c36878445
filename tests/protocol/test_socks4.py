"""The server side of SOCKS4 and 4a."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.protocol.address import Address
from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.socks4 import Socks4Event, Socks4Server
from ssgui.protocol.socks5 import ConnectRequested, Rejected, Reply
from tests.protocol.vectors import load

CASES = [case for case in load("socks.json")["cases"] if case["name"].startswith("socks4")]
CONNECT = bytes.fromhex("040146a07f0000016d6500")
CONNECT_4A = bytes.fromhex("04010050000000016d65006578616d706c652e636f6d00")


def dialogue(pieces: list[bytes]) -> tuple[list[Socks4Event], bytes, bytes]:
    """Events, what was sent (a request is accepted), and what was left as payload."""
    server = Socks4Server()
    events = []
    for piece in pieces:
        event = server.receive_data(piece)
        if event is not None:
            events.append(event)
    if any(isinstance(event, ConnectRequested) for event in events):
        server.accept()
    return events, server.data_to_send(), server.trailing


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_vector(case: dict[str, Any]) -> None:
    request = bytes.fromhex("".join(case["c2s"]))
    (reply,) = case["s2c"]
    for pieces in ([request], [bytes((byte,)) for byte in request]):
        events, sent, _ = dialogue(pieces)
        assert sent.hex()[:4] == reply[:4]
        assert len(sent) == 8
        assert isinstance(events[0], ConnectRequested if reply.startswith("005a") else Rejected)


def test_what_is_asked_for() -> None:
    assert dialogue([CONNECT])[0] == [ConnectRequested(Address("127.0.0.1", 18080))]
    assert dialogue([CONNECT_4A])[0] == [ConnectRequested(Address("example.com", 80))]


def test_refusal() -> None:
    server = Socks4Server()
    server.receive_data(CONNECT)
    with pytest.raises(LocalProtocolError):
        server.refuse(Reply.SUCCEEDED)
    server.refuse(Reply.CONNECTION_REFUSED)
    assert server.data_to_send() == b"\x00\x5b" + bytes(6)
    with pytest.raises(LocalProtocolError):
        server.accept()


@pytest.mark.parametrize("start", [CONNECT[:8], CONNECT_4A[:11]], ids=["user", "name"])
def test_texts_are_bounded(start: bytes) -> None:
    events, sent, _ = dialogue([start + b"x" * 255])
    assert (events, sent) == ([], b"")
    events, sent, _ = dialogue([start + b"x" * 256])
    assert isinstance(events[0], Rejected)
    assert sent[1] == 0x5B


def test_another_version_is_not_answered() -> None:
    events, sent, _ = dialogue([b"\x05\x01\x00"])
    assert isinstance(events[0], Rejected)
    assert sent == b""


def test_an_empty_name_is_refused() -> None:
    events, sent, _ = dialogue([CONNECT_4A[:11] + b"\x00"])
    assert isinstance(events[0], Rejected)
    assert sent[1] == 0x5B


@given(st.sampled_from([CONNECT, CONNECT_4A]), st.binary(max_size=20), st.data())
def test_any_split_gives_the_same(request_: bytes, payload: bytes, data: st.DataObject) -> None:
    wire = request_ + payload
    place = data.draw(st.integers(0, len(wire)))
    assert dialogue([wire[:place], wire[place:]]) == dialogue([wire])
    assert dialogue([wire])[2] == payload


@given(st.lists(st.binary(max_size=600)))
def test_random_bytes_do_no_harm(pieces: list[bytes]) -> None:
    events, sent, _ = dialogue(pieces)
    assert len(events) <= 1
    assert len(sent) in (0, 8)


@given(st.binary(max_size=600))
def test_random_requests_do_no_harm(data: bytes) -> None:
    events, sent, _ = dialogue([b"\x04" + data])
    assert len(events) <= 1
    assert len(sent) in (0, 8)
