"""Subscriptions, fetched from a server of https on this computer whose certificate is made for the test."""

import datetime
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from ssgui.config.secret import Secret
from ssgui.services import fetching
from ssgui.services.diagnosis.clock import parse_date
from ssgui.services.fetching import (
    MOST_BYTES,
    Answer,
    FetchError,
    Quota,
    Unreachable,
    check_address,
    fetch,
    read_quota,
)

LIST = json.dumps({"version": 1, "servers": []}).encode()
Reply = Callable[[BaseHTTPRequestHandler], None]


class Provider:
    """Answers as `replies` says, by path; `paths` are those that were asked for."""

    def __init__(self, folder: Path) -> None:
        self.replies: dict[str, Reply] = {}
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.paths.append(self.path)
                provider.headers.append(dict(self.headers))
                provider.replies[self.path](self)

            def log_message(self, format: str, *args: object) -> None:
                """Be quiet."""

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that hangs up is what some tests are about."""

        self.server = Quiet(("127.0.0.1", 0), Handler)
        certificate, key = make_certificate(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.trust = ssl.create_default_context(cafile=str(certificate))
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    async def get(self, path: str = "/list", **more: Any) -> Answer:
        return await fetch(Secret(self.url + path), trust=self.trust, **more)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return files


def reply(data: bytes = LIST, status: int = 200, **headers: str) -> Reply:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return send


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    made = Provider(tmp_path)
    made.replies["/list"] = reply()
    yield made
    made.close()


async def test_a_list_its_quota_and_its_tag(provider: Provider) -> None:
    userinfo = "upload=10; download=20; total=100; expire=1796256000"
    provider.replies["/list"] = reply(ETag='"1"', Subscription_Userinfo=userinfo)
    answer = await provider.get()
    assert answer == Answer(LIST, '"1"', Quota(30, 70, 1796256000.0))
    provider.replies["/list"] = reply(b"", 304, Subscription_Userinfo=userinfo)
    again = await provider.get(etag='"1"')
    assert again.unchanged
    assert again.quota.remaining == 70
    assert provider.headers[-1]["If-None-Match"] == '"1"'
    assert provider.headers[-1]["User-Agent"].startswith("ssgui/")


async def test_the_time_is_heard_whatever_the_answer_is(provider: Provider) -> None:
    heard: list[tuple[str, str, float]] = []
    for answer in (reply(Age="7"), reply(b"", 404), reply(b"", 302, Location="/list")):
        provider.replies["/asked"] = answer
        with suppress(FetchError):
            await provider.get("/asked", dated=lambda *told: heard.append(told))
    assert len(heard) == 4  # of the one that sends on, and of the one it sends to
    assert [age for _, age, _ in heard] == ["7", "", "", ""]
    assert all(abs((parse_date(date) or 0) - time.time()) < 5 for date, _, _ in heard)
    assert all(0 < seconds < 5 for _, _, seconds in heard)


async def test_redirects_are_followed_a_few_times_and_never_to_http(provider: Provider) -> None:
    provider.replies["/a"] = reply(b"", 302, Location="/list")
    assert (await provider.get("/a")).data == LIST
    provider.replies["/b"] = reply(b"", 302, Location="/b")
    with pytest.raises(FetchError, match="without end"):
        await provider.get("/b")
    provider.replies["/c"] = reply(b"", 301, Location="http://127.0.0.1:1/list")
    with pytest.raises(FetchError, match="not encrypted"):
        await provider.get("/c")


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (reply(b"", 404), "127.0.0.1 answers 404 Not Found"),
        (reply(b"", 500), "500"),
        (reply(b"x" * (MOST_BYTES + 1)), "larger than 1 MiB"),
    ],
)
async def test_what_is_refused(provider: Provider, answer: Reply, word: str) -> None:
    provider.replies["/list?token=secret"] = answer
    with pytest.raises(FetchError, match=word) as caught:
        await provider.get("/list?token=secret")
    assert "secret" not in str(caught.value)


async def test_a_connection_that_breaks(provider: Provider) -> None:
    def cut(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"{")
        handler.close_connection = True

    provider.replies["/list"] = cut
    with pytest.raises(Unreachable):
        await provider.get()


async def test_a_drip_has_an_end(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "SECONDS", 0.3)
    gone = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while not gone.wait(0.05):
                handler.wfile.write(b" ")
        except OSError:
            return

    provider.replies["/list"] = drip
    try:
        with pytest.raises(Unreachable, match="too slow"):
            await provider.get()
    finally:
        gone.set()


async def test_a_certificate_of_nobody(provider: Provider) -> None:
    with pytest.raises(Unreachable, match="not to be trusted"):
        await fetch(Secret(provider.url + "/list"))


async def test_a_proxy_that_is_down_is_gone_around_only_if_that_is_wanted(provider: Provider) -> None:
    with pytest.raises(Unreachable):
        await provider.get(proxy="socks5://127.0.0.1:1")
    assert not provider.paths
    answer = await provider.get(proxy="socks5://127.0.0.1:1", directly=True)
    assert answer.data == LIST


@pytest.mark.parametrize(
    ("url", "word"),
    [("http://a.example/x", "not encrypted"), ("ftp://a", "no https"), ("https://", "no https"), ("a", "no https"),
     ("https://a:b", "no web address"), ("https://[a", "no web address")],
)  # fmt: skip
async def test_only_https(url: str, word: str) -> None:
    with pytest.raises(FetchError, match=word):
        await fetch(Secret(url))


def test_the_host_of_an_address() -> None:
    assert check_address(" https://user:pw@example.com:8443/x?y ") == "example.com"


@given(st.text())
def test_any_header_gives_a_quota(header: str) -> None:
    quota = read_quota(header)
    assert quota.used >= 0
    assert quota.remaining >= 0


def test_odd_quotas() -> None:
    assert read_quota("") == Quota()
    assert read_quota("upload=5; download=x; total=3; expire=") == Quota(5, 0, 0.0)
    assert read_quota("TOTAL=10.0;expire=1e5") == Quota(0, 10, 0.0)
