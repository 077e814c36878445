"""Signals: what ends a headless program, and how.

SIGTERM and SIGINT: stop listening, give connections 2 s, exit 0. A second one ends it now, with the exit code
of the signal (143, 130). SIGQUIT, as in the original: stop listening and end, with 0, when the last connection
has; SIGTERM or SIGINT meanwhile are as above. SIGHUP: read the settings again; but if it comes because the terminal
has gone it is as SIGTERM.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Coroutine, Iterator
from typing import Any, Protocol

from ssgui.engine.tasks import spawn
from ssgui.system.own_terminal import has_terminal

GRACE_SECONDS = 2.0
_SIGNALS = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGBREAK")
_DRAIN, _AGAIN = getattr(signal, "SIGQUIT", None), getattr(signal, "SIGHUP", None)
_log = logging.getLogger("ssgui")


class Stoppable(Protocol):
    """What serves: an engine, or workers that have one each."""

    def close_listeners(self) -> None:
        """Accept no more connections; those that are open go on."""

    async def drained(self) -> None:
        """Wait until no connection is left."""

    async def stop(self, grace: float, /) -> None:
        """End connections that have not ended within `grace` seconds, and give everything back."""


class Reloading(Protocol):
    """What reads the settings again."""

    def begin(self) -> None:
        """Begin; if it is at work already, once more after that."""

    async def end(self) -> None:
        """Give up what was begun, and begin nothing more."""


@contextlib.contextmanager
def signals() -> Iterator[asyncio.Queue[int]]:
    """A queue of the signals that arrive while this lasts. One that the starter has ignored (nohup) stays ignored."""
    queue: asyncio.Queue[int] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    numbers = [one for one in numbers if not (one == _AGAIN and signal.getsignal(one) is signal.SIG_IGN)]
    previous = {number: signal.getsignal(number) for number in numbers}

    def from_system(number: int, frame: object) -> None:
        loop.call_soon_threadsafe(queue.put_nowait, number)

    for number in numbers:
        try:
            loop.add_signal_handler(number, queue.put_nowait, number)
        except NotImplementedError:  # Windows
            signal.signal(number, from_system)
    try:
        yield queue
    finally:
        for number in numbers:
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, previous[number] or signal.SIG_DFL)


async def until_stopped(served: Stoppable, queue: asyncio.Queue[int], reloading: Reloading) -> int:
    """Wait for a signal and stop what is served as it asks; the exit code."""
    with_terminal = has_terminal()
    number: int | None = await queue.get()
    while number == _AGAIN and not (with_terminal and not has_terminal()):
        reloading.begin()
        number = await queue.get()
    await reloading.end()
    if number == _DRAIN:
        _log.info("no longer listening; ending with the last connection")
        served.close_listeners()
        while number == _DRAIN:
            number = await _first(served.drained(), queue)
        if number is None:
            await served.stop(0)
            return 0
    _log.info("stopping")
    number = await _first(served.stop(GRACE_SECONDS), queue)
    if number is None:
        return 0
    await served.stop(0)
    return 128 + number


async def _first(work: Coroutine[Any, Any, None], queue: asyncio.Queue[int]) -> int | None:
    """Wait for `work`, or for a signal, which ends the work; the signal's number, None for the work."""
    working, waiting = spawn(work, name="stopping"), spawn(_next_end(queue), name="next signal")
    try:
        await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
            return None
        return waiting.result()
    finally:
        working.cancel()
        waiting.cancel()
        await asyncio.wait((working, waiting))


async def _next_end(queue: asyncio.Queue[int]) -> int:
    while (number := await queue.get()) == _AGAIN:
        _log.info("it is about to end: the settings are not read again")
    return number
