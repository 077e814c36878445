"""An origin server on the loopback that does what the first line of each connection asks for.

    DOWN n      sends n bytes of `pattern`, then its FIN
    UP n        receives n bytes, answers their SHA-256 (64 hex digits), then its FIN
    BOTH n      does both at once; the hash follows the n bytes it sent
    SLOW n      like UP, but reads a little at a time
    ECHO        sends back what comes; FIN after FIN
    EOF         reads to the FIN, then answers the SHA-256 of what came, then its FIN
    RESET n     sends n bytes of `pattern`, then a RST once a byte has come
    SILENT      reads and never answers
    GET /n      HTTP/1.1: a body of n bytes of `pattern`

Its own connections end with it.
"""

import hashlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

_BLOCK = hashlib.shake_128(b"ssgui tests").digest(1_000_003)  # a prime: no shift by a buffer goes unnoticed
_PIECE = 1 << 16
_SLOW_PAUSE = 0.005


def pattern(size: int) -> Iterator[memoryview]:
    """`size` bytes that are always the same, in pieces."""
    block, sent = memoryview(_BLOCK), 0
    while sent < size:
        start = sent % len(_BLOCK)
        piece = block[start : start + min(_PIECE, size - sent)]
        yield piece
        sent += len(piece)


def pattern_hash(size: int) -> str:
    """The SHA-256 of `pattern(size)`."""
    digest = hashlib.sha256()
    for piece in pattern(size):
        digest.update(piece)
    return digest.hexdigest()


def receive_hash(sock: socket.socket, size: int) -> str:
    """The SHA-256 of the next `size` bytes (fewer if the FIN comes first)."""
    digest, buffer, left = hashlib.sha256(), bytearray(1 << 18), size
    view = memoryview(buffer)
    while left:
        got = sock.recv_into(view[: min(left, len(buffer))])
        if not got:
            break
        digest.update(view[:got])
        left -= got
    return digest.hexdigest()


def send_pattern(sock: socket.socket, size: int) -> None:
    """Send `pattern(size)`."""
    for piece in pattern(size):
        sock.sendall(piece)


class Origin:
    """A context manager; `address` is where it listens, `requests` the first lines that arrived."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.requests: list[str] = []
        self.accepted = 0
        self._listener = socket.create_server((host, 0), family=family, backlog=1024)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closing = False
        self._acceptor = threading.Thread(target=self._accept, name="origin")
        self._threads: set[threading.Thread] = set()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self.address[1]

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        # shutdown wakes the accept that a plain close would leave waiting.
        _shut(self._listener)
        self._listener.close()
        self._acceptor.join(10)
        with self._lock:
            for sock in self._open:
                _shut(sock)
            threads = list(self._threads)
        for thread in threads:
            thread.join(10)

    def _accept(self) -> None:
        while not self._closing:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return  # closed by __exit__
            self.accepted += 1
            thread = threading.Thread(target=self._serve, args=(sock,), name="origin connection")
            with self._lock:
                self._open.add(sock)
                self._threads.add(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        with sock:
            try:
                line = _read_line(sock)
                self.requests.append(line)
                verb, _, rest = line.partition(" ")
                _VERBS[verb](sock, rest)
            except (OSError, KeyError):
                pass  # the tests end connections in every way there is, and send what they like
            finally:
                with self._lock:
                    self._open.discard(sock)
                    self._threads.discard(threading.current_thread())


def _shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it has ended by itself


def _read_line(sock: socket.socket) -> str:
    line = b""
    while not line.endswith(b"\n"):
        byte = sock.recv(1)
        if not byte:
            break
        line += byte
    return line.decode("latin-1").strip()


def _down(sock: socket.socket, size: str) -> None:
    send_pattern(sock, int(size))


def _up(sock: socket.socket, size: str) -> None:
    sock.sendall(receive_hash(sock, int(size)).encode())


def _both(sock: socket.socket, size: str) -> None:
    sender = threading.Thread(target=_quietly(send_pattern), args=(sock, int(size)), name="origin sender")
    sender.start()
    digest = receive_hash(sock, int(size))
    sender.join()
    sock.sendall(digest.encode())


def _slow(sock: socket.socket, size: str) -> None:
    digest, left = hashlib.sha256(), int(size)
    while left:
        data = sock.recv(min(left, _PIECE))
        if not data:
            break
        digest.update(data)
        left -= len(data)
        time.sleep(_SLOW_PAUSE)
    sock.sendall(digest.hexdigest().encode())


def _echo(sock: socket.socket, _: str) -> None:
    while data := sock.recv(_PIECE):
        sock.sendall(data)


def _eof(sock: socket.socket, _: str) -> None:
    digest = hashlib.sha256()
    while data := sock.recv(_PIECE):
        digest.update(data)
    sock.sendall(digest.hexdigest().encode())


def _reset(sock: socket.socket, size: str) -> None:
    send_pattern(sock, int(size))
    sock.recv(1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _silent(sock: socket.socket, _: str) -> None:
    while sock.recv(_PIECE):
        pass


def _get(sock: socket.socket, rest: str) -> None:
    while _read_line(sock):
        pass
    size = int(rest.split()[0].strip("/") or 0)
    sock.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n".encode())
    send_pattern(sock, size)


def _quietly(send: Callable[[socket.socket, int], None]) -> Callable[[socket.socket, int], None]:
    def run(sock: socket.socket, size: int) -> None:
        try:
            send(sock, size)
        except OSError:
            pass  # the receiving half of the connection notices

    return run


_VERBS: dict[str, Callable[[socket.socket, str], None]] = {
    "DOWN": _down, "UP": _up, "BOTH": _both, "SLOW": _slow, "ECHO": _echo,
    "EOF": _eof, "RESET": _reset, "SILENT": _silent, "GET": _get,
}  # fmt: skip
