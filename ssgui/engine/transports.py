"""Legs on asyncio transports, for loops that have no readers (Windows: IOCP), behind the same poller seam.

A `TransportSocket` looks like a non-blocking socket to a leg and is a protocol to a transport:

* What arrives is kept (one delivery) and the transport paused until the leg has read it all.
* What a leg sends is copied before the transport gets it: handed a scratch buffer, a transport of CPython
  3.12 and later keeps a view of it and sends whatever is written there later.
* `send` reports as sent only what the transport has got rid of at once. The leg then holds the rest, as it
  would on a socket, offers it again when it is told "writable", and by then it has been sent. So
  back-pressure, stream status and the count of unsent bytes are the same on every poller.
* After EOF reading is never resumed: the transport would report EOF again each time.
"""

import asyncio
import errno
import logging
import socket
from collections import deque
from collections.abc import Coroutine
from typing import Any, cast, overload

from ssgui.engine.multiplexer import ERR, HUP, IN, OUT, RDHUP
from ssgui.engine.poller import ANY_SIZE, Datagrams, Listener, Pollable, Resumable, Stream, TurnQueue
from ssgui.engine.tasks import spawn

_DELIVERY = 64 * 1024
_ERROR_PAUSE = 0.01  # a datagram socket that did nothing but fail would take all turns
_log = logging.getLogger(__name__)


class TransportSocket(asyncio.BufferedProtocol):
    """One connection; the methods that a leg calls are those of `socket.socket`."""

    def __init__(self, poller: "TransportPoller", sock: socket.socket) -> None:
        self._poller, self._sock = poller, sock
        self._owner: Pollable | None = None
        self._transport: asyncio.Transport | None = None
        self._starting: asyncio.Task[None] | None = None
        self._arrived = b""
        self._ended = self._closed = self._shut = self._writing_paused = False
        self._error = 0
        self._owed = 0  # bytes the transport has taken that the leg still holds

    # ---- as a socket

    def fileno(self) -> int:
        return self._sock.fileno()

    def getsockname(self) -> Any:
        return self._sock.getsockname()

    def setsockopt(self, level: int, option: int, value: int | bytes) -> None:
        self._sock.setsockopt(level, option, value)

    @overload
    def getsockopt(self, level: int, option: int, /) -> int: ...
    @overload
    def getsockopt(self, level: int, option: int, size: int, /) -> bytes: ...
    def getsockopt(self, level: int, option: int, size: int = 0, /) -> int | bytes:
        if (level, option) == (socket.SOL_SOCKET, socket.SO_ERROR):
            error, self._error = self._error, 0
            return error
        return self._sock.getsockopt(level, option, size) if size else self._sock.getsockopt(level, option)

    def connect_ex(self, address: tuple[str, int] | tuple[str, int, int, int]) -> int:
        if self._starting is None:
            self._begin(self._connect(address))
        return errno.EINPROGRESS

    def recv_into(self, view: memoryview, limit: int = 0) -> int:
        if self._arrived:
            size = min(limit or len(view), len(self._arrived))
            view[:size] = self._arrived[:size]
            self._arrived = self._arrived[size:]
            if not self._arrived and not self._ended and self._transport is not None:
                self._transport.resume_reading()
            return size
        self._raise_error()
        if self._ended:
            return 0
        raise BlockingIOError(errno.EAGAIN, "nothing has arrived")

    def send(self, view: memoryview | bytes) -> int:
        self._raise_error()
        if self._owed and not self._writing_paused:
            owed, self._owed = self._owed, 0
            if owed < len(view):
                self._poller.loop.call_soon(self._tell, OUT)
            return owed
        if self._transport is None or self._owed:
            raise BlockingIOError(errno.EAGAIN, "the transport is busy")
        self._transport.write(bytes(view))
        self._owed = self._transport.get_write_buffer_size()
        return len(view) - self._owed

    def shutdown(self, how: int) -> None:
        self._shut = True
        if self._transport is not None:
            self._transport.write_eof()

    def close(self) -> None:
        self._closed = True
        self._owner = None
        if self._transport is not None:
            # With SO_LINGER (1, 0) this is a reset; without, a FIN: a leg closes only when all is sent.
            self._transport.abort()
        elif self._starting is None or self._starting.done():
            self._sock.close()
        else:
            self._starting.cancel()

    # ---- as the poller's

    def watch(self, owner: Pollable) -> None:
        """Tell `owner` from now on."""
        self._owner = owner
        if self._starting is None:
            self._begin(self._start_watched())

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._starting = spawn(work, name="transport")
        self._starting.add_done_callback(self._begun)

    def _begun(self, task: asyncio.Task[None]) -> None:
        if self._closed and self._transport is None:
            self._sock.close()

    async def _connect(self, address: tuple[str, int] | tuple[str, int, int, int]) -> None:
        try:
            await asyncio.get_running_loop().sock_connect(self._sock, address)
        except OSError as error:
            self._error = error.errno or errno.ECONNREFUSED
            self._tell(OUT | ERR | HUP)
        else:
            await self._start()
            self._tell(OUT)

    async def _start_watched(self) -> None:
        await self._start()
        self._tell(OUT)  # what was sent before there was a transport is held

    async def _start(self) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: self, self._sock)
        except OSError as error:
            self._error = error.errno or errno.ECONNRESET
            self._tell(IN | ERR | HUP)

    def _tell(self, mask: int) -> None:
        if self._owner is not None:
            try:
                self._owner.event(mask)
            except Exception as error:  # noqa: BLE001  one connection is lost, never the loop
                _log.error("a connection failed inside the relay", exc_info=error)
                self._owner.crashed(error)

    def _raise_error(self) -> None:
        if self._error:
            raise OSError(self._error, "the transport lost its connection")

    # ---- as a protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=0)
        if self._closed:
            self._transport.abort()
        elif self._shut:
            self._transport.write_eof()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._poller.arrival

    def buffer_updated(self, size: int) -> None:
        self._arrived += bytes(self._poller.arrival[:size])
        if self._transport is not None:
            self._transport.pause_reading()
        self._tell(IN)

    def eof_received(self) -> bool:
        self._ended = True
        self._tell(IN | RDHUP)
        return True  # the other direction goes on

    def pause_writing(self) -> None:
        self._writing_paused = True

    def resume_writing(self) -> None:
        self._writing_paused = False
        if self._owed:
            self._tell(OUT)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if error is not None and not self._closed:
            self._error = getattr(error, "errno", 0) or errno.ECONNRESET
            self._tell(IN | ERR | HUP)


class ListenerSocket:
    """A listener whose connections are accepted by a task and handed over one by one."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._accepted: deque[tuple[socket.socket, Any] | OSError] = deque()
        self._task: asyncio.Task[None] | None = None

    def fileno(self) -> int:
        return self._sock.fileno()

    def accept(self) -> tuple[socket.socket, Any]:
        if not self._accepted:
            raise BlockingIOError(errno.EAGAIN, "nobody has come")
        found = self._accepted.popleft()
        if isinstance(found, OSError):
            raise found
        return found

    def watch(self, owner: Pollable) -> None:
        self._task = spawn(self._accept(owner), name="accept")

    def unwatch(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def close(self) -> None:
        self.unwatch()
        self._sock.close()

    async def _accept(self, owner: Pollable) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                self._accepted.append(await loop.sock_accept(self._sock))
            except OSError as error:
                self._accepted.append(error)
            try:
                owner.event(IN)
            except Exception as error:  # noqa: BLE001  one connection is lost, never the loop
                _log.error("a connection failed inside the relay", exc_info=error)
                owner.crashed(error)


class DatagramSocket:
    """A datagram socket that a task reads; what is sent goes to the system at once, or is dropped.

    The task hands over one datagram at a time and waits for the next meanwhile.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._arrived: tuple[bytes, Any] | OSError | None = None
        self._task: asyncio.Task[None] | None = None
        self.fileno, self.send, self.sendto = sock.fileno, sock.send, sock.sendto

    def recv_into(self, view: memoryview) -> int:
        return self.recvfrom_into(view)[0]

    def recvfrom_into(self, view: memoryview) -> tuple[int, Any]:
        arrived, self._arrived = self._arrived, None
        if arrived is None:
            raise BlockingIOError(errno.EAGAIN, "nothing has arrived")
        if isinstance(arrived, OSError):
            raise arrived
        data, address = arrived
        size = min(len(data), len(view))
        view[:size] = data[:size]
        return size, address

    def watch(self, owner: Pollable) -> None:
        """Tell `owner` from now on."""
        self._task = spawn(self._receive(owner), name="datagrams")
        self._task.add_done_callback(lambda _task: self._sock.close())

    def close(self) -> None:
        task, self._task = self._task, None  # a cancelled task keeps its frame, and that keeps us
        if task is None:
            self._sock.close()
        else:
            task.cancel()  # the loop lets go of the descriptor first, then it is closed

    async def _receive(self, owner: Pollable) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                self._arrived = await loop.sock_recvfrom(self._sock, _DELIVERY)
            except OSError as error:
                self._arrived = error
                await asyncio.sleep(_ERROR_PAUSE)
            try:
                owner.event(IN)
            except Exception as error:  # noqa: BLE001  one datagram is lost, never the loop
                _log.error("a datagram failed inside the relay", exc_info=error)
                owner.crashed(error)
            await asyncio.sleep(0)  # what has come already is handed out without a wait: others want their turn


class TransportPoller:
    """Works on every loop; about half the connection rate of epoll."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.arrival = memoryview(bytearray(_DELIVERY))
        self.read_most = ANY_SIZE
        self._turns = TurnQueue(loop)

    def wrap(self, sock: socket.socket) -> Stream:
        sock.setblocking(False)
        return TransportSocket(self, sock)

    def wrap_listener(self, sock: socket.socket) -> Listener:
        sock.setblocking(False)
        return ListenerSocket(sock)

    def wrap_datagrams(self, sock: socket.socket) -> Datagrams:
        sock.setblocking(False)
        return DatagramSocket(sock)

    def register(self, stream: Stream, owner: Pollable, writable: bool = False) -> None:
        cast("TransportSocket", stream).watch(owner)

    def want_writable(self, stream: Stream) -> None:
        """A transport always tells."""

    def listen(self, stream: Listener, owner: Pollable) -> None:
        cast("ListenerSocket", stream).watch(owner)

    def unlisten(self, stream: Listener) -> None:
        cast("ListenerSocket", stream).unwatch()

    def watch_datagrams(self, sock: Datagrams, owner: Pollable) -> None:
        cast("DatagramSocket", sock).watch(owner)

    def forget(self, stream: Stream | Datagrams) -> None:
        """Closing says it all."""

    def again(self, leg: Resumable) -> None:
        self._turns.add(leg)

    async def close(self) -> None:
        """Let the transports that were closed just now say so: each does in a callback of its own."""
        for _ in range(3):
            await asyncio.sleep(0)
