"""Debian's plugins, on our ends and on those of shadowsocks-libev."""

import hashlib
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pytest

from tests.interop.routes import WRONG
from tests.support.origin import Origin, pattern_hash, receive_hash, send_pattern
from tests.support.processes import PASSWORD, libev_local, libev_server, ssgui_local, ssgui_server, wait_until
from tests.support.programs import require
from tests.support.socks_client import receive_exactly, socks_connect

BULK = 4 << 20
SILENCE = 0.7  # seconds in which the right key has long been answered
PLUGINS = {
    "obfs-http": (("obfs-local", "obfs=http;obfs-host=example.com"), ("obfs-server", "obfs=http")),
    "obfs-tls": (("obfs-local", "obfs=tls;obfs-host=example.com"), ("obfs-server", "obfs=tls")),
    "v2ray": (("ss-v2ray-plugin", "host=example.com"), ("ss-v2ray-plugin", "server;host=example.com")),
}
ENDS = ("ours-libev", "libev-ours", "ours-ours")
pytestmark = pytest.mark.timeout(90)


def flags(plugin: tuple[str, str]) -> list[str]:
    require(plugin[0])
    return ["--plugin", plugin[0], "--plugin-opts", plugin[1]]


@contextmanager
def pair(ends: str, name: str, program: Sequence[str], password: str = PASSWORD) -> Iterator[tuple[str, int]]:
    """A client's SOCKS address, with a server behind it; both have the plugin."""
    client_plugin, server_plugin = PLUGINS[name]
    ours_client, ours_server = ends.split("-")
    with ExitStack() as stack:
        if ours_server == "ours":
            server = stack.enter_context(ssgui_server(program, flags=flags(server_plugin))).address
        else:
            server = stack.enter_context(libev_server(flags=flags(server_plugin)))
        if ours_client == "ours":
            yield stack.enter_context(
                ssgui_local(program, server, flags=flags(client_plugin), password=password)
            ).address
        else:
            yield stack.enter_context(libev_local(server, flags=flags(client_plugin), password=password))


def answers(proxy: tuple[str, int], origin: tuple[str, int]) -> bool:
    """Whether bytes come back already: ss-local takes connections before its plugin does."""
    try:
        with socks_connect(proxy, origin, timeout=30) as sock:
            sock.sendall(b"ECHO\nready")
            return receive_exactly(sock, 5) == b"ready"
    except ConnectionError:
        return False


@pytest.mark.parametrize("name", PLUGINS)
@pytest.mark.parametrize("ends", ENDS)
def test_bytes_go_through_a_plugin(ends: str, name: str, ssgui_program: Sequence[str]) -> None:
    with Origin() as origin, pair(ends, name, ssgui_program) as proxy:
        if ends.startswith("libev"):
            wait_until(lambda: answers(proxy, origin.address), "the plugin of ss-local listens")
        with socks_connect(proxy, origin.address, timeout=30) as sock:
            sock.sendall(b"ECHO\nright")
            assert receive_exactly(sock, 5) == b"right"
        with socks_connect(proxy, origin.address, timeout=60) as sock:
            sock.sendall(f"BOTH {BULK}\n".encode())
            sender = threading.Thread(target=send_pattern, args=(sock, BULK))
            sender.start()
            down = receive_hash(sock, BULK)
            sender.join()
            assert down == pattern_hash(BULK)
            assert receive_exactly(sock, hashlib.sha256().digest_size * 2).decode() == pattern_hash(BULK)


@pytest.mark.parametrize("name", PLUGINS)
@pytest.mark.parametrize("ends", ["ours-libev", "libev-ours"])
def test_with_a_wrong_key_nothing_arrives(ends: str, name: str, ssgui_program: Sequence[str]) -> None:
    with Origin() as origin, pair(ends, name, ssgui_program, WRONG) as proxy:
        with socks_connect(proxy, origin.address, timeout=30) as sock:
            sock.sendall(b"ECHO\nwrong")
            sock.settimeout(SILENCE)
            try:
                assert sock.recv(1) == b""
            except (TimeoutError, ConnectionResetError):
                pass  # silence, or the end: either way nothing
        assert origin.accepted == 0


def test_the_names_that_configurations_use(ssgui_program: Sequence[str]) -> None:
    """`v2ray-plugin` is called otherwise on Debian."""
    server_plugin = PLUGINS["v2ray"][1]
    with (
        Origin() as origin,
        libev_server(flags=flags(server_plugin)) as server,
        ssgui_local(
            ssgui_program, server, flags=["--plugin", "v2ray-plugin", "--plugin-opts", "host=example.com"]
        ) as ours,
        socks_connect(ours.address, origin.address, timeout=30) as sock,
    ):
        sock.sendall(b"ECHO\nright")
        assert receive_exactly(sock, 5) == b"right"
        assert isinstance(sock, socket.socket)
