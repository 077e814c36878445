"""Where sockets end whose connection is over already: strangers to a server, and clients told "no".

Both read and discard. A stranger hears nothing and is closed at the one deadline that was set when it was
accepted, whatever it sent; a client that was refused has been sent a reply and our FIN, and gets a few
seconds to read it, because closing with unread data would turn the reply into a reset.
"""

import asyncio
import logging

from ssgui.engine.deadlines import DeadlineQueue
from ssgui.engine.handler import Farewell, TCPRelayHandler
from ssgui.engine.leg import Leg
from ssgui.engine.stages import Reason
from ssgui.protocol.errors import RemoteProtocolError

LINGER_SECONDS = 10.0
_log = logging.getLogger(__name__)


class _Discarding:
    """Owner of legs that only discard. `gone` is told of each that ends by itself."""

    def __init__(self, loop: asyncio.AbstractEventLoop, delay: float) -> None:
        self.waiting: DeadlineQueue[Leg] = DeadlineQueue(loop, delay, self._expired)

    def adopt(self, leg: Leg) -> None:
        leg.owner, leg.peer, leg.encoder, leg.decoder = self, None, None, None
        leg.on_readable = leg.discard

    def ended(self, leg: Leg) -> None:
        self._gone(leg)

    def lost(self, leg: Leg, error: OSError) -> None:
        self._gone(leg)

    def failed(self, leg: Leg, error: Exception) -> None:
        self._gone(leg)

    def garbled(self, leg: Leg, error: RemoteProtocolError) -> None:
        self._gone(leg)

    def connect_failed(self, leg: Leg, error: OSError) -> None:
        self._gone(leg)

    def finished(self, leg: Leg) -> None:
        """Our FIN is out; the peer's is awaited."""

    def connecting(self) -> None:
        """Only accepted sockets come here."""

    def connected(self, leg: Leg) -> None:
        """Only accepted sockets come here."""

    def close(self) -> None:
        """Close everything now."""
        for leg in self.waiting.clear():
            leg.close()

    def _gone(self, leg: Leg) -> None:
        self.waiting.remove(leg)
        leg.close()

    def _expired(self, leg: Leg) -> None:
        leg.close()


class Lingering(_Discarding):
    """Clients that were refused."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop, LINGER_SECONDS)

    def take(self, leg: Leg) -> None:
        """Finish what was sent, then wait for the client to close."""
        self.adopt(leg)
        self.waiting.add(leg)
        leg.finish()
        if leg.eof:
            self._gone(leg)
        elif not leg.closed:
            leg.resume()


class Drain(_Discarding):
    """Every connection to a server that has not authenticated, failed already or not, in order of acceptance.

    `delay` is the one deadline, the same for every connection of the process; above `most` connections the
    one accepted first is closed, whatever its state.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, delay: float, most: int) -> None:
        super().__init__(loop, delay)
        self._most = most

    def __len__(self) -> int:
        return len(self.waiting)

    def admit(self, leg: Leg) -> None:
        """A connection was accepted just now."""
        self.waiting.add(leg)
        if len(self.waiting) > self._most:
            self._expired(self.waiting.pop_oldest())

    def release(self, leg: Leg) -> None:
        """It has sent a good address (or has gone): it is no stranger any more."""
        self.waiting.remove(leg)

    def take(self, leg: Leg) -> None:
        """It failed. From now on nobody else looks at it; its deadline stays what it was."""
        self.adopt(leg)
        leg.resume()

    def _expired(self, leg: Leg) -> None:
        handler = leg.owner
        if isinstance(handler, TCPRelayHandler):
            handler.destroy(Reason.HANDSHAKE_TIMEOUT, Farewell.DRAIN)
        leg.empty_and_close()
