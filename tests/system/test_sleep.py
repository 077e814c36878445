"""Sleep is told by logind, on a bus of the test's own, and seen at clocks."""

import asyncio
from pathlib import Path

import pytest
from dbus_fast import Message
from dbus_fast.aio import MessageBus

from ssgui.system.sleep import Logind, SleepClock
from tests.engine.world import until
from tests.support.desktop import session_bus

_MANAGER = "org.freedesktop.login1.Manager"


class Clocks:
    def __init__(self) -> None:
        self.awake, self.boot, self.wall = 100.0, 5000.0, 1_000_000.0

    def clock(self, *, counts_sleep: bool = True) -> SleepClock:
        boot = (lambda: self.boot) if counts_sleep else lambda: None
        return SleepClock(2.0, awake=lambda: self.awake, boot=boot, wall=lambda: self.wall)

    def run(self, seconds: float) -> None:
        self.awake, self.boot, self.wall = self.awake + seconds, self.boot + seconds, self.wall + seconds

    def sleep(self, seconds: float) -> None:
        self.boot, self.wall = self.boot + seconds, self.wall + seconds


@pytest.mark.parametrize("counts_sleep", [True, False])
def test_sleep_is_told_from_time_that_passed(counts_sleep: bool) -> None:
    clocks = Clocks()
    clock = clocks.clock(counts_sleep=counts_sleep)
    clocks.run(2.1)
    assert not clock.slept()
    clocks.run(2)
    clocks.sleep(30)
    assert clock.slept()
    assert not clock.slept()


def test_a_clock_that_is_set_is_no_sleep() -> None:
    clocks = Clocks()
    clock = clocks.clock()
    clocks.wall += 3600
    clocks.run(20)  # nor is a machine that was busy
    assert not clock.slept()


def test_where_every_clock_counts_sleep_a_late_look_tells() -> None:
    clocks = Clocks()
    clock = clocks.clock(counts_sleep=False)
    clocks.run(5)
    assert not clock.slept()
    clocks.run(60)
    assert clock.slept()


def test_real_clocks_run_together() -> None:
    assert not SleepClock(2.0).slept()


def test_logind_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    async def say(bus: MessageBus, member: str, value: bool) -> None:
        await bus.send(Message.new_signal("/org/freedesktop/login1", _MANAGER, member, "b", [value]))

    async def scenario(address: str) -> None:
        woken: list[int] = []
        manager = await MessageBus(bus_address=address).connect()
        await manager.request_name("org.freedesktop.login1")
        logind = Logind(lambda: woken.append(1))
        await logind.start()
        try:
            await say(manager, "PrepareForSleep", True)
            await say(manager, "PrepareForShutdown", False)
            assert not woken
            await say(manager, "PrepareForSleep", False)
            await until(lambda: woken)
            await say(manager, "PrepareForSleep", False)
            await until(lambda: len(woken) == 2)  # and so nothing else was counted before
        finally:
            logind.close()
            manager.disconnect()
            await manager.wait_for_disconnect()  # type: ignore[no-untyped-call]

    with session_bus() as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        asyncio.run(scenario(address))


def test_without_a_bus_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'none'}")
    with pytest.raises(OSError, match="No such file"):
        asyncio.run(Logind(lambda: None).start())
