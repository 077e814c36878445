"""What the supervisor and a worker say to each other, over a pair of sockets that only these two have.

    supervisor -> worker    size (4 bytes) | number (4) | pickled request
    worker -> supervisor    size (4 bytes) | number (4) | JSON          the answer to the request of that number

Requests carry settings, which nothing else can write down whole; a worker has them from its supervisor by fork
anyway. What a worker says is only JSON: it talks to strangers all day.
"""

import asyncio
import io
import pickle
import struct
from functools import lru_cache
from typing import Any

import msgspec

from ssgui.config.models import ServerSettings
from ssgui.config.secret import Secret
from ssgui.engine.changes import Difference
from ssgui.rules.acl import Acl, parse_acl

START, LAST = 0, 0xFFFFFFFF  # what a worker says unasked: first whether it serves, at the end how its counters stood
MOST = 64 << 20  # bytes; a table of 65,535 ports with users is a few MiB
_HEAD = struct.Struct(">II")


class Change(msgspec.Struct, frozen=True):
    """Serve these and nothing else."""

    wanted: tuple[ServerSettings, ...]


class Count(msgspec.Struct, frozen=True):
    """Say how the counters stand."""


class End(msgspec.Struct, frozen=True):
    """Stop listening, give connections `grace` seconds (None: as long as they take), and end."""

    grace: float | None


Request = Change | Count | End


class Failed(msgspec.Struct, frozen=True, tag=True):
    """A change that could not be made. With a `port` because that could not be had, of which `errno` says more."""

    why: str
    host: str = ""
    port: int = 0
    errno: int = 0
    udp: bool = False


class Served(msgspec.Struct, frozen=True, tag=True):
    """A change was made; `addresses` are those of the ports, in the order in which they were opened."""

    difference: Difference
    addresses: list[tuple[str, int]]


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, Secret):  # lets itself not be pickled by accident; here it must go where it is used
            return Secret, (value.reveal(),)
        if isinstance(value, Acl):  # remembers what it was asked
            return _acl, ("\n".join(value.lines), value.name)
        return NotImplemented


@lru_cache(maxsize=4)
def _acl(text: str, name: str) -> Acl:
    """The list that was read from `text`; the same that came with the change before is not read again."""
    return parse_acl(text, name)


def pack(request: Request) -> bytes:
    """A request as bytes."""
    out = io.BytesIO()
    _Pickler(out, pickle.HIGHEST_PROTOCOL).dump(request)
    return out.getvalue()


def unpack(data: bytes) -> Request:
    """The request that the supervisor of this process has packed."""
    request: Request = pickle.loads(data)  # noqa: S301  nobody else can write to the socket it came from
    return request


class Channel:
    """One end, on an asyncio stream."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, number: int, data: bytes) -> None:
        """Send a message. ConnectionError when the other side has gone."""
        self._writer.write(_HEAD.pack(len(data), number) + data)
        await self._writer.drain()

    async def receive(self) -> tuple[int, bytes]:
        """The next message. EOFError, OSError when there will be none."""
        size, number = _HEAD.unpack(await self._reader.readexactly(_HEAD.size))
        if size > MOST:
            raise EOFError(f"a message of {size} bytes")
        return number, await self._reader.readexactly(size)

    def close(self) -> None:
        """Hang up."""
        self._writer.transport.abort()
