"""A name server on a UDP port of the loopback that knows no name at all."""

import socket
import threading
from types import TracebackType
from typing import Self

_HEADER = 12
_NXDOMAIN = b"\x81\x83"  # an answer, recursion desired and available, RCODE 3
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
            count = query[4:6]
            self._sock.sendto(query[:2] + _NXDOMAIN + count + _NO_RECORDS + query[_HEADER:], peer)
