"""Lets other processes watch an engine's connections, over the control channel, without the engine feeling it.

A watcher is told what has changed since it was last told, when it is ready to hear: nothing is queued for one that is
slow, so it costs no more memory than the ids of what changed. All of them together may take a small share of the
time: the more there is to tell, the seldomer it is told.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from itertools import islice
from typing import Protocol

from ssgui.engine.stages import Reason
from ssgui.services.connections.changes import Changes
from ssgui.services.connections.records import Connection, Connections
from ssgui.services.control.client import PROTOCOL, Json, encode
from ssgui.services.control.watch_wire import Told, line_of, lines_of, row_of
from ssgui.services.diagnosis.evidence import Verdict

EVERY = 0.25  # seconds
MOST_WATCHERS = 16
_SHARE = 0.02  # of one core, all watchers together; above some 1,500 connections per second not all ends are told
_SLOWEST = 2.0  # seconds between two lines, whatever they cost
_QUIET = 1.0  # a line that says nothing new comes as often
_ROWS = 100  # in a line
_MOST_ENDED = 500  # of those that ended before somebody began to watch


class Destroyable(Protocol):
    """What can be closed."""

    def destroy(self, reason: Reason, /) -> None:
        """End it."""


class Watched(Protocol):
    """What is watched: rows that somebody keeps up to date while `begin` and `end` say that it is wanted."""

    @property
    def connections(self) -> Connections:
        """The rows. Valid between `begin` and `end`."""

    def begin(self) -> None:
        """Somebody watches now."""

    def end(self) -> None:
        """Nobody does any more."""

    def pull(self) -> None:
        """Bring the rows up to date, if nobody else does."""

    def verdict(self) -> Verdict | None:
        """What may be said about the server in use."""


class Watch:
    """The streams and requests of watchers. `about` says what process it is, in the first line."""

    def __init__(
        self, watched: Watched, about: Callable[[], Json], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._watched, self._about, self._clock = watched, about, clock
        self._ending = asyncio.Event()
        self._nobody = asyncio.Event()
        self._nobody.set()
        self.watchers = 0
        self._pulled = float("-inf")

    def hello(self) -> Json:
        """What process this is."""
        wall = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"protocol": PROTOCOL, "t": self._clock(), "time": wall, **self._about()}

    async def watch(self, request: Json) -> AsyncGenerator[bytes, None]:
        """Lines for one watcher, until it goes. ValueError when there are too many."""
        if self.watchers >= MOST_WATCHERS:
            raise ValueError(f"{MOST_WATCHERS} watch already")
        if not self.watchers:
            self._watched.begin()
            self._pulled = float("-inf")
        self.watchers += 1
        self._nobody.clear()
        changes = Changes()
        self._watched.connections.changes.append(changes)
        try:
            yield encode({"ok": True, **self.hello()})
            async with aclosing(self._follow(changes)) as lines:
                async for line in lines:
                    yield line
        finally:
            self._watched.connections.changes.remove(changes)
            self.watchers -= 1
            if not self.watchers:
                self._watched.end()
                self._nobody.set()

    async def stop(self, seconds: float = 0.5) -> None:
        """Tell those who watch that it ends. Who does not hear it in time is not waited for."""
        self._ending.set()
        try:
            async with asyncio.timeout(seconds):
                await self._nobody.wait()
        except TimeoutError:
            pass  # their connections are closed next

    # ---- what one is told

    async def _follow(self, changes: Changes) -> AsyncGenerator[bytes, None]:
        everything, told, said, last = True, 0.0, "", False
        while not last:
            last = self._ending.is_set()
            begun, spent = time.perf_counter(), 0.0
            self._pull(at_once=last)
            ids, lost = changes.take()
            lines = self._all(lost) if everything or lost else self._rows(sorted(ids))
            everything = False
            for line in lines:
                spent += time.perf_counter() - begun
                yield line
                told, begun = self._clock(), time.perf_counter()
            now, verdict = self._clock(), self._watched.verdict()
            if (gist := _gist(verdict)) != said or now - told >= _QUIET:
                yield line_of(Told(now, verdict=verdict))
                told, said = now, gist
            spent += time.perf_counter() - begun
            await self._rest(spent)
        yield line_of(Told(self._clock(), bye=True))

    def _pull(self, *, at_once: bool) -> None:
        """Watchers that wake at the same time share one look."""
        now = self._clock()
        if at_once or now - self._pulled >= EVERY / 2:
            self._pulled = now
            self._watched.pull()

    async def _rest(self, spent: float) -> None:
        pause = min(_SLOWEST, max(EVERY, spent / _SHARE * self.watchers))
        try:
            async with asyncio.timeout(pause):
                await self._ending.wait()
        except TimeoutError:
            pass  # time to look again

    def _all(self, lost: int) -> Iterator[bytes]:
        connections = self._watched.connections
        yield line_of(Told(self._clock(), sync=True, dropped=lost))
        ended = list(islice(reversed(connections.ended), _MOST_ENDED))
        yield from self._rows([*reversed(ended), *connections.live])
        yield line_of(Told(self._clock(), whole=True))

    def _rows(self, ids: list[int]) -> Iterator[bytes]:
        """Rows as they are when each line is made: who reads slowly hears of no past."""
        gone: list[int] = []
        for start in range(0, len(ids), _ROWS):
            found: list[Connection] = []
            for number in ids[start : start + _ROWS]:
                one = self._find(number)
                if one is None:
                    gone.append(number)
                else:
                    found.append(one)
            if found:
                yield from lines_of(self._clock(), [row_of(one) for one in found])
        if gone:
            yield line_of(Told(self._clock(), gone=gone, dropped=len(gone)))

    def _find(self, number: int) -> Connection | None:
        connections = self._watched.connections
        return connections.live.get(number) or connections.ended.get(number)


def _gist(verdict: Verdict | None) -> str:
    """What of it is news; that it grows older is none."""
    return "" if verdict is None else f"{verdict.kind} {verdict.server} {verdict.count} {verdict.reason} {verdict.why}"


def close_connections(handlers: Mapping[int, Destroyable], numbers: Iterable[int]) -> int:
    """End these, as a person asked; how many there were."""
    found = [handler for number in numbers if (handler := handlers.get(number)) is not None]
    for handler in found:
        handler.destroy(Reason.CLOSED_BY_USER)
    return len(found)


def ids_in(request: Json) -> list[int]:
    """The ids that a request to close names. ValueError when it names none properly."""
    ids = request.get("ids")
    if not isinstance(ids, list) or not all(isinstance(one, int) and not isinstance(one, bool) for one in ids):
        raise ValueError('"ids" is a list of numbers')
    return ids
