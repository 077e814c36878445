"""A program asks by HTTP: CONNECT for a tunnel, or requests in absolute form that are passed on one by one.

Each way to a target is a handler of its own, over the same client connection; requests that follow each other
to one target share it (`HttpExchange`). Between two requests there may be no handler at all: a program that
keeps its connection for later is no connection of anything.
"""

import h11

from ssgui.engine.events import peer_name
from ssgui.engine.handler import Farewell
from ssgui.engine.leg import Leg
from ssgui.engine.sessions.http_exchange import HttpExchange, QuietOwner
from ssgui.engine.sessions.program import REQUEST_READ, FollowingSession, ProgramSession
from ssgui.engine.stages import Reason, Stage
from ssgui.protocol import http_proxy
from ssgui.protocol.address import Address
from ssgui.protocol.errors import BadRequestError, RemoteProtocolError

KEEP_ALIVE_SECONDS = 60.0  # from one request to the next
_STATUS = {
    Reason.CONNECT_TIMEOUT: (504, "the connection timed out"),
    Reason.CONNECT_REFUSED: (502, "the connection was refused"),
    Reason.UNREACHABLE: (502, "the network or the host cannot be reached"),
    Reason.DNS_FAILED: (502, "the name does not resolve"),
    Reason.DENIED: (403, "a rule forbids it"),
    Reason.PLUGIN_FAILED: (502, "the server's plugin does not run"),
}
_REASONS = {403: Reason.DENIED, 407: Reason.DENIED, 408: Reason.HANDSHAKE_TIMEOUT, 504: Reason.IDLE_TIMEOUT}
_NEEDED = "a user and a password are needed"


class HttpSession(FollowingSession):
    """One client connection; `asked` is h11's view of the request that is under way."""

    __slots__ = ("_came", "_seen", "asked", "awaiting")

    def __init__(self, first: ProgramSession) -> None:
        super().__init__(first)
        self.asked = h11.Connection(h11.SERVER)
        self.awaiting = True  # the head of a request
        self._came = b""  # of it, and what is behind it; a bytearray would take an eighth more
        self._seen = 0  # bytes of it that hold no end of a head

    @property
    def _exchange(self) -> HttpExchange | None:
        """The way to the target of the last request. The leg knows it: to know it here would make a cycle."""
        owner = self.local.owner
        return owner if isinstance(owner, HttpExchange) else None

    def begin(self, data: bytes) -> None:
        self.handler.announce("http")
        self.handler.enter(Stage.ADDR)
        self.local.on_readable = self._read_request
        self._feed(data)

    # ---- requests

    def _read_request(self) -> None:
        local = self.local
        while data := local.recv(REQUEST_READ):
            self._feed(data)
            if local.closed or local.paused or not local.readable or not self.awaiting:
                return

    def _feed(self, data: bytes) -> None:
        """Take bytes of a request's head, b"" to look at what is there already; a request that needs no way is over."""
        self._came += data
        while self.awaiting and not self.local.closed:
            if not self._seen:
                self._came = self._came.lstrip(b"\r\n")  # some end a body with a line too many
            if not self._came:
                return
            if self.handler.stage is Stage.DESTROYED:
                self._renew()
            end = http_proxy.head_end(self._came, self._seen)
            if max(end, len(self._came) if not end else 0) > http_proxy.MAX_HEAD:
                self._refuse_request(431, "the head is too long")
            elif not end:
                self._seen = len(self._came)
                return
            else:
                head, self._came, self._seen = self._came[:end], self._came[end:], 0
                self._read_head(head)

    def _read_head(self, head: bytes) -> None:
        self.relay.kept_alive.remove(self)
        self.awaiting = False
        pages = self.relay.pages
        if pages is not None and (page := pages.answer(head, self._came_in_at(), peer_name(self.client))) is not None:
            self._serve(page)
            return
        try:
            head = http_proxy.checked_head(head)
            asked = self.asked = h11.Connection(h11.SERVER, max_incomplete_event_size=2 * http_proxy.MAX_HEAD)
            asked.receive_data(head)
            request = asked.next_event()
            assert isinstance(request, h11.Request), request
            if self._came:
                asked.receive_data(self._came)
                self._came = b""
            self._requested(request)
        except h11.RemoteProtocolError as error:
            self._refuse_request(error.error_status_hint, "this is no request that a proxy understands")
        except BadRequestError as error:
            self._refuse_request(431 if isinstance(error, http_proxy.TooManyFieldsError) else 400, str(error))

    def _came_in_at(self) -> tuple[str, int]:
        """The address that the program has connected to."""
        address: tuple[str, int] = self.local.sock.getsockname()[:2]
        return address

    def _serve(self, page: bytes) -> None:
        """A browser has asked for a page of ours."""
        self._start_afresh()
        self.local.send(page)
        if not self.local.closed:
            self.handler.destroy(Reason.FINISHED, Farewell.LINGER, "a page of this program")

    def _requested(self, request: h11.Request) -> None:
        http_proxy.check_framing(request.headers.raw_items(), request.http_version)
        if not http_proxy.is_authorised(request.headers.raw_items(), self.relay.users):
            self._ask_for_password(request)
        elif request.method == b"CONNECT":
            self._connect(http_proxy.connect_target(request.target))
        else:
            self._forward(request, http_proxy.forward_target(request.target, request.method))

    def _connect(self, target: Address) -> None:
        self._start_afresh()
        self.go(target, self.asked.trailing_data[0])

    def _forward(self, request: h11.Request, forward: http_proxy.Forward) -> None:
        exchange = self._exchange
        if exchange is not None and exchange.address == forward.address and self._same_way(request, forward):
            exchange.again(request, forward)
        else:
            self.ask_afresh(request, forward)

    def _same_way(self, request: h11.Request, forward: http_proxy.Forward) -> bool:
        """Whether this request, to the target of the last one, may share its way: rules may look at paths."""
        router = self.relay.router
        if not router.by_url:
            return True
        return router.route(forward.address, self.client, request.target.decode("ascii")).route == self.handler.route

    def ask_afresh(self, request: h11.Request, forward: http_proxy.Forward) -> None:
        """Pass a request on over a way of its own."""
        self._start_afresh()
        exchange = self.local.owner = HttpExchange(self, forward.address)
        self.go(forward.address, exchange.begin(request, forward), request.target.decode("ascii"))

    def _start_afresh(self) -> None:
        """Nothing more goes to the last target."""
        if self.handler.stage is Stage.STREAM:
            self.handler.destroy(Reason.FINISHED, Farewell.KEEP)
        if self.handler.stage is Stage.DESTROYED:
            self._renew()

    def _renew(self) -> None:
        """A handler for the request that begins here."""
        local, relay = self.local, self.relay
        relay.kept_alive.remove(self)
        handler = self.handler = relay.new_handler(relay, self)
        handler.local, local.owner = local, handler
        local.received = local.flushed = 0
        self.upstream, self.tried = None, ()
        handler.announce("http")
        handler.enter(Stage.ADDR)

    # ---- between requests

    def await_request(self, *, keep_way: bool) -> None:
        """The last request is done with; another may follow, or be there already."""
        local = self.local
        if not keep_way:
            self.let_go(Reason.FINISHED)
        self._came, self.awaiting = self.asked.trailing_data[0], True
        local.on_readable = self._read_request
        self.relay.kept_alive.add(self)
        self._feed(b"")
        if not self.awaiting or local.closed:
            return
        if local.eof or not self.relay.listening:
            self.part()
        else:
            local.resume()

    def let_go(self, reason: Reason, detail: str = "") -> None:
        """End the handler; the client connection goes on."""
        if self.handler.stage is not Stage.DESTROYED:
            self.handler.destroy(reason, Farewell.KEEP, detail)
            self.local.owner = _Resting(self)

    def part(self) -> None:
        """Nobody will ask again."""
        self.relay.kept_alive.remove(self)
        if self.handler.stage is not Stage.DESTROYED:
            self.handler.destroy(
                Reason.TRUNCATED if self.handler.stage is Stage.ADDR else Reason.FINISHED, Farewell.CLOSE
            )
        else:
            self.local.owner = self.handler
            self.local.close()

    def kept_too_long(self) -> None:
        """No other request has come whole in time."""
        if self.awaiting and not self.local.closed:
            if self._came:
                self._refuse_request(408, "the request did not come whole in time")
            else:
                self.part()

    # ---- refusals

    def turn_down(self, status: int, why: str, reason: Reason | None = None) -> None:
        """Answer the request that is under way with an error page, and end."""
        self.awaiting = False
        self.local.send(http_proxy.error_page(status, why))
        if not self.local.closed:
            self.handler.destroy(reason or _REASONS.get(status, Reason.BAD_REQUEST), Farewell.LINGER, why)

    def _refuse_request(self, status: int, why: str) -> None:
        """Turn down a request that has just come: the way of the one before is not to blame."""
        self.relay.kept_alive.remove(self)
        self._start_afresh()
        self.turn_down(status, why)

    def _ask_for_password(self, request: h11.Request) -> None:
        """A browser asks its person and tries again on the same connection, if there is no body in the way."""
        self._start_afresh()
        if request.method != b"CONNECT" and not isinstance(self.asked.next_event(), h11.EndOfMessage):
            self.turn_down(407, _NEEDED)
            return
        if self.asked.our_state is h11.MUST_CLOSE or request.http_version < b"1.1":
            self.turn_down(407, _NEEDED)
            return
        self.local.send(http_proxy.error_page(407, _NEEDED, close=False, body=request.method != b"HEAD"))
        if not self.local.closed:
            self.let_go(Reason.DENIED, _NEEDED)
            self._came, self.awaiting = self.asked.trailing_data[0], True
            self.local.on_readable = self._read_request
            self.relay.kept_alive.add(self)

    def answer(self) -> None:
        self.local.send(http_proxy.ESTABLISHED)

    def refuse(self, reason: Reason) -> None:
        status, why = _STATUS.get(reason, (502, "the connection failed"))
        exchange = self._exchange
        self.local.send(http_proxy.error_page(status, why, body=exchange is None or exchange.method != b"HEAD"))

    def expired(self) -> None:
        self.turn_down(408, "the request did not come whole in time")

    def idled(self) -> None:
        exchange = self._exchange
        if self.awaiting:
            self.part()
        elif exchange is not None and exchange.unanswered:
            self.turn_down(504, "no answer came in time")
        else:
            super().idled()

    # ---- on the way

    def read(self, limit: int) -> bytes:
        data, exchange = self.local.recv(limit), self._exchange
        return data if exchange is None or not data else exchange.framed(data)

    def connected(self, local: Leg, remote: Leg) -> None:
        exchange = self._exchange
        if exchange is None:
            super().connected(local, remote)
            return
        if self.upstream is not None:
            if remote.fast_open is None:
                self.reached()
            remote.encoder, remote.decoder = self.upstream.tunnel.client_streams()
        exchange.open(local, remote)


class _Resting(QuietOwner):
    """Owns a program's leg between two requests where there is no way to keep."""

    def __init__(self, session: HttpSession) -> None:
        self._session = session

    def ended(self, leg: Leg) -> None:
        self._session.part()

    def lost(self, leg: Leg, error: OSError) -> None:
        self._session.part()

    def garbled(self, leg: Leg, error: RemoteProtocolError) -> None:
        self._session.part()

    def failed(self, leg: Leg, error: Exception) -> None:
        self._session.part()
