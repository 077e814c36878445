"""One port for a real curl in every language that it has for proxies."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.e2e.conftest import Pair
from tests.e2e.curl import PROXY_ERROR, TIMED_OUT, curl
from tests.support.origin import pattern, pattern_hash
from tests.support.ports import free_port
from tests.support.processes import HOST, METHOD, ssgui_local, ssgui_program, ssgui_server
from tests.support.web_origin import WebOrigin

SIZE = 1 << 20
UPLOAD = 5_000_000
Command = Sequence[str]
WAYS = {"socks4": "socks4", "socks4a": "socks4", "socks5": "socks5", "socks5h": "socks5", "http": "http"}


@pytest.fixture
def web() -> Iterator[WebOrigin]:
    with WebOrigin() as one:
        yield one


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    path = tmp_path / "upload"
    path.write_bytes(b"".join(pattern(UPLOAD)))
    return path


@pytest.mark.parametrize(
    ("way", "flags", "path"),
    [
        *((way, [], f"{SIZE}") for way in WAYS),
        ("http", [], f"{SIZE}/chunked"),
        ("http", ["--proxytunnel"], f"{SIZE}"),
        ("http", ["--http1.0"], f"{SIZE}"),
    ],
)
def test_a_fetch(pair: Pair, web: WebOrigin, way: str, flags: list[str], path: str) -> None:
    host = "127.0.0.1" if way == "socks4" else "localhost"
    answer = curl(pair.local.address, web.url(path, host), *flags, way=way)
    assert (answer.code, answer.error) == (0, "")
    assert hashlib.sha256(answer.body).hexdigest() == pattern_hash(SIZE)
    (local,) = pair.local.events.wait_closed()
    assert local.opened["inbound"] == WAYS[way]
    assert local.reason == "finished"
    if way != "socks5":  # curl may look a name up in either family
        assert local.target == f"{host}:{web.port}"
    (server,) = pair.server.events.wait_closed()
    assert local.closed is not None
    assert server.closed is not None
    assert [local.closed[way] for way in ("up", "down")] == [server.closed[way] for way in ("up", "down")]


def test_two_hosts_over_one_connection(pair: Pair, web: WebOrigin) -> None:
    urls = [web.url(f"{SIZE}", host) for host in ("127.0.0.1", "localhost", "localhost")]
    answer = curl(pair.local.address, urls[2], *urls[:2], way="http")  # the one that is named first goes last
    assert answer.code == 0
    assert hashlib.sha256(answer.body).hexdigest() == hashlib.sha256(b"".join(pattern(SIZE)) * 3).hexdigest()
    first, second = pair.local.events.wait_closed(2)
    assert first.opened["conn"] == second.opened["conn"]
    assert [first.target, second.target] == [f"127.0.0.1:{web.port}", f"localhost:{web.port}"]
    assert web.accepted == 2
    assert all("proxy-connection" not in headers for _, headers in web.requests)


@pytest.mark.parametrize("expect", ["Expect: 100-continue", "Expect:"])
@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload(pair: Pair, web: WebOrigin, upload: Path, chunked: bool, expect: str) -> None:
    how = ["-T", str(upload), "-H", "Transfer-Encoding: chunked"] if chunked else ["--data-binary", f"@{upload}"]
    answer = curl(pair.local.address, web.url("up"), "-H", expect, *how, way="http")
    assert (answer.code, answer.error) == (0, "")
    assert answer.body == f"{UPLOAD} {pattern_hash(UPLOAD)}".encode()
    assert ("expect" in web.requests[0][1]) is (expect != "Expect:")


def test_head(pair: Pair, web: WebOrigin) -> None:
    answer = curl(pair.local.address, web.url("12345"), "--head", way="http")
    assert answer.code == 0
    assert answer.body.startswith(b"HTTP/1.1 200")
    assert b"\r\nContent-Length: 12345\r\n" in answer.body


def test_passwords(ssgui_command: Command, web: WebOrigin) -> None:
    flags = ["--user", "ann", "--pass", "s3cret:x"]
    with ssgui_server(ssgui_command) as server, ssgui_local(ssgui_command, server.address, flags=flags) as local:
        for way in ("http", "socks5h"):
            good = curl(local.address, web.url("10"), "--proxy-user", "ann:s3cret:x", way=way)
            assert (good.code, len(good.body)) == (0, 10)
            for user in ("ann:wrong", "bob:s3cret:x", ""):
                bad = curl(
                    local.address, web.url("10"), *(["--proxy-user", user] if user else []), "--include", way=way
                )
                if way == "http":
                    assert bad.body.startswith(b"HTTP/1.1 407")
                    assert b'Proxy-Authenticate: Basic realm="ssgui"' in bad.body
                else:
                    assert bad.code == PROXY_ERROR
        tunnel = curl(local.address, web.url("10"), "--proxytunnel", "--proxy-user", "ann:s3cret:x", way="http")
        assert (tunnel.code, len(tunnel.body)) == (0, 10)
        # A challenge, and the password over the same connection.
        asked = curl(local.address, web.url("10"), "--proxy-anyauth", "--proxy-user", "ann:s3cret:x", way="http")
        assert (asked.code, len(asked.body)) == (0, 10)
        assert curl(local.address, web.url("10"), way="socks4").code == PROXY_ERROR
        assert not [headers for _, headers in web.requests if "proxy-authorization" in headers]
        assert "s3cret" not in local.process.stderr()


@pytest.mark.parametrize("tunnel", [[], ["--proxytunnel"]])
def test_a_dead_server_is_told(ssgui_command: Command, tunnel: list[str]) -> None:
    with ssgui_local(ssgui_command, (HOST, free_port())) as local:
        answer = curl(local.address, "http://example.com/", "--include", *tunnel, way="http")
        assert b"502 Bad Gateway" in answer.body
        assert b"refused" in answer.body or tunnel
        assert local.events.wait_closed()[0].reason == "connect-refused"


@pytest.mark.parametrize("way", WAYS)
def test_with_a_wrong_key_nothing_arrives(ssgui_command: Command, web: WebOrigin, way: str) -> None:
    with (
        ssgui_server(ssgui_command) as server,
        ssgui_local(ssgui_command, server.address, password="another") as local,
    ):
        answer = curl(local.address, web.url("10"), "--max-time", "1", way=way)
        assert (answer.code, answer.body) == (TIMED_OUT, b"")
        assert server.events.wait_closed()[0].reason == "auth-failed"
        assert web.accepted == 0


def test_a_tunnel_to_one_web_site(ssgui_command: Command, web: WebOrigin) -> None:
    with ssgui_server(ssgui_command) as server:
        port = free_port()
        flags = ["-s", HOST, "-p", str(server.address[1]), "-m", METHOD, "-l", str(port), "-L", f"localhost:{web.port}"]
        with ssgui_program(ssgui_command, "tunnel", port, flags) as tunnel:
            answer = curl(("", 0), f"http://{HOST}:{port}/{SIZE}", "--proxy", "")
            assert (answer.code, hashlib.sha256(answer.body).hexdigest()) == (0, pattern_hash(SIZE))
            (one,) = [one for one in tunnel.events.wait_closed() if one.closed and one.closed["down"]]
            assert (one.opened["inbound"], one.target) == ("tunnel", f"localhost:{web.port}")
