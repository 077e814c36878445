"""Seals the streams of SIP022, from one buffer into another.

    request   salt | identity headers | E(type 0, time, length) tag | E(address, padding, payload) tag | chunk ...
    answer    salt | E(type 1, time, request's salt, length) tag | E(payload) tag | chunk ...

Chunks are in `chunks`. Lengths have two bytes, times eight, all big-endian. Nonces start at 0, with the headers.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Final

from ssgui.protocol.address import decode_address
from ssgui.protocol.chunks import TAG, check_room, check_salt, chunked, seal_chunks
from ssgui.protocol.errors import BadRequestError, LocalProtocolError
from ssgui.protocol.identity import stream_headers
from ssgui.protocol.sip022 import FROM_CLIENT, FROM_SERVER, MAX_CHUNK, MAX_PADDING, Method2022

_NONCE = Method2022.nonce_size
FIXED_REQUEST: Final = 1 + 8 + 2


def fixed_answer(method: Method2022) -> int:
    """Bytes of the fixed header of an answer: it repeats the salt of the request."""
    return FIXED_REQUEST + method.salt_size


class _Encoder(ABC):
    """The chunks of a stream; what the first fill begins with is for the two kinds to say."""

    __slots__ = ("_clock", "_count", "_seal", "salt")

    def __init__(self, method: Method2022, key: bytes, salt: bytes, clock: Callable[[], float]) -> None:
        check_salt(method.name, method.salt_size, salt)
        self.salt = salt
        self._clock = clock
        self._seal = method.cipher(method.subkey(key, salt)).encrypt_into
        self._count = 0

    def encode(self, data: memoryview | bytes, out: memoryview) -> int:
        """Fill `out` with all of `data`, sealed; how many bytes that took. Nothing comes of nothing.

        Raises LocalProtocolError, and has done nothing, if `out` is shorter than what this takes.
        """
        size = len(data)
        if not size:
            return 0
        if not self._count:
            return self._first(data, size, out)
        check_room(_chunked(size), out)
        return self._chunks(data, size, out, 0)

    @abstractmethod
    def _first(self, data: memoryview | bytes, size: int, out: memoryview) -> int:
        """As `encode`, for the first bytes of a stream."""

    def _begin(self, head: bytes, kind: int, extra: bytes, first: memoryview | bytes, out: memoryview) -> int:
        """Fill `out` with `head`, a fixed header of this `kind`, and the `first` bytes that it is the length of."""
        at = len(head)
        out[:at] = head
        fixed = kind.to_bytes(1, "big") + int(self._clock()).to_bytes(8, "big") + extra + len(first).to_bytes(2, "big")
        middle = at + len(fixed) + TAG
        end = middle + len(first) + TAG
        self._seal(bytes(_NONCE), fixed, None, out[at:middle])
        self._seal((1).to_bytes(_NONCE, "little"), first, None, out[middle:end])
        self._count = 2
        return end

    def _chunks(self, data: memoryview | bytes, size: int, out: memoryview, at: int) -> int:
        end = seal_chunks(self._seal, self._count, _NONCE, MAX_CHUNK, data, out, at)
        self._count += 2 * -(-size // MAX_CHUNK)
        return end


class RequestEncoder(_Encoder):
    """A client's stream, with the `keys` of its password. `salt` must be random and fresh.

    The first data must be the address header, with any payload behind it. Without payload there is padding of
    a length that `random` (bytes of a size) decides, so that the packet's own length says nothing.
    """

    __slots__ = ("_head", "_random")

    def __init__(
        self, method: Method2022, keys: Sequence[bytes], salt: bytes,
        clock: Callable[[], float], random: Callable[[int], bytes],
    ) -> None:  # fmt: skip
        super().__init__(method, keys[-1], salt, clock)
        self._random = random
        self._head = salt + stream_headers(keys, salt)

    def _first(self, data: memoryview | bytes, size: int, out: memoryview) -> int:
        try:
            found = decode_address(data)
        except BadRequestError as error:
            raise LocalProtocolError(str(error)) from None
        if found is None:
            raise LocalProtocolError("a request begins with a whole address header")
        cut = found[1]
        # From 1: a header with neither payload nor padding must be refused.
        padding = 0 if size > cut else 1 + int.from_bytes(self._random(4), "big") % MAX_PADDING
        fits = min(size, MAX_CHUNK - 2 - padding)
        rest = size - fits
        end = len(self._head) + FIXED_REQUEST + TAG + fits + 2 + padding + TAG + _chunked(rest)
        check_room(end, out)
        data = memoryview(data)
        variable = b"".join((data[:cut], padding.to_bytes(2, "big"), bytes(padding), data[cut:fits]))
        at = self._begin(self._head, FROM_CLIENT, b"", variable, out)
        self._head = b""
        return self._chunks(data[fits:], rest, out, at) if rest else at


class AnswerEncoder(_Encoder):
    """A server's stream that answers the one which began with `request_salt`; `key` is the user's."""

    __slots__ = ("_request_salt",)

    def __init__(
        self, method: Method2022, key: bytes, salt: bytes, clock: Callable[[], float], request_salt: bytes
    ) -> None:
        super().__init__(method, key, salt, clock)
        self._request_salt = request_salt

    def _first(self, data: memoryview | bytes, size: int, out: memoryview) -> int:
        fits = min(size, MAX_CHUNK)
        rest = size - fits
        fixed = FIXED_REQUEST + len(self._request_salt)
        check_room(len(self.salt) + fixed + TAG + fits + TAG + _chunked(rest), out)
        data = memoryview(data)
        at = self._begin(self.salt, FROM_SERVER, self._request_salt, data[:fits], out)
        return self._chunks(data[fits:], rest, out, at) if rest else at


def _chunked(size: int) -> int:
    """The bytes that `size` bytes of data take in chunks."""
    return chunked(size, MAX_CHUNK)
