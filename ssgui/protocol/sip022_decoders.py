"""Opens the streams of SIP022 (see `sip022_encoders` for what they look like), from one buffer into another."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidTag

from ssgui.protocol.address import decode_address
from ssgui.protocol.chunks import HEAD, TAG, ChunkDecoder, check_room
from ssgui.protocol.errors import (
    AuthenticationError,
    BadRequestError,
    LocalProtocolError,
    RemoteProtocolError,
    ReplayError,
    SegmentedHeaderError,
)
from ssgui.protocol.identity import IDENTITY_SIZE, Users
from ssgui.protocol.replay import Salts
from ssgui.protocol.sip022 import FROM_CLIENT, FROM_SERVER, MAX_CHUNK, Cipher2022, Method2022, check_clock
from ssgui.protocol.sip022_encoders import FIXED_REQUEST, fixed_answer

_NONCE = Method2022.nonce_size
MAX_HELD: Final = MAX_CHUNK + TAG


class _Decoder(ChunkDecoder, ABC):
    """The chunks of a stream; its first header is for the two kinds to read. Less than MAX_HELD bytes are `held`."""

    __slots__ = ("_cipher", "_clock", "_method", "key")

    def __init__(self, method: Method2022, key: bytes, clock: Callable[[], float]) -> None:
        super().__init__()
        self._method, self._clock = method, clock
        self.key = key  # the user's, once that is known
        self._cipher: Cipher2022 | None = None

    def decode(self, data: memoryview, out: memoryview) -> int:
        """Open every whole unit in `data` (`held` and what came since) into `out`; how many bytes that gave.

        `out` must be as long as `data`; what is in it behind the returned count is undefined. A bad unit
        sets `error`: the units before it are delivered, nothing of it, nothing behind it.
        """
        if self.error is not None:
            raise LocalProtocolError("this stream has failed already") from self.error
        size = len(data)
        check_room(size, out)
        done = at = 0
        try:
            cipher = self._cipher
            if cipher is None:
                at = self._begin(data)
                cipher = self._cipher
                if cipher is None:
                    self.held = bytes(data)
                    return 0
            count, want = self._count, self._want
            open_, open_into = cipher.decrypt, cipher.decrypt_into
            while True:
                if not want:
                    end = at + HEAD
                    if size < end:
                        break
                    want = int.from_bytes(open_(count.to_bytes(_NONCE, "little"), data[at:end], None), "big")
                    if not want:
                        raise BadRequestError("a chunk of 0 bytes")
                    count += 1
                    at = end
                end = at + want + TAG
                if size < end:
                    break
                filled = done + want
                open_into(count.to_bytes(_NONCE, "little"), data[at:end], None, out[done:filled])
                # The first is no length but the payload of the fixed header.
                done = filled if count > 1 else self._unwrap(out, filled)
                count += 1
                at, want = end, 0
        except InvalidTag:
            self._fail(AuthenticationError("a chunk does not open with this key and method"))
            return done
        except RemoteProtocolError as error:
            self._fail(error.with_traceback(None))  # whose frames hold the caller's buffers
            return done
        self._count, self._want = count, want
        self.held = bytes(data[at:])
        return done

    @abstractmethod
    def _begin(self, data: memoryview) -> int:
        """Read up to the end of the fixed header, set `_cipher` and `_want`; how many bytes that took.

        No cipher is set if there are too few. Raises RemoteProtocolError, or InvalidTag.
        """

    def _unwrap(self, out: memoryview, filled: int) -> int:
        """Leave of the first payload in `out[:filled]` only what the stream is to deliver; how much that is."""
        return filled

    def _open_fixed(self, key: bytes, sealed: memoryview, kind: int) -> tuple[Cipher2022, bytes, int]:
        """Open a fixed header and check its type: the stream's cipher, the header, and the time that it says."""
        cipher = self._method.cipher(self._method.subkey(key, self.salt))
        fixed = cipher.decrypt(bytes(_NONCE), sealed, None)
        if fixed[0] != kind:
            raise BadRequestError(f"a header of type {fixed[0]}, not {kind}")
        return cipher, fixed, int.from_bytes(fixed[1:9], "big")

    def _accept(self, cipher: Cipher2022, fixed: bytes) -> None:
        """The fixed header is good: go on with what it announces."""
        self.authenticated = True
        want = int.from_bytes(fixed[-2:], "big")
        if not want:
            raise BadRequestError("a chunk of 0 bytes")
        self._cipher, self._count, self._want = cipher, 1, want


class RequestDecoder(_Decoder):
    """A client's stream, at its server. Delivers the address header and the payload, without the padding.

    `clock` is Unix seconds; with `users` the `key` is theirs. Everything up to the fixed header must be in
    the first data unless it may be `segmented`: a stranger who sends byte by byte must not learn from us
    where a header ends.
    """

    __slots__ = ("_first", "_salts", "_segmented", "_users")

    def __init__(
        self, method: Method2022, key: bytes, salts: Salts, clock: Callable[[], float], *,
        users: Users | None = None, segmented: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(method, key, clock)
        self._salts, self._users, self._segmented = salts, users, segmented
        self._first = method.salt_size + (IDENTITY_SIZE if users else 0) + FIXED_REQUEST + TAG

    def _begin(self, data: memoryview) -> int:
        end = self._first
        if len(data) < end:
            if not self._segmented:
                raise SegmentedHeaderError("the first header came in pieces")
            return 0
        at = self._method.salt_size
        salt = self.salt = bytes(data[:at])
        if salt in self._salts:
            raise ReplayError("the salt of this stream was seen before")
        name, key = "", self.key
        if self._users is not None:
            name, key = self._users.of_stream(bytes(data[at : at + IDENTITY_SIZE]), salt)
            at += IDENTITY_SIZE
        cipher, fixed, theirs = self._open_fixed(key, data[at:end], FROM_CLIENT)
        self.user, self.key = name, key
        check_clock(theirs, int(self._clock()), client=False)
        # Only now, and looked at again: another connection may have brought the same salt in between.
        if not self._salts.add(salt):
            raise ReplayError("the salt of this stream was seen before")
        self._accept(cipher, fixed)
        return end

    def _unwrap(self, out: memoryview, filled: int) -> int:
        found = decode_address(out[:filled])
        if found is None:
            raise BadRequestError("the address is cut short")
        cut = found[1]
        start = cut + 2
        if filled < start:
            raise BadRequestError("the length of the padding is missing")
        padding = out[cut] << 8 | out[cut + 1]
        start += padding
        if filled < start:
            raise BadRequestError("the padding is longer than its chunk")
        if filled == start and not padding:
            raise BadRequestError("a request with neither payload nor padding")
        end = cut + filled - start
        out[cut:end] = out[start:filled]
        return end


class AnswerDecoder(_Decoder):
    """A server's stream, at the client that asked with `request_salt`. No salts are remembered: an answer that is
    played again does not repeat the salt of this request.

    It may come in pieces. That a header must not is to keep strangers who connect from learning of it, and
    nobody connects to a client; here it would only break slow links and plugins.
    `heard_clock` is told how many seconds the server's clock is ahead of ours, too many or not.
    """

    __slots__ = ("_first", "_heard_clock", "_request_salt")

    def __init__(
        self, method: Method2022, key: bytes, clock: Callable[[], float], request_salt: bytes,
        heard_clock: Callable[[int], None] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(method, key, clock)
        self._request_salt, self._heard_clock = request_salt, heard_clock
        self._first = method.salt_size + fixed_answer(method) + TAG

    def _begin(self, data: memoryview) -> int:
        end, at = self._first, self._method.salt_size
        if len(data) < end:
            return 0
        self.salt = bytes(data[:at])
        cipher, fixed, theirs = self._open_fixed(self.key, data[at:end], FROM_SERVER)
        # Before the time: an old answer that a stranger plays must not look like a clock that is off.
        if fixed[9:-2] != self._request_salt:
            raise BadRequestError("an answer to another request")
        ours = int(self._clock())
        if self._heard_clock is not None:
            self._heard_clock(theirs - ours)
        check_clock(theirs, ours, client=True)
        self._accept(cipher, fixed)
        return end
