"""Bulk and new connections through our client and server, with a monitor attached to the client and without.

    python -m tests.bench.bench_watched [--rounds N] [--window]

The monitor is `ssgui monitor` in a terminal of its own, or with --window the client is the app itself, its window
(in Xvfb) on the page of connections, or hidden. There are 200 open connections besides. Watched and unwatched turns
alternate in one run, and each ratio is of two turns next to each other: the median of those counts, and is to be 0.95
at least. On a machine that has other things to do, what the client computes for the same work says more than what the
clock says: that ratio, unwatched to watched, is given too, where /proc tells it.
"""

import argparse
import json
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.bench.bench_pair import Open, fetch
from tests.support.app import App, app
from tests.support.desktop import Panel, screen, session_bus
from tests.support.origin import Origin
from tests.support.ports import free_port, is_listening
from tests.support.processes import HOST, METHOD, PASSWORD, running, wait_until
from tests.support.socks_client import receive_exactly, socks_connect
from tests.support.terminal import TerminalProgram

SSGUI = [sys.executable, "-m", "ssgui"]
ROUNDS = 10
RESTING = 200
BULK = 2_000_000_000  # seconds: what it takes to show the window is little of that
CONNECTIONS = 1000


class Cost(NamedTuple):
    """Of some work: seconds, and of those of our client's processor time (0 where nobody tells)."""

    wall: float
    client: float


class Turn(NamedTuple):
    """One of each kind of work."""

    bulk: Cost
    connections: Cost

    def __str__(self) -> str:
        per_connection = self.connections.client / CONNECTIONS * 1e6
        return (
            f"{BULK / 1e6 / self.bulk.wall:.0f} MB/s, {CONNECTIONS / self.connections.wall:.0f} connections/s"
            f" (of the client {per_connection:.0f} us each)"
        )


@contextmanager
def watching(pid: int, env: dict[str, str]) -> Iterator[None]:
    """A monitor of the process `pid`, once it shows the connections that rest."""
    command = [*SSGUI, "monitor", "--pid", str(pid)]
    with TerminalProgram(command, columns=140, rows=50, env=env) as shown:
        shown.wait_for(f"{RESTING} streaming")
        yield
        shown.press("q")
        assert shown.wait() == 0


def processor_seconds(pid: int) -> float:
    """What the process has computed so far."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cost_of(work: Callable[[], None], pid: int) -> Cost:
    """What it takes."""
    begun, computed = time.perf_counter(), processor_seconds(pid)
    work()
    return Cost(time.perf_counter() - begun, processor_seconds(pid) - computed)


def turn(open_: Open, pid: int) -> Turn:
    """One stream, then many connections one after the other."""

    def connect() -> None:
        for _ in range(CONNECTIONS):
            fetch(open_, 64)

    return Turn(cost_of(lambda: fetch(open_, BULK), pid), cost_of(connect, pid))


Client = tuple[int, Callable[[], AbstractContextManager[None]]]  # its PID, and what watches it


@contextmanager
def headless(server: list[str], near: int, env: dict[str, str]) -> Iterator[Client]:
    """A client without a window, to be watched from a terminal."""
    with running([*SSGUI, "--headless", "local", *server, "-l", str(near)], env=env, port=near) as client:
        yield client.pid, lambda: watching(client.pid, env)


@contextmanager
def in_the_window(far: int, near: int) -> Iterator[Client]:
    """The app, hidden until it is to be watched."""
    with (
        tempfile.TemporaryDirectory() as folder,
        screen() as display,
        session_bus() as bus,
        closing(Panel(bus)) as panel,
    ):
        panel.appear()  # without a tray, who closes the window ends the app
        entry = {"id": "1", "server": HOST, "server_port": far, "method": METHOD, "password": PASSWORD}
        settings = {"mode": "global", "local_port": near}
        text = json.dumps({"version": 1, "servers": [entry], "current": "1", "settings": settings})
        (Path(folder) / "config.json").write_text(text)
        with app(Path(folder), env={**display, "DBUS_SESSION_BUS_ADDRESS": bus}) as one:
            wait_until(lambda: one.status()["tray"], "the tray")
            wait_until(lambda: is_listening(near), "the port of the app")
            one.ask({"do": "close"})
            yield one.process.pid, lambda: _looking(one)


@contextmanager
def _looking(one: App) -> Iterator[None]:
    one.ask({"do": "page", "page": "connections"})
    wait_until(lambda: one.status()["window"], "the window")
    yield
    one.ask({"do": "close"})
    wait_until(lambda: not one.status()["window"], "no window")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--window", action="store_true", help="of the app, instead of a terminal")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        env = {"SSGUI_PASSWORD": PASSWORD, "XDG_RUNTIME_DIR": folder}
        origin, far, near = stack.enter_context(Origin()), free_port(), free_port()
        server = ["-s", HOST, "-p", str(far), "-m", METHOD]
        stack.enter_context(running([*SSGUI, "--headless", "server", *server, "--forbidden-ip", ""], env=env, port=far))
        client = in_the_window(far, near) if options.window else headless(server, near, env)
        pid, watch = stack.enter_context(client)

        def connect() -> socket.socket:
            return socks_connect((HOST, near), origin.address)

        for _ in range(RESTING):
            sock = stack.enter_context(connect())
            sock.sendall(b"ECHO\nx")
            receive_exactly(sock, 1)
        turns: list[tuple[Turn, Turn]] = []
        for number in range(options.rounds):
            if number % 2:  # by turns the one or the other comes first: the second finds more that has ended
                with watch():
                    watched = turn(connect, pid)
                unwatched = turn(connect, pid)
            else:
                unwatched = turn(connect, pid)
                with watch():
                    watched = turn(connect, pid)
            turns.append((unwatched, watched))
            print(f"turn {number + 1}: {unwatched}; watched {watched}", flush=True)
    for at, what in enumerate(("down one stream", "new connections")):
        print(f"{what:16}{_ratio([(one[at].wall, other[at].wall) for one, other in turns])}")
        computed = [(one[at].client, other[at].client) for one, other in turns]
        if all(before and after for before, after in computed):
            print(f"{'  computing':16}{_ratio(computed)}")


def _ratio(pairs: list[tuple[float, float]]) -> str:
    """Of the seconds without and with a monitor: 0.95 means that with it the same took 1/0.95 of the time."""
    ratios = [before / after for before, after in pairs]
    return f"{statistics.median(ratios):.3f} (from {min(ratios):.2f} to {max(ratios):.2f})"


if __name__ == "__main__":
    main()
