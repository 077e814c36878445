"""The stream ciphers of old with shadowsocks-libev, each as client and as server of the other: a short exchange."""

from collections.abc import Sequence
from contextlib import ExitStack

import pytest

from tests.interop.routes import DIRECTIONS, OURS_TO_LIBEV, WRONG
from tests.support.datagrams import UdpEcho, UdpProgram
from tests.support.origin import Origin, pattern_hash, receive_hash, send_pattern
from tests.support.processes import PASSWORD, libev_local, libev_server, ssgui_local, ssgui_server
from tests.support.socks_client import SocketAddress, receive_exactly, socks_connect

METHODS = (
    "aes-128-cfb", "aes-192-cfb", "aes-256-cfb", "aes-128-ctr", "aes-192-ctr", "aes-256-ctr",
    "camellia-128-cfb", "camellia-192-cfb", "camellia-256-cfb", "bf-cfb", "rc4-md5", "chacha20", "chacha20-ietf",
)  # fmt: skip
SIZE = 300_000
_SILENCE = 0.5  # seconds in which the right key has long been answered


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("method", METHODS)
def test_an_exchange(direction: str, method: str, ssgui_program: Sequence[str]) -> None:
    flags = ["-u", "--allow-legacy", method]
    with ExitStack() as stack:
        if direction == OURS_TO_LIBEV:
            server = stack.enter_context(libev_server(method=method, udp=True))
            right, wrong = (
                stack.enter_context(
                    ssgui_local(ssgui_program, server, method=method, flags=flags, password=password)
                ).address
                for password in (PASSWORD, WRONG)
            )
        else:
            ours = stack.enter_context(ssgui_server(ssgui_program, method=method, flags=flags))
            right, wrong = (
                stack.enter_context(libev_local(ours.address, method=method, udp=True, password=password))
                for password in (PASSWORD, WRONG)
            )
        _stream(right, wrong)
        _datagrams(right, wrong)


def _stream(right: SocketAddress, wrong: SocketAddress) -> None:
    """What a wrong key makes of a request may be an address of anywhere, so all that counts is what arrives."""
    with Origin() as origin, socks_connect(wrong, origin.address) as stranger:
        stranger.sendall(b"ECHO\nwrong")
        with socks_connect(right, ("localhost", origin.port)) as sock:
            sock.sendall(f"BOTH {SIZE}\n".encode())
            send_pattern(sock, SIZE)
            assert receive_hash(sock, SIZE) == pattern_hash(SIZE)
            assert receive_exactly(sock, 64).decode() == pattern_hash(SIZE)
        assert origin.accepted == 1


def _datagrams(right: SocketAddress, wrong: SocketAddress) -> None:
    with UdpEcho() as origin, UdpProgram(right) as program, UdpProgram(wrong, _SILENCE) as stranger:
        stranger.send(b"wrong", origin.address)
        for data in (b"x", b"y" * 1300):
            program.send(data, origin.address)
            assert program.receive() == data
        with pytest.raises(TimeoutError):
            stranger.receive()
        assert b"wrong" not in [data for data, _ in origin.received]
