"""Bulk and new connections through our client and server, with a monitor attached to the client and without.

    python -m tests.bench.bench_watched [ROUNDS]

The monitor is `ssgui monitor` in a terminal of its own, with 200 open connections besides. Watched and unwatched turns
alternate in one run, and each ratio is of two turns next to each other: the median of those counts, and is to be 0.95
at least. On a machine that has other things to do, what the client computes for the same work says more than what the
clock says: that ratio, unwatched to watched, is given too, where /proc tells it.
"""

import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.bench.bench_pair import Open, fetch
from tests.support.origin import Origin
from tests.support.ports import free_port
from tests.support.processes import HOST, METHOD, PASSWORD, running
from tests.support.socks_client import receive_exactly, socks_connect
from tests.support.terminal import TerminalProgram

SSGUI = [sys.executable, "-m", "ssgui"]
ROUNDS = 9
RESTING = 200
BULK = 500_000_000
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


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        env = {"SSGUI_PASSWORD": PASSWORD, "XDG_RUNTIME_DIR": folder}
        origin, far, near = stack.enter_context(Origin()), free_port(), free_port()
        server = ["-s", HOST, "-p", str(far), "-m", METHOD]
        stack.enter_context(running([*SSGUI, "--headless", "server", *server, "--forbidden-ip", ""], env=env, port=far))
        client = stack.enter_context(
            running([*SSGUI, "--headless", "local", *server, "-l", str(near)], env=env, port=near)
        )

        def connect() -> socket.socket:
            return socks_connect((HOST, near), origin.address)

        for _ in range(RESTING):
            sock = stack.enter_context(connect())
            sock.sendall(b"ECHO\nx")
            receive_exactly(sock, 1)
        turns: list[tuple[Turn, Turn]] = []
        for number in range(rounds):
            unwatched = turn(connect, client.pid)
            with watching(client.pid, env):
                watched = turn(connect, client.pid)
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
