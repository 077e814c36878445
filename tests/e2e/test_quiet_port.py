"""The app's port does not tell a web page that ssgui runs: what was not asked with the secret gets one answer."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.app import app
from tests.support.ports import free_port
from tests.support.processes import HOST, METHOD, PASSWORD, wait_until

SECRET, RIGHT = "A" * 43, "R" * 43
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
    "put": ("PUT", "/proxy.pac", "{here}"),
    "delete": ("DELETE", "/", "{here}"),
    "patch": ("PATCH", "/x", "{here}"),
    "trace": ("TRACE", "/", "{here}"),
    "an unknown method": ("PROPFIND", "/proxy.pac", "{here}"),
    "the whole server": ("OPTIONS", "*", "{here}"),
    "a wrong path": ("GET", "/wpad.dat", "{here}"),
    "the secret and a foreign host": ("GET", f"/proxy.pac?k={RIGHT}", "rebound.example:{port}"),
    "the secret and a foreign port": ("GET", f"/proxy.pac?k={RIGHT}", f"{HOST}:9"),
    "the secret and a wrong path": ("GET", f"/proxy.pacx?k={RIGHT}", "{here}"),
    "the secret and a post": ("POST", f"/proxy.pac?k={RIGHT}", "{here}"),
    "the secret and options": ("OPTIONS", f"/proxy.pac?k={RIGHT}", "{here}"),
    "the secret in a fragment": ("GET", f"/proxy.pac#k={RIGHT}", "{here}"),
    "the secret in capitals": ("GET", f"/proxy.pac?k={RIGHT.swapcase()}", "{here}"),
    "the secret, and another one": ("GET", f"/proxy.pac?k={RIGHT}&k={SECRET}", "{here}"),
    "the secret and no host": ("GET", f"/proxy.pac?k={RIGHT}", ""),
    "the secret and two hosts": ("GET", f"/proxy.pac?k={RIGHT}", "{here}\r\nHost: rebound.example"),
    "the secret and something behind it": ("GET", f"/proxy.pac?k={RIGHT}x", "{here}"),
    "a part of the secret": ("GET", f"/proxy.pac?k={RIGHT[:-1]}", "{here}"),
    "something long": ("GET", "/proxy.pac?k=" + "x" * 4000, "{here}"),
    "something strange": ("GET", "/%00?k=%ff&k=..", "{here}"),
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    home, port = tmp_path_factory.mktemp("app"), free_port()
    entry = {"id": "1", "server": HOST, "server_port": 9, "method": METHOD, "password": PASSWORD}
    settings = {"mode": "pac", "leave_system_proxy": True, "local_port": port, "pac_secret": RIGHT}
    kept = {"version": 1, "servers": [entry], "current": "1", "settings": settings}
    (Path(home) / "config.json").write_text(json.dumps(kept))
    with app(home) as one:
        wait_until(lambda: one.status()["pac"], "the PAC")
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


def test_who_knows_the_secret_gets_the_pac(port: int) -> None:
    for host in (f"{HOST}:{port}", f"localhost:{port}"):
        answer = everything(port, "GET", f"/proxy.pac?k={RIGHT}&h=any", host)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK")
        assert f'"PROXY {HOST}:{port}"'.encode() in body
        assert everything(port, "HEAD", f"/proxy.pac?k={RIGHT}", host) == head + b"\r\n\r\n"
    for field in (b"no-store", b"nosniff", b"application/x-ns-proxy-autoconfig"):
        assert field in head
    assert b"Access-Control" not in head
