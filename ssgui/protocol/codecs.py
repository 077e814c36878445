"""What every edition's codecs look like to the engine.

A **stream codec** fills a view from a view. The plaintext of a stream that a client sends begins with the
address header; that of an answer is payload alone. Whatever an edition wraps around them (salts, chunks,
timestamps, padding, identity headers) stays inside of the codec.

A **datagram codec** turns one packet into another. Its plaintext is an address header with payload behind it:
the target on the way up, the real source on the way down.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol

from ssgui.protocol.errors import RemoteProtocolError


class StreamEncoder(Protocol):
    """Seals one direction of a connection."""

    def encode(self, data: memoryview | bytes, out: memoryview) -> int:
        """Fill `out` with all of `data`, sealed; how many bytes that took. Nothing comes of nothing.

        Raises LocalProtocolError, and has done nothing, if `out` is shorter than what this takes.
        """


class StreamDecoder(Protocol):
    """Opens one direction of a connection.

    `held` is the incomplete unit at the end of the last input: the next input must begin with it. After a bad
    unit `error` is set and the stream is dead. `authenticated` says that something opened with our key, in a
    stream that is no replay. `salt` is b"" until it has come. `user` names who sent it, where there are users.
    """

    held: bytes
    salt: bytes
    error: RemoteProtocolError | None
    authenticated: bool
    user: str

    @property
    def at_boundary(self) -> bool:
        """Whether the stream may end here."""

    def decode(self, data: memoryview, out: memoryview) -> int:
        """Open what is whole in `data` (`held` and what came since) into `out`; how many bytes that gave.

        `out` must be as long as `data`; what is in it behind the returned count is undefined. A bad unit sets
        `error`: the units before it are delivered, nothing of it, nothing behind it.
        """


class ClientDatagrams(Protocol):
    """The packets of one association, as the client sees them."""

    def seal(self, plain: bytes | memoryview) -> bytes:
        """The packet for the server."""

    def open(self, packet: bytes | memoryview) -> bytes | memoryview:
        """The plaintext of a packet from the server. RemoteProtocolError for one that must be dropped."""


@dataclass(frozen=True, slots=True)
class OpenedDatagram:
    """A client's packet: whose association it belongs to, what it says, and who sent it (if there are users).

    `session` is the client's source address in the classic editions, an object of the codec's in the 2022 edition.
    """

    session: Hashable
    plain: bytes | memoryview
    user: str = ""


class ServerDatagrams(Protocol):
    """The packets of one server port."""

    def open(self, packet: bytes | memoryview, source: Hashable) -> OpenedDatagram:
        """Open a packet that came from the address `source`. RemoteProtocolError for one that must be dropped."""

    def seal(self, session: Hashable, plain: bytes | memoryview) -> bytes:
        """The packet for the client of `session`."""

    def forget(self, session: Hashable) -> None:
        """The association of `session` has ended. What protects against replays stays as long as it must."""
