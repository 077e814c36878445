"""Reads the settings again (SIGHUP) and has what runs go on with them, by difference.

Settings that are wrong are said, and what ran before goes on.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from ssgui.config.models import LocalSettings, ServerSettings
from ssgui.config.options import Options
from ssgui.config.values import ConfigError
from ssgui.engine.errors import EngineError
from ssgui.engine.tasks import spawn
from ssgui.protocol.errors import LocalProtocolError

TAKE_ERRORS = (ConfigError, EngineError, LocalProtocolError)
_log = logging.getLogger("ssgui")


@dataclass(frozen=True, slots=True)
class Settings:
    """What flags, files and environment say: a client, or servers; and the `options` that they were made of."""

    local: LocalSettings | None = None
    servers: tuple[ServerSettings, ...] = ()
    options: Options = field(default_factory=Options)


def as_they_are(settings: Settings) -> Callable[[], Awaitable[Settings]]:
    """What reads settings that nobody can change."""

    async def read() -> Settings:
        return settings

    return read


class Reloader:
    """`read` gives the settings, ConfigError if they are wrong; `take` goes on with them and says how.

    `taken` and `refused` count what came of it.
    """

    def __init__(self, read: Callable[[], Awaitable[Settings]], take: Callable[[Settings], Awaitable[object]]) -> None:
        self._read, self._take = read, take
        self._task: asyncio.Task[None] | None = None
        self._again = self._over = False
        self.taken = self.refused = 0

    def begin(self) -> None:
        """Begin; if it is at work already, once more after that."""
        if self._over:
            return
        if self._task is not None:
            self._again = True
        else:
            self._task = spawn(self._run(), name="reading the settings again")

    async def end(self) -> None:
        """Give up what was begun, and begin nothing more."""
        self._over = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            self._again = True
            while self._again:
                self._again = False
                await self._once()
        finally:
            self._task = None

    async def _once(self) -> None:
        _log.info("reading the settings again")
        try:
            outcome = await self._take(await self._read())
        except TAKE_ERRORS as error:
            self.refused += 1
            _log.error("the settings were not taken, and what ran before goes on: %s", error)
        else:
            self.taken += 1
            _log.info("the settings were taken: %s", outcome)
