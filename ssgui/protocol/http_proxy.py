"""What an HTTP proxy is asked, and what it answers when it cannot (RFC 9110 and 9112).

    CONNECT host:port                     a tunnel
    GET http://host[:port]/path           absolute form: a request to pass on in origin form
    GET /path                             origin form: for a web server, which this is not

Framing is h11's; here is what a proxy does with a request that was read: where it goes, which of its headers go
with it, and pages for what fails.
"""

import re
from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from ssgui.protocol.address import Address
from ssgui.protocol.credentials import is_known
from ssgui.protocol.errors import BadRequestError

Headers = list[tuple[bytes, bytes]]
ESTABLISHED: Final = b"HTTP/1.1 200 Connection established\r\n\r\n"
REALM: Final = "ssgui"
MAX_HEAD: Final = 64 * 1024
MAX_FIELDS: Final = 256
_BLANK_LINE: Final = re.compile(rb"\n\r?\n")
_HOST_FIELD: Final = re.compile(rb"\nhost[ \t]*:", re.IGNORECASE)
_DEFAULT_PORT = 80
_MOST_HOST = 255
# RFC 9110 section 7.6.1: for one hop only. Transfer-Encoding stays, for h11 frames anew what it says.
_HOP_BY_HOP = frozenset({
    b"connection", b"proxy-connection", b"keep-alive", b"te", b"trailer", b"upgrade", b"proxy-authenticate",
    b"proxy-authorization", b"proxy-authentication-info",
})  # fmt: skip
_PHRASES = {
    400: "Bad Request", 403: "Forbidden", 407: "Proxy Authentication Required", 408: "Request Timeout",
    431: "Request Header Fields Too Large", 501: "Not Implemented", 502: "Bad Gateway", 504: "Gateway Timeout",
}  # fmt: skip


class TooManyFieldsError(BadRequestError):
    """A head that is short enough, but takes long to look through."""


def head_end(data: bytes | bytearray, seen: int = 0) -> int:
    """Where the head at the beginning of `data` ends, 0 while it does not; its first `seen` bytes hold no end."""
    match = _BLANK_LINE.search(data, max(0, seen - 2))
    return 0 if match is None else match.end()


def checked_head(head: bytes) -> bytes:
    """`head` (up to its blank line) as h11 can read it. BadRequestError for what is no request to a proxy.

    A missing Host is filled in: where to go does not hang on it. Origin form is met before anything else is
    looked at, so that there is one answer to whatever is asked of a web server, which this is not.
    """
    line, newline, fields = head.partition(b"\n")
    words = line.split()
    if len(words) == 3 and words[1][:1] in (b"/", b"*"):
        raise BadRequestError("this is a proxy, not a web server")
    if fields.count(b"\n") > MAX_FIELDS + 1:
        raise TooManyFieldsError(f"a request has at most {MAX_FIELDS} header fields")
    return head if _HOST_FIELD.search(head) else line + newline + b"Host: -\r\n" + fields


def check_framing(headers: Iterable[tuple[bytes, bytes]], version: bytes) -> None:
    """BadRequestError where two readers might see two different ends of a request (RFC 9112 section 6.3)."""
    if version not in (b"1.0", b"1.1"):
        raise BadRequestError("this proxy speaks HTTP/1.1")
    names = {name.lower() for name, _ in headers}
    if b"transfer-encoding" in names and (b"content-length" in names or version < b"1.1"):
        raise BadRequestError("it is not clear where the request ends")


@dataclass(frozen=True, slots=True)
class Forward:
    """A request to pass on: where to, and its target there."""

    address: Address
    path: bytes
    host: bytes  # for the Host header


def connect_target(target: bytes) -> Address:
    """The `host:port` of a CONNECT. BadRequestError without a port, or with anything else in it."""
    text = _ascii(target)
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or len(port) > 5 or int(port) > 0xFFFF:
        raise BadRequestError("CONNECT wants host:port")
    if host.startswith("[") != host.endswith("]") or (":" in host and not host.startswith("[")):
        raise BadRequestError("an IPv6 address stands in brackets")
    return Address(_host(host.removeprefix("[").removesuffix("]")), int(port))


def forward_target(target: bytes, method: bytes = b"GET") -> Forward:
    """An absolute form taken apart. BadRequestError for any other, and for schemes that are not http."""
    text = _ascii(target)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise BadRequestError("the request's address cannot be read") from None
    if parts.scheme.lower() != "http" or not parts.netloc:
        if parts.scheme.lower() == "https":
            raise BadRequestError("https:// goes through CONNECT")
        raise BadRequestError("this is a proxy, not a web server")
    authority = parts.netloc.rpartition("@")[2]
    path = parts.path or ("*" if method == b"OPTIONS" and not parts.query else "/")  # RFC 9112 section 3.2.4
    if parts.query or text.partition("#")[0].endswith("?"):
        path += f"?{parts.query}"
    address = Address(_host(parts.hostname or ""), _DEFAULT_PORT if port is None else port)
    return Forward(address, path.encode("ascii"), authority.encode("ascii"))


def _ascii(target: bytes) -> str:
    try:
        text = target.decode("ascii")
    except UnicodeDecodeError:
        raise BadRequestError("the request's address is not ASCII") from None
    if not text.isprintable() or " " in text:
        raise BadRequestError("the request's address has blanks or control characters")
    return text


def _host(host: str) -> str:
    if not host or len(host) > _MOST_HOST or any(c in host for c in "/@?#[]\\"):
        raise BadRequestError("the request names no host")
    return host


def end_to_end(headers: Iterable[tuple[bytes, bytes]], *, upgrade: bool = False) -> Headers:
    """The headers that are not for one hop only. With `upgrade` those that ask for another protocol stay too.

    Names are compared without case and keep the case that they have.
    """
    all_headers = list(headers)
    named = {
        token.strip().lower()
        for name, value in all_headers
        if name.lower() == b"connection"
        for token in value.split(b",")
    }
    dropped = _HOP_BY_HOP | (named - {b"host", b"content-length", b"transfer-encoding"})
    kept = [(name, value) for name, value in all_headers if name.lower() not in dropped]
    if upgrade:
        kept += [(name, value) for name, value in all_headers if name.lower() == b"upgrade"]
        kept.append((b"Connection", b"Upgrade"))
    return kept


def request_headers(headers: Iterable[tuple[bytes, bytes]], host: bytes, *, upgrade: bool = False) -> Headers:
    """What goes to the origin: end-to-end headers behind a Host that is the request's own (RFC 9112 section 3.2.2)."""
    kept = [(name, value) for name, value in end_to_end(headers, upgrade=upgrade) if name.lower() != b"host"]
    return [(b"Host", host), *kept]


def wants_upgrade(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether another protocol is asked for, as a web socket does."""
    all_headers = list(headers)
    tokens = b",".join(value.lower() for name, value in all_headers if name.lower() == b"connection")
    return b"upgrade" in [token.strip() for token in tokens.split(b",")] and any(
        name.lower() == b"upgrade" for name, _ in all_headers
    )


def is_authorised(headers: Iterable[tuple[bytes, bytes]], users: Mapping[bytes, bytes] | None) -> bool:
    """Whether Proxy-Authorization (Basic) names one of `users`; anybody may where there are none."""
    if not users:
        return True
    for name, value in headers:
        if name.lower() == b"proxy-authorization":
            scheme, _, credentials = value.partition(b" ")
            try:
                user, colon, password = b64decode(credentials.strip(), validate=True).partition(b":")
            except ValueError:
                return False
            return scheme.lower() == b"basic" and bool(colon) and is_known(users, user, password)
    return False


def error_page(status: int, why: str, *, close: bool = True, body: bool = True) -> bytes:
    """A whole response. `why` is one line of ours, in which strangers' words were made harmless."""
    phrase = _PHRASES[status]
    text = f"{status} {phrase}: {why}\n".encode()
    head = [
        f"HTTP/1.1 {status} {phrase}",
        "Content-Type: text/plain; charset=utf-8",
        "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store",
        f"Content-Length: {len(text)}",
        f"Connection: {'close' if close else 'keep-alive'}",
    ]
    if status == 407:
        head.append(f'Proxy-Authenticate: Basic realm="{REALM}", charset="UTF-8"')
    return "\r\n".join(head).encode() + b"\r\n\r\n" + (text if body else b"")
