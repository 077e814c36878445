"""A small blocking SOCKS5 client that can dribble its bytes."""

import socket
from ipaddress import ip_address

SocketAddress = tuple[str, int]


class SocksRefused(Exception):
    """The proxy said no; `code` is the reply code of RFC 1928."""

    def __init__(self, code: int) -> None:
        super().__init__(f"SOCKS reply {code}")
        self.code = code


def socks_connect(
    proxy: SocketAddress,
    target: SocketAddress,
    *,
    user: tuple[str, str] | None = None,
    one_byte: bool = False,
    timeout: float = 20,
) -> socket.socket:
    """A connected socket to `target` through `proxy`.

    SocksRefused with the reply code; ConnectionError when the proxy hangs up. `one_byte` sends the
    handshake in writes of one byte each.
    """
    sock = socket.create_connection(proxy, timeout=timeout)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _handshake(sock, target, user, one_byte)
    except BaseException:
        sock.close()
        raise
    return sock


def _handshake(sock: socket.socket, target: SocketAddress, user: tuple[str, str] | None, one_byte: bool) -> None:
    method = 2 if user else 0
    send(sock, bytes((5, 1, method)), one_byte=one_byte)
    chosen = receive_exactly(sock, 2)
    if chosen != bytes((5, method)):
        raise ConnectionError(f"the proxy chose {chosen.hex()}")
    if user:
        name, password = user[0].encode(), user[1].encode()
        send(sock, bytes((1, len(name))) + name + bytes((len(password),)) + password, one_byte=one_byte)
        if receive_exactly(sock, 2)[1]:
            raise ConnectionError("the proxy refused the user")
    send(sock, b"\x05\x01\x00" + encode_target(*target), one_byte=one_byte)
    head = receive_exactly(sock, 4)
    rest = {1: 4, 4: 16}.get(head[3]) or receive_exactly(sock, 1)[0]
    receive_exactly(sock, rest + 2)
    if head[1]:
        raise SocksRefused(head[1])


def encode_target(host: str, port: int) -> bytes:
    """The address header of `host`, an address or a name, and `port`."""
    try:
        packed = ip_address(host).packed
    except ValueError:
        name = host.encode("idna")
        return bytes((3, len(name))) + name + port.to_bytes(2, "big")
    return bytes((1 if len(packed) == 4 else 4,)) + packed + port.to_bytes(2, "big")


def send(sock: socket.socket, data: bytes, *, one_byte: bool = False) -> None:
    """Send all of `data`, if asked with one system call for each byte."""
    if not one_byte:
        sock.sendall(data)
        return
    for value in data:
        sock.sendall(bytes((value,)))


def receive_exactly(sock: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes; ConnectionError if they end early."""
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise ConnectionError(f"the connection ended after {len(data)} of {size} bytes")
        data += more
    return data


def receive_all(sock: socket.socket) -> bytes:
    """Everything up to the FIN."""
    parts = []
    while data := sock.recv(1 << 16):
        parts.append(data)
    return b"".join(parts)
