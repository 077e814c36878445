"""One socket of a connection: reads into scratch, passes on to its peer, holds what the peer cannot take.

The stage of the connection decides what readable data means, and sets it as a bound method (`on_readable`):
greeting, request, address, or one of the two pumps of STREAM. There is no task, no await, no log and no
journal entry per read.

Sockets are edge-triggered. So a leg reads until a short read, an EAGAIN, or until its burst is used up; it
remembers a hang-up it was told of (a FIN that came with a short read is never told again), and while it is
paused it remembers that there is something to read.
"""

import errno
import os
import socket
import struct
from collections.abc import Callable
from typing import Protocol

from ssgui.engine.multiplexer import ERR, HUP, IN, OUT, RDHUP
from ssgui.engine.poller import Stream
from ssgui.engine.reactor import READ_FIRST, READ_MOST, READ_TIGHT, UNSENT_BUDGET, Reactor
from ssgui.engine.tcp_options import TCPOptions
from ssgui.protocol.codecs import StreamDecoder, StreamEncoder
from ssgui.protocol.errors import RemoteProtocolError

_READABLE = IN | RDHUP | HUP | ERR
_HANGUP = RDHUP | HUP | ERR
_IN_PROGRESS = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY})
_EMPTY_READS = 16
_RESET = struct.pack("ii", 1, 0)


class LegOwner(Protocol):
    """What a leg tells the connection that it belongs to."""

    def connecting(self) -> None:
        """The dialled socket is not connected at once."""

    def connected(self, leg: "Leg") -> None:
        """The dialled socket is connected."""

    def connect_failed(self, leg: "Leg", error: OSError) -> None:
        """The dialled socket could not be connected."""

    def ended(self, leg: "Leg") -> None:
        """The other side of this socket sent its FIN; all its data has been passed on."""

    def finished(self, leg: "Leg") -> None:
        """Everything for this socket was sent, and our FIN with it."""

    def lost(self, leg: "Leg", error: OSError) -> None:
        """The socket failed: a reset, a broken pipe, a time-out of the kernel."""

    def garbled(self, leg: "Leg", error: RemoteProtocolError) -> None:
        """What came cannot be decoded; all that came before it has been passed on."""

    def failed(self, leg: "Leg", error: Exception) -> None:
        """An error of our own, already logged."""


class Leg:
    """One side of a connection. `peer` is the leg its data goes to, None before STREAM.

    `received` counts payload bytes read here; `flushed` bytes that had been held and then left: together
    they tell the idle sweeper that something moved.
    """

    __slots__ = (
        "_armed", "_connecting", "_finishing", "_hangup", "_read_size", "closed", "decoder", "encoder", "eof",
        "fast_open", "flushed", "held", "on_readable", "owner", "paused", "peer", "reactor", "readable", "received",
        "shut", "sock",
    )  # fmt: skip

    def __init__(self, reactor: Reactor, sock: Stream, owner: LegOwner) -> None:
        self.reactor, self.sock, self.owner = reactor, sock, owner
        self.peer: Leg | None = None
        self.encoder: StreamEncoder | None = None
        self.decoder: StreamDecoder | None = None
        self.on_readable: Callable[[], None] = self.pump_plain
        self.held = b""
        self.paused = self.eof = self.shut = self.closed = False
        self.readable = False  # there may be more to read than was read
        self._hangup = self._armed = self._connecting = self._finishing = False
        self._read_size = READ_FIRST
        self.received = self.flushed = 0
        self.fast_open: TCPOptions | None = None  # connected so: nobody has answered before something is received

    # ---- life

    def watch(self) -> None:
        """Let the poller tell of an accepted socket."""
        self.reactor.poller.register(self.sock, self)

    def start(self) -> None:
        """As `watch`, but read at once: the first data is often there already, and that saves a turn."""
        self._armed = True  # `send` must not arm what is not registered yet
        self.on_readable()
        if not self.closed:
            self._armed = bool(self.held)
            self.reactor.poller.register(self.sock, self, self._armed)

    def connect(self, sockaddr: tuple[str, int] | tuple[str, int, int, int]) -> None:
        """Begin to connect a dialled socket. The owner hears the outcome, perhaps before this returns.

        The second `connect` asks how the first is doing: over loopback it is done, and a turn of the loop saved.
        Success of the first means that by Fast Open the SYN will leave with the first bytes that are sent.
        """
        error = self.sock.connect_ex(sockaddr)
        if error:
            self.fast_open = None
        if error in _IN_PROGRESS:
            error = self.sock.connect_ex(sockaddr)
        if error in _IN_PROGRESS:
            self._connecting = self._armed = True
            self.reactor.poller.register(self.sock, self, True)
            self.owner.connecting()
        elif error and error != errno.EISCONN:
            self.owner.connect_failed(self, OSError(error, os.strerror(error)))
        else:
            self.adopt_connected()

    def adopt_connected(self) -> None:
        """Watch a dialled socket that is connected."""
        self.reactor.poller.register(self.sock, self)
        self.owner.connected(self)

    def close(self) -> None:
        """Give up the socket; the other side sees a FIN (a reset, if it sent what we did not read)."""
        if self.closed:
            return
        self.closed = True
        if self.held:
            self._hold(b"")
        self.reactor.poller.forget(self.sock)
        self.sock.close()
        del self.on_readable  # a bound method of ours: the cycle would keep us until the next collection
        self.peer = None

    def empty_and_close(self) -> None:
        """Close with a FIN, not a reset: what has come and was not read is read first."""
        for _ in range(_EMPTY_READS):
            if self.closed or self.eof or not self._read_into(self.reactor.wire, READ_MOST):
                break
        self.close()

    def reset(self) -> None:
        """Give up the socket so that the other side cannot take it for a clean end."""
        if not self.closed:
            try:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            except OSError:
                pass  # the socket is dead already: closing it is all that is left
            self.close()

    # ---- news from the poller

    def event(self, mask: int) -> None:
        if mask == IN and not self.paused and not self._connecting:  # nearly always, and then it is short
            self.on_readable()
            return
        if mask & OUT:
            if self._connecting:
                self._connect_ended()
            elif self.held:
                self._flush()
        if mask & _READABLE and not self.closed and not self._connecting:
            if mask & _HANGUP:
                self._hangup = True
            if not self.paused:
                self.on_readable()
            else:
                self.readable = True
                if mask & ERR:
                    self._check_error()

    def crashed(self, error: Exception) -> None:
        self.owner.failed(self, error)

    def read_again(self) -> None:
        """The rest of a burst, unless the leg was paused, resumed or closed in between."""
        if self.readable and not self.paused and not self.closed:
            self.readable = False
            self.on_readable()

    def _connect_ended(self) -> None:
        error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self._connecting = False
        if error:
            self.owner.connect_failed(self, OSError(error, os.strerror(error)))
        else:
            self.owner.connected(self)

    def _check_error(self) -> None:
        """A paused leg reads nothing, but it must hear of a reset: its connection is over."""
        error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self.owner.lost(self, OSError(error, os.strerror(error)))

    # ---- sending

    def send(self, view: memoryview | bytes) -> None:
        """Send `view`; hold a copy of what the kernel does not take, and pause the peer until it is gone."""
        if self.held or self._connecting:
            self._hold(self.held + bytes(view))
            return
        try:
            sent = self.sock.send(view)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.owner.lost(self, error)
            return
        if sent == len(view):
            return
        self._hold(bytes(view[sent:]))
        if self.peer is not None:
            self.peer.sink_is_slow()
        if not self._armed:
            self._armed = True
            self.reactor.poller.want_writable(self.sock)

    def send_payload(self, view: memoryview | bytes) -> None:
        """Send `view`, sealed first if this leg has an encoder."""
        if self.encoder is None:
            self.send(view)
        else:
            wire = self.reactor.wire
            self.send(wire[: self.encoder.encode(view, wire)])

    def finish(self) -> None:
        """Send our FIN as soon as everything held is gone; the owner hears `finished`."""
        if self.held or self._connecting:
            self._finishing = True
        else:
            self._shut()

    def _hold(self, rest: bytes) -> None:
        self.reactor.unsent += len(rest) - len(self.held)
        self.held = rest

    def _flush(self) -> None:
        try:
            sent = self.sock.send(self.held)
        except BlockingIOError:
            return
        except OSError as error:
            self.owner.lost(self, error)
            return
        self.flushed += sent
        self._hold(self.held[sent:])
        if self.held:
            return
        if self._finishing:
            self._shut()
        elif self.peer is not None:
            self.peer.resume()

    def _shut(self) -> None:
        self._finishing = False
        self.shut = True
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            if not self.eof:  # with the FINs of both sides on their way there is nothing left to shut
                self.owner.lost(self, error)
                return
        self.owner.finished(self)

    # ---- reading

    def pause(self) -> None:
        """Read nothing until `resume`."""
        self.paused = True

    def sink_is_slow(self) -> None:
        """The peer holds bytes of ours: read nothing until they are gone, and less at a time then."""
        self.paused = True
        self._read_size = READ_FIRST

    def resume(self) -> None:
        """Read on, at once if there is something."""
        if not self.eof:
            self.paused = False
            self.read_again()

    def recv(self, limit: int) -> bytes:
        """For the stages before STREAM: some bytes, or b"" when there are none (yet, or ever)."""
        return bytes(self.reactor.plain[: self._read_into(self.reactor.plain, limit)])

    def recv_behind(self, prefix: bytes) -> memoryview | None:
        """`prefix` and behind it a first read of payload, in scratch; None when there is none."""
        plain, start = self.reactor.plain, len(prefix)
        got = self._read_into(plain[start:], READ_FIRST)
        if not got:
            return None
        self.received += got
        plain[:start] = prefix
        return plain[: start + got]

    def recv_opened(self, limit: int) -> memoryview | None:
        """As `recv`, decoded into scratch. Look at `decoder.error` after what was returned is used."""
        decoder, wire, plain = self.decoder, self.reactor.wire, self.reactor.plain
        assert decoder is not None
        kept = len(decoder.held)
        wire[:kept] = decoder.held
        fresh = self._read_into(wire[kept:], limit)
        return plain[: decoder.decode(wire[: kept + fresh], plain)] if fresh else None

    def discard(self) -> None:
        """Read and forget; the owner hears of the end."""
        if self._read_into(self.reactor.wire, READ_FIRST) and not self.closed and self.readable:
            self.read_on()

    def pump(self) -> None:
        """STREAM, once: whoever goes on sets the right one of the two below."""
        self.pump_plain() if self.decoder is None else self.pump_sealed()

    def pump_plain(self) -> None:
        """STREAM, from a leg without a decoder: payload is read and passed on."""
        peer, reactor = self.peer, self.reactor
        assert peer is not None
        size = self._size_to_read()
        got = self._read_into(reactor.plain, size)
        if not got:
            return
        self.received += got
        peer.send_payload(reactor.plain[:got])
        if self.readable and not self.paused and not self.closed:
            self._read_more(got, size)

    def pump_sealed(self) -> None:
        """STREAM, from a leg with a decoder: what came is opened and passed on."""
        peer, decoder, reactor = self.peer, self.decoder, self.reactor
        assert peer is not None
        assert decoder is not None
        wire, plain, size = reactor.wire, reactor.plain, self._size_to_read()
        kept = len(decoder.held)
        if kept:
            wire[:kept] = decoder.held
            fresh = self._read_into(wire[kept:], size)
        else:
            fresh = self._read_into(wire, size)
        if not fresh:
            return
        opened = decoder.decode(wire[: kept + fresh], plain)
        if opened:
            self.received += opened
            peer.send_payload(plain[:opened])
        if decoder.error is not None and not self.closed:
            self.owner.garbled(self, decoder.error)
        if self.readable and not self.paused and not self.closed:
            self._read_more(fresh, size)

    def _size_to_read(self) -> int:
        """A leg's own size, unless many legs are ready at once or much is held: the window must not wait for all."""
        reactor = self.reactor
        if reactor.unsent > UNSENT_BUDGET:
            return READ_TIGHT
        return min(self._read_size, reactor.poller.read_most)

    def _read_more(self, got: int, size: int) -> None:
        """There is more: next time twice as much if this read was full, after all others have had their turn."""
        if got < size:
            self.on_readable()  # only the FIN that came with it
            return
        if size == self._read_size < READ_MOST:
            self._read_size = size * 2
        self.read_on()

    def _read_into(self, view: memoryview, limit: int) -> int:
        """Read at most `limit` bytes; 0 when there is nothing, of which the owner hears if it is for good."""
        try:
            got = self.sock.recv_into(view, limit)
        except BlockingIOError:
            self.readable = False
            return 0
        except OSError as error:
            self.owner.lost(self, error)
            return 0
        if not got:
            self.eof = self.paused = True
            self.owner.ended(self)
            return 0
        # A short read has emptied the socket, which saves the EAGAIN; but a FIN may have come with it.
        self.readable = got == limit or self._hangup
        return got

    def read_on(self) -> None:
        """Go on after all the others have had their turn."""
        self.readable = True
        self.reactor.poller.again(self)
