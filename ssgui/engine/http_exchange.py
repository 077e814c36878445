"""Requests passed on to one target, and the answers to them.

h11 reads what the program says and what the origin answers, and frames both anew. While a request is under way
the exchange owns both legs: what they carry is messages, not a stream.
"""

import time
from typing import TYPE_CHECKING

import h11

from ssgui.engine.handler import Farewell, TCPRelayHandler
from ssgui.engine.leg import Leg
from ssgui.engine.stages import Reason
from ssgui.protocol import http_proxy
from ssgui.protocol.address import Address
from ssgui.protocol.errors import RemoteProtocolError

if TYPE_CHECKING:
    from ssgui.engine.http_session import HttpSession

MOST_HEAD = 64 * 1024
_READ = 64 * 1024
_BURST = 4


class HttpExchange:
    """`origin` is h11's view of the target's side, None once bytes only go through as they are."""

    def __init__(self, session: "HttpSession", address: Address) -> None:
        self.session, self.address = session, address
        self.origin: h11.Connection | None = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_HEAD)
        self.method = b""
        self._answered = False  # a response has begun
        self._raw = b""  # of a response, until h11 has understood its head

    @property
    def _local(self) -> Leg:
        return self.session.local

    @property
    def _handler(self) -> TCPRelayHandler:
        return self.session.handler

    # ---- the request

    def begin(self, request: h11.Request, forward: http_proxy.Forward) -> bytes:
        """The request as the origin gets it, with what has come of its body."""
        assert self.origin is not None
        self.method, self._answered = request.method, False
        upgrade = http_proxy.wants_upgrade(request.headers)
        headers = http_proxy.request_headers(request.headers.raw_items(), forward.host, upgrade=upgrade)
        sent = h11.Request(method=request.method, target=forward.path, headers=headers, http_version=b"1.1")
        return (self.origin.send(sent) or b"") + self._body()

    def again(self, request: h11.Request, forward: http_proxy.Forward) -> None:
        """Another request to the same target, over the way that is there."""
        payload = self.begin(request, forward)
        self._local.received += len(payload)
        self._local.on_readable = self._read_body
        self._send_up(payload)
        if not self._local.closed and self._more_to_come():
            self._local.resume()

    def _more_to_come(self) -> bool:
        return self.session.asked.their_state is h11.SEND_BODY

    def _body(self) -> bytes:
        """What h11 has of the request's body, framed for the origin; reading stops at its end."""
        asked, origin, out = self.session.asked, self.origin, b""
        assert origin is not None
        while self._more_to_come():
            event = asked.next_event()
            if not isinstance(event, h11.Data | h11.EndOfMessage):
                break
            out += origin.send(event) or b""
        if not self._more_to_come():
            self._local.pause()
        return out

    def framed(self, data: bytes) -> bytes:
        """Bytes of the request's body, framed for the origin."""
        try:
            self.session.asked.receive_data(data)
            return self._body()
        except h11.RemoteProtocolError:
            self._handler.destroy(Reason.BAD_REQUEST)
            return b""

    def open(self, local: Leg, remote: Leg) -> None:
        """The way is there: send what waits."""
        local.owner = remote.owner = self
        remote.on_readable, local.on_readable = self._read_origin, self._read_body
        handler = self._handler
        early, handler.early = handler.early, b""
        handler.first_up = time.monotonic()
        remote.send_payload(early)
        if not local.closed and not remote.held and self._more_to_come():
            local.resume()

    def _send_up(self, payload: bytes) -> None:
        remote = self._handler.remote
        if payload and remote is not None:
            remote.send_payload(payload)

    def _read_body(self) -> None:
        local = self._local
        for _ in range(_BURST):
            data = local.recv(_READ)
            if not data:
                return
            local.received += len(data)
            self._send_up(self.framed(data))
            if local.closed or local.paused or not local.readable:
                return
        local.read_on()

    # ---- the answer

    def _read_origin(self) -> None:
        remote = self._handler.remote
        assert remote is not None
        for _ in range(_BURST):
            data = self._origin_data(remote)
            if data is None:
                return
            if data:
                self._answer_comes(data)
            if remote.closed:
                return
            if remote.decoder is not None and remote.decoder.error is not None:
                self.garbled(remote, remote.decoder.error)
                return
            if remote.paused or not remote.readable:
                return
        remote.read_on()

    def _origin_data(self, remote: Leg) -> bytes | None:
        """Some payload; b"" when none opened yet, None when nothing came."""
        if remote.decoder is None:
            data = remote.recv(_READ) or None
        else:
            view = remote.recv_opened(_READ)
            data = None if view is None else bytes(view)
        if data:
            remote.received += len(data)
            if self._handler.first_down is None:
                self._handler.first_down = time.monotonic()
        return data

    def _answer_comes(self, data: bytes) -> None:
        """b"" is the origin's FIN."""
        origin = self.origin
        if origin is None:  # h11 refused it, so it goes through as it is
            self._local.send(data)
            return
        if not self._answered:
            self._raw += data
        try:
            origin.receive_data(data)
            self._pass_on(origin)
        except h11.RemoteProtocolError:
            self._not_http()

    def _pass_on(self, origin: h11.Connection) -> None:
        local = self._local
        while not local.closed:
            event = origin.next_event()
            if isinstance(event, h11.InformationalResponse):
                if self._informed(origin, event):
                    return
            elif isinstance(event, h11.Response):
                self._raw, self._answered = b"", True
                headers = http_proxy.end_to_end(event.headers.raw_items())
                answer = h11.Response(status_code=event.status_code, headers=headers, reason=event.reason)
                self._send_down(answer)
            elif isinstance(event, h11.Data):
                self._send_down(event)
            elif isinstance(event, h11.EndOfMessage):
                self._send_down(event)
                if not local.closed:
                    self._answer_ended(origin)
                return
            else:
                return

    def _send_down(self, event: h11.Response | h11.InformationalResponse | h11.Data | h11.EndOfMessage) -> None:
        if data := self.session.asked.send(event):
            self._local.send(data)

    def _informed(self, origin: h11.Connection, event: h11.InformationalResponse) -> bool:
        """Pass a 1xx on; True when it was 101 and another protocol goes on from here."""
        upgraded = event.status_code == 101
        headers = http_proxy.end_to_end(event.headers.raw_items(), upgrade=upgraded)
        answer = h11.InformationalResponse(status_code=event.status_code, headers=headers, reason=event.reason)
        self._raw = b""
        self._send_down(answer)
        if upgraded and not self._local.closed:
            self._become_tunnel(origin.trailing_data[0], self.session.asked.trailing_data[0])
        return upgraded

    def _become_tunnel(self, down: bytes, up: bytes) -> None:
        """Another protocol: the handler pumps."""
        handler, local, remote = self._handler, self._local, self._handler.remote
        assert remote is not None
        self.origin = None
        local.owner = remote.owner = handler
        remote.on_readable = remote.pump_plain if remote.decoder is None else remote.pump_sealed
        if down:
            local.send(down)
        handler.early = up
        if not local.closed:
            handler.stream()

    def _answer_ended(self, origin: h11.Connection) -> None:
        """The exchange is over: another request may follow, perhaps to the same target."""
        session, asked = self.session, self.session.asked
        if asked.our_state is not h11.DONE or asked.their_state is not h11.DONE or self._local.eof:
            self._handler.destroy(Reason.FINISHED, Farewell.LINGER)
            return
        asked.start_next_cycle()
        remote = self._handler.remote
        over = remote is None or remote.eof  # an answer may end with the connection
        if not over and origin.our_state is h11.DONE and origin.their_state is h11.DONE:
            origin.start_next_cycle()
            self._local.on_readable = self._read_next
        else:
            session.leave()
        if asked.trailing_data[0]:  # a request came while this one was under way
            session.feed(b"")
        if not self._local.closed and session.between_requests():
            self._local.resume()

    def _read_next(self) -> None:
        """A new request, which may use the way that is there."""
        local = self._local
        while data := local.recv(_READ):
            self.session.feed(data)
            if local.closed or local.paused or not local.readable or not self.session.between_requests():
                return

    # ---- endings

    def _not_http(self) -> None:
        """A response that h11 refuses. If nothing was passed on yet, all of it goes as it came, and then the end."""
        if self._answered:
            self._handler.destroy(Reason.TRUNCATED)
        elif not self._raw:
            self._no_answer()
        else:
            raw, self._raw, self.origin, self._answered = self._raw, b"", None, True
            self._local.send(raw)

    def _no_answer(self) -> None:
        page = http_proxy.error_page(502, "the connection ended without an answer", body=self.method != b"HEAD")
        self._local.send(page)
        if not self._local.closed:
            self._handler.destroy(Reason.NO_ANSWER, Farewell.LINGER)

    def _resting(self) -> bool:
        """No request is under way."""
        return self.origin is not None and self.origin.our_state is h11.IDLE

    def connecting(self) -> None:
        """The handler hears this: the legs are ours only later."""

    def connected(self, leg: Leg) -> None:
        """The handler hears this: the legs are ours only later."""

    def connect_failed(self, leg: Leg, error: OSError) -> None:
        """The handler hears this: the legs are ours only later."""

    def finished(self, leg: Leg) -> None:
        """We send our FIN only when we part."""

    def ended(self, leg: Leg) -> None:
        if leg is self._local:
            if self._resting():
                self._handler.destroy(Reason.FINISHED, Farewell.CLOSE)
            elif self._more_to_come():
                self._handler.destroy(Reason.TRUNCATED)
        elif leg.decoder is not None and not leg.decoder.at_boundary:
            self._origin_lost(Reason.TRUNCATED)
        elif self.origin is None:
            self._handler.destroy(Reason.FINISHED, Farewell.LINGER)
        elif self._resting():
            self._rest_elsewhere()  # it tired of waiting for another request
        else:
            self._answer_comes(b"")

    def lost(self, leg: Leg, error: OSError) -> None:
        if leg is self._local:
            self._handler.destroy(Reason.CLIENT_RESET)
        else:
            self._origin_lost(Reason.SERVER_RESET)

    def _rest_elsewhere(self) -> None:
        self.session.leave()
        self._local.resume()

    def _origin_lost(self, reason: Reason) -> None:
        if self._resting():
            self._rest_elsewhere()
        elif self._answered or self.origin is None:
            self._handler.destroy(reason)  # half an answer must not pass for a whole one
        else:
            self._no_answer()

    def garbled(self, leg: Leg, error: RemoteProtocolError) -> None:
        self._handler.garbled(leg, error)

    def failed(self, leg: Leg, error: Exception) -> None:
        self._handler.failed(leg, error)
