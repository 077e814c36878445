"""A web server on the loopback that keeps its connections, for programs that speak HTTP.

GET /n         n bytes of `pattern`
GET /n/chunked the same in chunks
POST, PUT      answers how many bytes came and their SHA-256
"""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.support.origin import pattern


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "WebOrigin"  # type: ignore[mutable-override]

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.accepted += 1

    def do_HEAD(self) -> None:
        self._begin({"Content-Length": self.path.split("/")[1]})

    def do_GET(self) -> None:
        size, _, how = self.path[1:].partition("/")
        self._begin({"Transfer-Encoding": "chunked"} if how else {"Content-Length": size})
        for piece in pattern(int(size)):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if how else piece)
        if how:
            self.wfile.write(b"0\r\n\r\n")

    def do_POST(self) -> None:
        digest, total = hashlib.sha256(), 0
        while size := self._next_piece(total):
            data = self.rfile.read(size)
            digest.update(data)
            total += len(data)
        text = f"{total} {digest.hexdigest()}".encode()
        self._begin({"Content-Length": str(len(text))})
        self.wfile.write(text)

    do_PUT = do_POST

    def _next_piece(self, total: int) -> int:
        if self.headers["Transfer-Encoding"] != "chunked":
            return min(1 << 16, int(self.headers["Content-Length"]) - total)
        line = self.rfile.readline()
        if total and line == b"\r\n":
            line = self.rfile.readline()
        size = int(line, 16)
        if not size:
            self.rfile.readline()
        return size

    def _begin(self, headers: dict[str, str]) -> None:
        with self.server.lock:
            self.server.requests.append(
                (self.requestline, {name.lower(): value for name, value in self.headers.items()})
            )
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """The tests look at `requests`."""


class WebOrigin(ThreadingHTTPServer):
    """A context manager; `requests` are the request lines that came, with their header fields."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lock = threading.Lock()
        self.accepted = 0
        self.requests: list[tuple[str, dict[str, str]]] = []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), name="web origin")

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """The address of `path` on it."""
        return f"http://{host}:{self.port}/{path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join(10)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The tests end connections in every way there is."""
