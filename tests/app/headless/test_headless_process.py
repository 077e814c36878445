"""The headless commands as real processes: how they end, what they tell, and what they keep to themselves."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.origin import Origin
from tests.support.ports import free_port, is_listening
from tests.support.processes import HOST, METHOD, Process, running, ssgui_local, ssgui_server, wait_until
from tests.support.socks_client import receive_all, receive_exactly, socks_connect

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
SSGUI = [sys.executable, "-m", "ssgui"]
SECRET = "hunter22-not-to-be-seen"


@contextmanager
def pair(*flags: str, password: str = SECRET) -> Iterator[tuple[Process, tuple[str, int], Process]]:
    """Our client behind our server: the client's process and address, and the server's process."""
    with (
        ssgui_server(SSGUI, password=password, flags=flags) as server,
        ssgui_local(SSGUI, server.address, password=password, flags=flags) as local,
    ):
        yield local.process, local.address, server.process


def fetch(proxy: tuple[str, int], origin: Origin, size: int = 1000) -> int:
    """How many bytes come of `size` asked for through `proxy`."""
    with socks_connect(proxy, origin.address) as sock:
        sock.sendall(f"DOWN {size}\n".encode())
        return len(receive_all(sock))


def _wait_told(process: Process, text: str) -> None:
    wait_until(lambda: text in process.stderr(), f"{text!r} in the log")


# ---- how they end


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_0_and_every_event_told(number: int) -> None:
    with Origin() as origin, ssgui_server(SSGUI) as server, ssgui_local(SSGUI, server.address) as local:
        assert fetch(local.address, origin) == 1000
        with socks_connect(local.address, origin.address) as sock:
            sock.sendall(b"ECHO\nx")
            assert receive_exactly(sock, 1) == b"x"
            started = time.monotonic()
            for program in (local, server):
                program.process.send_signal(number)
            for program in (local, server):
                assert program.process.wait() == 0
            assert time.monotonic() - started < 4
        for program in (local, server):
            first, second = program.events.connections()
            assert first.reason == "finished"
            assert second.closed is not None
            assert "Traceback" not in program.process.stderr()
        assert second.reason in ("shutdown", "client-reset")


def test_a_second_signal_ends_it_now() -> None:
    with Origin() as origin, pair() as (local, address, _), socks_connect(address, origin.address) as sock:
        sock.sendall(b"ECHO\nx")
        receive_exactly(sock, 1)
        local.send_signal(signal.SIGTERM)
        _wait_told(local, "stopping")
        started = time.monotonic()
        local.send_signal(signal.SIGINT)
        assert local.wait() == 128 + signal.SIGINT
        assert time.monotonic() - started < 1.5
        assert "Traceback" not in local.stderr()


def test_quit_ends_a_server_after_its_last_connection() -> None:
    with Origin() as origin, pair() as (_, address, server), socks_connect(address, origin.address) as sock:
        sock.sendall(b"ECHO\n")
        port = int(server.command[server.command.index("-p") + 1])
        server.send_signal(signal.SIGQUIT)
        wait_until(lambda: not is_listening(port), "the server no longer listens")
        sock.sendall(b"still here")
        assert receive_exactly(sock, 10) == b"still here"
        assert server.returncode is None
        sock.shutdown(socket.SHUT_WR)
        assert receive_all(sock) == b""
        assert server.wait() == 0


def test_a_port_in_use_names_its_owner() -> None:
    with ssgui_server(SSGUI) as server:
        command = [*SSGUI, "server", "-s", HOST, "-p", str(server.address[1]), "-k", "other"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        assert done.returncode == 1
        assert done.stdout == ""
        last = done.stderr.splitlines()[-1]
        assert last.startswith(f"ssgui: cannot listen on {HOST}:{server.address[1]}: ")
        if Path("/proc/net/tcp").exists():
            assert last.endswith(f"(ssgui, PID {server.process.pid})")


# ---- what they are told, and tell


def test_password_from_standard_input() -> None:
    with Origin() as origin, ssgui_server(SSGUI, password=SECRET) as server:
        port = free_port()
        command = [
            *SSGUI, "--headless", "--password-file", "-", "local", "-s", HOST, "-p", str(server.address[1]),
            "-m", METHOD, "-l", str(port),
        ]  # fmt: skip
        environment = {name: value for name, value in os.environ.items() if name != "SSGUI_PASSWORD"}
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as process:
            assert process.stdin is not None
            process.stdin.write(f"{SECRET}\nnot this\n")
            process.stdin.close()
            try:
                wait_until(lambda: is_listening(port), "the client listens")
                assert fetch((HOST, port), origin) == 1000
            finally:
                process.terminate()
                process.wait(10)


def test_port_password_is_a_server_on_every_port(tmp_path: Path) -> None:
    ports = [free_port(), free_port()]
    path = tmp_path / "ss.json"
    table = {str(port): f"password {port}" for port in ports}
    path.write_text(json.dumps({"server": HOST, "port_password": table, "method": METHOD, "forbidden_ip": ""}))
    with Origin() as origin, running([*SSGUI, "server", "-c", str(path)]) as server:
        for port in ports:
            server.wait_listening(port)
            with ssgui_local(SSGUI, (HOST, port), password=f"password {port}") as local:
                assert fetch(local.address, origin) == 1000
        with ssgui_local(SSGUI, (HOST, ports[0]), password=f"password {ports[1]}") as local:
            assert _nothing_comes(local.address, origin)


def _nothing_comes(proxy: tuple[str, int], origin: Origin) -> bool:
    before = origin.accepted
    with socks_connect(proxy, origin.address) as sock:
        sock.sendall(b"DOWN 10\n")
        sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            sock.recv(1)
    return origin.accepted == before


def test_one_of_many_servers_is_chosen_for_each_connection(tmp_path: Path) -> None:
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        servers = [stack.enter_context(ssgui_server(SSGUI, password=SECRET)) for _ in range(2)]
        path, port = tmp_path / "ss.json", free_port()
        ports = [server.address[1] for server in servers]
        path.write_text(
            json.dumps({"server": HOST, "server_port": ports, "password": SECRET, "method": METHOD, "local_port": port})
        )
        local = stack.enter_context(running([*SSGUI, "local", "-c", str(path)], port=port))
        for _ in range(40):  # all to one of the two: once in 5e11 runs
            assert fetch((HOST, port), origin, 10) == 10
        local.require_running()
        wait_until(lambda: all(server.events.connections() for server in servers), "both servers are used")
        assert "one of 2 servers" in local.stderr()


def test_a_server_without_a_password_shows_a_link_that_works(tmp_path: Path) -> None:
    port = free_port()
    command = [*SSGUI, "server", "-s", HOST, "-p", str(port), "--forbidden-ip", ""]
    with (
        Origin() as origin,
        running(command, env={"SSGUI_PASSWORD": "", "PYTHONIOENCODING": "utf-8"}, port=port) as server,
    ):
        wait_until(lambda: server.stdout().count("\n") > 10 and server.stdout().endswith("\n"), "the link and its code")
        link, *code = server.stdout().splitlines()
        assert set("".join(code)) == set(" \u2580\u2584\u2588")
        parts = urlsplit(link)
        assert (parts.hostname, parts.port) == (HOST, port)
        info = parts.username or ""
        method, _, password = base64.urlsafe_b64decode(info + "=" * (-len(info) % 4)).decode().partition(":")
        with ssgui_local(SSGUI, (HOST, port), method=method, password=password) as local:
            assert fetch(local.address, origin) == 1000
        assert password not in server.stderr()


def test_log_lines_hide_where_connections_go() -> None:
    with Origin() as origin, pair() as (local, address, server):
        fetch(address, origin)
        dead = free_port()
        with socks_connect(address, (HOST, dead)) as sock:
            sock.sendall(b"x")
            with pytest.raises(ConnectionResetError):
                sock.recv(1)
        _wait_told(server, "connect-refused")
        for process in (local, server):
            assert "finished" not in process.stderr()
            assert f":{origin.port}" not in process.stderr()
            assert f":{dead}" not in process.stderr()
    with Origin() as origin, pair("-v", "--log-json") as (local, address, server):
        fetch(address, origin)
        for process in (local, server):
            _wait_told(process, "finished")
            lines = [json.loads(line) for line in process.stderr().splitlines()]
            (ended,) = [line for line in lines if line.get("reason") == "finished"]
            assert ended["target"] == f"{HOST}:{origin.port}"
            assert ended["down"] == 1000


def test_quiet_says_nothing() -> None:
    with Origin() as origin, pair("-q") as (local, address, _):
        fetch(address, origin)
        local.send_signal(signal.SIGTERM)
        assert local.wait() == 0
        assert local.stderr() == ""
        assert local.stdout() == ""


def test_no_secret_is_ever_seen(tmp_path: Path) -> None:
    path, port = tmp_path / "ss.json", free_port()
    with Origin() as origin, ssgui_server(SSGUI, password=SECRET, flags=["-vv"]) as server:
        tree = {"server": HOST, "server_port": server.address[1], "password": SECRET, "method": METHOD}
        path.write_text(json.dumps(tree))
        with running([*SSGUI, "local", "-vv", "-l", str(port), "-c", str(path), "--events", "-"], port=port) as local:
            assert fetch((HOST, port), origin) == 1000
            with socket.create_connection(server.address) as probe:
                probe.sendall(b"\0" * 200)  # a failure is told too
                _wait_told(server.process, "auth-failed")
            for process in (local, server.process):
                for place in ("cmdline", "comm"):
                    title = Path(f"/proc/{process.pid}/{place}")
                    assert not title.exists() or SECRET.encode() not in title.read_bytes()
                process.send_signal(signal.SIGTERM)
                assert process.wait() == 0
                told = process.stderr() + process.stdout()
                assert told
                assert SECRET not in told
                assert base64.b64encode(SECRET.encode()).decode().rstrip("=") not in told
