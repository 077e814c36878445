"""The client side of an HTTP proxy's CONNECT (RFC 9110 section 9.3.6), with Basic authentication (RFC 7617)."""

import base64
from typing import Final

import h11

from ssgui.protocol.address import Address, join_host_port
from ssgui.protocol.errors import BadRequestError, LocalProtocolError
from ssgui.protocol.proxy_client import Refusal, RefusedError

MOST_HEAD: Final = 64 * 1024  # bytes of an answer until its head is whole
_REFUSALS: Final = {
    403: Refusal.DENIED,
    404: Refusal.UNREACHABLE,
    500: Refusal.UNREACHABLE,
    502: Refusal.UNREACHABLE,
    503: Refusal.UNREACHABLE,
    504: Refusal.TIMEOUT,
}


class ConnectClient:
    """Asks for one `target`, whose name is the proxy's to resolve. See `proxy_client.ProxyClient`.

    LocalProtocolError for a target or user that cannot be written.
    """

    __slots__ = ("_connection", "_out", "_received", "asked", "trailing")

    def __init__(self, target: Address, user: bytes = b"", password: bytes = b"") -> None:
        if b":" in user:
            raise LocalProtocolError("the user of an HTTP proxy cannot have a colon in it")
        where = join_host_port(*target)
        headers = [("Host", where)]
        if user:
            token = base64.b64encode(user + b":" + password).decode("ascii")
            headers.append(("Proxy-Authorization", f"Basic {token}"))
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_HEAD)
        try:
            sent = self._connection.send(h11.Request(method="CONNECT", target=where, headers=headers))
        except (h11.LocalProtocolError, UnicodeEncodeError):
            raise LocalProtocolError(f"{Address(*target)} cannot be written in a request") from None
        self._connection.send(h11.EndOfMessage())
        self._out = sent or b""
        self._received = 0
        self.trailing = b""
        self.asked = True

    def data_to_send(self) -> bytes:
        """What there is to send; every byte is given once."""
        out, self._out = self._out, b""
        return out

    def receive_data(self, data: bytes) -> bool:
        """Take what came; True once the tunnel is open. RefusedError or BadRequestError end the dialogue."""
        if not data:
            return False
        self._received += len(data)
        connection = self._connection
        try:
            connection.receive_data(data)
            while isinstance(event := connection.next_event(), h11.InformationalResponse):
                pass
        except h11.RemoteProtocolError as error:
            raise BadRequestError(f"speaks no HTTP: {ascii(str(error))[1:-1][:120]}") from None
        if isinstance(event, h11.Response):
            self._judge(event)
            self.trailing = connection.trailing_data[0]
            return True
        if self._received > MOST_HEAD:
            raise BadRequestError(f"has no end to its answer within {MOST_HEAD // 1024} KiB")
        return False

    @staticmethod
    def _judge(response: h11.Response) -> None:
        status = response.status_code
        if 200 <= status < 300:
            return
        reason = ascii(bytes(response.reason[:60]).decode("latin-1"))[1:-1]
        why = " (it wants a user and password, or others)" if status == 407 else ""
        raise RefusedError(f"answered {status} {reason}".rstrip() + why, _REFUSALS.get(status, Refusal.PROXY))
