"""How soon the app is there, and what it costs while nothing happens.

    python -m tests.bench.bench_start

Starts are warm, on a screen (Xvfb) with a tray. "Painted" is the window's first paint, "tray" the moment its icon
is in the panel, both counted from the start of the process. CPU is what the process used of one core, with a
server and an open port and no connections.
"""

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.support.app import App, app
from tests.support.desktop import Panel, screen, session_bus
from tests.support.ports import free_port
from tests.support.processes import wait_until

STARTS = 5
IDLE_SECONDS = 10.0


def _config(home: Path, servers: int) -> None:
    entries = [
        {"id": str(number), "server": "127.0.0.1", "server_port": 9, "method": "aes-256-gcm", "password": "pw"}
        for number in range(servers)
    ]
    settings = {"mode": "global", "local_port": free_port()}
    text = json.dumps({"version": 1, "servers": entries, "current": "0", "settings": settings})
    (home / "config.json").write_text(text)


def _cpu_seconds(pid: int) -> float:
    """Of all threads, exactly: the ticks of /proc/PID/stat are too coarse for what is measured here."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def _resident(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _idle(one: App, page: str) -> float:
    """Per cent of a core."""
    if page:
        one.ask({"do": "page", "page": page})
    pid = one.process.pid
    time.sleep(2)  # what the change itself costs is over by then
    used, started = _cpu_seconds(pid), time.monotonic()
    time.sleep(IDLE_SECONDS)  # it is idleness that is measured
    return (_cpu_seconds(pid) - used) / (time.monotonic() - started) * 100


def _start(env: dict[str, str], servers: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="ssgui-bench-") as folder:
        _config(Path(folder), servers)
        started = time.monotonic()
        with app(Path(folder), env=env) as one:
            tray = wait_until(lambda: float(one.status()["tray"]), "the tray")
            return float(one.status()["painted"]) - started, tray - started


def main() -> None:
    """Print the figures."""
    if missing := [program for program in ("Xvfb", "dbus-daemon") if shutil.which(program) is None]:
        print(f"{' and '.join(missing)} not on PATH: the start of the app was not measured")
        return
    with screen() as display, session_bus() as bus:
        env = {**display, "DBUS_SESSION_BUS_ADDRESS": bus}
        panel = Panel(bus)
        panel.appear()
        for servers in (1, 1000):
            found = [_start(env, servers) for _ in range(STARTS + 1)][1:]
            painted, tray = (statistics.median(times) for times in zip(*found, strict=True))
            print(f"{servers} servers: painted {painted:.2f} s, tray {tray:.2f} s (median of {STARTS})")
        with tempfile.TemporaryDirectory(prefix="ssgui-bench-") as folder:
            _config(Path(folder), 50)
            with app(Path(folder), env=env) as one:
                wait_until(lambda: one.status()["tray"], "the tray")
                for page in ("servers", "connections", "logs", "settings"):
                    print(f"idle, {page} open: {_idle(one, page):.2f} % of a core")
                one.ask({"do": "close"})
                print(f"idle, hidden: {_idle(one, ''):.2f} % of a core")
                print(f"resident: {_resident(one.process.pid):.0f} MB")
        panel.close()
    sys.stdout.flush()


if __name__ == "__main__":
    main()
