"""The page of connections with 5,000 rows and 2,000 events a second: what one look costs, and what painting it does.

    python -m tests.bench.bench_page

Times are those of the thread, so that a busy machine changes them less. Connections are an engine's without sockets:
what the relay itself takes is measured elsewhere.
"""

import os
import random
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

from ssgui.app.collector import spare_the_collector
from ssgui.engine.stages import Reason, Stage
from ssgui.gui.connections.delegate import ROW_HEIGHT
from ssgui.gui.connections.page import ConnectionsPage
from ssgui.gui.theme import Theme
from ssgui.services.connections.records import Connections
from tests.support.moving_engine import MovingEngine

ROWS, CHANGES, MOVING = 5000, 57, 600  # a connection that comes and goes is seven events; five looks a second
LOOKS, PAUSE = 120, 0.2
TOO_LONG = 0.05


class Crowd:
    """So many connections that live, some of which end, and others come, at every look."""

    def __init__(self) -> None:
        self.engine = MovingEngine(1 << 16)
        self.connections = Connections(self.engine, self.engine.clock)
        self._dice = random.Random(1)
        self._live = [self._open() for _ in range(ROWS)]
        self.connections.pull()

    def _open(self) -> int:
        return self.engine.open(f"host-{self._dice.randrange(900)}.example.com:443", Stage.STREAM)

    def go_on(self) -> None:
        self.engine.now += PAUSE
        for _ in range(CHANGES):
            self._live.append(self._open())
            self.engine.carry(self._live[-1], 500, 3000)
            reason = Reason.FINISHED if self._dice.random() < 0.9 else Reason.CONNECT_TIMEOUT
            self.engine.end(self._live.pop(0), reason)
        for number in self._dice.sample(self._live, MOVING):
            self.engine.carry(number, self._dice.randrange(2000), self._dice.randrange(200_000))


def taken(act: Callable[[], object]) -> float:
    """Seconds of this thread."""
    begin = time.thread_time()
    act()
    return time.thread_time() - begin


def main() -> None:
    """Print it."""
    application = QApplication(["ssgui"])
    application.setFont(QFont("Inter", 10))
    theme, crowd = Theme(application), Crowd()
    page = ConnectionsPage(crowd.connections, crowd.engine.clock)
    page.resize(1720, 1260)
    page.show()
    page.look()
    application.processEvents()
    spare_the_collector()
    steps: dict[str, list[float]] = {"pull": [], "look": [], "paint": []}
    for _ in range(LOOKS):
        crowd.go_on()
        for name, act in (("pull", crowd.connections.pull), ("look", page.look), ("paint", application.processEvents)):
            steps[name].append(taken(act))
    for name, spent in steps.items():
        longest = max(spent) * 1000
        print(f"{name:6} {statistics.mean(spent) * 1000:5.1f} ms, the longest {longest:.1f}")
    share = sum(statistics.mean(spent) for spent in steps.values()) / PAUSE
    over = sum(one > TOO_LONG for spent in steps.values() for one in spent)
    print(f"{share:.1%} of a core at five looks a second, {over} of {3 * LOOKS} steps over {TOO_LONG * 1000:.0f} ms")
    viewport = page.table.viewport()
    best = min(taken(viewport.repaint) for _ in range(40)) * 1000
    print(f"all of the {viewport.height() // ROW_HEIGHT} rows that are seen: {best:.1f} ms")
    theme.setParent(None)


if __name__ == "__main__":
    main()
