"""Remembers salts, so that a recorded stream cannot be played again."""

from typing import Protocol


class Salts(Protocol):
    """A memory of salts that were seen."""

    def __contains__(self, salt: object, /) -> bool:
        """Whether `salt` is known: a first look, before anything is opened."""

    def add(self, salt: bytes, /) -> bool:
        """Remember `salt`; False when it is known already, whoever brought it."""

    def own(self, fresh: bytes, /) -> bytes:
        """The salt to use for what we send, made of `fresh` random bytes. Sent back to us it is known."""


class SaltFilter:
    """Exact, bounded memory of salts: two sets of `capacity`; when the newer is full it becomes the older.

    So the last `capacity` salts are always known, and at most twice as many are kept.
    """

    __slots__ = ("_capacity", "_newer", "_older")

    def __init__(self, capacity: int = 50_000) -> None:
        self._capacity = capacity
        self._newer: set[bytes] = set()
        self._older: set[bytes] = set()

    def __contains__(self, salt: object) -> bool:
        return salt in self._newer or salt in self._older

    def __len__(self) -> int:
        return len(self._newer) + len(self._older)

    def add(self, salt: bytes) -> bool:
        """Remember `salt`; False when it is known already."""
        if salt in self._newer or salt in self._older:
            return False
        if len(self._newer) >= self._capacity:
            self._older, self._newer = self._newer, set()
        self._newer.add(salt)
        return True

    def own(self, fresh: bytes) -> bytes:
        """The salt to use for what we send: remembered, so that it is known when it is sent back."""
        self.add(fresh)
        return fresh
