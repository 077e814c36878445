"""Notices that this machine slept, or that its network changed, came or went.

The system tells at once where it can (rtnetlink, logind, and what a front end passes on by `heard` and `woke`). A
look every two seconds finds the same everywhere, if later.
"""

import asyncio
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ssgui.engine.tasks import spawn
from ssgui.system.interfaces import ChangesOfInterfaces
from ssgui.system.network import NetworkState, look_at_network
from ssgui.system.power_windows import WindowsPower
from ssgui.system.sleep import Logind, SleepClock

LOOK_SECONDS = 2.0
SETTLE_SECONDS = 0.2  # a change comes as a dozen messages
_log = logging.getLogger("ssgui")


@dataclass(frozen=True, slots=True)
class News:
    """What was noticed. `turned`: what was known about servers before is worth nothing now; `moved`: this machine has
    not one of the addresses any more by which it reached its target."""

    state: NetworkState
    slept: bool
    turned: bool
    moved: bool = False


class Source(Protocol):
    """Something that tells of changes until it is closed."""

    def close(self) -> None:
        """Tell no more."""


class Awake:
    """Calls `told` when something was noticed. `target` names the host that the way must lead to, "" for any."""

    def __init__(
        self,
        target: Callable[[], str],
        told: Callable[[News], None],
        *,
        look: Callable[[str], NetworkState] = look_at_network,
        clock: SleepClock | None = None,
    ) -> None:
        self._target, self._told, self.look_at = target, told, look
        self._clock = clock or SleepClock(LOOK_SECONDS)
        self.state = look(target())
        self._looked_for = target()
        self._slept = self._heard = self._due_soon = False
        self._timer: asyncio.TimerHandle | None = None
        self._sources: list[Source] = []
        self._starting: asyncio.Task[None] | None = None
        self._outside: bool | None = None
        self._was_online = self.online

    @property
    def online(self) -> bool:
        """Whether there is a way to the target."""
        return self.state.online and (self._outside is not False or self.state.near)

    # ---- life

    def start(self) -> None:
        """Begin to listen and to look."""
        loop = asyncio.get_running_loop()
        self._look()  # the target may be known only now
        self._timer = loop.call_later(LOOK_SECONDS, self._tick)
        try:
            self._sources.append(ChangesOfInterfaces(loop, self.heard))
        except OSError as error:
            _log.debug("the network is only looked at: %s", error)
        if sys.platform == "win32":
            try:
                self._sources.append(WindowsPower(loop, self.woke))
            except OSError as error:
                _log.debug("sleep is seen by the clocks only: %s", error)
        elif sys.platform == "linux":
            self._starting = spawn(self._listen_for_sleep(), name="listening for sleep")

    async def _listen_for_sleep(self) -> None:
        logind = Logind(self.woke)
        try:
            await logind.start()
        except Exception as error:  # noqa: BLE001  of whatever kind: there is no such bus, or no such library
            _log.debug("sleep is seen by the clocks only: %s", error)
        else:
            self._sources.append(logind)

    async def stop(self) -> None:
        """Listen no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])
        for source in self._sources:
            source.close()
        self._sources.clear()

    # ---- what is heard

    def heard(self) -> None:
        """Something about the network changed."""
        self._heard = True
        self._soon()

    def woke(self) -> None:
        """The machine was asleep."""
        self._slept = True
        self._soon()

    def outside(self, online: bool | None) -> None:
        """What a system says that cannot be asked for its interfaces; None for nothing."""
        if self._outside != online:
            self._outside = online
            self.heard()

    def target_changed(self) -> None:
        """Another server is in use."""
        if self._target() != self._looked_for:
            self._look()

    def _soon(self) -> None:
        """Not later because of more that comes: it may never end."""
        if self._timer is not None and not self._due_soon:
            self._timer.cancel()
            self._due_soon = True
            self._timer = asyncio.get_running_loop().call_later(SETTLE_SECONDS, self._tick)

    def _tick(self) -> None:
        self._due_soon = False
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._tick)
        self._look()

    def _look(self) -> None:
        slept = self._clock.slept() or self._slept
        target, before, was_online = self._target(), self.state, self._was_online
        self.state = self.look_at(target)
        same_target, any_target, self._looked_for = target == self._looked_for, not self._looked_for, target
        changed = self.state != before
        came = any_target and self.online and not was_online  # between the first two looks
        turned = slept or came or (same_target and (was_online != self.online or self.state.ways != before.ways))
        heard, self._heard, self._slept = self._heard, False, False
        self._was_online = self.online
        if turned or heard or changed:
            moved = bool(before.ways) and not any(self.state.has((way, 0)) for way in before.ways)
            self._told(News(self.state, slept, turned, same_target and moved))
