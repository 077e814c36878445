"""The headless loop: stock asyncio whose selector serves the relay's descriptors itself.

`asyncio.SelectorEventLoop(selector)` is public; a selector that owns the multiplexer can hand ready relay
descriptors straight to their legs inside `select()`. Against a nested epoll that saves a wait, a callback
and a handle per turn (+0.05 to 0.08 x in connections per second).
"""

import asyncio
import selectors
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import Context
from typing import Any, TypeVarTuple, Unpack

from ssgui.engine.multiplexer import IN, OUT, has_multiplexer, new_multiplexer
from ssgui.engine.poller import Poller, ReadyPoller

_Ts = TypeVarTuple("_Ts")


class _Keys(dict[Any, selectors.SelectorKey]):
    """Selector keys by descriptor; asyncio looks them up by file object too."""

    def __getitem__(self, fileobj: Any) -> selectors.SelectorKey:
        return super().__getitem__(_fd_of(fileobj))

    def get(self, fileobj: Any, default: Any = None) -> Any:
        return super().get(_fd_of(fileobj), default)


class RelaySelector(selectors.BaseSelector):
    """A selector for asyncio's own descriptors that dispatches the relay's before it returns.

    It does not return for the relay's alone: asyncio's turn of the loop costs more than the poll. It goes on
    until a descriptor of asyncio's is ready, the time is up, or something was scheduled (`recalled`).
    """

    def __init__(self) -> None:
        self.recalled = False
        self.multiplexer = new_multiplexer()
        self.poller: ReadyPoller | None = None
        self._keys = _Keys()

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        fd = _fd_of(fileobj)
        if fd in self._keys:
            raise KeyError(f"descriptor {fd} is registered already")
        key = self._keys[fd] = selectors.SelectorKey(fileobj, fd, events, data)
        self.multiplexer.add(fd, _to_mask(events))
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        key = self._keys.pop(_fd_of(fileobj))
        try:
            self.multiplexer.remove(key.fd)
        except (OSError, KeyError):
            pass  # closed before it was unregistered: the kernel has forgotten it already
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        fd = _fd_of(fileobj)
        key = self._keys[fd]._replace(events=events, data=data)
        if events != self._keys[fd].events:
            self.multiplexer.modify(fd, _to_mask(events), edge=False)
        self._keys[fd] = key
        return key

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.recalled = False
        poll, dispatch = self.multiplexer.poll, self.poller.dispatch if self.poller is not None else all_foreign
        end = 0.0 if timeout is None else time.monotonic() + timeout
        while True:
            ready = poll(timeout)
            foreign = dispatch(ready)
            if foreign or self.recalled or not ready:
                break
            if timeout is not None:
                timeout = end - time.monotonic()
                if timeout <= 0:
                    break
        return self.found(foreign)

    def found(self, foreign: Iterable[tuple[int, int]]) -> list[tuple[selectors.SelectorKey, int]]:
        """What `select` returns for these descriptors, which are asyncio's own."""
        found = ((self._keys.get(fd), mask) for fd, mask in foreign)
        return [(key, _to_events(mask) & key.events) for key, mask in found if key is not None]

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys

    def close(self) -> None:
        self._keys.clear()
        self.multiplexer.close()


def all_foreign(ready: Sequence[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    """What `dispatch` is while there is no relay."""
    return ready


def _fd_of(fileobj: Any) -> int:
    return fileobj if isinstance(fileobj, int) else int(fileobj.fileno())


def _to_mask(events: int) -> int:
    return (IN if events & selectors.EVENT_READ else 0) | (OUT if events & selectors.EVENT_WRITE else 0)


def _to_events(mask: int) -> int:
    # An error makes a descriptor both readable and writable, as in the standard library's selectors.
    return (selectors.EVENT_READ if mask & ~OUT else 0) | (selectors.EVENT_WRITE if mask & ~IN else 0)


class RelayEventLoop(asyncio.SelectorEventLoop):
    """A stock selector loop that offers its relay selector to `poller_for`.

    What a leg schedules while the selector dispatches must not wait for the next event of asyncio's own.
    """

    def __init__(self) -> None:
        self.relay_selector = RelaySelector()
        super().__init__(self.relay_selector)

    def call_soon(
        self, callback: Callable[[Unpack[_Ts]], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        self.relay_selector.recalled = True
        return super().call_soon(callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[Unpack[_Ts]], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        self.relay_selector.recalled = True
        return super().call_at(when, callback, *args, context=context)

    def stop(self) -> None:
        self.relay_selector.recalled = True
        super().stop()


def new_headless_loop() -> asyncio.AbstractEventLoop:
    """The loop for headless use: relay selector where there is epoll or kqueue, else the system's default."""
    return RelayEventLoop() if has_multiplexer() else asyncio.new_event_loop()


def poller_for(loop: asyncio.AbstractEventLoop) -> Poller:
    """The poller that suits `loop`: inside its selector, behind one reader, or on transports."""
    selector = getattr(loop, "relay_selector", None)
    if isinstance(selector, RelaySelector):
        if selector.poller is None:
            selector.poller = ReadyPoller(loop, selector.multiplexer)
        return selector.poller
    if has_multiplexer():
        return ReadyPoller(loop)
    from ssgui.engine.transports import TransportPoller

    return TransportPoller(loop)
