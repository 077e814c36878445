"""The address header, shared by SOCKS5 (RFC 1928 section 5) and every edition of Shadowsocks.

    type(1)  address                            port(2, big-endian)
    1        4 bytes, IPv4
    3        1 byte length 1..255, then a name
    4        16 bytes, IPv6

On TCP it starts the plaintext and may be split over chunks. A name is bytes on the wire and text here: ASCII
with surrogateescape, so that any bytes come back unchanged.

As text a host and a port are `example.com:443` or `[::1]:80`: `join_host_port` and `split_host_port`. What people
type is read, and refused, in `config/addresses.py`.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from ssgui.protocol.errors import BadRequestError, LocalProtocolError

TYPE_IPV4: Final = 1
TYPE_NAME: Final = 3
TYPE_IPV6: Final = 4
# Set in the type byte by clients that want the One-Time Auth of 2015.
_OTA_FLAG: Final = 0x10


class Address(NamedTuple):
    """A host (a name, or an IP address without brackets) and a port 0..65535."""

    host: str
    port: int

    def __str__(self) -> str:
        """For the eye: `example.com:443`, `[::1]:80`. What is not printable ASCII is escaped (`\\x1b`)."""
        host = self.host
        if not (host.isascii() and host.isprintable()):
            raw = host.encode("utf-8", "surrogateescape")
            host = "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in raw)
        return join_host_port(host, self.port)


def bracketed(host: str) -> str:
    """`host` as it stands before a port and in a URL: an IPv6 address in brackets, everything else as it is."""
    return f"[{host}]" if ":" in host else host


def join_host_port(host: str, port: int) -> str:
    """`example.com:443`, `[::1]:80`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def split_host_port(text: str) -> tuple[str, int]:
    """The host without brackets, and the port. Text that does not end in a port is a host, and its port 0."""
    host, colon, port = text.rpartition(":")
    fits = colon and len(port) < 6 and port.isascii() and port.isdigit() and int(port) <= 0xFFFF
    # An address of IPv6 that stands alone ends in digits too.
    if not fits or (":" in host and host[:1] != "["):
        host, port = text, "0"
    return (host[1:-1] if host[:1] == "[" and host[-1:] == "]" else host), int(port)


def encode_address(host: str, port: int) -> bytes:
    """The header for `host` and `port`. The text of an IP address, in brackets or not, is sent as an address.

    Raises LocalProtocolError if the name or the port does not fit.
    """
    if not 0 <= port <= 0xFFFF:
        raise LocalProtocolError(f"{port} is no port (0 to 65535)")
    # Every IPv4 literal ends in a digit, and almost no name does.
    head = _literal(host) if ":" in host or host[-1:].isdigit() else None
    return (head or _name(host)) + port.to_bytes(2, "big")


@lru_cache(maxsize=1024)
def _literal(text: str) -> bytes | None:
    """The header up to the port if `text` is an IP address, else None."""
    try:
        if ":" not in text:
            return bytes((TYPE_IPV4,)) + IPv4Address(text).packed
        bracketed = text[0] == "[" and text[-1] == "]"
        address = IPv6Address(text[1:-1] if bracketed else text)
    except ValueError:
        return None
    # A zone means something on one machine only, and the header has no room for it.
    return None if address.scope_id else bytes((TYPE_IPV6,)) + address.packed


def _name(host: str) -> bytes:
    try:
        name = host.encode("ascii", "surrogateescape")
    except UnicodeEncodeError:
        raise LocalProtocolError(f"the host name {host!a} is not ASCII: its IDNA form is needed") from None
    if not 1 <= len(name) <= 255:
        raise LocalProtocolError(f"a host name has 1 to 255 bytes, this one has {len(name)}")
    return bytes((TYPE_NAME, len(name))) + name


def decode_address(data: bytes | memoryview) -> tuple[Address, int] | None:
    """The address at the start of `data` and how many bytes it took; None if more must come.

    Raises BadRequestError as soon as the type, or the length of a name, cannot be right.
    """
    size = len(data)
    if not size:
        return None
    kind = data[0]
    if kind == TYPE_IPV4:
        if size < 7:
            return None
        _, a, b, c, d, high, low = data[:7]
        return Address(f"{a}.{b}.{c}.{d}", high << 8 | low), 7
    if kind == TYPE_NAME:
        if size < 2:
            return None
        end = 2 + data[1]
        if end == 2:
            raise BadRequestError("the host name is empty")
        if size < end + 2:
            return None
        return Address(str(data[2:end], "ascii", "surrogateescape"), data[end] << 8 | data[end + 1]), end + 2
    if kind == TYPE_IPV6:
        if size < 19:
            return None
        return Address(str(IPv6Address(bytes(data[1:17]))), data[17] << 8 | data[18]), 19
    raise _bad_type(kind)


def leading_header(data: bytes | memoryview) -> bytes:
    """The bytes of the address header that a datagram begins with, b"" if it begins with none.

    Only its length was looked at: `decode_address` may still refuse it.
    """
    size = len(data)
    if size < 2:
        return b""
    kind = data[0]
    end = 7 if kind == TYPE_IPV4 else 19 if kind == TYPE_IPV6 else 4 + data[1] if kind == TYPE_NAME else size + 1
    return bytes(data[:end]) if end <= size else b""


def is_known_type(kind: int) -> bool:
    """Whether `kind` may begin a header, also one that asks for One-Time Auth, which is refused by its name."""
    return kind & ~_OTA_FLAG in (TYPE_IPV4, TYPE_NAME, TYPE_IPV6)


def _bad_type(kind: int) -> BadRequestError:
    if is_known_type(kind):
        return BadRequestError("the client asks for One-Time Auth (OTA), which the AEAD methods have replaced")
    return BadRequestError(f"unknown address type {kind}")
