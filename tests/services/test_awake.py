"""What a computer hears of sleep and of its network, put together."""

import asyncio

import pytest

from ssgui.services import awake
from ssgui.services.awake import Awake, News
from ssgui.system.interfaces import Addresses
from ssgui.system.network import NetworkState
from ssgui.system.sleep import SleepClock
from tests.engine.world import until

WIFI, CABLE = NetworkState(frozenset({"192.0.2.7"})), NetworkState(frozenset({"198.51.100.7"}))
NOTHING = NetworkState()


class Machine:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.state, self.asleep, self.target, self.told = WIFI, 0.0, "", list[News]()
        monkeypatch.setattr(awake, "LOOK_SECONDS", 0.02)
        monkeypatch.setattr(awake, "SETTLE_SECONDS", 0.01)
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent")
        clock = SleepClock(2.0, awake=lambda: 0.0, boot=lambda: self.asleep, wall=lambda: 0.0)
        self.awake = Awake(lambda: self.target, self.told.append, look=lambda _: self.state, clock=clock)

    def online(self) -> bool:
        return self.awake.online

    async def hears(self) -> News:
        """The one thing that it tells."""
        await until(lambda: self.told)
        return self.told.pop()


def test_a_look_finds_what_nobody_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        machine = Machine(monkeypatch)
        machine.awake.start()
        try:
            machine.state = NOTHING
            assert (await machine.hears()).turned
            assert machine.online() is False
            machine.state = CABLE
            assert (await machine.hears()).turned
            assert machine.online() is True
            machine.state = WIFI
            assert (await machine.hears()).turned
            machine.asleep += 60
            news = await machine.hears()
            assert news.slept
            assert news.turned
            assert not machine.told
        finally:
            await machine.awake.stop()

    asyncio.run(scenario())


def test_what_is_told_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        machine = Machine(monkeypatch)
        monkeypatch.setattr(awake, "LOOK_SECONDS", 3600.0)
        machine.awake.start()
        try:
            for _ in range(12):
                machine.awake.heard()
            assert not (await machine.hears()).turned  # something happened, nothing that matters
            assert not machine.told
            machine.awake.woke()
            assert (await machine.hears()).slept
            machine.awake.outside(online=False)
            assert (await machine.hears()).turned
            assert not machine.online()
        finally:
            await machine.awake.stop()

    asyncio.run(scenario())


def test_another_server_is_no_other_network(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    machine.target, machine.state = "127.0.0.1", CABLE
    machine.awake.target_changed()
    assert [news.turned for news in machine.told] == [False]
    machine.awake.target_changed()
    assert len(machine.told) == 1


def test_what_a_system_says_counts_unless_the_server_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    machine.awake.outside(online=False)
    assert not machine.online()
    machine.target, machine.state = "127.0.0.1", NetworkState(frozenset({"127.0.0.1"}))
    machine.awake.target_changed()
    assert machine.online()
    machine.awake.outside(None)
    machine.target, machine.state = "", WIFI
    machine.awake.target_changed()
    assert machine.online()


def test_a_machine_that_has_another_address_has_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    machine.state = NetworkState(CABLE.ways, Addresses(CABLE.ways, CABLE.ways))
    machine.awake._look()
    assert machine.told.pop().moved
    both = CABLE.ways | WIFI.ways
    machine.state = NetworkState(WIFI.ways, Addresses(both, both))
    machine.awake._look()
    assert not machine.told.pop().moved


def test_a_change_right_after_the_start_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        machine = Machine(monkeypatch)
        machine.target, machine.state = "192.0.2.9", NOTHING  # read from the settings after it was made
        machine.awake.start()
        machine.told.clear()
        machine.state = WIFI
        try:
            assert (await machine.hears()).turned
        finally:
            await machine.awake.stop()

    asyncio.run(scenario())


def test_a_network_that_comes_while_the_server_becomes_known_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both happen at login: the first look asks for any way, the second for the server's."""

    async def scenario() -> None:
        machine = Machine(monkeypatch)
        machine.state = NOTHING
        machine.awake._look()
        machine.told.clear()
        machine.target, machine.state = "192.0.2.9", CABLE
        machine.awake.start()
        try:
            assert (await machine.hears()).turned
        finally:
            await machine.awake.stop()

    asyncio.run(scenario())
