"""Requests passed on to one target, and the answers to them.

h11 reads what the program says and what the origin answers, and frames both anew. While a request is under way
the exchange owns both legs: what they carry is messages, not a stream.
"""

import time
from typing import TYPE_CHECKING

import h11

from ssgui.engine.errors import reason_of
from ssgui.engine.handler import Farewell, TCPRelayHandler
from ssgui.engine.leg import Leg
from ssgui.engine.reactor import READ_FIRST, READ_TIGHT, UNSENT_BUDGET
from ssgui.engine.stages import Reason, Stage
from ssgui.protocol import http_proxy
from ssgui.protocol.address import Address
from ssgui.protocol.errors import RemoteProtocolError

if TYPE_CHECKING:
    from ssgui.engine.sessions.http import HttpSession

_BURST = 4
_MOST_AHEAD = 64 * 1024
_ASKED_AGAIN = (b"GET", b"HEAD", b"OPTIONS")  # whoever asks twice does no harm


class QuietOwner:
    """What the owners of legs are told that does not concern those of HTTP."""

    def connecting(self) -> None:
        """The handler hears this: the legs are ours only later."""

    def connected(self, leg: Leg) -> None:
        """The handler hears this: the legs are ours only later."""

    def connect_failed(self, leg: Leg, error: OSError) -> None:
        """The handler hears this: the legs are ours only later."""

    def finished(self, leg: Leg) -> None:
        """Our FIN is out."""


class HttpExchange(QuietOwner):
    """`origin` is h11's view of the target's side, None once bytes only go through as they are."""

    def __init__(self, session: "HttpSession", address: Address) -> None:
        self.session, self.address = session, address
        self.origin: h11.Connection | None = h11.Connection(h11.CLIENT, max_incomplete_event_size=http_proxy.MAX_HEAD)
        self.method = b""
        self._again: tuple[h11.Request, http_proxy.Forward] | None = None  # what went over a way that was there
        self._answered = False  # a response has begun
        self._raw = b""  # of a response, until h11 has understood its head
        self._out: list[bytes] = []  # for the program, until the end of what was read
        self._ahead = 0  # bytes that came behind the request while it was under way
        self._parting: Reason | None = None  # the program gets what is held, and our FIN

    @property
    def _local(self) -> Leg:
        return self.session.local

    @property
    def _handler(self) -> TCPRelayHandler:
        return self.session.handler

    @property
    def _read_size(self) -> int:
        return READ_FIRST if self._local.reactor.unsent <= UNSENT_BUDGET else READ_TIGHT

    # ---- the request

    def begin(self, request: h11.Request, forward: http_proxy.Forward) -> bytes:
        """The request as the origin gets it, with what has come of its body."""
        assert self.origin is not None
        self.method, self._answered, self._again, self._ahead = request.method, False, None, 0
        upgrade = request.http_version > b"1.0" and http_proxy.wants_upgrade(request.headers)
        headers = http_proxy.request_headers(request.headers.raw_items(), forward.host, upgrade=upgrade)
        sent = h11.Request(method=request.method, target=forward.path, headers=headers, http_version=b"1.1")
        return (self.origin.send(sent) or b"") + self._body()

    def again(self, request: h11.Request, forward: http_proxy.Forward) -> None:
        """Another request to the same target, over the way that is there."""
        payload = self.begin(request, forward)
        self._again = request, forward
        self._local.received += len(payload)
        self._send_up(payload)
        if self._local.owner is self and not self._local.closed:
            self._read_on()

    def _read_on(self) -> None:
        """Read the rest of the request, or what comes behind it."""
        local, remote = self._local, self._handler.remote
        local.on_readable = self._read_body if self._more_to_come() else self._read_ahead
        if remote is not None and not remote.held:
            if local.eof:
                self._carry_fin()
            else:
                local.resume()

    def _more_to_come(self) -> bool:
        return self.session.asked.their_state is h11.SEND_BODY

    def _body(self) -> bytes:
        """What h11 has of the request's body, framed for the origin."""
        asked, origin, out = self.session.asked, self.origin, b""
        assert origin is not None
        if asked.their_state is h11.DONE and origin.our_state is h11.SEND_BODY:  # it is asked a second time
            out = origin.send(h11.EndOfMessage()) or b""
        while self._more_to_come():
            event = asked.next_event()
            if not isinstance(event, h11.Data | h11.EndOfMessage):
                break
            out += origin.send(event) or b""
        if not self._more_to_come():
            self._ahead = len(asked.trailing_data[0])
        return out

    @property
    def unanswered(self) -> bool:
        """Whether the program waits and has heard nothing."""
        return not self._answered and self.origin is not None and not self._resting()

    def framed(self, data: bytes) -> bytes:
        """Bytes of the request's body, framed for the origin."""
        try:
            self.session.asked.receive_data(data)
            body = self._body()
            if not self._more_to_come():
                self._local.pause()  # until the way is there, or the caller knows what comes next
            return body
        except h11.RemoteProtocolError:
            if self.unanswered:
                self.session.turn_down(400, "the request's body makes no sense")
            else:
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
        if local.held:  # of an answer to the request before
            remote.pause()
        if local.owner is self and not local.closed:
            self._read_on()

    def _send_up(self, payload: bytes) -> None:
        remote = self._handler.remote
        if payload and remote is not None:
            remote.send_payload(payload)

    def _read_body(self) -> None:
        local = self._local
        for _ in range(_BURST):
            data = local.recv(self._read_size)
            if not data:
                return
            payload = self.framed(data)
            local.received += len(payload)
            self._send_up(payload)
            if local.owner is not self or local.closed:
                return
            if not self._more_to_come():
                self._read_on()
                return
            if local.paused or not local.readable:
                return
        local.read_on()

    def _read_ahead(self) -> None:
        """The request is whole. What comes behind it waits, up to a bound; the end is heard, and carried on."""
        local = self._local
        if self._ahead >= _MOST_AHEAD:
            local.readable = True
            local.pause()
        elif data := local.recv(READ_TIGHT):
            self.session.asked.receive_data(data)
            self._ahead += len(data)
            if local.readable:
                local.read_on()

    def _carry_fin(self) -> None:
        """A program that says no more still waits for the answer, or has gone: the origin sees what it would see."""
        remote, asks_more = self._handler.remote, self._ahead and self.origin is not None
        if remote is not None and self._handler.stage is Stage.STREAM and not asks_more and not remote.shut:
            remote.finish()

    # ---- the answer

    def _read_origin(self) -> None:
        remote = self._handler.remote
        assert remote is not None
        for _ in range(_BURST):
            data = self._origin_data(remote)
            if data is None:
                return
            if data and self._resting():
                self._way_is_over()  # an answer that nobody asked for: some say 408 before they leave
            elif data:
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
            data = remote.recv(self._read_size) or None
        else:
            view = remote.recv_opened(self._read_size)
            data = None if view is None else bytes(view)
        if data:
            remote.received += len(data)
            if self._handler.first_down is None:
                self._handler.first_down = time.monotonic()
                if remote.fast_open is not None:
                    self.session.reached()
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
        """Everything that h11 has understood, in one piece."""
        while True:
            event = origin.next_event()
            if isinstance(event, h11.InformationalResponse):
                if self._informed(origin, event):
                    return
            elif isinstance(event, h11.Response):
                self._raw, self._answered = b"", True
                headers = http_proxy.end_to_end(event.headers.raw_items())
                self._say(h11.Response(status_code=event.status_code, headers=headers, reason=event.reason))
            elif isinstance(event, h11.Data):
                self._say(event)
            elif isinstance(event, h11.EndOfMessage):
                self._say(event)
                if self._sent_down():
                    self._answer_ended(origin)
                return
            else:
                self._sent_down()
                return

    def _say(self, event: h11.Response | h11.InformationalResponse | h11.Data | h11.EndOfMessage) -> None:
        if data := self.session.asked.send(event):
            self._out.append(data)

    def _sent_down(self) -> bool:
        """Send what was said; False if the program has gone."""
        out, self._out = self._out, []
        if out:
            self._local.send(out[0] if len(out) == 1 else b"".join(out))
        return not self._local.closed

    def _informed(self, origin: h11.Connection, event: h11.InformationalResponse) -> bool:
        """Pass a 1xx on; True when it was 101 and another protocol goes on from here."""
        upgraded = event.status_code == 101
        self._raw = origin.trailing_data[0]
        if self.session.asked.their_http_version == b"1.0":  # it does not know of such
            return False
        headers = http_proxy.end_to_end(event.headers.raw_items(), upgrade=upgraded)
        self._say(h11.InformationalResponse(status_code=event.status_code, headers=headers, reason=event.reason))
        if upgraded and self._sent_down():
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
        asked, remote = self.session.asked, self._handler.remote
        if asked.our_state is not h11.DONE or asked.their_state is not h11.DONE:
            self._part(Reason.FINISHED)
            return
        over = remote is None or remote.eof  # an answer may end with the connection
        keep_way = not over and origin.our_state is h11.DONE and origin.their_state is h11.DONE
        keep_way = keep_way and not origin.trailing_data[0]
        if keep_way:
            origin.start_next_cycle()
        self.session.await_request(keep_way=keep_way)

    # ---- endings

    def _not_http(self) -> None:
        """A response that h11 refuses. If nothing was passed on yet, all of it goes as it came, and then the end."""
        if not self._sent_down():
            return
        if self._answered:
            self._handler.destroy(Reason.TRUNCATED)
        elif not self._raw:
            self._no_answer(Reason.NO_ANSWER)
        else:
            raw, self._raw, self.origin, self._answered = self._raw, b"", None, True
            local, remote = self._local, self._handler.remote
            local.send(raw)
            if local.closed:
                return
            if remote is None or remote.eof:
                self._part(Reason.FINISHED)
            else:  # nobody knows where it ends; who asks for more has had it all
                local.on_readable = local.discard if self._more_to_come() else self._asked_for_more
                if local.eof:
                    self._carry_fin()
                else:
                    local.resume()

    def _asked_for_more(self) -> None:
        if self._local.recv(READ_TIGHT):
            self._part(Reason.FINISHED)

    def _part(self, reason: Reason) -> None:
        """There is nothing more for the program: what is held still goes, however slowly, and then our FIN."""
        local, remote = self._local, self._handler.remote
        self._parting = reason
        if remote is not None:
            remote.close()
        local.peer, local.on_readable = None, local.discard
        local.finish()
        if self._parting is not None and not local.closed:
            local.resume()

    def finished(self, leg: Leg) -> None:
        if leg is self._local and self._parting is not None:
            reason, self._parting = self._parting, None
            self._handler.destroy(reason, Farewell.LINGER)

    def _no_answer(self, reason: Reason, detail: str = "") -> None:
        """The origin has gone without a word. Over a way that was kept that says nothing about this request."""
        if self._again is None:
            page = http_proxy.error_page(502, "the connection ended without an answer", body=self.method != b"HEAD")
            self._local.send(page)
            if not self._local.closed:
                self._handler.destroy(reason, Farewell.LINGER, detail)
        elif self.method in _ASKED_AGAIN and self.session.asked.their_state is h11.DONE and not self._local.eof:
            self.session.ask_afresh(*self._again)
        else:
            self._handler.destroy(reason, Farewell.CLOSE)  # the program knows as much as we do, and may try again

    def _resting(self) -> bool:
        """No request is under way."""
        return self.origin is not None and self.origin.our_state is h11.IDLE

    def ended(self, leg: Leg) -> None:
        if leg is self._local:
            if self._parting is not None:
                return
            if self._resting():
                self.session.part()
            elif self.origin is not None and self._more_to_come():
                self._handler.destroy(Reason.TRUNCATED)
            else:
                self._carry_fin()
        elif leg.decoder is not None and not leg.decoder.at_boundary:
            self._origin_lost(Reason.TRUNCATED)
        elif self.origin is None:
            self._part(Reason.FINISHED)
        elif self._resting():
            self._way_is_over()  # it tired of waiting for another request
        else:
            self._answer_comes(b"")

    def lost(self, leg: Leg, error: OSError) -> None:
        if leg is not self._local:
            failure = self._handler.never_connected(leg, error)
            self._origin_lost(Reason.SERVER_RESET if failure is None else failure.reason)
        elif self._resting():
            self.session.part()
        else:
            self._handler.destroy(Reason.CLIENT_RESET)

    def _way_is_over(self) -> None:
        """No request is under way: the program need not know."""
        self.session.let_go(Reason.FINISHED)

    def _origin_lost(self, reason: Reason, detail: str = "") -> None:
        if self._resting():
            self._way_is_over()
        elif self.unanswered:
            self._no_answer(reason, detail)
        else:
            self._handler.destroy(reason, detail=detail)  # half an answer must not pass for a whole one

    def garbled(self, leg: Leg, error: RemoteProtocolError) -> None:
        self._origin_lost(reason_of(error), str(error))

    def failed(self, leg: Leg, error: Exception) -> None:
        self._handler.failed(leg, error)
