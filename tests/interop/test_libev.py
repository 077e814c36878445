"""Ours and shadowsocks-libev, each as client and as server of the other."""

import hashlib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import sleep

import pytest

from ssgui.system.limits import raise_nofile
from tests.interop.routes import Route
from tests.support.origin import Origin, pattern_hash, receive_hash, send_pattern
from tests.support.socks_client import receive_all, receive_exactly, send, socks_connect

BULK = 64 << 20
SLOW = 6 << 20
STREAMS = 6
MANY = 500
_SMALL_BUFFER = 64 << 10
_SLOW_READ = 32 << 10
_SLOW_PAUSE = 0.004
_HASH_DIGITS = 64
pytestmark = pytest.mark.timeout(90)


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with Origin() as one:
        yield one


def test_bulk_both_ways_at_once(route: Route, origin: Origin) -> None:
    with socks_connect(route.proxy, origin.address, timeout=60) as sock:
        sock.sendall(f"BOTH {BULK}\n".encode())
        sender = threading.Thread(target=send_pattern, args=(sock, BULK))
        sender.start()
        down = receive_hash(sock, BULK)
        sender.join()
        up = receive_exactly(sock, _HASH_DIGITS).decode()
    assert (down, up) == (pattern_hash(BULK), pattern_hash(BULK))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_targets_of_every_kind(route: Route, host: str) -> None:
    listen = "::1" if host == "::1" else "127.0.0.1"
    with Origin(listen) as origin, socks_connect(route.proxy, (host, origin.port)) as sock:
        sock.sendall(b"ECHO\nhello")
        assert receive_exactly(sock, 5) == b"hello"
        assert origin.accepted == 1


def test_handshake_one_byte_at_a_time(route: Route, origin: Origin) -> None:
    with socks_connect(route.proxy, origin.address, one_byte=True) as sock:
        send(sock, b"ECHO\nbyte by byte", one_byte=True)
        assert receive_exactly(sock, 12) == b"byte by byte"


def test_six_streams_at_once_with_slow_readers(route: Route, origin: Origin) -> None:
    def slow_down() -> str:
        return _slow_download(route.proxy, origin.address)

    def slow_up() -> str:
        with socks_connect(route.proxy, origin.address) as sock:
            sock.sendall(f"SLOW {SLOW}\n".encode())
            send_pattern(sock, SLOW)
            return receive_all(sock).decode()

    with ThreadPoolExecutor(STREAMS) as pool:
        streams = [pool.submit(task) for task in (slow_down, slow_up) * (STREAMS // 2)]
        hashes = [stream.result() for stream in streams]
    assert hashes == [pattern_hash(SLOW)] * STREAMS


def _slow_download(proxy: tuple[str, int], target: tuple[str, int]) -> str:
    received = bytearray()
    with socks_connect(proxy, target) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
        sock.sendall(f"DOWN {SLOW}\n".encode())
        while data := sock.recv(_SLOW_READ):
            received += data
            sleep(_SLOW_PAUSE)
    return hashlib.sha256(received).hexdigest()


@pytest.mark.long
def test_500_connections_at_once(route: Route, origin: Origin) -> None:
    raise_nofile()
    socks = []
    try:
        for number in range(MANY):
            sock = socks_connect(route.proxy, origin.address)
            socks.append(sock)
            sock.sendall(b"ECHO\n%08d" % number)
        assert [receive_exactly(sock, 8) for sock in socks] == [b"%08d" % number for number in range(MANY)]
    finally:
        for sock in socks:
            sock.close()
