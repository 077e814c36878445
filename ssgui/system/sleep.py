"""When this machine was asleep: told by logind, and seen at the clocks, which is possible everywhere."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbus_fast.aio import MessageBus

_LEAST = 1.0  # of sleep, by a clock that counts nothing else
_LEAST_BY_WALL = 5.0  # the wall clock may also have been set
_LATE = 10.0
_LOGIND, _PATH, _MANAGER = "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"


def _since_boot() -> float | None:
    clock = getattr(time, "CLOCK_BOOTTIME", None)  # Linux: as the monotonic clock, and it goes on during sleep
    return time.clock_gettime(clock) if clock is not None else None


class SleepClock:
    """Looked at regularly, it tells sleep from time that passed awake.

    With a clock that counts sleep: by its difference to one that does not. Elsewhere the wall clock must do (macOS),
    and a look that comes much too late (Windows, where all clocks count sleep).
    """

    def __init__(
        self,
        every: float,
        *,
        awake: Callable[[], float] = time.monotonic,
        boot: Callable[[], float | None] = _since_boot,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._every, self._awake, self._boot, self._wall = every, awake, boot, wall
        self._before = self._now()

    def _now(self) -> tuple[float, float | None, float]:
        return self._awake(), self._boot(), self._wall()

    def slept(self) -> bool:
        """Whether this machine was asleep since the last look."""
        (awake, boot, wall), self._before = self._before, self._now()
        now, now_boot, now_wall = self._before
        passed = now - awake
        if boot is not None and now_boot is not None:
            return now_boot - boot - passed > _LEAST
        return now_wall - wall - passed > _LEAST_BY_WALL or passed - self._every > _LATE


class Logind:
    """Calls `woke` when logind says that the system resumes (PrepareForSleep, org.freedesktop.login1(5))."""

    def __init__(self, woke: Callable[[], None]) -> None:
        self._woke = woke
        self._bus: MessageBus | None = None

    async def start(self) -> None:
        """Listen on the system's bus. OSError or another error of the bus when there is none."""
        from dbus_fast import BusType, Message, MessageType
        from dbus_fast.aio import MessageBus

        bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        rule = f"type='signal',sender='{_LOGIND}',path='{_PATH}',interface='{_MANAGER}',member='PrepareForSleep'"

        def said(message: Message) -> None:
            if message.message_type is MessageType.SIGNAL:
                self._said(message)

        bus.add_message_handler(said)
        self._bus = bus
        await bus.call(
            Message(
                destination="org.freedesktop.DBus", path="/org/freedesktop/DBus", interface="org.freedesktop.DBus",
                member="AddMatch", signature="s", body=[rule],
            )
        )  # fmt: skip

    def _said(self, message: Any) -> None:
        if message.member == "PrepareForSleep" and message.interface == _MANAGER and message.body == [False]:
            self._woke()

    def close(self) -> None:
        """Listen no more."""
        bus, self._bus = self._bus, None
        if bus is not None:
            bus.disconnect()
