"""Routes through one end that is ours and one that is Debian's shadowsocks-libev, and proof that they are used."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.support.origin import Origin
from tests.support.processes import (
    Program,
    libev_local,
    libev_server,
    ssgui_local,
    ssgui_server,
    wait_until,
)
from tests.support.socks_client import receive_exactly, socks_connect

METHODS = (
    "aes-128-gcm",
    "aes-192-gcm",
    "aes-256-gcm",
    "chacha20-ietf-poly1305",
    "xchacha20-ietf-poly1305",
)
OURS_TO_LIBEV = "ours-to-libev"
LIBEV_TO_OURS = "libev-to-ours"
DIRECTIONS = (OURS_TO_LIBEV, LIBEV_TO_OURS)
WRONG = "not the password"
_SILENCE = 0.5  # seconds in which the right key has long been answered


@dataclass
class Route:
    """A client at `proxy`, and the one of the two ends that is ours."""

    proxy: tuple[str, int]
    ours: Program


@contextmanager
def open_route(direction: str, command: Sequence[str], method: str) -> Iterator[Route]:
    """Server and client of `direction`, after it was proved that only the right key gets through."""
    with ExitStack() as stack:
        if direction == OURS_TO_LIBEV:
            server = stack.enter_context(libev_server(method=method))
            client = stack.enter_context(ssgui_local(command, server, method=method))
            with ssgui_local(command, server, method=method, password=WRONG) as wrong:
                prove(client.address, wrong.address)
            yield Route(client.address, client)
            client.process.require_running()
        else:
            ours = stack.enter_context(ssgui_server(command, method=method))
            proxy = stack.enter_context(libev_local(ours.address, method=method))
            with libev_local(ours.address, method=method, password=WRONG) as wrong_proxy:
                prove(proxy, wrong_proxy)
                wait_until(lambda: _auth_failed(ours), "auth-failed in the server's events")
            yield Route(proxy, ours)
            ours.process.require_running()


def prove(proxy: tuple[str, int], wrong_proxy: tuple[str, int]) -> None:
    """With the right key the origin answers; with a wrong one nothing reaches it and nothing comes back."""
    with Origin() as origin:
        with socks_connect(proxy, origin.address) as sock:
            sock.sendall(b"ECHO\nright")
            assert receive_exactly(sock, 5) == b"right"
        with socks_connect(wrong_proxy, origin.address) as sock:
            sock.sendall(b"ECHO\nwrong")
            sock.settimeout(_SILENCE)
            assert _answer(sock) == b""
        assert origin.accepted == 1


def _answer(sock: socket.socket) -> bytes:
    try:
        return sock.recv(1)
    except (TimeoutError, ConnectionResetError):
        return b""


def _auth_failed(server: Program) -> bool:
    return any(one.reason == "auth-failed" for one in server.events.connections())
