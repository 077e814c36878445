"""What the page of connections costs: thousands of live rows, and events replayed, through the real window.

    python -m tests.bench.bench_monitor
    python -m tests.bench.bench_monitor --minutes 30 --only memory

Offscreen, with everything the app has but the sockets: the engine is a replay. CPU is that of the whole process, all
threads, in shares of one core, less what the replay and its timer take. A stall is the time between two rings of a
10 ms timer, on the wall and as computing time of the thread, which others that load the machine lengthen less. They
do lengthen it: the replay does the same work in every part and run, so its share says how fast the machine was.
"""

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from ssgui.app.collector import spare_the_collector
from ssgui.app.context import AppContext
from ssgui.app.log_buffer import LogBuffer
from ssgui.config.store import Store
from ssgui.engine.stages import Reason, Stage
from ssgui.gui.connections.columns import Column
from ssgui.gui.connections.table import ConnectionsTable
from ssgui.gui.event_loop import new_merged_loop
from ssgui.gui.pace import LOOK_MS, UNFOCUSED_MS
from ssgui.gui.presenter import Presenter
from ssgui.gui.theme import Theme
from ssgui.gui.window import MainWindow
from ssgui.services.connections.programs import Programs
from ssgui.services.connections.records import Connections
from ssgui.system.processes.flows import Flow, Program
from tests.support.moving_engine import USUAL_WAY, MovingEngine
from tests.support.ports import free_port

if TYPE_CHECKING:
    from ssgui.services.connections.records import Engine

TICK_MS = 10
EVENTS_OF_ONE = 7  # opened, five stages, closed
STEP, LIFE = 0.05, 3.0  # seconds in each stage before the last, and in that
SCROLL_MS, PAGE_MS = 16, 1500
BAD = (Reason.CONNECT_TIMEOUT, Reason.NO_ANSWER, Reason.SERVER_RESET)


class Everybody:
    """Knows the program of every connection at once."""

    NAMES = ("firefox", "curl", "git", "zoom", "python3")

    def programs(self, flows: Iterable[Flow]) -> dict[Flow, Program]:
        return {flow: Program(self.NAMES[flow.source[1] % 5], 1000 + flow.source[1] % 5) for flow in flows}


class Replay:
    """Keeps `rows` connections alive while `events` happen a second; `moving` of them carry bytes between two looks."""

    def __init__(self, engine: MovingEngine, rows: int, events: int, moving: int) -> None:
        self._engine, self._chance = engine, random.Random(5)
        self._events, self._touched = events * TICK_MS // 1000, moving * TICK_MS // LOOK_MS
        self._young: deque[tuple[float, int, int]] = deque()  # when, who, and the stage to enter: it is always in order
        self._short: deque[tuple[float, int]] = deque()
        self._done = 0
        engine.now = time.monotonic()
        churning = round(events / EVENTS_OF_ONE * LIFE)
        self._long = [self._open(Stage.STREAM) for _ in range(rows - churning)]
        for at in range(churning):
            self._short.append((engine.now + LIFE * at / churning, self._open(Stage.STREAM)))
        for number in self._long[::2]:
            engine.carry(number, 517, 4000)

    def _open(self, stage: Stage = Stage.INIT) -> int:
        port = self._chance.randrange(1024, 65536)
        host = f"host-{self._chance.randrange(3000)}.example.com:443"
        return self._engine.open(host, stage, client=f"127.0.0.1:{port}")

    def step(self) -> None:
        """What happens in one tick."""
        engine = self._engine
        now = engine.now = time.monotonic()
        wanted = engine.journal.sequence + self._events
        while engine.journal.sequence < wanted:
            if self._young and self._young[0][0] <= now:
                self._move(now)
            elif self._short and self._short[0][0] <= now:
                _, number = self._short.popleft()
                self._done += 1
                engine.end(number, BAD[self._done % 3] if self._done % 12 == 0 else Reason.FINISHED)
            else:
                self._young.append((now + STEP, self._open(), 0))
        for number in self._chance.sample(self._long, self._touched):
            engine.carry(number, 300, 40_000, blocked=number % 50 == 0)

    def _move(self, now: float) -> None:
        _, number, place = self._young.popleft()
        self._engine.move(number, USUAL_WAY[place])
        if place + 1 < len(USUAL_WAY):
            self._young.append((now + STEP, number, place + 1))
            return
        self._engine.carry(number, 517, 9000)
        self._short.append((now + LIFE, number))


@dataclass
class Found:
    """Of one part of the measurement: shares of a core, milliseconds."""

    cpu: float = 0.0
    replay: float = 0.0
    stalls: list[float] = field(default_factory=list)
    computing: list[float] = field(default_factory=list)
    frames: list[float] = field(default_factory=list)


class Rings:
    """A timer that drives the replay, and hears how late it rings; the replay's own time does not count."""

    def __init__(self, replay: Replay, found: Found) -> None:
        self._replay, self.found = replay, found
        self._timer = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=TICK_MS)
        self._timer.timeout.connect(self._rang)
        self._wall, self._thread = time.perf_counter(), time.thread_time()
        self._timer.start()

    def _rang(self) -> None:
        self.found.stalls.append((time.perf_counter() - self._wall) * 1000)
        begun = time.thread_time()
        self.found.computing.append((begun - self._thread) * 1000)
        self._replay.step()
        self._wall, self._thread = time.perf_counter(), time.thread_time()
        self.found.replay += self._thread - begun

    def stop(self) -> None:
        self._timer.stop()


class Bench:
    """The window, and what is measured with it."""

    def __init__(self, context: AppContext, window: MainWindow, presenter: Presenter, replay: Replay) -> None:
        self._context, self._window, self._presenter = context, window, presenter
        self._page, self._idle = presenter.connections, 0.0
        self._rings = Rings(replay, Found())

    async def run(self, seconds: float, minutes: float, only: str) -> None:
        """Every part, or one."""
        await asyncio.sleep(8.0)  # until as many have ended as are kept
        self._presenter._timer.stop()
        self._idle = (await self._measure("idle", seconds)).cpu  # what turns the replay's timer
        self._presenter._timer.start(LOOK_MS)
        parts: dict[str, Callable[[], object]] = {
            "visible": self._plain, "filtered": self._filtered, "sorted": self._sorted, "scrolling": self._plain,
            "turning": self._plain, "hidden": self._window.hide,
        }  # fmt: skip
        for name, begin in parts.items():
            if only in ("", name):
                begin()
                await self._part(name, seconds)
        if minutes:
            self._window.show()
            self._sorted()
            await self._watch_memory(minutes)
        self._rings.stop()

    def _plain(self) -> None:
        self._page.filter.setText("")
        self._page.table.set_order(None)

    def _filtered(self) -> None:
        self._page.filter.setText("example -host-77 >1kB")

    def _sorted(self) -> None:
        self._page.filter.setText("")
        self._page.table.set_order((Column.DOWN_RATE, True))

    async def _part(self, name: str, seconds: float) -> None:
        table = self._page.table
        wheel = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=SCROLL_MS)
        if name == "scrolling":
            wheel.timeout.connect(lambda: _turn(table))
            wheel.start()
        elif name == "turning":  # to another page and back
            wheel.setInterval(PAGE_MS)
            wheel.timeout.connect(lambda: self._window.open_page(self._other_page()))
            wheel.start()
        found = await self._measure(name, seconds)
        wheel.stop()
        self._window.open_page("connections")
        interval = self._presenter._timer.interval()
        assert (interval == UNFOCUSED_MS) is (name == "hidden"), (interval, self._window.isActiveWindow())
        assert bool(found.frames) is (name != "hidden")
        found.cpu -= self._idle
        print(_line(name, found), flush=True)

    def _other_page(self) -> str:
        return "connections" if self._window.current_page() == "servers" else "servers"

    async def _measure(self, name: str, seconds: float) -> Found:
        await asyncio.sleep(0.5)
        found = self._rings.found = Found()
        FRAMES.clear()
        wall, cpu = time.perf_counter(), time.process_time()
        await asyncio.sleep(seconds)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        found.cpu, found.replay = (cpu - found.replay) / wall, found.replay / wall
        found.frames = FRAMES[:]
        return found

    async def _watch_memory(self, minutes: float) -> None:
        steps = max(2, round(minutes * 2))
        seen: list[float] = []
        for at in range(steps + 1):
            seen.append(_resident())
            live, ended = len(self._context.connections.live), len(self._context.connections.ended)
            print(f"after {at * minutes / steps:5.1f} min  {seen[-1]:7.1f} MB  {live} live, {ended} ended", flush=True)
            self._rings.found = Found()
            FRAMES.clear()
            if at < steps:
                await asyncio.sleep(minutes * 60 / steps)
        third = max(1, len(seen) // 3)
        begin, end = statistics.mean(seen[1 : 1 + third]), statistics.mean(seen[-third:])
        print(f"memory: {begin:.1f} MB in the first third, {end:.1f} MB in the last: {end - begin:+.1f} MB")


FRAMES: list[float] = []


def _watch_frames() -> None:
    """Note how long each painting of the table takes, in milliseconds of the thread's time."""
    paint = ConnectionsTable.paintEvent

    def timed(self: ConnectionsTable, event: QPaintEvent) -> None:
        begun = time.thread_time()
        paint(self, event)
        FRAMES.append((time.thread_time() - begun) * 1000)

    ConnectionsTable.paintEvent = timed  # type: ignore[method-assign]


def _turn(table: ConnectionsTable) -> None:
    """The wheel, down, and again from the top."""
    bar = table.verticalScrollBar()
    if bar.value() >= bar.maximum():
        bar.setValue(0)
    at = QPointF(table.viewport().rect().center())
    none, flow = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(at, at, QPoint(0, -45), QPoint(0, -120), none, Qt.KeyboardModifier.NoModifier, flow, False)
    QApplication.sendEvent(table.viewport(), event)


def _line(name: str, found: Found) -> str:
    frames = sorted(found.frames) or [0.0]
    return (
        f"{name:10} CPU {100 * found.cpu:5.1f} % (and {100 * found.replay:.1f} % the replay)  "
        f"stall {max(found.stalls):5.1f} ms, computing {max(found.computing):5.1f} ms  frames {len(found.frames):4}, "
        f"median {statistics.median(frames):4.1f} ms, worst {frames[-1]:4.1f} ms"
    )


def _resident() -> float:
    """Megabytes of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def _measure(folder: Path, options: argparse.Namespace) -> None:
    engine = MovingEngine()
    context = AppContext(Store(folder), LogBuffer())
    _replace_engine(context, engine)
    replay = Replay(engine, options.rows, options.events, options.moving)
    context.change_settings(local_port=free_port())
    window = MainWindow()
    presenter = Presenter(context, window, lambda: None)
    await context.start()
    window.resize(*(int(part) for part in options.size.split("x")))
    window.open_page("connections")
    presenter.begin()
    presenter.show_window()
    spare_the_collector()
    try:
        await Bench(context, window, presenter, replay).run(options.seconds, options.minutes, options.only)
    finally:
        presenter.end()
        window.hide()
        await context.stop()


def _replace_engine(context: AppContext, engine: "Engine") -> None:
    """The context's connections are those of a replay, for everybody who listens to them."""
    connections, before = Connections(engine), context.connections
    programs = Programs(Everybody(), lambda: 1080)
    connections.listeners = [programs if one is context.programs else one for one in before.listeners]
    context.connections, context.programs = connections, programs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each part")
    parser.add_argument("--minutes", type=float, default=0.0, help="how long memory is watched")
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--events", type=int, default=2000, help="a second")
    parser.add_argument("--moving", type=int, default=500, help="connections that carry bytes between two looks")
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--only", default="", help="one part")
    options = parser.parse_args()
    _watch_frames()
    application = QApplication(sys.argv[:1])
    Theme(application)
    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=lambda: new_merged_loop(application)) as runner,
    ):
        runner.run(_measure(Path(folder), options))


if __name__ == "__main__":
    main()
