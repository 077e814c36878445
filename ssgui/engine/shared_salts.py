"""One memory of salts for all processes that serve a port, so that what one of them has seen no other takes.

Memory without a name that children inherit by fork (Linux). A keyed hash of the salt picks a bucket, and is what is
kept, never the salt itself. A bucket has few lines of the processor's cache: they are cold whenever a salt comes.

    bucket   number of the next slot (4) | 4 unused | 64 hashes (8) | 64 times (4)

Looking and remembering are one step, under a lock on the bucket's number in the file: the kernel takes such a lock
back when its owner dies, at whatever moment. The slot's number is moved on before the slot is filled, so a death in
between leaves an old salt longer than need be, and nothing else. No lock is waited for without end: see `PATIENCE`.

A salt of our own is not remembered but marked: its last bytes are a hash of the others. Whoever sends it back is known
by that.
"""

import fcntl
import logging
import math
import mmap
import os
import struct
import time
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from ssgui.protocol.salt_pool import KEPT_SECONDS

# 12 MiB for each process, touched as salts come. A process makes some 8,000 connections a second at the very most, and
# that leaves the buckets half empty.
SLOTS_EACH: Final = 1 << 20
# A process that was stopped inside of a lock (for some 2 us it may be) must not hold up the others for ever: what
# falls into its bucket is then refused. That long, the owner of a lock may just be waiting for a processor.
PATIENCE: Final = 0.25
LEAST_MARKED: Final = 16  # bytes of a salt that can spare four: what is random in it must not come twice
_SLOTS: Final = 64  # of a bucket
_HASH: Final = 8  # that two salts of one bucket have the same has a chance of 2^-58 for each connection
_MARK: Final = 4  # that a stranger's salt looks like one of ours, 2^-32
_TICK: Final = 1 / 8  # seconds
_KEPT: Final = math.ceil(KEPT_SECONDS / _TICK) + 1
_TIMES_HEARD: Final = 1000  # a complaint each
_NUMBER = struct.Struct("<I")
_HEAD: Final = 8
_TIMES: Final = _HEAD + _SLOTS * _HASH
_BUCKET: Final = _TIMES + _SLOTS * _NUMBER.size
_TAKE, _GIVE_BACK = fcntl.LOCK_EX | fcntl.LOCK_NB, fcntl.LOCK_UN
_log = logging.getLogger("ssgui")


class SharedSalts:
    """The memory; made before the processes are. `clock` is monotonic seconds, the same for all of them.

    Every dated salt is known for KEPT_SECONDS; of the undated at least the last, a quarter as many as there are `slots`
    (that a bucket has lost one of these has a chance of 1e-18), as long as there are not more of the dated. Where there
    is no room for what must be kept a new salt is refused, rather than an old one forgotten.
    """

    def __init__(self, slots: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._buckets = -(-slots // _SLOTS)
        self._clock, self._began = clock, clock()
        self._key = os.urandom(32)  # so that nobody can aim at a bucket, nor make our mark
        self.fd = os.memfd_create("ssgui-salts", os.MFD_CLOEXEC)
        os.ftruncate(self.fd, self._buckets * _BUCKET)
        self._memory = mmap.mmap(self.fd, self._buckets * _BUCKET)
        self._refused = 0

    def close(self) -> None:
        """Give this process's share of it back."""
        self._memory.close()
        os.close(self.fd)

    def hasher(self, key: bytes) -> "blake2b":
        """For the salts of a port whose key is `key`: equal salts of other keys are no replays."""
        mine = blake2b(key, digest_size=32, key=self._key).digest()
        return blake2b(digest_size=_HASH + _MARK, key=mine)

    def knows(self, found: bytes) -> bool:
        """Whether the salt of this hash is there. No lock: one that is just being written may be overlooked."""
        at = self._bucket(found) * _BUCKET
        return self._memory.find(found, at + _HEAD, at + _TIMES) >= 0

    def add(self, found: bytes, *, dated: bool) -> bool:
        """Remember the salt of this hash; False when it is known already, or cannot be remembered."""
        bucket = self._bucket(found)
        if not self._lock(bucket):
            self._complain("another worker holds its place and does not go on")
            return False
        try:
            return self._add(found, bucket * _BUCKET, dated)
        finally:
            fcntl.lockf(self.fd, _GIVE_BACK, 1, bucket)

    def _add(self, found: bytes, at: int, dated: bool) -> bool:
        memory = self._memory
        if memory.find(found, at + _HEAD, at + _TIMES) >= 0:
            return False
        (first,) = _NUMBER.unpack_from(memory, at)
        now = int((self._clock() - self._began) / _TICK) + 1
        for number in range(first, first + _SLOTS):
            slot = number % _SLOTS
            (then,) = _NUMBER.unpack_from(memory, at + _TIMES + slot * _NUMBER.size)
            if not then or not 0 <= now - then <= _KEPT:  # a time to come is what a death has left half written
                break
        else:
            self._complain(f"more connections came than it can remember for {KEPT_SECONDS:g} s")
            return False
        _NUMBER.pack_into(memory, at, (number + 1) % _SLOTS)
        _NUMBER.pack_into(memory, at + _TIMES + slot * _NUMBER.size, now if dated else 0)
        memory[at + _HEAD + slot * _HASH : at + _HEAD + (slot + 1) * _HASH] = found
        return True

    def _bucket(self, found: bytes) -> int:
        return int.from_bytes(found[:4], "little") % self._buckets

    def _lock(self, bucket: int) -> bool:
        try:
            fcntl.lockf(self.fd, _TAKE, 1, bucket)
            return True
        except (BlockingIOError, PermissionError):  # one or the other, says POSIX
            pass
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            os.sched_yield()
            try:
                fcntl.lockf(self.fd, _TAKE, 1, bucket)
                return True
            except (BlockingIOError, PermissionError):
                pass
        return False

    def _complain(self, why: str) -> None:
        if self._refused % _TIMES_HEARD == 0:
            _log.warning("a connection was refused as if it were a replay: %s", why)
        self._refused += 1


class KeySalts:
    """The salts of one key in the shared memory (`ssgui.protocol.replay.Salts`); `dated` if their streams are."""

    __slots__ = ("_dated", "_digest", "_hash", "_last", "_salts")

    def __init__(self, salts: SharedSalts, key: bytes, *, dated: bool) -> None:
        self._salts, self._hash, self._dated = salts, salts.hasher(key), dated
        self._last: bytes | None = None  # it is looked for first, and then added
        self._digest = b""

    def __contains__(self, salt: object) -> bool:
        if not isinstance(salt, bytes):
            return False
        digest = self._hashed(salt)
        return self._is_ours(salt, digest) or self._salts.knows(digest[:_HASH])

    def add(self, salt: bytes) -> bool:
        """Remember `salt`; False when any process knows it."""
        digest = self._hashed(salt)
        return not self._is_ours(salt, digest) and self._salts.add(digest[:_HASH], dated=self._dated)

    def own(self, fresh: bytes) -> bytes:
        """The salt to use: `fresh`, but marked. One that has nothing to spare is remembered as it is."""
        if len(fresh) < LEAST_MARKED:
            self.add(fresh)
            return fresh
        return fresh[:-_MARK] + self._hashed(fresh)[_HASH:]

    def _is_ours(self, salt: bytes, digest: bytes) -> bool:
        return len(salt) >= LEAST_MARKED and digest[_HASH:] == salt[-_MARK:]

    def _hashed(self, salt: bytes) -> bytes:
        """Of all but the mark, which random bytes stand for in the salts of others."""
        if salt is not self._last:
            hashing = self._hash.copy()
            hashing.update(salt[:-_MARK] if len(salt) >= LEAST_MARKED else salt)
            self._last, self._digest = salt, hashing.digest()
        return self._digest
