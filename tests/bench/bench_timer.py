"""How late a Qt timer is while the window's own loop carries traffic.

    python -m tests.bench.bench_timer

A 10 ms timer runs in the window's process, with the page of connections open (offscreen), 20 streams that never
stop and 200 connections that are open; client in the window, server, origin and programs are three processes.
"""

import asyncio
import multiprocessing
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from ssgui.app.context import AppContext
from ssgui.app.log_buffer import LogBuffer
from ssgui.config.app_config import AppConfig, Mode, Server, Settings
from ssgui.config.secret import Secret
from ssgui.config.store import Store
from ssgui.gui.event_loop import new_merged_loop
from ssgui.gui.presenter import Presenter
from ssgui.gui.theme import Theme
from ssgui.gui.window import MainWindow
from tests.engine.world import until
from tests.support.ports import free_port
from tests.support.processes import ssgui_server
from tests.support.socks_client import socks_connect

SECONDS = 20.0
BUSY, OPEN = 20, 200
EVERY_MS = 10
_CHUNK = bytes(1 << 16)


def _origin(port: int) -> None:
    """Sends for ever to whoever says "d", swallows what comes from all others."""

    def serve(sock: socket.socket) -> None:
        with sock:
            try:
                if sock.recv(1) == b"d":
                    while True:
                        sock.sendall(_CHUNK)
                while sock.recv(1 << 16):
                    pass
            except OSError:
                return

    with socket.create_server(("127.0.0.1", port), backlog=512) as listener:
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


def _programs(port: int, origin: int) -> None:
    def stream(down: bool) -> None:
        with socks_connect(("127.0.0.1", port), ("127.0.0.1", origin)) as sock:
            sock.sendall(b"d" if down else b"u")
            while sock.recv(1 << 16) if down else sock.send(_CHUNK):
                pass

    kept = [socks_connect(("127.0.0.1", port), ("127.0.0.1", origin)) for _ in range(OPEN)]
    for number in range(BUSY):
        threading.Thread(target=stream, args=(number % 4 != 0,), daemon=True).start()
    for sock in kept:
        sock.settimeout(None)
        sock.recv(1)  # nothing comes


@contextmanager
def _process(*job: object) -> Iterator[None]:
    run, *args = job
    one = multiprocessing.get_context("spawn").Process(target=run, args=args, daemon=True)  # type: ignore[arg-type]
    one.start()
    try:
        yield
    finally:
        one.kill()
        one.join()


class Lateness:
    """How many milliseconds after its time each ring of the timer came."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self._timer = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=EVERY_MS)
        self._timer.timeout.connect(self._rang)

    def start(self) -> None:
        self.late.clear()
        self._last = time.perf_counter()
        self._timer.start()

    def _rang(self) -> None:
        now = time.perf_counter()
        self.late.append((now - self._last) * 1000 - EVERY_MS)
        self._last = now

    def __str__(self) -> str:
        late = sorted(self.late)
        p99 = late[int(len(late) * 0.99)]
        return f"late: median {statistics.median(late):.1f} ms, p99 {p99:.1f}, worst {late[-1]:.1f}"


async def _measure(folder: Path, port: int) -> None:
    context = AppContext(Store(folder), LogBuffer())
    local, origin = free_port(), free_port()
    server = Server(id="1", host="127.0.0.1", port=port, method="aes-256-gcm", password=Secret("pw"))
    context.config = AppConfig(servers=(server,), current="1", settings=Settings(mode=Mode.GLOBAL, local_port=local))
    window = MainWindow()
    presenter = Presenter(context, window, lambda: None)
    await context.start()
    window.resize(1280, 800)
    window.show()
    window.activateWindow()
    presenter.begin()
    window.open_page("connections")
    lateness = Lateness()
    try:
        lateness.start()
        await asyncio.sleep(5)
        print(f"{'nothing to carry':20}{lateness}")
        with _process(_origin, origin), _process(_programs, local, origin):
            await until(lambda: len(context.connections.live) == OPEN + BUSY)
            await asyncio.sleep(2)
            before, begun = _carried(context), time.monotonic()
            lateness.start()
            await asyncio.sleep(SECONDS)
            rate = (_carried(context) - before) / (time.monotonic() - begun) / 1e6
            rows = len(context.connections.live)
            print(f"{f'{rate:.0f} MB/s, {rows} open':20}{lateness}")
    finally:
        presenter.end()
        window.close()
        await context.stop()


def _carried(context: AppContext) -> int:
    return sum(view.up + view.down for view in context.engine.snapshot())


def main() -> None:
    application = QApplication(sys.argv[:1])
    Theme(application)
    with (
        tempfile.TemporaryDirectory() as folder,
        ssgui_server([sys.executable, "-m", "ssgui"], password="pw") as server,
        asyncio.Runner(loop_factory=lambda: new_merged_loop(application)) as runner,
    ):
        runner.run(_measure(Path(folder), server.address[1]))


if __name__ == "__main__":
    main()
