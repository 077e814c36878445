"""One proxied connection: two legs, a stage, and in the end a reason.

    program <--> local leg  [TCPRelayHandler]  remote leg <--> server or target

The handler knows stages, bytes and endings. How a connection begins (what the client asked for, where to
dial, which codecs) is its session's business.
"""

import errno
import os
import time
from collections.abc import Coroutine
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from ssgui.engine.dialer import CONNECT_TIMEOUT, CONNECT_TIMEOUT_ALL, Dialer, Dialing
from ssgui.engine.errors import CONNECT_ERRORS, DialError, DialFailure, dial_error, reason_of
from ssgui.engine.events import closed, peer_name
from ssgui.engine.handler_base import Handler, HandlerView, Pulse
from ssgui.engine.leg import Leg
from ssgui.engine.stages import Reason, Role, Stage, StreamStatus
from ssgui.engine.tasks import spawn
from ssgui.engine.tcp_options import acknowledged, is_connecting
from ssgui.protocol.address import Address
from ssgui.protocol.errors import RemoteProtocolError

if TYPE_CHECKING:
    from ssgui.engine.relay import TCPRelay
    from ssgui.engine.sessions.session import Session

HANDSHAKE_TIMEOUT = 30.0
HALF_CLOSED_TIMEOUT = 60.0
EARLY_LIMIT = 64 * 1024  # payload that is read before there is anywhere to send it
_EARLY_READ = 16 * 1024
# Of a connection that was made: nobody said that it is over, but nothing gets through any more.
NETWORK_ERRORS = frozenset({errno.ETIMEDOUT, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETRESET})
_UNANSWERED = (
    Reason.CONNECT_REFUSED, Reason.CONNECT_TIMEOUT, Reason.UNREACHABLE, Reason.SERVER_RESET, Reason.IDLE_TIMEOUT,
)  # fmt: skip


class Farewell(Enum):
    """How the sockets leave a connection that is DESTROYED."""

    RESET = auto()
    SPARE = auto()  # a reset, but not for a side that has our FIN already: it may still be reading
    CLOSE = auto()
    LINGER = auto()  # a reply is on its way: finish, then read until the client closes too
    DRAIN = auto()  # a stranger: the engine's drain has the socket now
    KEEP = auto()  # the client asks for something else next, over the same connection


class TCPRelayHandler(Handler):
    """Joins two legs. One that stays silent is announced as "unknown" by the sweeper, within about a second."""

    __slots__ = ("_mark", "_moved_at", "dialing", "early", "first_down", "first_up", "local", "remote", "session")

    def __init__(self, number: int, relay: "TCPRelay", session: "Session[Any]") -> None:
        super().__init__(number, session.conn, relay, session.client)
        self.session = session
        self.local: Leg | None = None
        self.remote: Leg | None = None
        self.dialing: Dialing | None = None
        self.early = b""  # payload, or the address header before it, that waits for the remote leg
        self.first_up: float | None = None
        self.first_down: float | None = None
        self._mark, self._moved_at = 0, self.timeline[0][1]
        if relay.inbound:
            self.announce(relay.inbound)

    # ---- stages

    def dial(self, host: str, port: int, dialer: Dialer) -> None:
        """The target is known: read no more and find the way to `host:port`."""
        assert self.local is not None
        self.local.pause()
        self.enter(Stage.DNS)
        dialing = dialer.dial(host, port, self)
        if dialing is None:  # another dial may have followed already
            return
        self.dialing = dialing
        if self.stage is Stage.DESTROYED:
            self.dialing = None
            dialing.cancel()

    def ask(self, asking: Coroutine[Any, Any, None]) -> None:
        """Read no more until `asking` has found which way it is."""
        assert self.local is not None
        self.local.pause()
        self.enter(Stage.DNS)
        self.dialing = spawn(asking, name=f"ask for {self}")

    def redial(self, host: str, port: int, dialer: Dialer) -> None:
        """The dial failed; try `host:port` instead. What waits to be sent is kept."""
        remote, dialing = self.remote, self.dialing
        self.remote = self.dialing = None
        if remote is not None:
            remote.close()
        if dialing is not None:
            dialing.cancel()
        self.dial(host, port, dialer)

    def resolved(self) -> None:
        self.enter(Stage.CONNECTING)

    def connecting(self) -> None:
        local = self.local
        assert local is not None
        if len(self.early) < EARLY_LIMIT:
            local.on_readable = self._read_early
            local.resume()

    def _read_early(self) -> None:
        """CONNECTING: what the program sends already is read, up to a bound."""
        local = self.local
        assert local is not None
        while True:
            data = self.session.read(_EARLY_READ)
            if self.stage is Stage.DESTROYED:
                return
            local.received += len(data)
            self.early += data
            if len(self.early) > EARLY_LIMIT - _EARLY_READ:
                local.pause()
            if local.paused or not local.readable:
                return

    def connected(self, leg: Leg) -> None:
        local = self.local
        assert local is not None
        self.dialing = None
        self.enter(Stage.STREAM)
        self._moved_at = self.timeline[-1][1]
        local.peer, leg.peer = leg, local
        leg.on_readable = self._first_down
        self.session.connected(local, leg)

    def stream(self) -> None:
        """Send what waits for the remote leg; from here on both legs pump."""
        local, remote, early = self.local, self.remote, self.early
        assert local is not None
        assert remote is not None
        self.early = b""
        if local.received and self.first_up is None:
            self.first_up = time.monotonic()
        if early:
            remote.send_payload(early)
        if not local.closed:
            if self.first_up is None:
                local.on_readable = self._first_up
            else:
                self._pump_from(local)
            if local.eof:
                remote.finish()
            elif not remote.held:
                local.resume()

    def await_payload(self) -> None:
        """Keep the address header in `early` back for a moment, so that payload can leave in the same write."""
        local = self.local
        assert local is not None
        if local.eof or local.received:
            self.stream()
            return
        local.on_readable = self._first_payload
        self.relay.payload_wait.add(self)
        local.resume()

    def _first_payload(self) -> None:
        local, remote = self.local, self.remote
        assert local is not None
        assert remote is not None
        view = local.recv_behind(self.early)
        if view is None:
            return
        remote.send_payload(view)
        self.relay.payload_wait.remove(self)
        self.early = b""
        self.first_up = time.monotonic()
        if not local.closed:
            local.on_readable = local.pump_plain
            local.read_again()

    def _pump_from(self, leg: Leg) -> None:
        leg.on_readable = leg.pump_plain if leg.decoder is None else leg.pump_sealed

    def _first_up(self) -> None:
        """The local leg pumps; the time of its first payload is noted, once."""
        leg = self.local
        assert leg is not None
        leg.pump()
        if leg.received:
            self.first_up = time.monotonic()
            if not leg.closed:
                self._pump_from(leg)

    def _first_down(self) -> None:
        """The remote leg pumps; the time of its first payload is noted, once."""
        leg = self.remote
        assert leg is not None
        leg.pump()
        if leg.received:
            self.first_down = time.monotonic()
            if leg.fast_open is not None:
                self.session.reached()
            if not leg.closed:
                self._pump_from(leg)

    # ---- endings

    def connect_failed(self, leg: Leg, error: OSError) -> None:
        self.dial_failed(dial_error(error, *self._destination()))

    def _destination(self) -> Address:
        return self.target or Address("", 0)

    def dial_failed(self, error: DialError) -> None:
        self.session.dial_failed(error)

    def ended(self, leg: Leg) -> None:
        """A FIN came. It is carried on after all that came before it; the other direction goes on."""
        whole = leg.decoder is None or leg.decoder.at_boundary
        if self.stage is not Stage.STREAM:
            self.session.ended_early(whole)
        elif not whole:
            self.destroy(Reason.TRUNCATED)
        elif leg is self.local and self.early:
            self.relay.payload_wait.remove(self)
            self.stream()
        elif leg.peer is not None:
            sink = leg.peer
            if leg.shut and not sink.held:
                self._finish()  # closing the sink sends the FIN as well
            else:
                sink.finish()

    def finished(self, leg: Leg) -> None:
        if leg.peer is not None and leg.peer.shut:
            self._finish()

    def _finish(self) -> None:
        local, remote = self.local, self.remote
        assert local is not None
        assert remote is not None
        unanswered = self.relay.role is Role.LOCAL and local.received and not remote.received
        self.destroy(Reason.NO_ANSWER if unanswered else Reason.FINISHED, Farewell.CLOSE)

    def lost(self, leg: Leg, error: OSError) -> None:
        lease = self.session.lease
        if lease is not None:
            lease.control_ended(Reason.CLIENT_RESET)
        elif (failure := self.never_connected(leg, error)) is not None:
            self.destroy(failure.reason)
        elif leg is self.remote and error.errno in NETWORK_ERRORS:
            self.destroy(Reason.NETWORK_LOST, detail=os.strerror(error.errno or 0))
        else:
            self.destroy(Reason.CLIENT_RESET if leg is self.local else Reason.SERVER_RESET)

    def never_connected(self, leg: Leg, error: OSError) -> DialError | None:
        """What `error` means where Fast Open took a connection on trust that was never made; None elsewhere."""
        if leg.fast_open is None or leg.received or error.errno not in CONNECT_ERRORS:
            return None
        failure = dial_error(error, *self._destination())
        self.session.not_reached(failure)
        return failure

    def garbled(self, leg: Leg, error: RemoteProtocolError) -> None:
        self.give_up(reason_of(error), str(error))

    def failed(self, leg: Leg, error: Exception) -> None:
        self.give_up(Reason.BAD_REQUEST)

    def give_up(self, reason: Reason, detail: str = "") -> None:
        """End with a reset; a stranger to a server, who has not authenticated, sees nothing at all."""
        stranger = self.relay.role is Role.SERVER and self.stage is Stage.INIT
        self.destroy(reason, Farewell.DRAIN if stranger else Farewell.RESET, detail)

    def destroy(self, reason: Reason, farewell: Farewell = Farewell.RESET, detail: str = "") -> None:
        """End, for `reason`. Unless told otherwise both sides see a reset, never a clean end.

        `detail` says more, for the log and the eye.
        """
        if self.stage is Stage.DESTROYED:
            return
        if not self.inbound:
            self.announce("unknown")
        self.enter(Stage.DESTROYED)
        local, remote, dialing = self.local, self.remote, self.dialing
        up, down = local.received if local else 0, remote.received if remote else 0
        first_up, first_down = self.first_up, self.first_down
        lease = self.session.lease
        if lease is not None:
            up, down, detail = lease.up, lease.down, detail or lease.detail
            first_up, first_down = lease.first_up, lease.first_down
        self.relay.journal.record(
            closed, self.id, tuple(self.timeline), reason, up, down, self.target, self.client, detail, self.user,
            self.conn, self.relay.role, self.inbound, self.route, self.rule, self.server, first_up, first_down,
            self._unanswered(),
        )  # fmt: skip
        if lease is not None:
            lease.ended()
        if dialing is not None:
            dialing.cancel()
        self.local = self.remote = self.dialing = None
        if self.early:
            self.relay.payload_wait.remove(self)
            self.early = b""
        if remote is not None:
            if remote.fast_open is not None:
                remote.fast_open.ended(answered=remote.received > 0, failed=reason in _UNANSWERED)
            finished = farewell in (Farewell.CLOSE, Farewell.KEEP) or (farewell is Farewell.SPARE and remote.shut)
            remote.close() if finished else remote.reset()
        if local is not None:
            local.owner = self  # one that knows the session would make a cycle
            self._part(local, farewell)
        self.relay.tally.end(reason, self.user, up, down)
        self.relay.handler_ended(self)
        del self.session  # it refers to us: the cycle would keep both until the next collection

    def _part(self, local: Leg, farewell: Farewell) -> None:
        if farewell is Farewell.CLOSE or (farewell is Farewell.SPARE and local.shut):
            local.close()
        elif farewell in (Farewell.RESET, Farewell.SPARE):
            local.reset()
        elif farewell is Farewell.LINGER:
            self.relay.lingering.take(local)
        elif farewell is Farewell.KEEP:
            local.peer = None
        else:
            self.relay.drain.take(local)

    def sweep(self, now: float, idle_limit: float) -> None:
        """Called about once a second: end what has waited too long."""
        if not self.inbound:
            self.announce("unknown")
        stage, since = self.timeline[-1]
        waited = now - since
        if stage is Stage.STREAM:
            self._sweep_stream(now, idle_limit)
        elif stage in (Stage.DNS, Stage.CONNECTING):
            # Several addresses race under a limit of their own; this one only guards that it is kept.
            if waited > (CONNECT_TIMEOUT if self.remote is not None else CONNECT_TIMEOUT_ALL + 5):
                self.dial_failed(DialError(DialFailure.TIMEOUT, *self._destination()))
        elif stage is Stage.UDP_ASSOC:
            return  # the program's connection says how long; an idle association is its relay's business
        elif self.relay.role is Role.LOCAL and now - self.timeline[0][1] > HANDSHAKE_TIMEOUT:
            self.session.expired()

    def _sweep_stream(self, now: float, idle_limit: float) -> None:
        local, remote = self.local, self.remote
        assert local is not None
        assert remote is not None
        mark = local.received + local.flushed + remote.received + remote.flushed + local.eof + remote.eof
        if mark != self._mark:
            self._mark, self._moved_at = mark, now
            return
        unheard = remote.fast_open is not None and not remote.received and now - self._moved_at >= CONNECT_TIMEOUT
        if unheard and is_connecting(remote.sock):
            self.lost(remote, TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)))
            return
        limit = idle_limit
        if (local.eof or remote.eof) and not (local.held or remote.held):
            limit = min(HALF_CLOSED_TIMEOUT, idle_limit or HALF_CLOSED_TIMEOUT)
        if limit and now - self._moved_at >= limit:
            self.session.idled()

    # ---- what it looks like

    def _unanswered(self) -> int | None:
        """How many bytes the server's kernel took, while it has not answered a single one."""
        remote = self.remote
        if remote is None or self.first_up is None or remote.received or self.relay.role is not Role.LOCAL:
            return None
        return acknowledged(remote.sock)

    @property
    def up_status(self) -> StreamStatus:
        """State of the stream from the program to the target."""
        waiting = bool(self.early) or (self.remote is not None and bool(self.remote.held))
        return _status(self.local, waiting)

    @property
    def down_status(self) -> StreamStatus:
        """State of the stream from the target to the program."""
        return _status(self.remote, self.local is not None and bool(self.local.held))

    def pulse(self) -> Pulse:
        """How things stand, in short."""
        local, remote, lease = self.local, self.remote, self.session.lease
        up = down = held_down = bits = 0
        held_up = len(self.early)
        if local is not None:
            up, held_down = local.received, len(local.held)
            bits = (0 if local.paused else 1) | (8 if held_down else 0)
        if remote is not None:
            down, held_up = remote.received, held_up + len(remote.held)
            bits |= 0 if remote.paused else 4
        bits |= (2 if held_up else 0) | (0 if self.first_up is None else 16) | (0 if self.first_down is None else 32)
        if lease is not None:
            return lease.up, lease.down, held_up, held_down, bits
        return up, down, held_up, held_down, bits

    def view(self) -> HandlerView:
        """A record of how things stand."""
        local, remote, lease = self.local, self.remote, self.session.lease
        up, down = local.received if local else 0, remote.received if remote else 0
        first_up, first_down = self.first_up, self.first_down
        if lease is not None:
            up, down, first_up, first_down = lease.up, lease.down, lease.first_up, lease.first_down
        return HandlerView(
            self.id, self.conn, self.relay.role, self.inbound, peer_name(self.client),
            "" if self.target is None else str(self.target),
            self.route, self.rule, self.server, self.user, self.stage, self.up_status, self.down_status,
            up, down, len(self.early) + (len(remote.held) if remote else 0), len(local.held) if local else 0,
            tuple(self.timeline), first_up, first_down, self._unanswered(),
        )  # fmt: skip


def _status(source: Leg | None, waiting: bool) -> StreamStatus:
    reading = StreamStatus.READING if source is not None and not source.paused else StreamStatus.NONE
    return reading | (StreamStatus.WRITING if waiting else StreamStatus.NONE)
