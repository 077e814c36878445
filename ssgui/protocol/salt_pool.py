"""Remembers salts for as long as their timestamps are good, so that a 2022 stream cannot be played again."""

from collections import deque
from collections.abc import Callable

# A request may be dated 30 s ahead, and is good until it is 30 s old: 60 s. Timestamps have whole seconds, so
# almost two more can hide in the rounding.
KEPT_SECONDS = 62.0


class SaltPool:
    """Exact: no salt is forgotten early, none is taken for another. `clock` is monotonic seconds.

    Only salts of authenticated streams may be added: then a flood of strangers cannot fill it.
    """

    __slots__ = ("_clock", "_order", "_salts")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._salts: set[bytes] = set()
        self._order: deque[tuple[float, bytes]] = deque()

    def __contains__(self, salt: object) -> bool:
        self._forget()
        return salt in self._salts

    def __len__(self) -> int:
        self._forget()
        return len(self._salts)

    def add(self, salt: bytes) -> bool:
        """Remember `salt`; False when it is known already."""
        now = self._forget()
        if salt in self._salts:
            return False
        self._salts.add(salt)
        self._order.append((now, salt))
        return True

    def own(self, fresh: bytes) -> bytes:
        """The salt to use for what we send: remembered, so that it is known when it is sent back."""
        self.add(fresh)
        return fresh

    def _forget(self) -> float:
        now = self._clock()
        order, salts = self._order, self._salts
        while order and now - order[0][0] >= KEPT_SECONDS:
            salts.remove(order.popleft()[1])
        return now
