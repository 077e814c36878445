"""Whether the window freezes while ten thousand servers are added, shown, searched, deleted and brought back.

    python -m tests.bench.bench_many_servers

A 5 ms Qt timer rings meanwhile (offscreen); a freeze is the longest time between two rings.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QPushButton

from ssgui.app.collector import spare_the_collector
from ssgui.app.context import AppContext
from ssgui.app.log_buffer import LogBuffer
from ssgui.config.store import Store
from ssgui.gui.adding.confirm import ConfirmDialog
from ssgui.gui.event_loop import new_merged_loop
from ssgui.gui.presenter import Presenter
from ssgui.gui.theme import Theme
from ssgui.gui.window import MainWindow
from ssgui.protocol.links import encode_link
from tests.engine.world import until
from tests.support.ports import free_port

COUNT = 10_000
ROUNDS = 3


class Freezes:
    """The longest time between two rings, in milliseconds."""

    def __init__(self) -> None:
        self._timer = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=5)
        self._timer.timeout.connect(self._rang)
        self._timer.start()
        self._last, self.worst = time.perf_counter(), 0.0

    def _rang(self) -> None:
        now = time.perf_counter()
        self.worst = max(self.worst, (now - self._last) * 1000)
        self._last = now

    async def of(self, step: Callable[[], Awaitable[None]]) -> float:
        """The longest during `step` and half a second after it."""
        await asyncio.sleep(0.1)
        self.worst = 0.0
        await step()
        await asyncio.sleep(0.5)
        return self.worst


class Steps:
    """What a person does."""

    def __init__(self, context: AppContext, window: MainWindow, presenter: Presenter) -> None:
        self._context, self._window, self._presenter = context, window, presenter
        self.text = "\n".join(
            encode_link(f"host-{n}.example.com", 8388, "aes-256-gcm", f"password {n}", remarks=f"Server {n}")
            for n in range(COUNT)
        )

    def _dialog(self) -> ConfirmDialog | None:
        return self._window.findChild(ConfirmDialog)

    async def paste(self) -> None:
        self._presenter.offer_links(self.text)
        await until(lambda: self._dialog() is not None, seconds=30)

    async def add(self) -> None:
        dialog = self._dialog()
        assert dialog is not None
        dialog.add_and_use.click()
        await until(lambda: len(self._context.config.servers) == COUNT, seconds=30)
        await self._context.settled()

    async def search(self) -> None:
        for text in ("9", "99", "999", ""):
            self._presenter.servers.search.setText(text)
            await asyncio.sleep(0.05)

    async def use_another(self) -> None:
        self._context.use(self._context.config.servers[5000].id)
        await self._context.settled()

    async def undo(self) -> None:
        self._window.toast.findChildren(QPushButton)[0].click()
        await until(lambda: not self._context.config.servers, seconds=30)
        await self._context.settled()


async def _measure(folder: Path) -> None:
    context = AppContext(Store(folder), LogBuffer())
    context.change_settings(local_port=free_port())
    window = MainWindow()
    presenter = Presenter(context, window, lambda: None)
    await context.start()
    window.show()
    presenter.begin()
    spare_the_collector()
    freezes, steps = Freezes(), Steps(context, window, presenter)
    try:
        found: dict[str, list[float]] = {}
        for _ in range(ROUNDS):
            for name in ("paste", "add", "search", "use_another", "undo"):
                found.setdefault(name, []).append(await freezes.of(getattr(steps, name)))
        for name, worst in found.items():
            print(f"{name:12} median {statistics.median(worst):.0f} ms, worst {max(worst):.0f} ms")
    finally:
        presenter.end()
        window.close()
        await context.stop()


def main() -> None:
    application = QApplication(sys.argv[:1])
    Theme(application)
    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=lambda: new_merged_loop(application)) as runner,
    ):
        runner.run(_measure(Path(folder)))


if __name__ == "__main__":
    main()
