"""The app's port does not tell a web page that ssgui runs: what was not asked with the secret gets one answer."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.app import app
from tests.support.ports import free_port
from tests.support.processes import HOST, METHOD, PASSWORD, wait_until

SECRET = "A" * 43
ASKED = {
    "the root": ("GET", "/", "{here}"),
    "a PAC without the secret": ("GET", "/proxy.pac", "{here}"),
    "a PAC with a wrong secret": ("GET", f"/proxy.pac?k={SECRET}&v=1", "{here}"),
    "a secret in the path": ("GET", f"/{SECRET}/proxy.pac", "{here}"),
    "a foreign host": ("GET", f"/proxy.pac?k={SECRET}", "rebound.example"),
    "a foreign host at our port": ("GET", "/proxy.pac", "rebound.example:{port}"),
    "localhost": ("GET", "/proxy.pac", "localhost:{port}"),
    "a head": ("HEAD", "/proxy.pac", "{here}"),
    "a post": ("POST", "/proxy.pac", "{here}"),
    "options": ("OPTIONS", "/proxy.pac", "{here}"),
    "a wrong path": ("GET", "/wpad.dat", "{here}"),
    "something long": ("GET", "/proxy.pac?k=" + "x" * 4000, "{here}"),
    "something strange": ("GET", "/%00?k=%ff&k=..", "{here}"),
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    home, port = tmp_path_factory.mktemp("app"), free_port()
    entry = {"id": "1", "server": HOST, "server_port": 9, "method": METHOD, "password": PASSWORD}
    kept = {"version": 1, "servers": [entry], "current": "1", "settings": {"mode": "global", "local_port": port}}
    (Path(home) / "config.json").write_text(json.dumps(kept))
    with app(home) as one:
        wait_until(lambda: one.status()["address"], "the port")
        yield port


def everything(port: int, method: str, path: str, host: str) -> bytes:
    """All bytes that come back, to the end."""
    fields = f"Host: {host}\r\nUser-Agent: a page\r\nOrigin: http://page.example\r\nConnection: close\r\n"
    request = f"{method} {path} HTTP/1.1\r\n{fields}\r\n".encode()
    with socket.create_connection((HOST, port), 20) as sock:
        sock.sendall(request)
        parts = []
        while data := sock.recv(65536):
            parts.append(data)
    return b"".join(parts)


def test_every_question_gets_the_same_bytes(port: int) -> None:
    here = f"{HOST}:{port}"
    expected = everything(port, "GET", "/anything", here)
    assert expected.startswith(b"HTTP/1.1 400 ")
    answers = {
        name: everything(port, method, path, host.format(here=here, port=port))
        for name, (method, path, host) in ASKED.items()
    }
    assert answers == dict.fromkeys(ASKED, expected)
    for telling in (b"ssgui", b"shadowsocks", b"proxy.pac", b"Access-Control", str(port).encode()):
        assert telling.lower() not in expected.lower()
