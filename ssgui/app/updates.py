"""Looks for a newer version at most once a day, through our own port, and remembers what was found."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable

from ssgui import __version__
from ssgui.app.context import AppContext
from ssgui.app.own_proxy import own_proxy
from ssgui.config.atomic_file import write_atomically
from ssgui.engine.tasks import run_blocking, spawn
from ssgui.services.updates import Latest, Releases, UpdateError, is_newer, look_up

NAME = "updates.json"
_DAY = 86_400.0
_MOST_BYTES = 10_000
_log = logging.getLogger("ssgui")
LookUp = Callable[..., Awaitable[Latest]]


class Updates:
    """`told` is called with a version that is newer than `current`, once a run for each."""

    def __init__(
        self, context: AppContext, place: Releases, told: Callable[[str], None], get: LookUp = look_up,
        clock: Callable[[], float] = time.time, current: str = __version__,
    ) -> None:  # fmt: skip
        self._context, self._place, self._told = context, place, told
        self._get, self._clock, self._current = get, clock, current
        self._path = context.store.folder / NAME
        self._checked, self._read_yet = 0.0, False
        self._etag = self._version = self._said = ""
        self._task: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Look if it is time, it is wanted, and our own port listens: a direct look would tell who watches."""
        wanted = self._context.config.settings.check_updates and self._context.run is None
        if wanted and self._task is None and (proxy := own_proxy(self._context)):
            self._task = spawn(self._look(proxy), name="look for a new version")
            self._task.add_done_callback(self._ended)

    def stop(self) -> None:
        """Let go of what has not ended."""
        if self._task is not None:
            self._task.cancel()

    def _ended(self, _task: asyncio.Task[None]) -> None:
        self._task = None

    async def _look(self, proxy: str) -> None:
        if not self._read_yet:
            self._read_yet = True
            self._checked, self._etag, self._version = await run_blocking(self._read)
        now = self._clock()
        if not 0 <= now - self._checked < _DAY:
            await self._ask(proxy, now)
        if is_newer(self._version, self._current) and self._version != self._said:
            self._said = self._version
            self._told(self._version)

    async def _ask(self, proxy: str, now: float) -> None:
        self._checked = now  # also where it fails: no more than once a day
        try:
            found = await self._get(
                self._place, proxy=proxy, etag=self._etag, opened=self._context.proxy.own,
                dated=self._context.clock.heard_date,
            )  # fmt: skip
        except UpdateError as error:
            _log.info("the latest version is not known: %s", error)
        else:
            self._etag = found.etag
            self._version = self._version if found.unchanged else found.version
        try:
            await run_blocking(self._write)
        except OSError as error:
            _log.info("%s is not kept: %s", NAME, error.strerror or error)

    def _read(self) -> tuple[float, str, str]:
        try:
            with self._path.open("rb") as file:
                tree = json.loads(file.read(_MOST_BYTES))
            checked, etag, version = tree["checked"], tree["etag"], tree["version"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return 0.0, "", ""
        good = isinstance(checked, int | float) and isinstance(etag, str) and isinstance(version, str)
        return (float(checked), etag, version) if good else (0.0, "", "")

    def _write(self) -> None:
        tree = {"checked": self._checked, "etag": self._etag, "version": self._version}
        write_atomically(self._path, json.dumps(tree).encode())
