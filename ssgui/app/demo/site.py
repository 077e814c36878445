"""The demo's web site: one page, and 50 MB made on the fly whose SHA-256 is known."""

import hashlib
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
NAME = "localhost"
BULK_PATH = "/50MB"
BULK_SIZE = 50_000_000
PAGE = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>ssgui demo</title>
<style>body { font: 1.2rem/1.6 system-ui, sans-serif; max-width: 36rem; margin: 15vh auto; padding: 0 1rem }</style>
<h1>It works</h1>
<p>This page came to you through a Shadowsocks client and a Shadowsocks server, both on this computer.</p>
<p><a href="/50MB">50 MB</a> to see how fast they are.</p>
"""
_BLOCK = hashlib.shake_128(b"ssgui demo").digest(1 << 18)
_NUMBER = 8


def bulk(size: int = BULK_SIZE) -> Iterator[bytes]:
    """`size` bytes, the same in every run; each block begins with its number, so none can be swapped."""
    number, left = 0, size
    while left:
        block = number.to_bytes(_NUMBER, "big") + _BLOCK[_NUMBER:]
        yield block[:left]
        left -= min(left, len(block))
        number += 1


def bulk_hash(size: int = BULK_SIZE) -> str:
    """The SHA-256 of `bulk(size)` in hex."""
    digest = hashlib.sha256()
    for block in bulk(size):
        digest.update(block)
    return digest.hexdigest()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/":
            self._head(HTTPStatus.OK, "text/html; charset=utf-8", len(PAGE))
            self.wfile.write(PAGE)
        elif self.path == BULK_PATH:
            self._head(HTTPStatus.OK, "application/octet-stream", BULK_SIZE)
            try:
                for block in bulk():
                    self.wfile.write(block)
            except ConnectionError:
                self.close_connection = True  # whoever asked has heard enough
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _head(self, status: HTTPStatus, kind: str, size: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the demo's own screen tells what happens."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True


class Site:
    """A context manager: the site on a free port of the loopback, served by threads. `url` ends without a slash."""

    def __init__(self) -> None:
        self._server = _Server((HOST, 0), _Handler)
        self.port: int = self._server.server_address[1]
        self.url = f"http://{NAME}:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True, name="demo site"
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
