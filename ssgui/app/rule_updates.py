"""Lists of rules, fetched when they are due or asked for: checked before they replace the last that was good."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec

from ssgui.app.context import AppContext
from ssgui.app.own_proxy import own_proxy
from ssgui.config.app_config import RuleSource
from ssgui.engine.tasks import run_blocking, spawn
from ssgui.rules.reader import ListError
from ssgui.services.fetching import Answer, FetchError, Limits, fetch
from ssgui.services.rules.lists import MOST_BYTES

_HOUR = 3600.0
_AGAIN = 1800.0  # seconds until a list that could not be had is tried again by itself
_SECONDS = 120.0  # some are of megabytes, and the way may be slow
_log = logging.getLogger("ssgui")
Fetch = Callable[..., Awaitable[Answer]]


class RuleUpdates:
    """Updates in the background; the rules tell of what comes of it."""

    def __init__(self, context: AppContext, get: Fetch = fetch, clock: Callable[[], float] = time.time) -> None:
        self._context, self._rules, self._get, self._clock = context, context.rules, get, clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._tried: dict[str, float] = {}

    def update_due(self) -> None:
        """Fetch those in use that are older than their hours, or were never had."""
        now = self._clock()
        for source in self._context.config.rule_lists:
            fresh = 0 <= now - source.updated < source.hours * _HOUR
            tried = 0 <= now - self._tried.get(source.id, -_AGAIN) < _AGAIN
            if source.url and source.enabled and not fresh and not tried and self._could():
                self.update(source.id)

    def update(self, identity: str = "", *, directly: bool = False) -> None:
        """Fetch one, or all that are in use, unless that is under way."""
        for source in self._context.config.rule_lists:
            wanted = source.id == identity if identity else source.enabled
            if wanted and source.url and source.id not in self._tasks:
                self._tried[source.id] = self._clock()
                self._rules.progress[source.id] = 0.0
                task = self._tasks[source.id] = spawn(
                    self._update(source, directly or self._directly()), name="update a list of rules"
                )
                task.add_done_callback(partial(self._ended, source.id))
        self._rules.tell()

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    def stop(self) -> None:
        """Let go of what has not ended."""
        for task in list(self._tasks.values()):
            task.cancel()

    def _directly(self) -> bool:
        return self._context.config.settings.fetch_directly

    def _could(self) -> bool:
        return self._directly() or bool(own_proxy(self._context))

    def _ended(self, identity: str, _task: asyncio.Task[None]) -> None:
        self._tasks.pop(identity, None)
        self._rules.progress.pop(identity, None)
        self._rules.tell()

    async def _update(self, source: RuleSource, directly: bool) -> None:
        try:
            await self._fetch(source, directly)
        except (FetchError, ListError) as error:
            why = str(error)
        except OSError as error:
            why = f"it cannot be kept: {error.strerror or error}"
        else:
            return
        _log.warning("the list %s is not updated: %s", source.name, why)
        self._put(source.id, error=why)

    async def _fetch(self, source: RuleSource, directly: bool) -> None:
        before = self._rules.made.lists.get(source.id)
        proxy = own_proxy(self._context)
        if not proxy and not directly:
            raise FetchError("our own port does not listen, and lists are not fetched past it")
        limits = Limits(MOST_BYTES, _SECONDS, partial(self._rules.progress.__setitem__, source.id))
        answer = await self._get(
            source.url, proxy=proxy, etag=source.etag if before is not None else "", directly=directly, limits=limits,
            opened=self._context.proxy.own, dated=self._context.clock.heard_date,
        )  # fmt: skip
        if not answer.unchanged:
            await run_blocking(self._rules.folder.replace, source, answer.data, before)
            self._rules.list_changed(source.id)
        self._put(source.id, updated=self._clock(), error="", etag=answer.etag or source.etag)

    def _put(self, identity: str, **values: object) -> None:
        config = self._context.config
        changed = tuple(
            msgspec.structs.replace(one, **values) if one.id == identity else one for one in config.rule_lists
        )
        self._context.change(msgspec.structs.replace(config, rule_lists=changed))
