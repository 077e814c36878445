"""What the chunks of SIP004 and of SIP022 have in common; they differ in how long one may be, and in what comes first.

    chunk    E(length) tag | E(payload) tag

The length has two bytes, big-endian. The nonce is a little-endian counter that grows by one with every seal.

Nothing is allocated per chunk: a fresh buffer of a read's size would be mapped, zeroed and faulted in each
time. No view of a caller's buffer is kept when a call returns.
"""

from collections.abc import Callable
from typing import Any, Final

from ssgui.protocol.errors import LocalProtocolError, RemoteProtocolError

TAG: Final = 16
HEAD: Final = 2 + TAG
_OVERHEAD: Final = HEAD + TAG
Seal = Callable[[bytes, Any, None, memoryview], Any]


def chunked(size: int, longest: int) -> int:
    """The bytes that `size` bytes of data take in chunks of at most `longest`."""
    return size + _OVERHEAD * -(-size // longest)


def check_room(size: int, out: memoryview) -> None:
    """Raise LocalProtocolError if `out` has fewer than `size` bytes."""
    if len(out) < size:
        raise LocalProtocolError(f"{size} bytes of output are needed, there are {len(out)}")


def check_salt(name: str, size: int, salt: bytes) -> None:
    """Raise LocalProtocolError if `salt` has not the `size` that the method `name` wants."""
    if len(salt) != size:
        raise LocalProtocolError(f"{name} has a salt of {size} bytes, not {len(salt)}")


def seal_chunks(
    seal: Seal, count: int, nonce_size: int, longest: int, data: memoryview | bytes, out: memoryview, at: int
) -> int:
    """Fill `out` from `at` with `data` (not empty) in chunks, of which all but the last are full; where they end.

    `count` is the nonce of the first seal; there are two for each chunk.
    """
    size, start = len(data), 0
    if size > longest:
        data = memoryview(data)
        full = longest.to_bytes(2, "big")
        while size - start > longest:
            middle = at + HEAD
            seal(count.to_bytes(nonce_size, "little"), full, None, out[at:middle])
            at = middle + longest + TAG
            payload = data[start : start + longest]
            seal((count + 1).to_bytes(nonce_size, "little"), payload, None, out[middle:at])
            count += 2
            start += longest
        data = data[start:]
        size -= start
    middle = at + HEAD
    end = middle + size + TAG
    seal(count.to_bytes(nonce_size, "little"), size.to_bytes(2, "big"), None, out[at:middle])
    seal((count + 1).to_bytes(nonce_size, "little"), data, None, out[middle:end])
    return end


class ChunkDecoder:
    """What the decoders of both editions keep, and how their streams end.

    `held` is the incomplete unit at the end of the last input: the next input must begin with it. After a bad
    unit `error` is set and the stream is dead. `authenticated` says that something opened with our key, in a
    stream that is no replay.
    """

    __slots__ = ("_count", "_want", "authenticated", "error", "held", "salt", "user")

    def __init__(self) -> None:
        self._count = 0
        self._want = 0  # length of the payload that comes next; 0: a length comes next
        self.held = b""
        self.salt = b""
        self.error: RemoteProtocolError | None = None
        self.authenticated = False
        self.user = ""  # SIP004 has none

    @property
    def at_boundary(self) -> bool:
        """Whether the stream may end here: before its first byte, or behind a whole chunk."""
        if self.error is not None or self.held or self._want:
            return False
        return self.authenticated or not self.salt

    def _fail(self, error: RemoteProtocolError) -> None:
        self.error = error
        self.held = b""
