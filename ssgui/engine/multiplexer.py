"""The kernel's readiness queues behind one small shape: epoll (Linux) and kqueue (macOS, BSD).

Masks are epoll's numbers everywhere: IN, OUT, ERR, HUP, RDHUP. `add_edge` reports a change once, which is
what legs want; listeners and the loop's own descriptors are level-triggered (`add`).
"""

import math
import select
from collections.abc import Sequence
from typing import Any, Protocol

IN, OUT, ERR, HUP, RDHUP = 0x001, 0x004, 0x008, 0x010, 0x2000
BATCH = 64
_EDGE = getattr(select, "EPOLLET", 0) | RDHUP


class Multiplexer(Protocol):
    """Which descriptors are ready for what."""

    def add(self, fd: int, mask: int) -> None:
        """Watch `fd` for `mask` (IN, OUT or both), told as long as it lasts."""

    def add_edge(self, fd: int, mask: int) -> None:
        """Watch `fd` for changes of `mask`, each told once, and for hang-ups."""

    def modify(self, fd: int, mask: int, *, edge: bool) -> None:
        """Watch `fd`, which is watched already, for `mask` instead."""

    def remove(self, fd: int) -> None:
        """Stop watching `fd`; closing a descriptor removes it too."""

    def poll(self, timeout: float | None) -> Sequence[tuple[int, int]]:
        """Wait at most `timeout` seconds (None: for ever) and return (fd, mask) pairs, at most 64."""

    def fileno(self) -> int:
        """The descriptor that is readable while anything is ready."""

    def close(self) -> None:
        """Give the descriptor back."""


class EpollMultiplexer:
    """Linux."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self.add = self._epoll.register
        self.remove = self._epoll.unregister

    def add_edge(self, fd: int, mask: int) -> None:
        self._epoll.register(fd, mask | _EDGE)

    def modify(self, fd: int, mask: int, *, edge: bool) -> None:
        self._epoll.modify(fd, mask | _EDGE if edge else mask)

    def poll(self, timeout: float | None) -> list[tuple[int, int]]:
        # Rounded up to whole milliseconds: rounded down, the last one would be spun through.
        seconds = -1 if timeout is None else math.ceil(timeout * 1e3) * 1e-3 if timeout > 0 else 0
        return self._epoll.poll(seconds, BATCH)

    def fileno(self) -> int:
        return self._epoll.fileno()

    def close(self) -> None:
        self._epoll.close()


class KqueueMultiplexer:
    """macOS and the BSDs. `api` is the `select` module, or in tests a recorded fake of it."""

    def __init__(self, api: Any = select) -> None:
        self._api = api
        self._kqueue = api.kqueue()
        self._masks: dict[int, int] = {}

    def add(self, fd: int, mask: int) -> None:
        self._add(fd, mask, edge=False)

    def add_edge(self, fd: int, mask: int) -> None:
        self._add(fd, mask, edge=True)

    def _add(self, fd: int, mask: int, *, edge: bool) -> None:
        self._masks[fd] = mask
        flags = self._api.KQ_EV_ADD | (self._api.KQ_EV_CLEAR if edge else 0)
        self._control([self._api.kevent(fd, wanted, flags) for wanted in self._filters(mask)])

    def modify(self, fd: int, mask: int, *, edge: bool) -> None:
        gone = self._masks[fd] & ~mask
        self._control([self._api.kevent(fd, unwanted, self._api.KQ_EV_DELETE) for unwanted in self._filters(gone)])
        self._add(fd, mask, edge=edge)

    def remove(self, fd: int) -> None:
        mask = self._masks.pop(fd)
        self._control([self._api.kevent(fd, unwanted, self._api.KQ_EV_DELETE) for unwanted in self._filters(mask)])

    def poll(self, timeout: float | None) -> list[tuple[int, int]]:
        ready: dict[int, int] = {}
        for event in self._kqueue.control(None, BATCH, None if timeout is None else max(0.0, timeout)):
            ready[event.ident] = ready.get(event.ident, 0) | self._mask_of(event)
        return list(ready.items())

    def fileno(self) -> int:
        return int(self._kqueue.fileno())

    def close(self) -> None:
        self._kqueue.close()

    def _filters(self, mask: int) -> list[int]:
        wanted = (IN, self._api.KQ_FILTER_READ), (OUT, self._api.KQ_FILTER_WRITE)
        return [kind for bit, kind in wanted if mask & bit]

    def _control(self, changes: list[Any]) -> None:
        if changes:
            self._kqueue.control(changes, 0, 0)

    def _mask_of(self, event: Any) -> int:
        ended = event.flags & self._api.KQ_EV_EOF
        failed = ERR | HUP if ended and event.fflags else 0  # fflags of an EOF is the socket's error
        if event.filter == self._api.KQ_FILTER_READ:
            return IN | failed | (RDHUP if ended else 0)
        return OUT | failed | (HUP if ended else 0)


def has_multiplexer() -> bool:
    """Whether this system has epoll or kqueue (Windows has neither)."""
    return hasattr(select, "epoll") or hasattr(select, "kqueue")


def new_multiplexer() -> Multiplexer:
    """The best this system has."""
    return EpollMultiplexer() if hasattr(select, "epoll") else KqueueMultiplexer()
