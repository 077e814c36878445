"""Blocking datagrams for tests of whole programs: an echoing origin, and a program that asks a SOCKS5 proxy for UDP."""

import socket
import threading
from types import TracebackType
from typing import Self

from tests.support.socks_client import SocketAddress, encode_target, receive_exactly

_LARGEST = 1 << 16
_BUFFER = 1 << 20


class UdpEcho:
    """A context manager: an origin that sends back what comes; `received` is all of it, with where from."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._sock = socket.socket(family, socket.SOCK_DGRAM)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._sock.bind((host, 0))
        self.address: SocketAddress = self._sock.getsockname()[:2]
        self.received: list[tuple[bytes, SocketAddress]] = []
        self._thread = threading.Thread(target=self._serve, name="udp origin")

    def _serve(self) -> None:
        while True:
            data, source = self._sock.recvfrom(_LARGEST)
            if not data and source[1] == self.address[1]:
                return
            self.received.append((data, source[:2]))
            self._sock.sendto(data, source)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sock.sendto(b"", self.address)
        self._thread.join()
        self._sock.close()


class UdpProgram:
    """A context manager: a program with a UDP association of the SOCKS5 proxy at `proxy`."""

    def __init__(self, proxy: SocketAddress, timeout: float = 10) -> None:
        self.control = socket.create_connection(proxy, timeout=timeout)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self.sock.settimeout(timeout)
        try:
            self.control.sendall(b"\x05\x01\x00" + b"\x05\x03\x00\x01" + bytes(6))
            reply = receive_exactly(self.control, 12)
            if reply[:6] != b"\x05\x00\x05\x00\x00\x01":
                raise ConnectionError(f"the proxy answered {reply.hex()}")
            self.relay = socket.inet_ntoa(reply[6:10]), int.from_bytes(reply[10:], "big")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the association."""
        self.control.close()
        self.sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, data: bytes, target: SocketAddress) -> None:
        """Have `data` sent to `target`."""
        self.sock.sendto(b"\0\0\0" + encode_target(*target) + data, self.relay)

    def receive(self) -> bytes:
        """The payload of the next answer; TimeoutError if none comes in time."""
        data = self.sock.recv(_LARGEST)
        head = {1: 10, 4: 22}[data[3]]
        return data[head:]
