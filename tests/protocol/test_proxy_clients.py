"""The client sides of proxies: what they send, and every answer in any pieces."""

import base64
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.protocol.address import Address
from ssgui.protocol.connect_client import MOST_HEAD, ConnectClient
from ssgui.protocol.errors import BadRequestError, LocalProtocolError, RemoteProtocolError
from ssgui.protocol.proxy_client import ProxyClient, Refusal, RefusedError
from ssgui.protocol.socks5 import ConnectRequested, Socks5Server, UdpAssociateRequested
from ssgui.protocol.socks5_client import Socks5Client

TARGET = Address("server.example", 8388)
KINDS: list[Callable[..., ProxyClient]] = [Socks5Client, ConnectClient]
REPLY = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x04\x38"
places = st.lists(st.integers(1, 200), max_size=6)


def pieces(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place for place in places if place < len(data))})
    return [data[start:end] for start, end in pairwise(edges)]


def fed(client: ProxyClient, answer: bytes, places: list[int]) -> tuple[bool, bytes]:
    """Whether the tunnel opened, and all that came behind the answer."""
    parts = pieces(answer, places)
    for number, part in enumerate(parts):
        if client.receive_data(part):
            return True, client.trailing + b"".join(parts[number + 1 :])
    return False, b""


# ---- SOCKS5


@given(
    st.one_of(st.just((b"", b"")), st.tuples(st.binary(min_size=1, max_size=255), st.binary(min_size=1, max_size=255))),
    st.sampled_from([TARGET, Address("192.0.2.1", 1), Address("2001:db8::1", 65535)]),
    st.binary(max_size=50),
    places,
)
def test_a_dialogue_with_our_own_server(
    credentials: tuple[bytes, bytes], target: Address, payload: bytes, cuts: list[int]
) -> None:
    user, password = credentials
    server = Socks5Server({user: password} if user else None)
    client = Socks5Client(target, user, password)
    event, opened, trailing = None, False, b""
    for _ in range(4):
        for part in pieces(client.data_to_send(), cuts):
            event = server.receive_data(part) or event
        if event is not None:
            break
        opened, _ = fed(client, server.data_to_send(), cuts)
    assert event == ConnectRequested(target)
    assert client.asked
    assert not opened
    server.accept(Address("2001:db8::2", 9))
    opened, trailing = fed(client, server.data_to_send() + payload, cuts)
    assert (opened, trailing) == (True, payload)
    assert client.data_to_send() == b""


@given(st.sampled_from([Address("127.0.0.1", 1), Address("::1", 9), Address("here.example", 65535)]), places)
def test_a_place_for_datagrams(bound: Address, cuts: list[int]) -> None:
    server, client = Socks5Server(), Socks5Client(Address("0.0.0.0", 0), datagrams=True)
    event = None
    for _ in range(2):
        for part in pieces(client.data_to_send(), cuts):
            event = server.receive_data(part) or event
        if event is None:
            fed(client, server.data_to_send(), cuts)
    assert event == UdpAssociateRequested(Address("0.0.0.0", 0))
    server.accept(bound)
    assert fed(client, server.data_to_send(), cuts)[0]
    assert client.bound == bound


@pytest.mark.parametrize(
    "bound", [b"\x01" + bytes(6), b"\x04" + bytes(18), b"\x03\x00" + bytes(2), b"\x03\x02ab" + bytes(2)]
)
def test_the_bound_address_may_be_of_any_kind(bound: bytes) -> None:
    answer = b"\x05\x00" + b"\x05\x00\x00" + bound
    for size in range(len(answer)):
        assert not Socks5Client(TARGET).receive_data(answer[:size])
    client = Socks5Client(TARGET)
    assert client.receive_data(answer + b"tail")
    assert client.trailing == b"tail"


@pytest.mark.parametrize(
    ("user", "answer", "message", "refusal"),
    [
        (b"", b"\x05\xff", "accepts nobody without user and password", Refusal.PROXY),
        (b"", b"\x05\x02", "accepts nobody without user and password", Refusal.PROXY),
        (b"u", b"\x05\xff", "accepts no authentication that is offered", Refusal.PROXY),
        (b"u", b"\x05\x02\x01\x01", "does not accept this user and password", Refusal.PROXY),
        (b"", b"\x05\x00\x05\x01", "answered 1: a general failure", Refusal.UNREACHABLE),
        (b"", b"\x05\x00\x05\x02", "answered 2: that its rules do not allow this", Refusal.DENIED),
        (b"", b"\x05\x00\x05\x04\x00\x01", "answered 4: that the host is unreachable", Refusal.UNREACHABLE),
        (b"", b"\x05\x00\x05\x05\x00\x01", "answered 5: that the connection was refused", Refusal.REFUSED),
        (b"", b"\x05\x00\x05\x06", "answered 6: that the time ran out", Refusal.TIMEOUT),
        (b"", b"\x05\x00\x05\x07", "answered 7: that it has no such command", Refusal.PROXY),
        (b"", b"\x05\x00\x05\xfe", "answered 254: no reply that is known", Refusal.UNREACHABLE),
    ],
)
def test_refusals_of_socks5(user: bytes, answer: bytes, message: str, refusal: Refusal) -> None:
    for cuts in ([], list(range(len(answer)))):
        with pytest.raises(RefusedError) as caught:
            fed(Socks5Client(TARGET, user, b"p"), answer, cuts)
        assert (str(caught.value), caught.value.refusal) == (message, refusal)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 400", "speaks no SOCKS5: its first byte is 72"),
        (b"\x05\x01", "wants the authentication method 1"),
        (b"\x05\x00\x04", "version 4 instead of 5"),
        (b"\x05\x00\x05\x00\x00\x02\x00", "unknown type 2"),
    ],
)
def test_what_is_no_socks5(answer: bytes, message: str) -> None:
    with pytest.raises(BadRequestError, match=message):
        Socks5Client(TARGET).receive_data(answer)


# ---- CONNECT


@pytest.mark.parametrize(
    ("target", "written"),
    [
        (TARGET, b"server.example:8388"),
        (Address("2001:db8::1", 1), b"[2001:db8::1]:1"),
        (Address("192.0.2.1", 2), b"192.0.2.1:2"),
    ],
)
def test_the_request(target: Address, written: bytes) -> None:
    client = ConnectClient(target)
    head = client.data_to_send()
    assert head == b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (written, written)
    assert client.data_to_send() == b""
    assert client.asked


def test_basic_authentication() -> None:
    lines = ConnectClient(TARGET, "ü".encode(), b"a:b").data_to_send().split(b"\r\n")
    assert b"Proxy-Authorization: Basic " + base64.b64encode("ü:a:b".encode()) in lines


@given(
    st.sampled_from(
        [
            b"HTTP/1.1 200 Connection established\r\n\r\n",
            b"HTTP/1.0 200 OK\r\nProxy-agent: x\r\n\r\n",
            b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n",
            b"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        ]
    ),
    st.binary(max_size=100),
    places,
)
def test_nothing_behind_the_head_is_lost(head: bytes, payload: bytes, cuts: list[int]) -> None:
    assert fed(ConnectClient(TARGET), head + payload, cuts) == (True, payload)


@pytest.mark.parametrize(
    ("answer", "message", "refusal"),
    [
        (b"407 Proxy Authentication Required", "answered 407 Proxy Authentication Required (it wants", Refusal.PROXY),
        (b"403 Forbidden", "answered 403 Forbidden", Refusal.DENIED),
        (b"502 Bad Gateway", "answered 502 Bad Gateway", Refusal.UNREACHABLE),
        (b"504 Gateway Timeout", "answered 504 Gateway Timeout", Refusal.TIMEOUT),
        (b"405 ", "answered 405", Refusal.PROXY),
        (b"302 Found", "answered 302 Found", Refusal.PROXY),
        (b"500 \xff\xe9 odd" + b"x" * 100, "answered 500 \\xff\\xe9 oddxxx", Refusal.UNREACHABLE),
    ],
)
def test_refusals_of_connect(answer: bytes, message: str, refusal: Refusal) -> None:
    head = b"HTTP/1.1 " + answer + b"\r\nContent-Length: 3\r\n\r\nno!"
    for cuts in ([], list(range(len(head)))):
        with pytest.raises(RefusedError) as caught:
            fed(ConnectClient(TARGET), head, cuts)
        assert str(caught.value).startswith(message)
        assert len(str(caught.value)) < 300
        assert caught.value.refusal is refusal


@pytest.mark.parametrize(
    "answer", [b"\x05\xff", b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 two hundred\r\n\r\n", b"\r\n\x1b[2J\r\n\r\n"]
)
def test_what_is_no_http(answer: bytes) -> None:
    with pytest.raises(BadRequestError, match="speaks no HTTP") as caught:
        ConnectClient(TARGET).receive_data(answer + b"\r\n\r\n")
    assert "\x1b" not in str(caught.value)


def test_a_head_has_an_end() -> None:
    one_long = b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %b\r\n" % (n, b"x" * 990) for n in range(70))
    for answer in (one_long, b"HTTP/1.1 100 x\r\n\r\n" * 4000):
        client, most = ConnectClient(TARGET), MOST_HEAD - 1000
        for start in range(0, most, 1000):
            assert not client.receive_data(answer[start : min(most, start + 1000)])
        with pytest.raises(BadRequestError):
            client.receive_data(answer[most:])


# ---- both


@given(st.sampled_from(KINDS), st.binary(max_size=80), places)
def test_random_answers(kind: Callable[..., ProxyClient], answer: bytes, cuts: list[int]) -> None:
    try:
        opened, trailing = fed(kind(TARGET), answer, cuts)
    except RemoteProtocolError as error:
        assert "\x1b" not in str(error)  # noqa: PT017
    else:
        assert not opened or answer.endswith(trailing)


@given(st.integers(0, 11), st.integers(1, 255))
def test_a_flipped_bit(index: int, flip: int) -> None:
    answer = bytearray(b"\x05\x00" + REPLY)
    answer[index] ^= flip
    client = Socks5Client(TARGET)
    try:
        client.receive_data(bytes(answer))
    except RemoteProtocolError:
        assert index in (0, 1, 2, 3, 5)


def test_misuse() -> None:
    for kind in KINDS:
        with pytest.raises(LocalProtocolError):
            kind(Address("ü.example\udcff\u1234", 1))
    with pytest.raises(LocalProtocolError, match="255"):
        Socks5Client(TARGET, bytes(256))
    with pytest.raises(LocalProtocolError, match="colon"):
        ConnectClient(TARGET, b"a:b")
    with pytest.raises(LocalProtocolError):
        ConnectClient(Address("a\r\nX: y", 1))
