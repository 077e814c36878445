"""One memory of salts for all processes that serve a port, so that what one of them has seen no other takes.

Memory without a name that children inherit by fork (Linux). A keyed hash of the salt picks a bucket and is what is
kept, never the salt itself:

    bucket   number of the next slot (4) | 4 unused | 64 slots        slot   hash (16) | time (8)

Looking and remembering are one step, under a lock on the bucket's number in the file: the kernel takes such a lock
back when its owner dies, at whatever moment. The slot's number is moved on before the slot is filled, so a death in
between leaves an old salt longer than need be, and nothing else. No lock is waited for without end: see `PATIENCE`.
"""

import fcntl
import logging
import mmap
import os
import struct
import time
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from ssgui.protocol.salt_pool import KEPT_SECONDS

# 12 MiB for each process, touched as salts come: 4,000 salts a second leave the buckets half empty.
SLOTS_EACH: Final = 1 << 19
# A process that was stopped inside of a lock (for some 2 us it may be) must not hold up the others for ever: what
# falls into its bucket is then refused. That long, the owner of a lock may just be waiting for a processor.
PATIENCE: Final = 0.25
_SLOTS: Final = 64  # of a bucket
_HASH: Final = 16
_TIMES_HEARD: Final = 1000  # a complaint each
_SLOT = struct.Struct(f"<{_HASH}sd")
_CURSOR = struct.Struct("<I")
_HEAD: Final = 8
_BUCKET: Final = _HEAD + _SLOTS * _SLOT.size
_TAKE, _GIVE_BACK = fcntl.LOCK_EX | fcntl.LOCK_NB, fcntl.LOCK_UN
_log = logging.getLogger(__name__)


class SharedSalts:
    """The memory; made before the processes are. `clock` is monotonic seconds, the same for all of them.

    Everything is known for KEPT_SECONDS, and of the last salts a quarter as many as there are `slots` (that a bucket
    has lost one of these has a chance of 1e-18). Where there is no room for what must be kept a new salt is refused,
    rather than an old one forgotten.
    """

    def __init__(self, slots: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._buckets = -(-slots // _SLOTS)
        self._clock = clock
        self._key = os.urandom(32)  # so that nobody can aim at a bucket
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
        return blake2b(digest_size=_HASH, key=mine)

    def knows(self, found: bytes) -> bool:
        """Whether the salt of this hash is there. No lock: one that is just being written may be overlooked."""
        at = self._bucket(found) * _BUCKET
        return self._memory.find(found, at + _HEAD, at + _BUCKET) >= 0

    def add(self, found: bytes) -> bool:
        """Remember the salt of this hash; False when it is known already, or cannot be remembered."""
        bucket = self._bucket(found)
        if not self._lock(bucket):
            self._complain("another worker holds its place and does not go on")
            return False
        try:
            return self._add(found, bucket * _BUCKET)
        finally:
            fcntl.lockf(self.fd, _GIVE_BACK, 1, bucket)

    def _add(self, found: bytes, at: int) -> bool:
        memory = self._memory
        if memory.find(found, at + _HEAD, at + _BUCKET) >= 0:
            return False
        (number,) = _CURSOR.unpack_from(memory, at)
        slot, now = at + _HEAD + number % _SLOTS * _SLOT.size, self._clock()
        _, then = _SLOT.unpack_from(memory, slot)
        if then and -1 < now - then < KEPT_SECONDS:  # a time to come is what a death has left half written
            self._complain(f"more connections came than it can remember for {KEPT_SECONDS:g} s")
            return False
        _CURSOR.pack_into(memory, at, (number + 1) % _SLOTS)
        _SLOT.pack_into(memory, slot, found, now)
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
    """The salts of one key in the shared memory (`ssgui.protocol.replay.Salts`)."""

    __slots__ = ("_hash", "_last", "_last_hash", "_salts")

    def __init__(self, salts: SharedSalts, key: bytes) -> None:
        self._salts, self._hash = salts, salts.hasher(key)
        self._last: bytes | None = None  # it is looked for first, and then added
        self._last_hash = b""

    def __contains__(self, salt: object) -> bool:
        return isinstance(salt, bytes) and self._salts.knows(self._hashed(salt))

    def add(self, salt: bytes) -> bool:
        """Remember `salt`; False when any process knows it."""
        return self._salts.add(self._hashed(salt))

    def _hashed(self, salt: bytes) -> bytes:
        if salt is not self._last:
            hashing = self._hash.copy()
            hashing.update(salt)
            self._last, self._last_hash = salt, hashing.digest()
        return self._last_hash
