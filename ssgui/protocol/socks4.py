"""The server side of SOCKS4 and 4a (the memos of Ying-Da Lee and David Koblas).

    >> 04 command port(2) ip(4) user.. 00 [name.. 00, when ip is 0.0.0.x and x is not 0]
    << 00 status 6 bytes that mean nothing        status: 5a granted, 5b refused

The names of what is asked for and of replies are SOCKS5's, so that a shell can treat both alike.
"""

from ssgui.protocol.address import Address
from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.socks5 import ConnectRequested, Rejected, Reply

_VERSION, _CONNECT = 4, 1
_GRANTED, _REFUSED = b"\x00\x5a" + bytes(6), b"\x00\x5b" + bytes(6)
_HEAD = 8
_MOST_TEXT = 255  # of the user and of the name: nothing else would bound them

Socks4Event = ConnectRequested | Rejected


class Socks4Server:
    """One client's request. There is no authentication: do not use it where a password is asked for."""

    __slots__ = ("_buffer", "_out", "_over", "_waiting", "trailing")

    def __init__(self) -> None:
        self._buffer = self._out = self.trailing = b""
        self._waiting = self._over = False

    def receive_data(self, data: bytes) -> Socks4Event | None:
        """Take what came; the one event of the dialogue when it is whole. What comes later is payload."""
        if self._over:
            self.trailing += data if self._waiting else b""
            return None
        self._buffer += data
        event = self._request()
        if event is not None:
            self._over, self._buffer = True, b""
        return event

    def data_to_send(self) -> bytes:
        """What there is to send; every byte is given once."""
        out, self._out = self._out, b""
        return out

    def accept(self, bound: Address | None = None) -> None:
        """Grant the request. Clients ignore the address in the reply."""
        self._answer(_GRANTED)

    def refuse(self, reply: Reply) -> None:
        """Refuse the request, which SOCKS4 knows only one way to do."""
        if reply is Reply.SUCCEEDED:
            raise LocalProtocolError("a request is not refused with success")
        self._answer(_REFUSED)

    def _answer(self, reply: bytes) -> None:
        if not self._waiting:
            raise LocalProtocolError("there is no request that waits for an answer")
        self._waiting = False
        self._out += reply

    def _request(self) -> Socks4Event | None:
        buffer = self._buffer
        if buffer and buffer[0] != _VERSION:
            return Rejected(f"version {buffer[0]} instead of 4", Reply.GENERAL_FAILURE)
        if len(buffer) < _HEAD:
            return None
        end = buffer.find(0, _HEAD)
        if end < 0 or end - _HEAD > _MOST_TEXT:
            return self._too_long(_HEAD)
        octets, port = buffer[4:_HEAD], buffer[2] << 8 | buffer[3]
        host = ".".join(map(str, octets))
        if octets[:3] == bytes(3) and octets[3]:
            start, end = end + 1, buffer.find(0, end + 1)
            if end < 0 or end - start > _MOST_TEXT:
                return self._too_long(start)
            host = buffer[start:end].decode("ascii", "surrogateescape")
        return self._requested(host, port, buffer[1], buffer[end + 1 :])

    def _requested(self, host: str, port: int, command: int, rest: bytes) -> Socks4Event:
        if command != _CONNECT or not host:
            self._out += _REFUSED
            why = f"command {command} is not supported" if command != _CONNECT else "empty host name"
            return Rejected(why, Reply.COMMAND_NOT_SUPPORTED if command != _CONNECT else Reply.HOST_UNREACHABLE)
        self._waiting, self.trailing = True, rest
        return ConnectRequested(Address(host, port))

    def _too_long(self, start: int) -> Rejected | None:
        """A text that began at `start` has no end yet: None while it still may."""
        if len(self._buffer) - start <= _MOST_TEXT:
            return None
        self._out += _REFUSED
        return Rejected(f"a user or host name of more than {_MOST_TEXT} bytes", Reply.GENERAL_FAILURE)
