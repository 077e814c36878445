"""The seam between sockets and whatever tells that one is ready: `register`, `forget`, `again`.

    Poller             what legs see
     +-- ReadyPoller    epoll or kqueue: nested behind one reader of any loop, or, headless, inside the
     |                  loop's own selector (`ssgui.engine.loop`)
     +-- TransportPoller  asyncio transports, for loops without readers (`ssgui.engine.transports`)

A handler that raises loses its own connection, never the loop.
"""

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, overload

from ssgui.engine.multiplexer import IN, OUT, Multiplexer, new_multiplexer

_BOTH = IN | OUT
_TURN_SECONDS = 0.002  # for legs that have more to read, before everything else has its turn
_READ_AT_ONCE = 1 << 20  # bytes, by all legs that are ready together
ANY_SIZE = 1 << 30
_log = logging.getLogger(__name__)


class Listener(Protocol):
    """A listening socket as a relay uses it; a non-blocking `socket.socket` is one."""

    def fileno(self) -> int: ...
    def accept(self) -> tuple[socket.socket, Any]: ...
    def close(self) -> None: ...


class Stream(Protocol):
    """A connected or connecting socket as a leg uses it; a non-blocking `socket.socket` is one."""

    def fileno(self) -> int: ...
    def connect_ex(self, address: Any, /) -> int: ...
    def recv_into(self, view: memoryview, limit: int, /) -> int: ...
    def send(self, view: memoryview | bytes, /) -> int: ...
    def shutdown(self, how: int, /) -> None: ...
    def close(self) -> None: ...
    def getsockname(self) -> Any: ...
    @overload
    def getsockopt(self, level: int, option: int, /) -> int: ...
    @overload
    def getsockopt(self, level: int, option: int, size: int, /) -> bytes: ...
    def setsockopt(self, level: int, option: int, value: bytes, /) -> None: ...


class Datagrams(Protocol):
    """A datagram socket as a UDP relay uses it; a non-blocking `socket.socket` is one.

    Receiving raises BlockingIOError when nothing is there; any other OSError tells of one datagram that was sent
    before (an ICMP message), and the socket lives on.
    """

    def fileno(self) -> int: ...
    def recv_into(self, view: memoryview, /) -> int: ...
    def recvfrom_into(self, view: memoryview, /) -> tuple[int, Any]: ...
    def send(self, data: memoryview | bytes, /) -> int: ...
    def sendto(self, data: memoryview | bytes, address: Any, /) -> int: ...
    def close(self) -> None: ...


class Pollable(Protocol):
    """A leg, a listener or a datagram socket's owner, as a poller sees it."""

    def event(self, mask: int, /) -> None:
        """The descriptor is ready for `mask`."""

    def crashed(self, error: Exception) -> None:
        """`event` raised: give up this one connection."""


class Resumable(Protocol):
    """A leg that has more to read."""

    def read_again(self) -> None:
        """Go on reading, if nothing else came between."""

    def crashed(self, error: Exception) -> None:
        """Reading failed with an error that nobody foresaw."""


class Poller(Protocol):
    """Tells legs and listeners when their sockets are ready."""

    read_most: int
    """Bytes that a leg may read now, so that all that are ready together do not take too long."""

    def wrap(self, sock: socket.socket) -> Stream:
        """What a leg shall use for `sock`: it is made non-blocking."""

    def wrap_listener(self, sock: socket.socket) -> Listener:
        """The same for a listener."""

    def wrap_datagrams(self, sock: socket.socket) -> Datagrams:
        """The same for a datagram socket."""

    def register(self, stream: Stream, owner: Pollable, writable: bool = False) -> None:
        """Report changes (edges) of a leg's socket: always readable, `writable` too if asked."""

    def want_writable(self, stream: Stream) -> None:
        """Report from now on also when the registered `stream` becomes writable."""

    def listen(self, stream: Listener, owner: Pollable) -> None:
        """Report (level-triggered) that a listener has connections to accept."""

    def unlisten(self, stream: Listener) -> None:
        """Stop reporting a listener that stays open; `listen` may be called again."""

    def watch_datagrams(self, sock: Datagrams, owner: Pollable) -> None:
        """Report (level-triggered) that datagrams have come: the owner reads a few, the rest is told again."""

    def forget(self, stream: Stream | Datagrams) -> None:
        """Report nothing more of `stream`, which is closed next: that takes it out of the kernel's queue."""

    def again(self, leg: Resumable) -> None:
        """Let `leg` go on after all the others have had their turn."""

    async def close(self) -> None:
        """Give everything back; every leg and listener has been closed before."""


class TurnQueue:
    """Legs that have more to read, each once: news of one may come while it waits here.

    They read round robin, for a while; then timers, new connections and a window have their turn.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._legs: dict[Resumable, None] = {}
        self._asked = False  # for a turn

    def add(self, leg: Resumable) -> None:
        """Let `leg` go on after the others."""
        if not self._asked:
            self._asked = True
            self._loop.call_soon(self._run)
        self._legs[leg] = None

    def _run(self) -> None:
        legs, end = self._legs, time.monotonic() + _TURN_SECONDS
        while legs:
            leg = next(iter(legs))
            del legs[leg]
            try:
                leg.read_again()
            except Exception as error:  # noqa: BLE001  one connection is lost, with a traceback
                give_up(leg, error)
            if time.monotonic() >= end:
                break
        self._asked = bool(legs)
        if legs:
            self._loop.call_soon(self._run)


def give_up(owner: "Pollable | Resumable", error: Exception) -> None:
    """What `owner` did has failed with `error`, which is a bug: its connection ends, and the loop goes on."""
    _log.error("a connection failed inside the relay", exc_info=error)
    try:
        owner.crashed(error)
    except Exception as worse:  # noqa: BLE001  giving up must not end the loop either
        _log.error("and could not be given up cleanly", exc_info=worse)


class ReadyPoller:
    """Legs on a multiplexer.

    Without a `multiplexer` it makes one and watches it through one `add_reader`, so it works on every loop
    that has readers. The relay selector passes its own, and calls `dispatch` itself.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, multiplexer: Multiplexer | None = None) -> None:
        self._loop = loop
        self._nested = multiplexer is None
        self.multiplexer = multiplexer or new_multiplexer()
        self.owners: dict[int, Callable[[int], None]] = {}
        self._add_edge = self.multiplexer.add_edge
        self._forgotten: set[int] = set()
        self._turns = TurnQueue(loop)
        self.read_most = ANY_SIZE
        if self._nested:
            loop.add_reader(self.multiplexer.fileno(), self._turn)

    def wrap_listener(self, sock: socket.socket) -> Listener:
        sock.setblocking(False)
        return sock

    def wrap(self, sock: socket.socket) -> Stream:
        if sock.gettimeout() != 0:
            sock.setblocking(False)
        return sock

    def wrap_datagrams(self, sock: socket.socket) -> Datagrams:
        sock.setblocking(False)
        return sock

    def register(self, stream: Stream, owner: Pollable, writable: bool = False) -> None:
        fd = stream.fileno()
        self.owners[fd] = owner.event
        self._add_edge(fd, _BOTH if writable else IN)

    def want_writable(self, stream: Stream) -> None:
        self.multiplexer.modify(stream.fileno(), _BOTH, edge=True)

    def listen(self, stream: Listener, owner: Pollable) -> None:
        fd = stream.fileno()
        self.owners[fd] = owner.event
        self.multiplexer.add(fd, IN)

    def watch_datagrams(self, sock: Datagrams, owner: Pollable) -> None:
        fd = sock.fileno()
        self.owners[fd] = owner.event
        self.multiplexer.add(fd, IN)

    def unlisten(self, stream: Listener) -> None:
        fd = stream.fileno()
        if self.owners.pop(fd, None) is not None:
            self.multiplexer.remove(fd)

    def forget(self, stream: Stream | Datagrams) -> None:
        fd = stream.fileno()
        self.owners.pop(fd, None)
        self._forgotten.add(fd)

    def again(self, leg: Resumable) -> None:
        self._turns.add(leg)

    async def close(self) -> None:
        if self._nested:
            self._nested = False  # a second stop of the engine has nothing to give back
            self._loop.remove_reader(self.multiplexer.fileno())
            self.multiplexer.close()

    def _turn(self) -> None:
        self.dispatch(self.multiplexer.poll(0))

    def dispatch(self, ready: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Call the owners of `ready` descriptors; return those that have none here.

        A descriptor that was closed earlier in the same batch may be in use again by a new leg: what the
        batch says of it is old news, and a stale OUT would pass for a connection made.
        """
        foreign = []
        forgotten = self._forgotten
        forgotten.clear()
        self.read_most = _READ_AT_ONCE // len(ready) if ready else 0
        for fd, mask in ready:
            event = self.owners.get(fd)
            if event is None:
                foreign.append((fd, mask))
            elif not forgotten or fd not in forgotten:
                try:
                    event(mask)
                except Exception as error:  # noqa: BLE001  one connection is lost, with a traceback
                    owner: Pollable = event.__self__  # type: ignore[attr-defined]
                    give_up(owner, error)
        self.read_most = ANY_SIZE
        return foreign
