"""Several processes on one port: one memory of salts, and a supervisor that nothing gets lost with."""

import asyncio
import base64
import errno
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import cast

import pytest

from ssgui.app.headless.job import Job
from ssgui.app.headless.run import run_headless
from ssgui.app.server.worker_link import WorkerLink
from ssgui.config.models import PluginSettings, ServerSettings
from ssgui.config.secret import Secret
from ssgui.config.settings import check_workers
from ssgui.config.values import ConfigError
from ssgui.engine.errors import EngineError
from ssgui.protocol.address import encode_address
from ssgui.protocol.sip022 import METHODS_2022
from tests.protocol.sip022_wires import Sealer
from tests.support.datagrams import UdpEcho
from tests.support.origin import Origin
from tests.support.ports import free_port, is_listening
from tests.support.processes import HOST, METHOD, PASSWORD, Program, ssgui_local, ssgui_server, wait_until
from tests.support.socks_client import receive_all, receive_exactly, socks_connect
from tests.support.wire import first_flight, salt_for

if sys.platform != "linux":
    pytest.skip("workers share a port on Linux only", allow_module_level=True)

from ssgui.app.server.workers import Supervisor, _Fork, _fork

SSGUI = [sys.executable, "-m", "ssgui"]
METHOD_2022 = "2022-blake3-aes-256-gcm"
KEY_2022 = base64.b64encode(b"k" * 32).decode()
MANY = 100


@contextmanager
def workers(*flags: str, count: int = 2, method: str = METHOD, password: str = PASSWORD) -> Iterator[Program]:
    """Our server with `count` workers."""
    flags = ("--workers", str(count), *flags)
    with ssgui_server(SSGUI, method=method, password=password, flags=flags) as server:
        wait_until(lambda: f"{count} workers serve" in server.process.stderr(), "all workers serve")
        yield server


def children(pid: int) -> list[int]:
    """The processes that `pid` has made and that live, in the order of their numbers."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(one) for one in listed.read_text().split()] if listed.exists() else []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_each_worker_can_be_watched() -> None:
    with workers() as server:
        env = {**os.environ, "XDG_RUNTIME_DIR": str(server.runtime)}
        command = [*SSGUI, "monitor", "--list"]
        listed = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30)
        assert all(str(pid) in listed.stdout for pid in children(server.process.pid)), listed


def classic_flight(target: tuple[str, int]) -> bytes:
    return first_flight(METHOD, PASSWORD, salt_for(METHOD, int.from_bytes(os.urandom(8), "big")), target, b"ECHO\nhi")


def flight_2022(target: tuple[str, int]) -> bytes:
    sealer = Sealer(METHODS_2022[METHOD_2022], base64.b64decode(KEY_2022), os.urandom(32))
    return sealer.request(encode_address(*target), 0, b"ECHO\nhi", now=int(time.time()))


EDITIONS = [
    pytest.param(METHOD, PASSWORD, classic_flight, id="2017"),
    pytest.param(METHOD_2022, KEY_2022, flight_2022, id="2022", marks=pytest.mark.long),
]
Flight = Callable[[tuple[str, int]], bytes]


def play(stack: ExitStack, address: tuple[str, int], flight: bytes, count: int) -> list[socket.socket]:
    """`count` connections that send the same, all of them open before the first one sends."""
    socks = [stack.enter_context(socket.create_connection(address, timeout=20)) for _ in range(count)]
    for sock in socks:
        sock.sendall(flight)
    return socks


# ---- one memory of salts


@pytest.mark.parametrize(("method", "password", "make"), EDITIONS)
def test_a_replay_is_refused_by_whichever_worker_it_comes_to(method: str, password: str, make: Flight) -> None:
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        server = stack.enter_context(workers(method=method, password=password))
        flight = make(origin.address)
        (first,) = play(stack, server.address, flight, 1)
        answer = first.recv(1000)
        play(stack, server.address, flight, MANY - 10)
        play(stack, server.address, answer, 10)  # what the server has sent is a replay too
        server.events.wait_closed(MANY)
        ended = [one for one in server.events.connections() if one.closed]
        assert Counter(one.reason for one in ended) == {"replay": MANY}
        assert {one.opened["worker"] for one in ended} == {1, 2}
        assert origin.accepted == 1


@pytest.mark.long
@pytest.mark.parametrize(("method", "password", "make"), EDITIONS)
def test_of_many_at_one_time_one_is_served(method: str, password: str, make: Flight) -> None:
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        server = stack.enter_context(workers(method=method, password=password))
        for round_ in range(1, 4):
            play(stack, server.address, make(origin.address), MANY)
            server.events.wait_closed(round_ * (MANY - 1))
            assert {one.reason for one in server.events.connections() if one.closed} == {"replay"}
            assert origin.accepted == round_


@pytest.mark.long
def test_what_a_worker_has_seen_is_known_after_its_death() -> None:
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        server = stack.enter_context(workers())
        flight = classic_flight(origin.address)
        (first,) = play(stack, server.address, flight, 1)
        assert first.recv(1)
        (taken,) = server.events.wait_stage("STREAM")
        before = children(server.process.pid)
        os.kill(before[taken.opened["worker"] - 1], signal.SIGKILL)
        wait_until(lambda: "serves again" in server.process.stderr(), "another worker")
        play(stack, server.address, flight, MANY)
        server.events.wait_closed(MANY)
        assert origin.accepted == 1


# ---- deaths


def metrics(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
        lines = page.read().decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


@pytest.mark.long
def test_a_worker_that_dies_is_replaced_and_its_counts_stay() -> None:
    page = free_port()
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        server = stack.enter_context(workers("--metrics", str(page)))
        local = stack.enter_context(ssgui_local(SSGUI, server.address))
        for _ in range(20):
            with socks_connect(local.address, origin.address) as sock:
                sock.sendall(b"DOWN 1000\n")
                assert len(receive_all(sock)) == 1000
        socks = [stack.enter_context(socks_connect(local.address, origin.address)) for _ in range(20)]
        for sock in socks:
            sock.sendall(b"ECHO\nx")
            assert receive_exactly(sock, 1) == b"x"
        name = f'ssgui_bytes_total{{listen="{HOST}:{server.address[1]}",direction="down"}}'
        before = metrics(page)
        assert before[name] == 20_020
        victim = children(server.process.pid)[0]
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: "worker 1 serves again" in server.process.stderr(), "another worker")
        after = metrics(page)
        assert after[name] == before[name]
        assert all(after[key] >= value for key, value in before.items() if "_total" in key)
        assert after["ssgui_worker_restarts_total"] == 1
        assert after["ssgui_workers"] == 2
        survivors = sum(_lives(sock) for sock in socks)
        assert 0 < survivors < 20
        with socks_connect(local.address, origin.address) as sock:
            sock.sendall(b"DOWN 1000\n")
            assert len(receive_all(sock)) == 1000
        assert metrics(page)[name] == before[name] + 1000 + 10 * survivors
        assert "worker 1 was killed by signal 9; starting another in 0.5 s" in server.process.stderr()
        os.kill(children(server.process.pid)[0], signal.SIGTERM)
        wait_until(lambda: "ended with 0; starting another in" in server.process.stderr(), "it was asked to end")


def _lives(sock: socket.socket) -> bool:
    try:
        sock.sendall(b"0123456789")
        return receive_exactly(sock, 10) == b"0123456789"
    except ConnectionError:
        return False


@pytest.mark.long
def test_workers_do_not_outlive_their_supervisor() -> None:
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        server = stack.enter_context(workers())
        local = stack.enter_context(ssgui_local(SSGUI, server.address))
        with socks_connect(local.address, origin.address) as sock:
            sock.sendall(b"ECHO\nx")
            assert receive_exactly(sock, 1) == b"x"
            both = children(server.process.pid)
            assert len(both) == 2
            server.process.send_signal(signal.SIGKILL)
            wait_until(lambda: not any(map(alive, both)), "the workers have ended")
        assert not is_listening(server.address[1])


@pytest.mark.long
def test_a_worker_that_does_not_end_is_killed() -> None:
    with workers() as server:
        both = children(server.process.pid)
        os.kill(both[1], signal.SIGSTOP)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(15) == 0
        assert "worker 2 does not end, and is killed" in server.process.stderr()
        wait_until(lambda: not any(map(alive, both)), "the workers have ended")


# ---- signals


@pytest.mark.parametrize(
    ("number", "to_all"),
    [
        pytest.param(signal.SIGTERM, True, marks=pytest.mark.long),
        pytest.param(signal.SIGINT, True, marks=pytest.mark.long),
        pytest.param(signal.SIGTERM, False, marks=pytest.mark.long),
        pytest.param(signal.SIGINT, False, marks=pytest.mark.long),
    ],
)
def test_a_signal_ends_all_with_0(number: int, *, to_all: bool) -> None:
    """Also when it reaches the whole group, as Ctrl-C and service managers do it: that is one signal, not two."""
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        server = stack.enter_context(workers())
        local = stack.enter_context(ssgui_local(SSGUI, server.address))
        sock = stack.enter_context(socks_connect(local.address, origin.address))
        sock.sendall(b"ECHO\nx")
        assert receive_exactly(sock, 1) == b"x"
        both = children(server.process.pid)
        started = time.monotonic()
        if to_all:
            os.killpg(server.process.pid, number)
        else:
            server.process.send_signal(number)
        assert server.process.wait() == 0
        assert 1.5 < time.monotonic() - started < 5
        assert not any(map(alive, both))
        (closed,) = server.events.wait_closed()
        assert closed.reason in ("shutdown", "client-reset")


@pytest.mark.long
def test_a_second_signal_ends_it_now() -> None:
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        server = stack.enter_context(workers())
        local = stack.enter_context(ssgui_local(SSGUI, server.address))
        sock = stack.enter_context(socks_connect(local.address, origin.address))
        sock.sendall(b"ECHO\nx")
        assert receive_exactly(sock, 1) == b"x"
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "worker 1: stopping" in server.process.stderr(), "they are stopping")
        started = time.monotonic()
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait() == 128 + signal.SIGINT
        assert time.monotonic() - started < 1.5


def test_quit_ends_with_the_last_connection_of_all() -> None:
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        server = stack.enter_context(workers())
        local = stack.enter_context(ssgui_local(SSGUI, server.address))
        socks = [socks_connect(local.address, origin.address) for _ in range(10)]
        for sock in socks:
            sock.sendall(b"ECHO\nx")
            assert receive_exactly(sock, 1) == b"x"
        server.process.send_signal(signal.SIGQUIT)
        wait_until(lambda: not is_listening(server.address[1]), "nobody listens any more")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "are not read again" in server.process.stderr(), "a reload is refused")
        for sock in socks:
            assert _lives(sock)
            assert server.process.returncode is None
            sock.close()
        assert server.process.wait() == 0
        assert "starting another" not in server.process.stderr()


# ---- the rest


@pytest.mark.long
def test_datagrams_come_to_one_worker() -> None:
    with ExitStack() as stack:
        echo = stack.enter_context(UdpEcho())
        server = stack.enter_context(workers("-u", count=3))
        local = stack.enter_context(ssgui_local(SSGUI, server.address, flags=["-u"]))
        for _ in range(5):
            control = stack.enter_context(socket.create_connection(local.address))
            control.sendall(b"\x05\x01\x00\x05\x03\x00" + encode_address("0.0.0.0", 0))
            receive_exactly(control, 12)
            sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sock.settimeout(1)
            head = b"\0\0\0" + encode_address(*echo.address)
            for size in range(1, 20):
                wait_until(lambda: _echoes(sock, head + bytes(size), local.address), "an echo")  # noqa: B023
        server.events.wait_stage("UDP_ASSOC", 5)
        opened = [one.opened for one in server.events.connections()]
        assert {line["worker"] for line in opened if line["inbound"] == "shadowsocks-udp"} == {1}


def _echoes(sock: socket.socket, packet: bytes, relay: tuple[str, int]) -> bool:
    """Whether it comes back: UDP may lose."""
    sock.sendto(packet, relay)
    try:
        return sock.recv(1 << 16) == packet
    except TimeoutError:
        return False


def test_a_port_of_the_systems_choice_is_one_for_all() -> None:
    command = [*SSGUI, "server", "-s", HOST, "-p", "0", "-k", PASSWORD, "--workers", "3"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as program:
        assert program.stderr is not None
        try:
            line = next(line for line in program.stderr if "listening on" in line)
            port = int(line.partition(f"{HOST}:")[2].split()[0])
            table = Path("/proc/net/tcp").read_text().splitlines()
            assert sum(f":{port:04X} 00000000:0000 0A" in entry for entry in table) == 3
        finally:
            program.terminate()
            program.wait(10)


def test_a_port_in_use_names_its_owner_and_leaves_nobody_behind() -> None:
    """Also one that another server with workers has, which the system would let it share."""
    with workers() as server:
        command = [*SSGUI, "server", "-s", HOST, "-p", str(server.address[1]), "-k", "other", "--workers", "2"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        assert done.returncode == 1
        where, _, owner = done.stderr.splitlines()[-1].partition(": Address already in use ")
        assert where == f"ssgui: cannot listen on {HOST}:{server.address[1]}"
        assert owner.startswith("(ssgui, PID ")


@pytest.mark.long
def test_lines_of_events_are_whole() -> None:
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        server = stack.enter_context(workers("--log-json", "-v"))
        local = stack.enter_context(ssgui_local(SSGUI, server.address))
        for _ in range(30):
            with socks_connect(local.address, origin.address) as sock:
                sock.sendall(b"DOWN 10\n")
                receive_all(sock)
        wait_until(lambda: sum(one.reason != "" for one in server.events.connections()) == 30, "30 have ended")
        lines = server.events.lines()
        assert Counter(line["worker"] for line in lines if line["event"] == "start") == {1: 1, 2: 1}
        assert {line["worker"] for line in lines} == {1, 2}
        assert '"worker": 1' in server.process.stderr()


def test_a_process_that_cannot_be_had_is_asked_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_fork() -> int:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    async def play() -> None:
        wanted = _Fork(WorkerLink(1), asyncio.get_running_loop().create_future())
        monkeypatch.setattr(os, "fork", no_fork)
        _fork(wanted, cast("Supervisor", None))
        with pytest.raises(EngineError, match="cannot be started: Resource temporarily unavailable"):
            await wanted.made
        assert wanted.worker.pid == 0

    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    asyncio.run(play())
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_where_it_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = ServerSettings(HOST, 1, METHOD, Secret(PASSWORD))
    plugin = ServerSettings(HOST, 2, METHOD, Secret(PASSWORD), plugin=PluginSettings("obfs-server"))
    check_workers(2, [plain])
    check_workers(1, [plugin])
    with pytest.raises(ConfigError, match="a plugin is one process"):
        run_headless(Job(servers=(plain, plugin), workers=2))
    for platform in ("darwin", "win32"):
        monkeypatch.setattr(sys, "platform", platform)
        with pytest.raises(ConfigError, match="does not share a port among processes"):
            run_headless(Job(servers=(plain,), workers=2))
        check_workers(1, [plain])
