"""The client side of SOCKS5 (RFC 1928) with no authentication or user and password (RFC 1929)."""

from collections.abc import Callable
from typing import Final

from ssgui.protocol.address import Address, decode_address, encode_address
from ssgui.protocol.errors import BadRequestError, LocalProtocolError
from ssgui.protocol.proxy_client import Refusal, RefusedError
from ssgui.protocol.socks5 import Reply

_CONNECT: Final = 1
_UDP_ASSOCIATE: Final = 3
_NO_AUTH: Final = 0
_USER_PASSWORD: Final = 2
_NONE_WILL_DO: Final = 0xFF
_SIZES: Final = {1: 4, 4: 16}  # of addresses, by their type
_REFUSALS: Final = {
    Reply.GENERAL_FAILURE: ("a general failure", Refusal.UNREACHABLE),
    Reply.NOT_ALLOWED: ("that its rules do not allow this", Refusal.DENIED),
    Reply.NETWORK_UNREACHABLE: ("that the network is unreachable", Refusal.UNREACHABLE),
    Reply.HOST_UNREACHABLE: ("that the host is unreachable", Refusal.UNREACHABLE),
    Reply.CONNECTION_REFUSED: ("that the connection was refused", Refusal.REFUSED),
    Reply.TTL_EXPIRED: ("that the time ran out", Refusal.TIMEOUT),
    Reply.COMMAND_NOT_SUPPORTED: ("that it has no such command", Refusal.PROXY),
    Reply.ADDRESS_TYPE_NOT_SUPPORTED: ("that it knows no such kind of address", Refusal.UNREACHABLE),
}


class Socks5Client:
    """Asks for one `target`, whose name is the proxy's to resolve. See `proxy_client.ProxyClient`.

    With `datagrams` it asks for a place to send datagrams to instead (UDP ASSOCIATE), which is then `bound`; `target`
    is where they will come from, 0.0.0.0:0 if that is not known.

    LocalProtocolError for a target that cannot be written, or a user or password of more than 255 bytes.
    """

    # The state is the function that reads the next message.
    __slots__ = ("_buffer", "_credentials", "_datagrams", "_out", "_request", "_state", "asked", "bound", "trailing")

    def __init__(
        self, target: Address, user: bytes = b"", password: bytes = b"", *, datagrams: bool = False
    ) -> None:  # fmt: skip
        if max(len(user), len(password)) > 255:
            raise LocalProtocolError("user and password of a SOCKS5 proxy have at most 255 bytes each")
        self._credentials = bytes((1, len(user))) + user + bytes((len(password),)) + password if user else b""
        self._datagrams = datagrams
        self._request = bytes((5, _UDP_ASSOCIATE if datagrams else _CONNECT, 0)) + encode_address(
            target.host, target.port
        )
        self._out = b"\x05\x02\x00\x02" if user else b"\x05\x01\x00"
        self._state: Callable[[Socks5Client], bool] = Socks5Client._method
        self._buffer = self.trailing = b""
        self.asked = False
        self.bound: Address | None = None

    def data_to_send(self) -> bytes:
        """What there is to send; every byte is given once."""
        out, self._out = self._out, b""
        return out

    def receive_data(self, data: bytes) -> bool:
        """Take what came; True once the tunnel is open. RefusedError or BadRequestError end the dialogue."""
        self._buffer += data
        return bool(self._buffer) and self._state(self)

    # ---- the states

    def _method(self) -> bool:
        buffer = self._buffer
        if buffer[0] != 5:
            raise BadRequestError(f"speaks no SOCKS5: its first byte is {buffer[0]}")
        if len(buffer) < 2:
            return False
        chosen = buffer[1]
        if chosen == _NO_AUTH:
            return self._ask()
        if chosen == _USER_PASSWORD and self._credentials:
            self._out += self._credentials
            return self._go_on(2, Socks5Client._authentication)
        if chosen == _NONE_WILL_DO or (chosen == _USER_PASSWORD and not self._credentials):
            what = "no authentication that is offered" if self._credentials else "nobody without user and password"
            raise RefusedError(f"accepts {what}", Refusal.PROXY)
        raise BadRequestError(f"wants the authentication method {chosen}, which was not offered")

    def _authentication(self) -> bool:
        if len(self._buffer) < 2:
            return False
        if self._buffer[1]:
            raise RefusedError("does not accept this user and password", Refusal.PROXY)
        return self._ask()

    def _ask(self) -> bool:
        self._out += self._request
        self.asked = True
        return self._go_on(2, Socks5Client._reply)

    def _reply(self) -> bool:
        buffer = self._buffer
        if buffer[0] != 5:
            raise BadRequestError(f"answers with version {buffer[0]} instead of 5")
        if len(buffer) < 2:
            return False
        if buffer[1]:  # there are proxies that say no more than this
            raise _refused(buffer[1])
        if len(buffer) < 5:
            return False
        kind = buffer[3]
        size = 1 + buffer[4] if kind == 3 else _SIZES.get(kind)
        if size is None:
            raise BadRequestError(f"answers with an address of the unknown type {kind}")
        end = 4 + size + 2
        if len(buffer) < end:
            return False
        if self._datagrams and (bound := decode_address(buffer[3:end])) is not None:
            self.bound = bound[0]
        self.trailing, self._buffer = buffer[end:], b""
        return True

    def _go_on(self, size: int, state: Callable[["Socks5Client"], bool]) -> bool:
        """The message took `size` bytes; what is behind it is for the next state."""
        self._buffer = self._buffer[size:]
        self._state = state
        return bool(self._buffer) and state(self)


def _refused(code: int) -> RefusedError:
    try:
        what, refusal = _REFUSALS[Reply(code)]
    except ValueError:
        what, refusal = "no reply that is known", Refusal.UNREACHABLE
    return RefusedError(f"answered {code}: {what}", refusal)
