"""Measures a server: a connection through it to a small page, as a program would make one."""

import asyncio
import math
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ssgui.engine.errors import DialError, dial_error
from ssgui.engine.leg import Leg
from ssgui.engine.stages import Reason
from ssgui.engine.upstream.proxy import ProxyDialing
from ssgui.engine.upstream.server import Upstream
from ssgui.protocol.address import encode_address
from ssgui.protocol.errors import LocalProtocolError, RemoteProtocolError

if TYPE_CHECKING:
    from ssgui.engine.relay import LocalRelay

MEASURE_SECONDS = 5.0
_READ = 16 * 1024
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] \d\d\d[ \r\n]")
_LONGEST_HEAD = 64


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds until the server was connected and until the page's first byte; None for what did not happen.

    `failure` is "" when the page answered, whatever its status. `by_proxy`: it is the upstream proxy's, and nothing
    is known of the server. `reason` is that of a connection which fails so.
    """

    connect: float | None = None
    first_byte: float | None = None
    failure: str = ""
    by_proxy: bool = False
    reason: Reason | None = None

    @property
    def seconds(self) -> float:
        """For comparisons: until the first byte, infinity without one."""
        return math.inf if self.first_byte is None or self.failure else self.first_byte


async def measure(relay: "LocalRelay", upstream: Upstream) -> Latency:
    """Fetch the relay's probe page through `upstream`, within 5 s. May be cancelled."""
    return await _Probe(relay, upstream).run()


def probe_request(url: str) -> bytes:
    """An address header and a request for `url`. LocalProtocolError for what is no plain http:// URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        host, port = "", 0
    if not host or parts.scheme != "http" or not url.isascii() or not url.isprintable() or " " in url:
        raise LocalProtocolError(f"the probe URL {url!a} is not like http://example.com/path")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    name = parts.netloc.rpartition("@")[2]
    head = f"GET {path} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: ssgui\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    return encode_address(host, port) + head.encode()


class _Probe:
    """Owner of the one leg of a measurement."""

    def __init__(self, relay: "LocalRelay", upstream: Upstream) -> None:
        self._relay, self._upstream = relay, upstream
        self._done: asyncio.Future[Latency] = relay.reactor.loop.create_future()
        self._begun = time.monotonic()
        self._connect: float | None = None
        self._first_byte: float | None = None
        self._head = b""
        self._unanswered = False
        self.remote: Leg | None = None

    def __repr__(self) -> str:
        return f"<measuring {self._upstream.name}>"

    async def run(self) -> Latency:
        """Dial, and wait for the outcome."""
        upstream = self._upstream
        dialing = self._relay.dialer.dial(upstream.host, upstream.port, self)
        try:
            async with asyncio.timeout(MEASURE_SECONDS):
                return await self._done
        except TimeoutError:
            self._unanswered = True
            what = "no connection" if self._connect is None else "no answer"
            by_proxy = isinstance(dialing, ProxyDialing) and dialing.stuck
            reason = Reason.CONNECT_TIMEOUT if self._connect is None else Reason.NO_ANSWER
            return Latency(self._connect, None, f"{what} within {MEASURE_SECONDS:g} s", by_proxy, reason)
        finally:
            if dialing is not None:
                dialing.cancel()
            if self.remote is not None:
                if self.remote.fast_open is not None:
                    self.remote.fast_open.ended(answered=self._first_byte is not None, failed=self._unanswered)
                self.remote.reset()

    def _end(self, failure: str, *, by_proxy: bool = False, reason: Reason = Reason.NO_ANSWER) -> None:
        if not self._done.done():
            why = reason if failure else None
            self._done.set_result(Latency(self._connect, self._first_byte, failure, by_proxy, why))

    # ---- as owner of a dial

    def resolved(self) -> None:
        """Connecting begins."""

    def connecting(self) -> None:
        """It takes a while."""

    def dial_failed(self, error: DialError) -> None:
        self._end(error.detail, by_proxy=error.by_proxy, reason=error.reason)

    def connect_failed(self, leg: Leg, error: OSError) -> None:
        failure = dial_error(error, self._upstream.host, self._upstream.port)
        self._end(failure.detail, reason=failure.reason)

    def connected(self, leg: Leg) -> None:
        if leg.fast_open is None:
            self._connect = time.monotonic() - self._begun
        leg.encoder, leg.decoder = self._upstream.tunnel.client_streams()
        leg.on_readable = self._read
        leg.send_payload(self._relay.probe)

    def _read(self) -> None:
        leg = self.remote
        assert leg is not None
        while not self._done.done() and (opened := leg.recv_opened(_READ)) is not None:
            if opened and self._first_byte is None:
                self._first_byte = time.monotonic() - self._begun
                self._connect = self._connect or self._first_byte
            self._head += bytes(opened[:_LONGEST_HEAD])
            if _STATUS_LINE.match(self._head):
                self._end("")
            elif len(self._head) >= _LONGEST_HEAD:
                self._end("what answers is not HTTP")
            elif leg.decoder is not None and leg.decoder.error is not None:
                self._end(str(leg.decoder.error))
            if not leg.readable:
                return

    def ended(self, leg: Leg) -> None:
        self._end("the server ended the connection without an answer")

    def finished(self, leg: Leg) -> None:
        """Our FIN is never sent: there is nothing to finish."""

    def lost(self, leg: Leg, error: OSError) -> None:
        self._unanswered = True
        self._end("the server reset the connection")

    def garbled(self, leg: Leg, error: RemoteProtocolError) -> None:
        self._end(str(error))

    def failed(self, leg: Leg, error: Exception) -> None:
        self._end("failed; the log has the error")
