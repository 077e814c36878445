"""What watchers are told, and that it is the truth however slowly they read."""

import asyncio
import json
import math
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ssgui.engine.events import Closed, Opened, StageChanged
from ssgui.engine.handler_base import HandlerView, Pulse
from ssgui.engine.journal import Journal
from ssgui.engine.stages import Reason, Role, Stage, StreamStatus
from ssgui.services.connections.changes import Changes
from ssgui.services.connections.records import MOST_CLOSED, Connection, Connections, Moment
from ssgui.services.control import watch
from ssgui.services.control.channel import Answers, ControlServer
from ssgui.services.control.client import MAX_LINE, ControlError, answer_of, ask_place, follow
from ssgui.services.control.mirror import Mirror
from ssgui.services.control.watch import MOST_WATCHERS, Watch, close_connections, ids_in
from ssgui.services.control.watch_wire import Told, connection_of, line_of, lines_of, row_of, told_by
from ssgui.services.diagnosis.evidence import Verdict
from tests.engine.world import until
from tests.support.json_values import json_values

ABOUT = {"ok": True, "protocol": 1, "role": "local", "pid": 7, "version": "1", "listens": ["127.0.0.1:1080"]}


class FakeHandler:
    """A live connection."""

    def __init__(self, number: int, now: float) -> None:
        self.seen = HandlerView(
            id=number, conn=number, role=Role.LOCAL, inbound="socks5", client="127.0.0.1:5", target="", route="",
            rule="", server="", user="", stage=Stage.INIT, up_status=StreamStatus.READING,
            down_status=StreamStatus.NONE, up=0, down=0, held_up=0, held_down=0, timeline=((Stage.INIT, now),),
            first_up=None, first_down=None,
        )  # fmt: skip

    def view(self) -> HandlerView:
        return self.seen

    def pulse(self) -> Pulse:
        one = self.seen
        return one.up, one.down, one.held_up, one.held_down, int(one.up_status) | int(one.down_status) << 2


class World:
    """An engine that tests play, and who watches it. Its clock moves by hand."""

    def __init__(self, size: int = 8192) -> None:
        self.now, self.journal = 100.0, Journal(size)
        self.handlers: dict[int, FakeHandler] = {}
        self.pulls = self.begun = self.ended = 0
        self.said: Verdict | None = None
        self.cost = 0.0
        self._connections: Connections | None = None
        self.watch = Watch(self, lambda: {key: ABOUT[key] for key in ABOUT if key not in ("ok", "protocol")})

    # what Watch asks for

    @property
    def connections(self) -> Connections:
        assert self._connections is not None
        return self._connections

    def begin(self) -> None:
        self.begun += 1
        self._connections = Connections(self, lambda: self.now, history=True)

    def end(self) -> None:
        self.ended += 1
        self._connections = None

    def pull(self) -> None:
        self.pulls += 1
        until_ = time.perf_counter() + self.cost
        while time.perf_counter() < until_:
            pass
        self.connections.pull()

    def verdict(self) -> Verdict | None:
        return self.said

    # what happens

    def open(self, number: int) -> None:
        self.now += 0.01
        self.handlers[number] = FakeHandler(number, self.now)
        self.journal.append(Opened(number, number, self.now, Role.LOCAL, "socks5", "127.0.0.1:5"))

    def move(self, number: int, stage: Stage, target: str = "example.com:443") -> None:
        self.now += 0.01
        handler = self.handlers[number]
        timeline = (*handler.seen.timeline, (stage, self.now))
        handler.seen = replace(handler.seen, stage=stage, timeline=timeline, target=target, route="proxy")
        self.journal.append(StageChanged(number, self.now, stage, target, "proxy", "", ""))

    def flow(self, number: int, up: int, down: int, held: int = 0) -> None:
        self.now += 0.01
        handler, writing = self.handlers[number], StreamStatus.WRITING if held else StreamStatus.NONE
        one = handler.seen
        handler.seen = replace(
            one, up=one.up + up, down=one.down + down, held_down=held, down_status=StreamStatus.READING | writing,
            first_up=one.first_up or (self.now if up else None),
            first_down=one.first_down or (self.now if down else None),
        )  # fmt: skip

    def close(self, number: int, reason: Reason = Reason.FINISHED) -> None:
        self.now += 0.01
        one = self.handlers.pop(number).seen
        self.journal.append(StageChanged(number, self.now, Stage.DESTROYED, one.target, one.route))
        timeline = (*one.timeline, (Stage.DESTROYED, self.now))
        self.journal.append(
            Closed(number, self.now, reason, one.up, one.down, timeline, one.target, one.client, conn=number,
                   inbound="socks5", route=one.route, first_up=one.first_up, first_down=one.first_down)
        )  # fmt: skip


class Watcher:
    """Reads when it is told to, as a process on the other side would."""

    def __init__(self, world: World) -> None:
        self._lines = world.watch.watch({})
        self.mirror: Mirror | None = None
        self.told: list[Told] = []

    async def read(self) -> Told | None:
        line = await anext(self._lines)
        if self.mirror is None:
            self.mirror = Mirror(answer_of(line))
            return None
        self.told.append(self.mirror.take(line))
        return self.told[-1]

    async def read_until(self, condition: Any) -> None:
        async with asyncio.timeout(10):
            while (told := await self.read()) is None or not condition(told):
                pass

    async def go(self) -> None:
        await self._lines.aclose()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "EVERY", 0.005)
    monkeypatch.setattr(watch, "_QUIET", 0.005)
    monkeypatch.setattr(watch, "_SHARE", 1.0)


async def test_first_everything_then_what_has_changed() -> None:
    world = World()
    world.open(1)
    world.open(2)
    world.close(2, Reason.NO_ANSWER)
    watcher = Watcher(world)
    await watcher.read_until(lambda told: told.whole)
    mirror = watcher.mirror
    assert mirror is not None
    assert (list(mirror.live), list(mirror.ended)) == ([1], [2])
    assert mirror.ended[2].reason is Reason.NO_ANSWER
    world.move(1, Stage.ADDR)
    await watcher.read_until(lambda told: told.rows)
    assert [row.id for row in watcher.told[-1].rows] == [1]
    assert mirror.live[1].timeline == [(Stage.INIT, 100.01), (Stage.ADDR, world.now)]
    world.flow(1, 7, 9, held=5)
    await watcher.read_until(lambda told: told.rows)
    one = mirror.live[1]
    assert (one.up, one.down, one.held_down, one.down_status) == (
        7, 9, 5, StreamStatus.READING | StreamStatus.WRITING,
    )  # fmt: skip
    world.close(1)
    await watcher.read_until(lambda told: told.rows)
    assert (list(mirror.live), list(mirror.ended)) == ([], [2, 1])
    await watcher.go()


async def test_nothing_is_looked_at_while_nobody_watches() -> None:
    world = World()
    first, second = Watcher(world), Watcher(world)
    await first.read_until(lambda told: told.whole)
    await second.read_until(lambda told: told.whole)
    assert (world.begun, world.ended, world.watch.watchers) == (1, 0, 2)
    await first.go()
    assert world.ended == 0
    await second.go()
    assert (world.ended, world.watch.watchers) == (1, 0)
    with pytest.raises(AssertionError):
        world.pull()
    world.open(1)
    third = Watcher(world)
    await third.read_until(lambda told: told.whole)
    assert world.begun == 2
    assert third.mirror is not None
    assert list(third.mirror.live) == [1]  # however soon it came
    await third.go()


async def test_one_that_sleeps_hears_what_holds_now_and_not_what_was() -> None:
    world = World()
    world.open(1)
    sleeper, other = Watcher(world), Watcher(world)
    await sleeper.read_until(lambda told: told.whole)
    await other.read_until(lambda told: told.whole)
    for _ in range(50):
        world.flow(1, 1, 1)
        await other.read_until(lambda told: told.rows)
    before = len(sleeper.told)
    await sleeper.read_until(lambda told: told.rows)
    assert [len(told.rows) for told in sleeper.told[before:] if told.rows] == [1]
    assert sleeper.mirror is not None
    assert sleeper.mirror.live[1].up == 50
    await sleeper.go()
    await other.go()


async def test_what_came_and_went_unseen_is_counted() -> None:
    world = World(size=1 << 20)
    world.open(1)
    sleeper, other = Watcher(world), Watcher(world)
    await sleeper.read_until(lambda told: told.whole)
    await other.read_until(lambda told: told.whole)
    world.close(1)
    for number in range(2, MOST_CLOSED + 12):
        world.open(number)
        world.close(number)
    await other.read_until(lambda told: told.rows)  # somebody has looked
    await sleeper.read_until(lambda told: told.gone)
    assert sleeper.mirror is not None
    assert not sleeper.mirror.live
    assert sleeper.mirror.dropped == 11
    await sleeper.go()
    await other.go()


async def test_when_too_much_was_missed_all_of_it_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "Changes", lambda: Changes(most=10))
    world = World()
    watcher = Watcher(world)
    await watcher.read_until(lambda told: told.whole)
    for number in range(1, 26):
        world.open(number)
    await watcher.read_until(lambda told: told.sync)
    assert watcher.told[-1].dropped >= 20
    await watcher.read_until(lambda told: told.whole)
    assert watcher.mirror is not None
    assert len(watcher.mirror.live) == 25
    await watcher.go()


async def test_a_quiet_process_still_says_that_it_lives() -> None:
    world = World()
    world.said = Verdict("on", "Tokyo 1", 0.3)
    watcher = Watcher(world)
    await watcher.read_until(lambda told: told.verdict is not None)
    heard = len(watcher.told)
    world.said = Verdict("on", "Tokyo 1", 0.9)
    await watcher.read_until(lambda told: told.verdict is not None and told.verdict.seconds == 0.9)
    world.said = None
    await watcher.read_until(lambda told: told == Told(told.t))
    assert len(watcher.told) > heard
    await watcher.go()


async def test_an_end_is_told() -> None:
    world = World()
    watcher = Watcher(world)
    await watcher.read_until(lambda told: told.whole)
    world.open(1)
    world.close(1, Reason.SHUTDOWN)
    stopping = asyncio.ensure_future(world.watch.stop())
    await watcher.read_until(lambda told: told.bye)
    assert watcher.mirror is not None
    assert watcher.mirror.left
    assert watcher.mirror.ended[1].reason is Reason.SHUTDOWN  # the last that happened is told
    with pytest.raises(StopAsyncIteration):
        await watcher.read()
    await stopping


async def test_who_does_not_hear_of_the_end_is_not_waited_for() -> None:
    world = World()
    watcher = Watcher(world)
    await watcher.read_until(lambda told: told.whole)
    begun = time.monotonic()
    await world.watch.stop(0.05)
    assert time.monotonic() - begun < 2
    await watcher.go()


async def test_there_is_an_end_to_how_many_watch() -> None:
    world = World()
    watchers = [Watcher(world) for _ in range(MOST_WATCHERS)]
    for one in watchers:
        await one.read_until(lambda told: told.whole)
    with pytest.raises(ValueError, match="16 watch already"):
        await Watcher(world).read()
    world.open(1)
    for one in watchers:
        await one.read_until(lambda told: told.rows)
        await one.go()
    assert world.watch.watchers == 0


async def test_the_dearer_a_look_the_seldomer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_SHARE", 0.04)  # so that two have 2 % each
    world = World()
    world.cost = 0.004
    watchers = [Watcher(world), Watcher(world)]
    begun = time.monotonic()
    for one in watchers:
        await one.read_until(lambda told: told.whole)
    spent = world.pulls
    await asyncio.gather(*(one.read_until(lambda told: told.t - 0 and world.pulls >= spent + 4) for one in watchers))
    assert (time.monotonic() - begun) > 0.3
    for one in watchers:
        await one.go()


# ---- over a socket


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[tuple[World, str], None]:
    world = World()

    async def never(request: dict[str, Any]) -> dict[str, Any]:
        return {}

    server = ControlServer(tmp_path / "x.sock", Answers(never, {"watch": world.watch.watch}))
    await server.start()
    yield world, str(server.path)
    await server.stop()


async def test_one_that_does_not_read_costs_nothing_and_holds_up_nobody(served: tuple[World, str]) -> None:
    world, place = served
    for number in range(1, 3000):
        world.open(number)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.connect(place)
        dead.sendall(b'{"do":"watch"}\n')
        await until(lambda: world.watch.watchers == 1)
        pulls = -1
        while pulls != world.pulls:  # until it gives up: its kernel's buffer is full
            pulls = world.pulls
            for number in world.handlers:
                world.flow(number, 1, 1)
            await asyncio.sleep(0.05)
        async with aclosing(follow(place, {"do": "watch"})) as lines:
            mirror = Mirror(answer_of(await anext(lines)))
            while len(mirror.live) < 2999:
                mirror.take(await anext(lines))
        assert (await ask_place(place, {"do": "x"}))["ok"]
    await until(lambda: world.watch.watchers == 0)
    assert world.ended == 1


async def test_who_is_gone_is_forgotten(served: tuple[World, str]) -> None:
    world, place = served
    for _ in range(3):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(place)
            sock.sendall(b'{"do":"watch"}\n')
            await until(lambda: world.watch.watchers == 1)
        await until(lambda: world.watch.watchers == 0)


# ---- the truth


class Player:
    """Plays what hypothesis thinks of."""

    def __init__(self) -> None:
        self.world, self.next = World(size=64), 1

    def play(self, what: int, which: int, amount: int) -> None:
        world = self.world
        live = list(world.handlers)
        number = live[which % len(live)] if live else 0
        if what == 0 or not live:
            world.open(self.next)
            self.next += 1
        elif what == 1:
            world.move(number, list(Stage)[amount % 6])
        elif what == 2:
            world.flow(number, amount, amount // 2, held=amount % 3)
        else:
            world.close(number, list(Reason)[amount % len(Reason)])


steps = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 50), st.integers(0, 10_000), st.integers(0, 3)), max_size=120
)


@settings(max_examples=25)
@given(steps)
async def test_a_mirror_is_what_it_mirrors_however_it_is_read(played: list[tuple[int, int, int, int]]) -> None:
    player = Player()
    world = player.world
    watcher = Watcher(world)
    await watcher.read()
    for what, which, amount, lines in played:
        player.play(what, which, amount)
        for _ in range(lines):
            await watcher.read()
    for word in ("one more look", "the last word"):  # what is played is seen in the look after the one under way
        world.said = Verdict("on", word)
        await watcher.read_until(lambda told: told.verdict is not None and told.verdict == world.said)
    mirror = watcher.mirror
    assert mirror is not None
    told = {number: row_of(one) for number, one in mirror.live.items()}
    assert told == {number: row_of(one) for number, one in world.connections.live.items()}
    ended = {number: row_of(one) for number, one in mirror.ended.items()}
    assert ended == {number: row_of(one) for number, one in world.connections.ended.items()}
    assert set(told) == set(world.handlers)
    await watcher.go()


texts = st.text(max_size=12)
times = st.floats(0, 1e9)
connections = st.builds(
    Connection, id=st.integers(1, 1 << 40), conn=st.integers(1, 1 << 40), inbound=texts, client=texts, opened=times,
    role=st.sampled_from(Role), program=texts, pid=st.integers(0, 1 << 31), user=texts, stage=st.sampled_from(Stage),
    timeline=st.lists(st.tuples(st.sampled_from(Stage), times), min_size=1, max_size=5), target=texts, route=texts,
    rule=texts, server=texts, up_status=st.sampled_from([StreamStatus(bits) for bits in range(4)]),
    down_status=st.sampled_from([StreamStatus(bits) for bits in range(4)]), up=st.integers(0, 1 << 60),
    down=st.integers(0, 1 << 60), held_up=st.integers(0, 1 << 20), held_down=st.integers(0, 1 << 20), up_rate=times,
    down_rate=times, first_up=st.none() | times, first_down=st.none() | times, up_blocked=st.none() | times,
    down_blocked=st.none() | times, acked=st.none() | st.integers(0, 1 << 40),
    moments=st.lists(st.tuples(times, st.sampled_from(Moment)), max_size=3), reason=st.none() | st.sampled_from(Reason),
    detail=texts, ended=st.none() | times,
)  # fmt: skip


@settings(max_examples=50)
@given(connections)
def test_a_row_is_the_connection(one: Connection) -> None:
    told = told_by(line_of(Told(1.5, rows=[row_of(one)])))
    assert connection_of(told.rows[0]) == one


def test_half_a_character_in_a_name_is_no_end_of_it() -> None:
    one = Connection(1, 1, "socks5", "127.0.0.1:5", 1.0, target="a\ud800b", server="\udfff", detail="\ud800")
    told = told_by(line_of(Told(1.5, rows=[row_of(one)], verdict=Verdict("on", "Tokyo \ud83d"))))
    assert (told.rows[0].target, told.rows[0].server) == ("a?b", "?")
    assert told.verdict is not None
    assert told.verdict.server == "Tokyo ?"


def test_rows_that_are_long_come_in_several_lines() -> None:
    long, longer = "x" * 100_000, "y" * (3 << 20)
    ones = [Connection(number, 1, "socks5", "127.0.0.1:5", 1.0, target=long) for number in range(1, 31)]
    ones.append(Connection(31, 1, "socks5", "127.0.0.1:5", 1.0, rule=longer))
    lines = list(lines_of(1.5, [row_of(one) for one in ones]))
    assert max(map(len, lines)) < MAX_LINE
    rows = [row for line in lines for row in told_by(line).rows]
    assert [row.id for row in rows] == list(range(1, 32))
    assert {row.target for row in rows[:-1]} == {long}
    assert 100 < len(rows[-1].rule) < 10_000


@given(st.binary(max_size=80))
def test_random_bytes_tell_nothing(data: bytes) -> None:
    try:
        told_by(data)
    except ControlError:
        return


keys = st.sampled_from(["t", "sync", "rows", "gone", "dropped", "verdict", "bye", "whole"])
row_keys = st.sampled_from(
    ["id", "conn", "opened", "stage", "timeline", "up_status", "moments", "reason", "ended", "up"]
)


@settings(max_examples=50)
@given(
    st.dictionaries(keys, json_values, max_size=4),
    st.lists(st.dictionaries(row_keys, json_values, max_size=9), max_size=2),
)
def test_random_lines_are_taken_or_refused(line: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    mirror = Mirror(ABOUT)
    full = {"t": 1.0, **line, "rows": [{"id": 1, "conn": 1, "opened": 1.0, "stage": "INIT", **row} for row in rows]}
    for each in (line, full):
        try:
            mirror.take(json.dumps(each).encode())
        except ControlError:
            continue
        assert math.isfinite(mirror.now())


@pytest.mark.parametrize("value", ["1e13", "-1e300", "1e400", "NaN", "Infinity", '"1"'])
def test_times_that_are_none(value: str) -> None:
    for line in (f'{{"t":{value}}}', f'{{"t":1,"rows":[{{"id":1,"conn":1,"opened":{value},"stage":"INIT"}}]}}'):
        with pytest.raises(ControlError):
            told_by(line.encode())


def test_what_a_newer_version_may_tell() -> None:
    line = {"id": 1, "conn": 1, "opened": 1.0, "stage": "DESTROYED", "reason": "bored", "moments": [[1.0, "yawn"]],
            "ended": 2.0, "mood": "new"}  # fmt: skip
    mirror = Mirror({**ABOUT, "more": 1})
    mirror.take(json.dumps({"t": 2.0, "rows": [line]}).encode())
    assert (mirror.ended[1].reason, mirror.ended[1].moments) == (None, [])
    with pytest.raises(ControlError, match="'PONDER'"):
        mirror.take(json.dumps({"t": 2.0, "rows": [{**line, "stage": "PONDER"}]}).encode())
    with pytest.raises(ControlError, match="protocol 2"):
        Mirror({**ABOUT, "protocol": 2})
    with pytest.raises(ControlError, match="protocol None"):
        Mirror({})


def test_the_time_over_there() -> None:
    now = 50.0
    mirror = Mirror(ABOUT, lambda: now)
    mirror.take(b'{"t":1000.0}')
    now = 51.0
    assert mirror.now() == 1001.0
    now = 53.0
    mirror.take(b'{"t":1001.5}')  # on its way for long: no reason to think less of the clock
    assert mirror.now() == 1003.0
    assert mirror.silent() == 0.0
    now = 57.0
    assert mirror.silent() == 4.0


# ---- closing


class Destroyed:
    def __init__(self) -> None:
        self.reasons: list[Reason] = []

    def destroy(self, reason: Reason) -> None:
        self.reasons.append(reason)


def test_closing_those_that_are_named() -> None:
    handlers = {1: Destroyed(), 2: Destroyed()}
    assert close_connections(handlers, [2, 3]) == 1
    assert (handlers[1].reasons, handlers[2].reasons) == ([], [Reason.CLOSED_BY_USER])


@pytest.mark.parametrize("request_", [{}, {"ids": 5}, {"ids": ["1"]}, {"ids": [True]}, {"ids": [1.5]}, {"ids": None}])
def test_ids_that_are_none(request_: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="ids"):
        ids_in(request_)
