"""Connections that have ended, kept on the disk as far as the person wants: on or off, for how long, hosts or none.

A listener of `Connections` that only puts them into a list. Every few seconds the list is written in one batch, in a
thread; nothing of the disk is ever waited for on the loop. While it cannot be written the last are held, and it is
said once.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Final, TypeVar

from ssgui.config.app_config import HistoryHosts, Settings
from ssgui.engine.tasks import run_blocking, spawn
from ssgui.services.connections.records import Connection, Listener
from ssgui.services.history.file import BegunAnewError, HistoryError, HistoryFile
from ssgui.services.history.queries import Answer, Query, answer, traffic_of
from ssgui.services.history.rows import row_of

BATCH_SECONDS: Final = 5.0
AGAIN_SECONDS: Final = 60.0  # after which what could not be written is tried again
TIDY_SECONDS: Final = 3600.0  # how often the age of what is kept is looked at
EARLY: Final = 1000  # so many are not held any longer
MOST_WAITING: Final = 8000
DAYS: Final = (1, 365)
MEGABYTES: Final = (5, 2000)
_log = logging.getLogger("ssgui")
_T = TypeVar("_T")


_Held = tuple[Connection, float, HistoryHosts]  # what ended, how far Unix time was ahead then, how hosts were kept
_STRICT: Final = (HistoryHosts.NONE, HistoryHosts.HASHED, HistoryHosts.CLEAR)


class History(Listener):
    """`changed` are called when something that is shown has changed. Without `keep` nothing is ever written.

    `passing` says of a server's name that nothing that goes through it is to be kept.
    """

    def __init__(
        self, folder: Path, settings: Callable[[], Settings], *, keep: bool = True,
        passing: Callable[[str], bool] = lambda _: False, wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic, file: HistoryFile | None = None,
    ) -> None:  # fmt: skip
        self.file = file or HistoryFile(folder, wall=wall)
        self._settings, self._keep, self._passing = settings, keep, passing
        self._wall, self._clock = wall, clock
        self.changed: list[Callable[[], None]] = []
        self._troubles: dict[str, str] = {}  # what of the work cannot be done now, and why
        self.lost = 0  # connections that could not be held until the disk took them again
        self.cleared = False  # it was taken away, and can be brought back
        self._waiting: deque[_Held] = deque(maxlen=MOST_WAITING)
        self._followed: tuple[object, ...] = ()  # the settings
        self._on, self._mode = False, HistoryHosts.NONE
        self._hosts: HistoryHosts | None = None  # as the file has them
        self._batch: asyncio.TimerHandle | None = None  # when the list is written
        self._hourly: asyncio.TimerHandle | None = None  # when ages are looked at
        self._work: asyncio.Task[None] | None = None
        self._wanted = False  # more work came while some was being done
        self._tidied = -TIDY_SECONDS
        self._stopped = True

    @property
    def trouble(self) -> str:
        """Why nothing is kept now, "" if all is well."""
        return next(iter(self._troubles.values()), "")

    def size(self) -> int:
        """Bytes on the disk."""
        return self.file.bytes()

    # ---- life

    def start(self) -> None:
        """Begin to put the file in order (what was cleared, what is too old, how hosts are named), and to write."""
        self._stopped = not self._keep
        self.follow()

    def follow(self) -> None:
        """The settings may have changed."""
        settings = self._settings()
        wanted = settings.keep_history, settings.history_hosts, settings.history_days, settings.history_megabytes
        if wanted == self._followed:
            return
        self._on, self._mode = self._keep and settings.keep_history, settings.history_hosts
        if not self._stopped:
            self._followed = wanted
            self._tidied = -TIDY_SECONDS
            self._begin_work()

    async def settled(self) -> None:
        """Wait until what is to be done now is done."""
        while self._work is not None:
            await asyncio.wait([self._work])

    async def stop(self) -> None:
        """Write what is held, and finish what was being cleared."""
        if self._stopped:
            return
        self._begin_work()
        await self.settled()
        self._stopped = True
        self._cancel_timers()
        await self._try(self._end)

    def _end(self) -> None:
        self.file.close()
        if self.cleared:
            self.file.wipe()

    # ---- what happens to connections

    def closed(self, one: Connection) -> None:
        """It is held until the next batch; what day it was is asked now, for clocks are set."""
        if not self._on or not one.target or (one.server and self._passing(one.server)):
            return
        if len(self._waiting) == MOST_WAITING:
            self.lost += 1
        self._waiting.append((one, self._wall() - self._clock(), self._mode))
        if self._stopped:
            return
        if self._batch is None:
            self._write_later()
        elif len(self._waiting) == EARLY and not self._troubles:
            self._begin_work()

    # ---- work, one thing after the other

    def _write_later(self) -> None:
        seconds = AGAIN_SECONDS if self.trouble else BATCH_SECONDS
        self._batch = asyncio.get_running_loop().call_later(seconds, self._begin_work)

    def _cancel_timers(self) -> None:
        for timer in (self._batch, self._hourly):
            if timer is not None:
                timer.cancel()
        self._batch = self._hourly = None

    def _begin_work(self) -> None:
        self._cancel_timers()
        self._wanted = True
        if self._work is None:
            self._work = spawn(self._work_off(), name="keep the history")

    async def _work_off(self) -> None:
        try:
            while self._wanted:
                self._wanted = False
                await self._write()
                await self._follow_hosts()
                await self._tidy()
        finally:
            self._work = None
            if not self._stopped:
                self._hourly = asyncio.get_running_loop().call_later(TIDY_SECONDS, self._begin_work)
                if self._waiting and self._batch is None:
                    self._write_later()
            self._tell()

    async def _write(self) -> None:
        if self.cleared or not self._waiting:
            return
        batch = list(self._waiting)
        self._waiting.clear()
        try:
            await self._blocking(self._add, batch, self._mode)
        except HistoryError as error:
            self._failed("write", error)
            room = MOST_WAITING - len(self._waiting)
            self.lost += max(0, len(batch) - room)
            self._waiting.extendleft(reversed(batch[-room:] if room else []))
        else:
            self._worked("write")

    def _add(self, batch: list[_Held], now: HistoryHosts) -> None:
        """Hosts are kept as was wanted when a connection ended, or as is wanted now, where that is less."""
        for then, held in groupby(batch, key=lambda one: one[2]):
            rows = [row for one, ahead, _ in held if (row := row_of(one, ahead)) is not None]
            if rows:
                self.file.add(rows, min(then, now, key=_STRICT.index))

    async def _follow_hosts(self) -> None:
        wanted = self._mode
        if self.cleared or wanted is self._hosts:
            return
        if await self._try(self.file.begin if self._hosts is None else self.file.rename, wanted):
            self._hosts = wanted

    async def _tidy(self) -> None:
        settings = self._settings()
        megabytes = min(MEGABYTES[1], max(MEGABYTES[0], settings.history_megabytes))
        due = self._clock() - self._tidied >= TIDY_SECONDS
        if self.cleared or not (due or await run_blocking(self.file.too_large, megabytes)):
            return
        days = min(DAYS[1], max(DAYS[0], settings.history_days))
        if await self._try(self.file.tidy, days, megabytes):
            self._tidied = self._clock()

    async def _try(self, work: Callable[..., None], *args: object) -> bool:
        try:
            await self._blocking(work, *args)
        except HistoryError as error:
            self._failed(work.__name__, error)
        except OSError as error:
            self._failed(work.__name__, HistoryError(error.strerror or str(error)))
        else:
            self._worked(work.__name__)
            return True
        return False

    @staticmethod
    async def _blocking(work: Callable[..., _T], *args: object) -> _T:
        try:
            return await run_blocking(work, *args)
        except BegunAnewError:
            return await run_blocking(work, *args)

    def _failed(self, work: str, error: HistoryError) -> None:
        if not self._troubles:
            _log.error("the history is not kept: %s", error)
        self._troubles[work] = str(error)

    def _worked(self, work: str) -> None:
        if self._troubles.pop(work, None) is not None and not self._troubles:
            _log.info("the history is kept again; %d connections are not in it", self.lost)
        if work == "write":
            self.lost = 0

    def _tell(self) -> None:
        for listener in list(self.changed):
            listener()

    # ---- asking

    async def look(self, query: Query) -> Answer:
        """What is listed. HistoryError."""
        await self._written()
        return await self._ask(lambda db, naming: answer(db, naming, query), Answer())

    async def traffic_of(self, day: int) -> dict[str, tuple[int, int]]:
        """Bytes up and down through each server on one day. HistoryError."""
        return await self._ask(lambda db, _: traffic_of(db, day), {})

    async def _written(self) -> None:
        """What has ended is to be seen, also if it ended just now."""
        if self._waiting and not self.trouble and not self._stopped:
            self._begin_work()
            await self.settled()

    async def _ask(self, question: Callable[..., _T], nothing: _T) -> _T:
        if not self._keep:
            return nothing
        said = len(self.file.said)
        try:
            return await self._blocking(self.file.ask, question, self._mode, nothing)
        finally:
            if len(self.file.said) != said:
                self._tell()

    # ---- forgetting

    async def clear(self) -> None:
        """Take all of it away. It can be brought back until `forget`. HistoryError."""
        if self.cleared:
            return
        await self._written()
        await self.settled()
        self._waiting.clear()
        if await self._try(self.file.hide):
            self.cleared = True
            self._tell()
        else:
            raise HistoryError(self.trouble)

    async def bring_back(self) -> None:
        """What was cleared is there again."""
        if self.cleared and await self._try(self.file.bring_back):
            self.cleared = False
            self._begin_work()
            await self.settled()

    async def forget(self) -> None:
        """What was cleared is overwritten, and gone."""
        if self.cleared and await self._try(self.file.wipe):
            self.cleared = False
            self._begin_work()
            await self.settled()
