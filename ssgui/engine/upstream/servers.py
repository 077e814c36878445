"""The servers of one client, as they come and go: those that stay keep all that is known of them.

The plugin of a server that is no longer wanted runs on until the last connection through it has ended.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from ssgui.config.models import LocalSettings
from ssgui.engine.tasks import spawn
from ssgui.engine.upstream.server import Upstream

_LOOK_SECONDS = 1.0


class Upstreams:
    """`current` are those that connections may be given; `in_use` tells which of them all have connections."""

    def __init__(self, settings: LocalSettings, in_use: Callable[[], set[Upstream]]) -> None:
        self.current = _made(settings, ())
        self._in_use = in_use
        self._former: list[Upstream] = []
        self._parting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the plugins. PluginError, and none of them runs, when one does not start."""
        await _start(self.current)

    async def change(self, settings: LocalSettings) -> None:
        """Have the servers of `settings`. PluginError, and all is as it was, when a new one's plugin does not start."""
        wanted = _made(settings, self.current)
        await _start([one for one in wanted if one not in self.current])
        self._former += [one for one in self.current if one not in wanted and one.plugin is not None]
        self.current = wanted
        if self._former and self._parting is None:
            self._parting = spawn(self._part(), name="plugins of servers that are no longer wanted")

    async def _part(self) -> None:
        while self._former:
            used = self._in_use()
            leaving = [one for one in self._former if one not in used]
            self._former = [one for one in self._former if one in used]
            await _stop(leaving)
            if self._former:
                await asyncio.sleep(_LOOK_SECONDS)
        self._parting = None

    async def stop(self) -> None:
        """Stop every plugin, whoever uses it."""
        if self._parting is not None:
            self._parting.cancel()
            await asyncio.gather(self._parting, return_exceptions=True)
        await _stop((*self.current, *self._former))


def _made(settings: LocalSettings, known: Sequence[Upstream]) -> tuple[Upstream, ...]:
    legacy = settings.legacy_methods
    kept = {one.profile: one for one in known if one.legacy == legacy}
    return tuple(kept.get(profile) or Upstream(profile, legacy) for profile in settings.servers)


async def _start(some: Sequence[Upstream]) -> None:
    started = await asyncio.gather(*(one.start() for one in some), return_exceptions=True)
    failed = [one for one in started if isinstance(one, BaseException)]
    if failed:
        await _stop(some)
        raise failed[0]


async def _stop(some: Iterable[Upstream]) -> None:
    await asyncio.gather(*(one.stop() for one in some))
