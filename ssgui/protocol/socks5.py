"""The server side of SOCKS5 (RFC 1928) with no authentication or user and password (RFC 1929).

    >> 05 n methods                    << 05 method
    >> 01 n user n password            << 01 status            (method 2 only)
    >> 05 command 00 address           << 05 reply 00 address

Requests may come in any pieces, or all at once with payload behind them. A reply is always whole: there are
clients that wait for all ten bytes of a refusal.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from ssgui.protocol.address import Address, decode_address, encode_address
from ssgui.protocol.credentials import is_known
from ssgui.protocol.errors import BadRequestError, LocalProtocolError

_VERSION = 5
_AUTH_VERSION = 1
_NO_AUTH = 0
_USER_PASSWORD = 2
_CONNECT = 1
_UDP_ASSOCIATE = 3
_UNSPECIFIED = bytes((1, 0, 0, 0, 0, 0, 0))  # 0.0.0.0:0
_KNOWN_TYPES: Final = (1, 3, 4)


class Reply(IntEnum):
    """The reply field of RFC 1928 section 6."""

    SUCCEEDED = 0
    GENERAL_FAILURE = 1
    NOT_ALLOWED = 2
    NETWORK_UNREACHABLE = 3
    HOST_UNREACHABLE = 4
    CONNECTION_REFUSED = 5
    TTL_EXPIRED = 6
    COMMAND_NOT_SUPPORTED = 7
    ADDRESS_TYPE_NOT_SUPPORTED = 8


@dataclass(frozen=True, slots=True)
class ConnectRequested:
    """The client wants a connection; it waits for `accept` or `refuse`."""

    target: Address


@dataclass(frozen=True, slots=True)
class UdpAssociateRequested:
    """The client wants to send datagrams; it waits for `accept` or `refuse`."""

    source: Address
    """Where it says that they will come from. It is often 0.0.0.0:0 and must not be relied upon."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The dialogue is over: send what there is to send, and close."""

    why: str
    reply: Reply


Socks5Event = ConnectRequested | UdpAssociateRequested | Rejected


def decode_datagram(data: bytes | memoryview) -> tuple[Address, int] | None:
    """The target of a client's datagram (RFC 1928 section 7) and where its payload starts.

        00 00 fragment address payload

    None if it must be dropped without a word: a fragment, or no such datagram at all.
    """
    if len(data) < 4 or data[0] or data[1] or data[2]:
        return None
    try:
        found = decode_address(data[3:])
    except BadRequestError:
        return None
    return None if found is None else (found[0], 3 + found[1])


class Socks5Server:
    """One client's dialogue, up to the reply to its request.

    `users` maps names to passwords; without any, no authentication is asked for. Payload that came behind
    the request is in `trailing`.
    """

    # The state is the function that reads the next message: it takes its message off the buffer, or leaves
    # everything there until more has come. A bound method would make a cycle for every connection.
    __slots__ = ("_buffer", "_out", "_state", "_users", "_waiting", "trailing")

    def __init__(self, users: Mapping[bytes, bytes] | None = None) -> None:
        self._users = users
        self._state: Callable[[Socks5Server], Socks5Event | None] = Socks5Server._greeting
        self._buffer = self._out = self.trailing = b""
        self._waiting = False

    def receive_data(self, data: bytes) -> Socks5Event | None:
        """Take what came. A dialogue has one event, and this returns it once; what comes later is payload."""
        if not data:
            return None
        self._buffer += data
        return self._state(self)

    def data_to_send(self) -> bytes:
        """What there is to send; every byte is given once."""
        out, self._out = self._out, b""
        return out

    def accept(self, bound: Address | None = None) -> None:
        """Answer the request with success; `bound` is the address that we use for it, if we know."""
        self._answer(Reply.SUCCEEDED, _UNSPECIFIED if bound is None else encode_address(bound.host, bound.port))

    def refuse(self, reply: Reply) -> None:
        """Answer the request with a failure; after `data_to_send` the connection is to be closed."""
        if reply is Reply.SUCCEEDED:
            raise LocalProtocolError("a request is not refused with success")
        self._answer(reply, _UNSPECIFIED)

    def _answer(self, reply: Reply, bound: bytes) -> None:
        if not self._waiting:
            raise LocalProtocolError("there is no request that waits for an answer")
        self._waiting = False
        self._out += bytes((_VERSION, reply, 0)) + bound

    # ---- the states

    def _greeting(self) -> Socks5Event | None:
        buffer = self._buffer
        if buffer[0] != _VERSION:
            return self._reject(f"version {buffer[0]} instead of 5", Reply.GENERAL_FAILURE)
        if len(buffer) < 2 or len(buffer) < (end := 2 + buffer[1]):
            return None
        wanted = _USER_PASSWORD if self._users else _NO_AUTH
        if wanted not in buffer[2:end]:
            self._out += b"\x05\xff"
            return self._reject("none of the offered authentication methods will do", Reply.NOT_ALLOWED)
        self._out += b"\x05\x02" if self._users else b"\x05\x00"
        return self._go_on(end, Socks5Server._authentication if self._users else Socks5Server._request)

    def _authentication(self) -> Socks5Event | None:
        buffer = self._buffer
        if buffer[0] != _AUTH_VERSION:
            self._out += b"\x01\x01"
            return self._reject(f"authentication version {buffer[0]} instead of 1", Reply.NOT_ALLOWED)
        if len(buffer) < 2 or len(buffer) < (middle := 2 + buffer[1]) + 1:
            return None
        if len(buffer) < (end := middle + 1 + buffer[middle]):
            return None
        if not is_known(self._users or {}, buffer[2:middle], buffer[middle + 1 : end]):
            self._out += b"\x01\x01"
            return self._reject("wrong user or password", Reply.NOT_ALLOWED)
        self._out += b"\x01\x00"
        return self._go_on(end, Socks5Server._request)

    def _request(self) -> Socks5Event | None:
        buffer = self._buffer
        if buffer[0] != _VERSION:
            return self._fail(f"request version {buffer[0]} instead of 5", Reply.GENERAL_FAILURE)
        try:
            found = decode_address(buffer[3:])
        except BadRequestError as error:
            # A known type with an empty name: a name that does not resolve.
            known = buffer[3] in _KNOWN_TYPES
            return self._fail(str(error), Reply.HOST_UNREACHABLE if known else Reply.ADDRESS_TYPE_NOT_SUPPORTED)
        if found is None:
            return None
        # Refused only now that it is whole: closing with unread bytes would cut off the reply.
        address, size = found
        command = buffer[1]
        if command not in (_CONNECT, _UDP_ASSOCIATE):
            return self._fail(f"command {command} is not supported", Reply.COMMAND_NOT_SUPPORTED)
        self._waiting = True
        self._go_on(3 + size, Socks5Server._payload)
        return ConnectRequested(address) if command == _CONNECT else UdpAssociateRequested(address)

    def _payload(self) -> None:
        self.trailing += self._buffer
        self._buffer = b""

    def _over(self) -> None:
        self._buffer = b""

    # ---- between them

    def _go_on(self, size: int, state: Callable[["Socks5Server"], Socks5Event | None]) -> Socks5Event | None:
        """The message took `size` bytes; what is behind it is for the next state."""
        self._buffer = self._buffer[size:]
        self._state = state
        return state(self) if self._buffer else None

    def _fail(self, why: str, reply: Reply) -> Rejected:
        self._out += bytes((_VERSION, reply, 0)) + _UNSPECIFIED
        return self._reject(why, reply)

    def _reject(self, why: str, reply: Reply) -> Rejected:
        self._buffer = b""
        self._state = Socks5Server._over
        return Rejected(why, reply)
