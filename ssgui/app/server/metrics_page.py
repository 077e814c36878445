"""The page of the counters: http://127.0.0.1:PORT/metrics, for whoever is on this computer.

A web site must not read it by a name of its own that leads here, so the Host must be the loopback's.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import h11

from ssgui.app.server.metrics import CONTENT_TYPE
from ssgui.engine.errors import BindError
from ssgui.engine.tally import port_name
from ssgui.engine.tasks import spawn
from ssgui.protocol.address import split_host_port

PATH = b"/metrics"
REQUEST_SECONDS = 10.0
MOST_CONNECTIONS = 32
_MOST_HEAD = 16 << 10
_PLAIN = "text/plain; charset=utf-8"
_Answer = tuple[int, str, str]  # status, type of content, content
_log = logging.getLogger("ssgui")


class MetricsPage:
    """Serves what `text` gives at `address`, which is the loopback's."""

    def __init__(self, address: tuple[str, int], text: Callable[[], Awaitable[str]]) -> None:
        self._address, self._text = address, text
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. BindError."""
        host, port = self._address
        try:
            self._server = await asyncio.start_server(self._come, host, port)
        except OSError as error:
            raise BindError(host, port, OSError(error.errno, os.strerror(error.errno or 0))) from error
        _log.info("counters are at http://%s%s", port_name(self._address), PATH.decode())

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= MOST_CONNECTIONS:
            writer.transport.abort()
            return
        task = spawn(self._serve(reader, writer), name="a reader of counters")
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MOST_HEAD)
                try:
                    answer, head_only = await self._answer_to(await _request(http, reader))
                except h11.RemoteProtocolError as error:
                    answer, head_only = (error.error_status_hint, _PLAIN, "not a request\n"), False
                writer.write(_written(http, answer, head_only=head_only))
                await writer.drain()
        except (OSError, TimeoutError, EOFError) as error:
            _log.debug("a reader of counters has gone: %s", error)
            writer.transport.abort()
        finally:
            writer.close()

    async def _answer_to(self, request: h11.Request) -> tuple[_Answer, bool]:
        head_only = request.method == b"HEAD"
        if request.target.partition(b"?")[0] != PATH:
            return (404, _PLAIN, "the counters are at /metrics\n"), head_only
        if request.method not in (b"GET", b"HEAD"):
            return (405, _PLAIN, "GET it\n"), head_only
        if not _is_here(request):
            return (403, _PLAIN, "only by an address of this computer\n"), head_only
        return (200, CONTENT_TYPE, await self._text()), head_only


async def _request(http: h11.Connection, reader: asyncio.StreamReader) -> h11.Request:
    """The first request; a body that it may have is not read. EOFError without one."""
    while True:
        event = http.next_event()
        if isinstance(event, h11.Request):
            return event
        if event is not h11.NEED_DATA:
            raise EOFError("no request")
        http.receive_data(await reader.read(_MOST_HEAD))


def _is_here(request: h11.Request) -> bool:
    for name, value in request.headers:
        if name == b"host":
            host = split_host_port(value.decode("latin-1"))[0]
            try:
                return host == "localhost" or ip_address(host).is_loopback
            except ValueError:
                return False
    return True  # HTTP/1.0: no browser


def _written(http: h11.Connection, answer: _Answer, *, head_only: bool) -> bytes:
    status, kind, text = answer
    body = text.encode()
    headers = [
        ("content-type", kind), ("content-length", str(len(body))), ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"), ("connection", "close"),
    ]  # fmt: skip
    if status == 405:
        headers.append(("allow", "GET, HEAD"))
    parts = [http.send(h11.Response(status_code=status, headers=headers))]
    if not head_only:
        parts.append(http.send(h11.Data(data=body)))
    return b"".join(part for part in parts if part)
