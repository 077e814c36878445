"""What ssgui is in this system besides a window: asked and changed in threads, and known in between."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from ssgui.app.folders import usual_folder
from ssgui.engine.tasks import run_blocking, spawn
from ssgui.system.integration.choose import system_settings
from ssgui.system.integration.setting import Feature, IntegrationError, Settings

_log = logging.getLogger("ssgui")


class Integration:
    """`on` is what was seen last, `errors` why something could not be changed. `changed` are called after both."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.on: dict[Feature, bool] = {}
        self.errors: dict[Feature, str] = {}
        self.changed: list[Callable[[], None]] = []
        self._work: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Ask the system: its own settings may have changed something."""
        self._start(self._look(tuple(self.settings)))

    def turn(self, feature: Feature, on: bool) -> None:
        """A person wants it so."""
        self._start(self._turn(feature, on))

    async def settled(self) -> None:
        """Wait until what was begun is done."""
        if self._work is not None:
            await asyncio.wait([self._work])

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        """One at a time, in their order."""
        before = self._work
        self._work = spawn(self._after(before, work), name="settings of the system")

    @staticmethod
    async def _after(before: asyncio.Task[None] | None, work: Coroutine[Any, Any, None]) -> None:
        if before is not None:
            await asyncio.wait([before])
        await work

    async def _look(self, features: tuple[Feature, ...]) -> None:
        for feature in features:
            try:
                self.on[feature] = await run_blocking(self.settings[feature].is_on)
            except IntegrationError as error:
                _log.info("%s: %s", feature, error)
                self.on[feature] = False
        self._tell()

    async def _turn(self, feature: Feature, on: bool) -> None:
        self.errors.pop(feature, None)
        try:
            await run_blocking(self.settings[feature].turn, on)
        except IntegrationError as error:
            _log.warning("%s could not be turned %s: %s", feature, "on" if on else "off", error)
            self.errors[feature] = str(error)
        await self._look((feature,))

    def _tell(self) -> None:
        for listener in list(self.changed):
            listener()


def own_settings(folder: Path) -> Settings:
    """Those of this system, for the app whose data directory is `folder`."""
    usual = usual_folder() == folder.absolute()
    return system_settings(() if usual else ("--data-dir", str(folder.absolute())))
