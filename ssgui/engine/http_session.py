"""A program asks by HTTP: CONNECT for a tunnel, or requests in absolute form that are passed on one by one.

Each target is a handler of its own, over the same client connection; requests that follow each other to one
target share the way there (`HttpExchange`). Between two of them a new handler waits in INIT.
"""

import h11

from ssgui.engine.handler import Farewell
from ssgui.engine.http_exchange import MOST_HEAD, HttpExchange
from ssgui.engine.leg import Leg
from ssgui.engine.program_session import REQUEST_READ, FollowingSession, ProgramSession
from ssgui.engine.stages import Reason, Stage
from ssgui.protocol import http_proxy
from ssgui.protocol.address import Address
from ssgui.protocol.errors import BadRequestError

_STATUS = {
    Reason.CONNECT_TIMEOUT: (504, "the connection timed out"),
    Reason.CONNECT_REFUSED: (502, "the connection was refused"),
    Reason.UNREACHABLE: (502, "the network or the host cannot be reached"),
    Reason.DNS_FAILED: (502, "the name does not resolve"),
    Reason.DENIED: (403, "a rule forbids it"),
    Reason.PLUGIN_FAILED: (502, "the server's plugin does not run"),
}
_NEEDED = "a user and a password are needed"


class HttpSession(FollowingSession):
    """One client connection; `asked` is h11's view of it, `_exchange` the way to the target of the last request."""

    __slots__ = ("_exchange", "asked")

    def __init__(self, first: ProgramSession) -> None:
        super().__init__(first)
        self.asked = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_HEAD)
        self._exchange: HttpExchange | None = None

    def begin(self, data: bytes) -> None:
        self.handler.announce("http")
        self.handler.enter(Stage.ADDR)
        self.local.on_readable = self._read_request
        self.feed(data)

    # ---- requests

    def _read_request(self) -> None:
        local = self.local
        while data := local.recv(REQUEST_READ):
            if self.handler.stage is Stage.INIT:
                self.handler.enter(Stage.ADDR)
            self.feed(data)
            if local.closed or local.paused or not local.readable or self.handler.stage is not Stage.ADDR:
                return

    def feed(self, data: bytes) -> None:
        """Take bytes of a request's head, b"" to look at what is there already."""
        try:
            if data:
                self.asked.receive_data(data)
            event = self.asked.next_event()
            if isinstance(event, h11.Request):
                self._requested(event)
        except h11.RemoteProtocolError as error:
            too_long = error.error_status_hint == 431
            self.turn_down(431 if too_long else 400, "the head is too long" if too_long else "this is no HTTP request")

    def _requested(self, request: h11.Request) -> None:
        if not http_proxy.is_authorised(request.headers.raw_items(), self.relay.users):
            self._ask_for_password(request)
            return
        try:
            if request.method == b"CONNECT":
                self._connect(http_proxy.connect_target(request.target))
            else:
                self._forward(request, http_proxy.forward_target(request.target))
        except BadRequestError as error:
            # One page for everything that is not for a proxy: it tells nobody what runs here.
            self.turn_down(400, "this is a proxy" if request.target.startswith(b"/") else str(error))

    def _connect(self, target: Address) -> None:
        self.leave()
        self.go(target, self.asked.trailing_data[0])

    def _forward(self, request: h11.Request, forward: http_proxy.Forward) -> None:
        exchange = self._exchange
        if exchange is not None and exchange.address == forward.address:
            exchange.again(request, forward)
            return
        self.leave()
        exchange = self._exchange = HttpExchange(self, forward.address)
        self.go(forward.address, exchange.begin(request, forward))

    def leave(self) -> None:
        """Nothing more goes to the last target: its handler ends, and a new one waits for what comes."""
        if self._exchange is not None:
            self._exchange = None
            self.handler.destroy(Reason.FINISHED, Farewell.KEEP)
            self.await_request()

    def await_request(self) -> None:
        """A new handler waits for the next request over this connection; the caller resumes the leg."""
        local = self.local
        if local.closed:
            return
        handler = self.handler = self.relay.new_handler(self.relay, self)
        handler.local = local
        local.owner, local.on_readable = handler, self._read_request
        local.received = local.flushed = 0
        handler.announce("http")
        if not self.between_requests() or self.asked.trailing_data[0]:
            handler.enter(Stage.ADDR)

    def between_requests(self) -> bool:
        """Whether the head of a request is awaited."""
        return bool(self.asked.their_state is h11.IDLE)

    # ---- refusals

    def turn_down(self, status: int, why: str) -> None:
        """Answer with an error page and end."""
        reasons = {403: Reason.DENIED, 407: Reason.DENIED, 408: Reason.HANDSHAKE_TIMEOUT}
        self.local.send(http_proxy.error_page(status, why))
        if not self.local.closed:
            self.handler.destroy(reasons.get(status, Reason.BAD_REQUEST), Farewell.LINGER)

    def _ask_for_password(self, request: h11.Request) -> None:
        """A browser asks its person and tries again on the same connection, if there is no body in the way."""
        if request.method != b"CONNECT" and not isinstance(self.asked.next_event(), h11.EndOfMessage):
            self.turn_down(407, _NEEDED)
            return
        rest = b"" if request.method == b"CONNECT" else self.asked.trailing_data[0]
        self.local.send(http_proxy.error_page(407, _NEEDED, close=False, body=request.method != b"HEAD"))
        if self.local.closed:
            return
        self._exchange = None
        self.asked = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_HEAD)
        self.handler.destroy(Reason.DENIED, Farewell.KEEP)
        self.await_request()
        if rest:
            self.feed(rest)
        self.local.resume()

    def answer(self) -> None:
        self.local.send(http_proxy.ESTABLISHED)

    def refuse(self, reason: Reason) -> None:
        status, why = _STATUS.get(reason, (502, "the connection failed"))
        with_body = self._exchange is None or self._exchange.method != b"HEAD"
        self.local.send(http_proxy.error_page(status, why, body=with_body))

    def expired(self) -> None:
        if self.handler.stage is Stage.INIT:
            self.handler.destroy(Reason.FINISHED, Farewell.CLOSE)  # between two requests
        else:
            self.turn_down(408, "the request did not come whole in time")

    # ---- on the way

    def read(self, limit: int) -> bytes:
        data = self.local.recv(limit)
        return data if self._exchange is None or not data else self._exchange.framed(data)

    def connected(self, local: Leg, remote: Leg) -> None:
        if self._exchange is None:
            super().connected(local, remote)
            return
        if self.upstream is not None:
            self.relay.pool.succeeded(self.upstream)
            remote.encoder, remote.decoder = self.upstream.tunnel.client_streams()
        self._exchange.open(local, remote)
