"""The methods of SIP004 with shadowsocks-rust and sing-box, each as client and as server of ours."""

import threading
from collections.abc import Iterator, Sequence

import pytest

from tests.interop.links import CLASSIC_KINDS, Kind, Link, open_link
from tests.support.datagrams import UdpEcho, UdpProgram
from tests.support.origin import Origin, pattern_hash, receive_hash, send_pattern
from tests.support.socks_client import receive_exactly, socks_connect

BULK = 8 << 20
_HASH_DIGITS = 64


@pytest.fixture(scope="module", params=CLASSIC_KINDS, ids=str)
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


def test_datagrams(link: Link) -> None:
    with UdpEcho() as origin, UdpProgram(link.proxy) as program:
        for data in (b"x", b"y" * 1300, b"z" * 8000):
            program.send(data, origin.address)
            assert program.receive() == data
        program.send(b"by name", ("localhost", origin.address[1]))
        assert program.receive() == b"by name"
        received = len(origin.received)
        for stranger in link.strangers:
            with UdpProgram(stranger, 0.5) as other:
                other.send(b"wrong", origin.address)
                with pytest.raises(TimeoutError):
                    other.receive()
        assert len(origin.received) == received
