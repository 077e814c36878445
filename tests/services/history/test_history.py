"""The history as a service: it costs a connection next to nothing, never waits for the disk, follows the settings."""

import asyncio
import logging
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ssgui.config.app_config import HistoryHosts, Settings
from ssgui.engine.stages import Reason
from ssgui.services.history import recorder as module
from ssgui.services.history.file import NAME, HistoryError, HistoryFile
from ssgui.services.history.queries import Query, ServerTotal, View, midnight
from ssgui.services.history.recorder import History
from ssgui.services.history.rows import row_of
from tests.support.past import DAY, NOW, bytes_in, ended, many, row

TODAY = date.fromtimestamp(NOW).toordinal()
SECRET = "a-very-private-site.example.net"


class World:
    """A history whose clocks and settings tests set."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now, self.settings = folder, NOW, Settings(history_hosts=HistoryHosts.CLEAR)
        self.file = HistoryFile(folder, wall=lambda: self.now)
        self.history = History(
            folder, lambda: self.settings, passing=lambda name: name == "demo", wall=lambda: self.now,
            clock=lambda: 100.0, file=self.file,
        )  # fmt: skip

    def set(self, **values: object) -> None:
        self.settings = Settings(
            **{**{one: getattr(self.settings, one) for one in Settings.__struct_fields__}, **values}
        )
        self.history.follow()

    async def look(self, view: View = View.HOSTS, text: str = "", **more: object) -> Any:
        return await self.history.look(Query(view, TODAY - 40, TODAY + 400, text, **more))  # type: ignore[arg-type]

    async def names(self) -> list[str]:
        return sorted(one.name for one in (await self.look()).rows)


@pytest.fixture
async def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.history.start()
    await made.history.settled()
    return made


async def test_what_ended_is_seen_at_once_and_after_a_restart(world: World) -> None:
    world.history.closed(ended(1))
    world.history.closed(ended(2, "other.example:80", program="curl"))
    assert await world.names() == ["example.com", "other.example"]
    world.history.closed(ended(3, "third.example:443"))
    await world.history.stop()
    assert not list(world.folder.glob("*-wal"))
    again = World(world.folder)
    assert await again.names() == ["example.com", "other.example", "third.example"]


async def test_a_batch_is_written_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_SECONDS", 0.01)
    world.history.closed(ended(1))
    async with asyncio.timeout(5):
        while not world.file.exists():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    await world.history.stop()


async def test_many_at_once_are_written_at_once(world: World) -> None:
    for number in range(module.EARLY):
        world.history.closed(ended(number))
    await world.history.settled()
    assert not world.history._waiting
    (total,) = (await world.look()).rows
    assert total.connections == module.EARLY
    await world.history.stop()


async def test_what_is_not_kept(world: World) -> None:
    world.history.closed(ended(1, server="demo"))
    world.history.closed(ended(2, ""))
    world.set(keep_history=False)
    world.history.closed(ended(3))
    await world.history.settled()
    assert not (await world.look()).rows
    assert not world.file.exists()


async def test_nothing_is_touched_in_a_run_that_keeps_nothing(tmp_path: Path) -> None:
    HistoryFile(tmp_path, wall=lambda: NOW).add([row()], HistoryHosts.CLEAR)
    history = History(tmp_path, Settings, keep=False)
    history.start()
    history.closed(ended(1))
    assert (await history.look(Query(View.HOSTS, 0, TODAY))).rows == ()
    assert await history.traffic_of(TODAY) == {}
    await history.stop()


async def test_what_is_off_is_still_forgotten_in_time(world: World) -> None:
    world.history.closed(ended(1))
    await world.history.settled()
    assert len((await world.look()).rows) == 1
    world.set(keep_history=False)
    await world.history.settled()
    assert len((await world.look()).rows) == 1
    world.now += 31 * DAY
    world.set(history_days=29)
    await world.history.settled()
    assert not (await world.look()).rows


async def test_the_age_is_looked_at_while_nothing_happens(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIDY_SECONDS", 0.01)
    world.history.closed(ended(1))
    assert len((await world.look()).rows) == 1
    world.now += 31 * DAY
    world.history._tidied = -1e9
    async with asyncio.timeout(5):
        while (await world.look()).rows:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await world.history.stop()


async def test_the_size_is_looked_at_with_every_batch(world: World) -> None:
    world.set(history_megabytes=1)  # is taken for the least that there can be
    one = row()
    world.file.add((one._replace(host=f"h{number}.example.com") for number in range(40_000)), HistoryHosts.CLEAR)
    assert world.file.bytes() > 5 << 20
    world.history.closed(ended(1, "the-newest.example:443"))
    await world.look()
    await world.history.settled()
    assert world.file.bytes() < 5 << 20
    assert len((await world.look(text="the-newest")).rows) == 1


async def test_hosts_are_hashed_from_a_change_on_and_before(world: World) -> None:
    world.history.closed(ended(1, f"{SECRET}:443"))
    assert await world.names() == [SECRET]
    world.set(history_hosts=HistoryHosts.NONE)
    world.history.closed(ended(2, f"{SECRET}:443"))
    await world.history.settled()
    assert SECRET.encode() not in bytes_in(world.folder)
    assert await world.names() == [""]
    await world.history.stop()
    assert SECRET.encode() not in bytes_in(world.folder)


async def test_what_ended_before_names_were_wanted_has_none(world: World) -> None:
    world.set(history_hosts=HistoryHosts.NONE)
    await world.history.settled()
    world.history.closed(ended(1, f"{SECRET}:443"))
    world.set(history_hosts=HistoryHosts.CLEAR)
    world.history.closed(ended(2, "wanted.example:443"))
    await world.history.settled()
    assert await world.names() == ["", "wanted.example"]


async def test_a_full_disk_is_said_once_and_nothing_is_lost_that_can_be_held(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    world = World(tmp_path)
    real = world.file.add

    def full(*_: object) -> None:
        raise HistoryError("database or disk is full")

    monkeypatch.setattr(world.file, "add", full)
    world.history.start()
    with caplog.at_level(logging.INFO):
        for number in range(5):
            world.history.closed(ended(number))
            world.history._begin_work()
            await world.history.settled()
    assert [one.levelname for one in caplog.records].count("ERROR") == 1
    assert "full" in world.history.trouble
    monkeypatch.setattr(module, "MOST_WAITING", 5)
    monkeypatch.setattr(world.history, "_waiting", type(world.history._waiting)(world.history._waiting, maxlen=5))
    world.history.closed(ended(6))
    assert world.history.lost == 1
    monkeypatch.setattr(world.file, "add", real)
    world.history._begin_work()
    await world.history.settled()
    assert world.history.trouble == ""
    (total,) = (await world.look()).rows
    assert total.connections == 5
    await world.history.stop()


async def test_damage_is_said_and_the_batch_is_kept(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"damaged" * 1000)
    world, told = World(tmp_path), list[str]()
    world.history.changed.append(lambda: told.extend(world.file.said))
    world.history.start()
    world.history.closed(ended(1))
    assert await world.names() == ["example.com"]
    assert "was damaged" in told[0]
    assert world.history.trouble == ""
    await world.history.stop()


async def test_cleared_and_brought_back(world: World) -> None:
    for number in range(3):
        world.history.closed(ended(number, f"{SECRET}:443"))
    await world.history.clear()
    await world.history.clear()  # a second time, before it is over
    assert not (await world.look()).rows
    world.history.closed(ended(4, "new.example:443"))
    await world.history.bring_back()
    assert await world.names() == [SECRET, "new.example"]
    await world.history.clear()
    world.history.closed(ended(5, "newer.example:443"))
    await world.history.forget()
    assert await world.names() == ["newer.example"]
    await world.history.stop()
    assert SECRET.encode() not in bytes_in(world.folder)


async def test_a_stop_finishes_what_was_being_cleared(world: World) -> None:
    world.history.closed(ended(1, f"{SECRET}:443"))
    await world.history.clear()
    await world.history.stop()
    assert list(world.folder.iterdir()) == []


async def test_the_loop_does_not_wait_for_the_disk(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes its time keeps neither the loop from turning nor connections from being held."""
    import threading

    gate, real = threading.Event(), world.file.add

    def slow(*arguments: object) -> None:
        assert gate.wait(10)
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(world.file, "add", slow)
    world.history.closed(ended(1))
    world.history._begin_work()
    turns = 0
    for number in range(50):
        world.history.closed(ended(number + 2))
        await asyncio.sleep(0)
        turns += 1
    assert turns == 50
    assert len(world.history._waiting) >= 49
    gate.set()
    (total,) = (await world.look()).rows
    assert total.connections == 51
    await world.history.stop()


async def test_to_listen_costs_microseconds(world: World) -> None:
    """The best of several: other processes are on this machine too."""
    ones = [ended(number) for number in range(1000)]

    def turn() -> float:
        began = time.perf_counter()
        for one in ones:
            world.history.closed(one)
        return (time.perf_counter() - began) / len(ones)

    assert min(turn() for _ in range(5)) < 20e-6
    await world.history.stop()


# ---- what is told


async def test_totals_by_day_program_and_server(world: World) -> None:
    world.history.closed(ended(1, program="firefox", down=1000))
    world.history.closed(ended(2, program="firefox", reason=Reason.CONNECT_TIMEOUT, down=0, server="Osaka"))
    world.history.closed(ended(3, program="", client="192.168.1.20:5", down=9_000_000, busy=2.0))
    world.history.closed(ended(4, program="", route="direct", server=""))
    await world.look()
    world.now -= 3 * DAY
    world.history.closed(ended(5, program="ssh"))
    programs = {one.name: one for one in (await world.look(View.PROGRAMS)).rows}
    assert set(programs) == {"firefox", "192.168.1.20", "", "ssh"}
    assert (programs["firefox"].connections, programs["firefox"].failed, programs["firefox"].down) == (2, 1, 1000)
    days = await world.look(View.DAYS)
    assert [(one.day - TODAY, one.connections) for one in days.days] == [(-3, 1), (0, 4)]
    assert days.rows[0] == days.days[1]  # the newest on top
    servers = {one.name: one for one in (await world.look(View.SERVERS)).rows if isinstance(one, ServerTotal)}
    tokyo = servers["Tokyo 1"]
    assert (tokyo.connections, tokyo.failed, tokyo.succeeded) == (3, 0, 1.0)
    assert tokyo.connect is not None
    assert tokyo.connect.p50 == pytest.approx(0.05, rel=0.06)
    assert tokyo.first_byte is not None
    assert tokyo.first_byte.p50 == pytest.approx(0.1, rel=0.06)
    assert tokyo.throughput == pytest.approx(4_500_000)
    assert [one.start for one in tokyo.points] == [midnight(TODAY - 3), midnight(TODAY)]
    assert servers["Osaka"].succeeded == 0.0
    hourly: Any = await world.history.look(Query(View.SERVERS, TODAY, TODAY))
    assert [one.points[0].start % 3600 for one in hourly.rows] == [0.0, 0.0]
    assert await world.history.traffic_of(TODAY) == {"Tokyo 1": (1000, 9_001_000), "Osaka": (500, 0)}
    await world.history.stop()


async def test_order_search_and_limits(world: World) -> None:
    world.file.add(many(2000), HistoryHosts.CLEAR)
    found = await world.look(View.HOSTS, limit=10)
    assert len(found.rows) == 10
    assert found.total > 100
    downs = [one.down for one in found.rows]
    assert downs == sorted(downs, reverse=True)
    found = await world.look(View.HOSTS, "HOST-00", order="name", descending=False)
    names = [one.name for one in found.rows]
    assert names == sorted(names)
    assert all("host-00" in one for one in names)
    assert (await world.look(View.HOSTS, "%")).rows == []
    connections = await world.look(View.CONNECTIONS, "frankfurt timeout", order="seconds", limit=5)
    assert connections.total > 5
    assert {(one.server, one.reason) for one in connections.rows} == {("Frankfurt", "connect-timeout")}
    newest = await world.look(View.CONNECTIONS, limit=3)
    assert newest.total == 2000
    ends = [one.ended for one in newest.rows]
    assert ends == sorted(ends, reverse=True)
    await world.history.stop()


def test_the_clocks_of_a_row() -> None:
    made = row_of(ended(1, at=100.0, seconds=5.0), -1e12)
    assert made is not None
    assert made.ended == 0.0
    assert made.seconds == pytest.approx(5.0)
    made = row_of(ended(1), 1e30)
    assert made is not None
    assert date.fromordinal(made.day).year == 9998
    one = ended(1)
    one.opened = 1e6  # a clock that went back, which monotonic ones do not
    made = row_of(one, 0.0)
    assert made is not None
    assert made.seconds == 0.0
    one.ended = None
    assert row_of(one, 0.0) is None
    assert row_of(ended(1, ""), 0.0) is None
