"""UDP of ours and of shadowsocks-libev, each as client and as server of the other."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import pytest

from tests.interop.routes import DIRECTIONS, METHODS, OURS_TO_LIBEV, WRONG
from tests.support.datagrams import UdpEcho, UdpProgram
from tests.support.processes import PASSWORD, libev_local, libev_server, ssgui_local, ssgui_server
from tests.support.socks_client import SocketAddress

_SILENCE = 0.5  # seconds in which the right key has long been answered
_SIZES = (1, 2, 100, 1000, 1300)  # libev forwards no more than 1397 bytes


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=DIRECTIONS)
def proxies(
    request: pytest.FixtureRequest, method: str, ssgui_program: Sequence[str]
) -> Iterator[tuple[SocketAddress, SocketAddress]]:
    """Two clients of one server: with its key, and with another."""
    with ExitStack() as stack:
        if request.param == OURS_TO_LIBEV:
            server = stack.enter_context(libev_server(method=method, udp=True))
            found = [
                stack.enter_context(
                    ssgui_local(ssgui_program, server, method=method, flags=["-u"], password=password)
                ).address
                for password in (PASSWORD, WRONG)
            ]
        else:
            ours = stack.enter_context(ssgui_server(ssgui_program, method=method, flags=["-u"]))
            found = [
                stack.enter_context(libev_local(ours.address, method=method, udp=True, password=password))
                for password in (PASSWORD, WRONG)
            ]
        yield found[0], found[1]


def test_datagrams(proxies: tuple[SocketAddress, SocketAddress]) -> None:
    right, wrong = proxies
    with UdpEcho() as origin, UdpProgram(right) as program:
        for size in _SIZES:
            data = os.urandom(size)
            program.send(data, origin.address)
            assert program.receive() == data
        program.send(b"by name", ("localhost", origin.address[1]))
        assert program.receive() == b"by name"
        for number in range(100):
            program.send(b"%d" % number, origin.address)
        assert {program.receive() for _ in range(100)} == {b"%d" % number for number in range(100)}
        with UdpProgram(wrong, _SILENCE) as stranger:
            stranger.send(b"wrong", origin.address)
            with pytest.raises(TimeoutError):
                stranger.receive()
        assert b"wrong" not in [data for data, _ in origin.received]
