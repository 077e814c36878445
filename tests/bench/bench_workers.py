"""New connections per second of a server with one worker, and with more; and what the shared memory of salts costs.

    python -m tests.bench.bench_workers [WORKERS]

The load and the origin are one loop in this process, and take processor time too: where there are no cores to spare
they are what limits. So the processor time of each side for one connection is told beside the rate: it says what the
same server would do with cores enough, and moves little with what else the machine does.
"""

import os
import select
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ssgui.engine.shared_salts import SLOTS_EACH, KeySalts, SharedSalts
from ssgui.protocol.replay import SaltFilter, Salts
from tests.support.ports import free_port, is_listening
from tests.support.processes import HOST, METHOD, PASSWORD, running, wait_until
from tests.support.wire import first_flight

CONNECTIONS, AT_ONCE, ROUNDS = 3000, 32, 4
_TICKS = os.sysconf("SC_CLK_TCK")


class Load:
    """Opens connections, at most AT_ONCE at a time, and is the origin that they lead to."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        self._origin = socket.create_server((HOST, 0), backlog=1024)
        self._origin.setblocking(False)
        self._epoll = select.epoll()
        self._epoll.register(self._origin, select.EPOLLIN)
        self._clients: dict[int, socket.socket] = {}
        self._others: dict[int, socket.socket] = {}

    def run(self, count: int) -> float:
        """How many connections a second, each with a request and an answer."""
        target = self._origin.getsockname()
        flights = [first_flight(METHOD, PASSWORD, os.urandom(32), target, b"x") for _ in range(count)]
        done, started = 0, time.perf_counter()
        while done < count:
            while flights and len(self._clients) < AT_ONCE:
                self._open(flights.pop())
            for fd, _ in self._epoll.poll():
                if fd == self._origin.fileno():
                    self._accept()
                elif fd in self._others:
                    self._answer(fd)
                elif self._ended(fd):
                    done += 1
        return count / (time.perf_counter() - started)

    def close(self) -> None:
        """Give everything back."""
        self._origin.close()
        self._epoll.close()

    def _open(self, flight: bytes) -> None:
        sock = socket.create_connection(self._server)
        sock.sendall(flight)
        sock.setblocking(False)
        self._clients[sock.fileno()] = sock
        self._epoll.register(sock, select.EPOLLIN)

    def _accept(self) -> None:
        try:
            while True:
                sock, _ = self._origin.accept()
                sock.setblocking(False)
                self._others[sock.fileno()] = sock
                self._epoll.register(sock, select.EPOLLIN)
        except BlockingIOError:
            return

    def _answer(self, fd: int) -> None:
        sock = self._others.pop(fd)
        assert sock.recv(10) == b"x"
        sock.send(b"y")
        sock.close()

    def _ended(self, fd: int) -> bool:
        if self._clients[fd].recv(1000):
            return False
        self._clients.pop(fd).close()
        return True


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and of all its children that live."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return (int(fields[11]) + int(fields[12])) / _TICKS + sum(cpu_seconds(int(child)) for child in below)


@contextmanager
def server(workers: int) -> Iterator[tuple[int, Load]]:
    """A server with so many workers, and a load for it."""
    port = free_port()
    command = [sys.executable, "-m", "ssgui", "--headless", "-q", "server", "-s", HOST, "-p", str(port), "-m", METHOD]
    command += ["--forbidden-ip", "", "--workers", str(workers)]
    with running(command, env={"SSGUI_PASSWORD": PASSWORD}, port=port) as process:
        listening = f"{port:04X} 00000000:0000 0A"
        wait_until(lambda: Path("/proc/net/tcp").read_text().count(listening) == workers and is_listening(port), "all")
        load = Load((HOST, port))
        try:
            yield process.pid, load
        finally:
            load.close()


def measure(workers: int) -> tuple[float, float, float]:
    """The best rate, and the least processor time of server and load for a connection, in microseconds."""
    with server(workers) as (pid, load):
        load.run(CONNECTIONS // 4)
        rates, ours, theirs = [], [], []
        for _ in range(ROUNDS):
            before, own = cpu_seconds(pid), time.process_time()
            rates.append(load.run(CONNECTIONS))
            ours.append((cpu_seconds(pid) - before) / CONNECTIONS * 1e6)
            theirs.append((time.process_time() - own) / CONNECTIONS * 1e6)
    return max(rates), min(ours), min(theirs)


def salts_cost(salts: Salts) -> float:
    """Microseconds to look for a new salt and to remember it."""
    fresh = [os.urandom(32) for _ in range(20_000)]
    best = 1e9
    for _ in range(5):
        started = time.perf_counter()
        for salt in fresh[:4000]:
            if salt not in salts:
                salts.add(salt)
        best = min(best, (time.perf_counter() - started) / 4000 * 1e6)
        del fresh[:4000]
    return best


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    cores, load = os.cpu_count() or 1, os.getloadavg()[0]
    print(f"Python {sys.version.split()[0]}, {cores} cores, load {load:.1f} before we began")
    found = {workers: measure(workers) for workers in (1, many)}
    for workers, (rate, ours, theirs) in found.items():
        print(f"{workers} workers {rate:7.0f} connections/s   {ours:5.0f} us of server, {theirs:4.0f} us of load each")
    one, all_ = found[1], found[many]
    print(f"ratio {all_[0] / one[0]:.2f}")
    most = min(many * 1e6 / all_[1], cores * 1e6 / (all_[1] + all_[2]))
    alone = min(1e6 / one[1], cores * 1e6 / (one[1] + one[2]))
    print(f"by processor time alone {cores} cores allow {alone:.0f} and {most:.0f}: {most / alone:.2f}")
    shared = salts_cost(KeySalts(SharedSalts(SLOTS_EACH * many), b"a key", dated=True))
    print(f"a salt in memory that is shared {shared:.1f} us, in a process's own {salts_cost(SaltFilter()):.1f} us")


if __name__ == "__main__":
    main()
