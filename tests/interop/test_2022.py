"""Shadowsocks 2022: ours with shadowsocks-rust and sing-box, each as client and as server of the other."""

import base64
import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import pytest

from ssgui.protocol.address import encode_address
from ssgui.protocol.sip022 import METHODS_2022
from ssgui.protocol.sip022_datagrams import ClientDatagrams2022
from tests.interop.links import FROM_PEER, KINDS, METHODS, USER, Kind, Link, any_local, any_server, open_link
from tests.protocol.sip022_wires import Sealer
from tests.support.datagrams import UdpEcho, UdpProgram
from tests.support.origin import Origin, pattern_hash, receive_hash, send_pattern
from tests.support.peers import PEERS, new_key
from tests.support.socks_client import receive_all, receive_exactly, send, socks_connect

BULK = 64 << 20
_SILENCE = 0.5  # seconds in which the right key has long been answered
_HASH_DIGITS = 64
pytestmark = pytest.mark.timeout(90)


@pytest.fixture(scope="module", params=KINDS, ids=str)
def kind(request: pytest.FixtureRequest) -> Kind:
    one: Kind = request.param
    return one


@pytest.fixture(scope="module")
def link(kind: Kind, ssgui_program: Sequence[str]) -> Iterator[Link]:
    with open_link(kind, ssgui_program) as opened:
        yield opened


def test_bulk_both_ways_at_once(link: Link) -> None:
    with Origin() as origin, socks_connect(link.proxy, origin.address, timeout=60) as sock:
        sock.sendall(f"BOTH {BULK}\n".encode())
        sender = threading.Thread(target=send_pattern, args=(sock, BULK))
        sender.start()
        down = receive_hash(sock, BULK)
        sender.join()
        up = receive_exactly(sock, _HASH_DIGITS).decode()
    assert (down, up) == (pattern_hash(BULK), pattern_hash(BULK))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_targets_of_every_kind(link: Link, host: str) -> None:
    listen = "::1" if host == "::1" else "127.0.0.1"
    with Origin(listen) as origin, socks_connect(link.proxy, (host, origin.port), one_byte=True) as sock:
        send(sock, b"ECHO\nbyte by byte", one_byte=True)
        assert receive_exactly(sock, 12) == b"byte by byte"


def test_a_server_that_speaks_first(link: Link) -> None:
    with Origin() as origin, socks_connect(link.proxy, origin.address) as sock:
        time.sleep(0.5)  # longer than a client waits for a first payload
        sock.sendall(b"ECHO\nlate")
        assert receive_exactly(sock, 4) == b"late"


def test_datagrams(link: Link) -> None:
    with UdpEcho() as origin, UdpProgram(link.proxy) as program:
        for size in (1, 2, 100, 1000, 1300, 8000):  # sing-box cuts those of 16,000
            data = os.urandom(size)
            program.send(data, origin.address)
            assert program.receive() == data
        program.send(b"by name", ("localhost", origin.address[1]))
        assert program.receive() == b"by name"
        for burst in range(4):  # sing-box queues 64 of them
            numbers = range(burst * 25, burst * 25 + 25)
            for number in numbers:
                program.send(b"%d" % number, origin.address)
            assert {program.receive() for _ in numbers} == {b"%d" % number for number in numbers}


def test_no_datagram_of_a_wrong_key_arrives(link: Link) -> None:
    with UdpEcho() as origin:
        for stranger in link.strangers:
            with UdpProgram(stranger, _SILENCE) as program:
                program.send(b"wrong", origin.address)
                with pytest.raises(TimeoutError):
                    program.receive()
        assert origin.received == []


def test_our_server_names_the_user(link: Link, kind: Kind) -> None:
    if kind.direction != FROM_PEER:
        pytest.skip("the server is not ours")
    with Origin() as origin, socks_connect(link.proxy, origin.address) as sock:
        sock.sendall(b"ECHO\nx")
        assert receive_exactly(sock, 1) == b"x"
    last = link.ours.events.wait_closed(len(link.ours.events.connections()))[-1]
    assert last.closed is not None
    assert last.closed.get("user") == (USER if kind.named else None)


# ---- what a server must reject, sent by hand to ours and to theirs


@dataclass
class Server:
    """Whose it is, and where."""

    who: str
    address: tuple[str, int]


@pytest.fixture(scope="module", params=["ours", *PEERS])
def server(request: pytest.FixtureRequest, method: str, ssgui_program: Sequence[str]) -> Iterator[Server]:
    with any_server(request.param, ssgui_program, method, _key(method)) as address:
        yield Server(request.param, address)


@pytest.fixture(scope="module", params=METHODS)
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


_KEYS: dict[str, str] = {}


def _key(method: str) -> str:
    return _KEYS.setdefault(method, new_key(method))


def _sealer(method: str) -> Sealer:
    found = METHODS_2022[method]
    return Sealer(found, base64.b64decode(_key(method)), os.urandom(found.salt_size))


def _asked(origin: Origin) -> int:
    """How often something arrived. A server that dials too early makes connections that bring nothing."""
    return sum(bool(line) for line in origin.requests)


def _served(server: Server, origin: Origin, flight: bytes) -> bool:
    """Whether the origin's answer comes back for these bytes."""
    before, accepted = _asked(origin), origin.accepted
    with socket.create_connection(server.address, timeout=5) as sock:
        sock.sendall(flight)
        sock.settimeout(_SILENCE)
        try:
            answered = bool(sock.recv(1))
        except (TimeoutError, ConnectionResetError):
            answered = False
    assert answered == (_asked(origin) > before)
    if server.who == "ours":  # shadowsocks-rust dials before it has seen the padding
        assert answered == (origin.accepted > accepted)
    return answered


_PAYLOAD = b"ECHO\nx"
_Make = Callable[[Sealer, bytes], bytes]


def _now(ahead: int = 0) -> int:
    return int(time.time()) + ahead


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda one, to: one.request(to, 0, _PAYLOAD, now=_now()), id="no padding"),
        pytest.param(lambda one, to: one.request(to, 900, _PAYLOAD, now=_now()), id="most padding"),
        pytest.param(lambda one, to: one.request(to, 1, b"", now=_now()) + one.chunk(_PAYLOAD), id="no payload"),
        pytest.param(lambda one, to: one.request(to, 0, _PAYLOAD, now=_now(-28)), id="28 s behind"),
        pytest.param(lambda one, to: one.request(to, 0, _PAYLOAD, now=_now(29)), id="29 s ahead"),
    ],
)
def test_what_a_server_takes(server: Server, method: str, make: _Make) -> None:
    with Origin() as origin:
        assert _served(server, origin, make(_sealer(method), encode_address(*origin.address)))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda one, to: one.request(to, 0, _PAYLOAD, now=_now(-33)), id="33 s behind"),
        pytest.param(lambda one, to: one.request(to, 0, _PAYLOAD, now=_now(33)), id="33 s ahead"),
        pytest.param(lambda one, to: one.request(to, 0, _PAYLOAD, now=_now(), kind=1), id="an answer's type"),
        pytest.param(
            lambda one, to: one.request(to, 0, b"", now=_now()) + one.chunk(_PAYLOAD), id="neither padding nor payload"
        ),
        pytest.param(
            lambda one, to: one.request(to, 0, _PAYLOAD, now=_now(), padding_length=500), id="padding beyond its end"
        ),
        pytest.param(lambda one, to: _flipped(one.request(to, 0, _PAYLOAD, now=_now()), 40), id="a changed byte"),
        pytest.param(lambda one, to: _flipped(one.request(to, 0, _PAYLOAD, now=_now()), -1), id="a changed last byte"),
    ],
)
def test_what_a_server_must_reject(server: Server, method: str, make: _Make) -> None:
    with Origin() as origin:
        assert not _served(server, origin, make(_sealer(method), encode_address(*origin.address)))


def test_a_first_flight_is_served_once(server: Server, method: str) -> None:
    with Origin() as origin:
        flight = _sealer(method).request(encode_address(*origin.address), 3, _PAYLOAD, now=_now())
        assert _served(server, origin, flight)
        assert not _served(server, origin, flight)


def _datagrams(method: str, ahead: float = 0) -> ClientDatagrams2022:
    """A UDP session whose clock is wrong by this many seconds."""
    found = METHODS_2022[method]
    return ClientDatagrams2022(
        found, [base64.b64decode(_key(method))], clock=lambda: time.time() + ahead, monotonic=time.monotonic,
        random=os.urandom,
    )  # fmt: skip


def test_datagrams_that_a_server_must_drop(server: Server, method: str) -> None:
    with UdpEcho() as origin, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        to = encode_address(*origin.address)
        good, late, early = (_datagrams(method, ahead) for ahead in (0, -33, 33))
        first = good.seal(to + b"first")
        sock.sendto(first, server.address)
        assert bytes(good.open(sock.recv(1 << 16))) == to + b"first"
        for bad in (
            first,
            late.seal(to + b"late"),
            early.seal(to + b"early"),
            _flipped(good.seal(to + b"changed"), -1),
        ):
            sock.sendto(bad, server.address)
        sock.sendto(good.seal(to + b"last"), server.address)
        assert bytes(good.open(sock.recv(1 << 16))) == to + b"last"
        sock.settimeout(_SILENCE)
        with pytest.raises(TimeoutError):
            sock.recv(1 << 16)
        assert [data for data, _ in origin.received] == [b"first", b"last"]


def _flipped(data: bytes, place: int) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


# ---- what a client must reject, answered by hand to ours and to theirs


class Answers:
    """A context manager: a server that answers each request with what `make` makes of its salt."""

    def __init__(self, method: str) -> None:
        self._salt_size = METHODS_2022[method].salt_size
        self.make: Callable[[bytes], bytes] = bytes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        self._thread = threading.Thread(target=self._serve, name="answers")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with sock, contextlib.suppress(ConnectionError):
                sock.sendall(self.make(receive_exactly(sock, self._salt_size)))
                receive_all(sock)


@dataclass
class Client:
    """A client at `proxy`, and the server that it has."""

    proxy: tuple[str, int]
    server: Answers


@pytest.fixture(scope="module", params=["ours", *PEERS])
def client(request: pytest.FixtureRequest, method: str, ssgui_program: Sequence[str]) -> Iterator[Client]:
    with (
        Answers(method) as server,
        any_local(request.param, ssgui_program, server.address, method, _key(method)) as proxy,
    ):
        yield Client(proxy, server)


def _heard(client: Client, make: Callable[[bytes], bytes]) -> bytes:
    """What a program hears of the answer."""
    client.server.make = make
    with socks_connect(client.proxy, ("192.0.2.1", 80)) as sock:
        sock.sendall(b"x")
        sock.settimeout(_SILENCE)
        try:
            return sock.recv(100)
        except (TimeoutError, ConnectionResetError):
            return b""


@pytest.mark.parametrize("ahead", [0, -28, 29])
def test_what_a_client_takes(client: Client, method: str, ahead: int) -> None:
    assert _heard(client, lambda salt: _sealer(method).answer(salt, b"hello", now=_now(ahead))) == b"hello"


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda one, salt: one.answer(bytes(len(salt)), b"x", now=_now()), id="an answer to another"),
        pytest.param(lambda one, salt: one.answer(salt, b"x", now=_now(-33)), id="33 s behind"),
        pytest.param(lambda one, salt: one.answer(salt, b"x", now=_now(33)), id="33 s ahead"),
        pytest.param(lambda one, salt: one.answer(salt, b"x", now=_now(), kind=0), id="a request's type"),
        pytest.param(lambda one, salt: _flipped(one.answer(salt, b"x", now=_now()), -1), id="a changed last byte"),
    ],
)
def test_what_a_client_must_reject(client: Client, method: str, make: _Make) -> None:
    assert _heard(client, lambda salt: make(_sealer(method), salt)) == b""
