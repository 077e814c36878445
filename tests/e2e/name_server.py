"""Name servers on a UDP port of the loopback: one that knows no name at all, one that knows them all."""

import socket
import threading
from types import TracebackType
from typing import Self

_HEADER = 12
_NXDOMAIN = b"\x81\x83"  # an answer, recursion desired and available, RCODE 3
_FOUND = b"\x81\x80"
_A = b"\0\1"
_NO_RECORDS = bytes(6)
_STOP = b"stop"


class EmptyNameServer:
    """A context manager; `address` is "host:port", `questions` counts what it was asked."""

    def __init__(self) -> None:
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", 0))
        host, port = self._sock.getsockname()
        self.address = f"{host}:{port}"
        self.questions = 0
        self._thread = threading.Thread(target=self._serve, name="name server")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sock.sendto(_STOP, self._sock.getsockname())
        self._thread.join()
        self._sock.close()

    def _serve(self) -> None:
        while (received := self._sock.recvfrom(512))[0] != _STOP:
            query, peer = received
            self.questions += 1
            self._sock.sendto(self.answer(query), peer)

    def answer(self, query: bytes) -> bytes:
        """What is sent back."""
        return query[:2] + _NXDOMAIN + query[4:6] + _NO_RECORDS + query[_HEADER:]


class LoopbackNameServer(EmptyNameServer):
    """Every name has one `host` of the loopback for its address; `names` are those that were asked for."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        super().__init__()
        self._host = socket.inet_aton(host)
        self.names: set[str] = set()

    def answer(self, query: bytes) -> bytes:
        labels, at = [], _HEADER
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += 1 + query[at]
        self.names.add(".".join(labels))
        question = query[_HEADER : at + 5]
        address = query[at + 1 : at + 3] == _A
        record = b"\xc0\x0c" + _A + b"\0\1" + bytes(4) + b"\0\4" + self._host if address else b""
        return query[:2] + _FOUND + b"\0\1" + (b"\0\1" if address else b"\0\0") + bytes(4) + question + record
