"""SIGHUP: settings are read again, and what did not change never notices."""

import base64
import json
import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.origin import Origin
from tests.support.ports import free_port, is_listening
from tests.support.processes import HOST, METHOD, Process, running, ssgui_local, ssgui_server, wait_until
from tests.support.programs import require
from tests.support.socks_client import receive_exactly, socks_connect

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
METHOD_2022 = "2022-blake3-aes-128-gcm"
BOTH = pytest.mark.parametrize(
    "flags", [pytest.param([], id="one"), pytest.param(["--workers", "2"], id="workers", marks=pytest.mark.long)]
)
TAKEN, REFUSED = "the settings were taken", "the settings were not taken"


def key() -> str:
    return base64.b64encode(os.urandom(16)).decode()


def write(path: Path, **tree: Any) -> None:
    path.write_text(json.dumps({"server": HOST, "method": METHOD, "forbidden_ip": "", **tree}))


def reload(process: Process, outcome: str = TAKEN) -> str:
    """Have it read its settings again; the line that says what came of it."""
    before = process.stderr().count(outcome)
    process.send_signal(signal.SIGHUP)
    wait_until(lambda: process.stderr().count(outcome) > before, f"{outcome!r}\n{process.stderr()}")
    return [line for line in process.stderr().splitlines() if outcome in line][-1]


def open_through(stack: ExitStack, proxy: tuple[str, int], origin: Origin) -> socket.socket:
    """A connection over which something went already."""
    sock = stack.enter_context(socks_connect(proxy, origin.address))
    sock.sendall(b"ECHO\nx")
    assert receive_exactly(sock, 1) == b"x"
    return sock


def lives(sock: socket.socket) -> bool:
    try:
        sock.sendall(b"still here")
        return receive_exactly(sock, 10) == b"still here"
    except ConnectionError:
        return False


@BOTH
def test_a_hundred_connections_and_a_changed_user(tmp_path: Path, flags: Sequence[str]) -> None:
    path, port, psk, keys = tmp_path / "ss.json", free_port(), key(), {name: key() for name in ("ann", "bob")}

    def say(**timeouts: int) -> None:
        users = [{"name": name, "password": password} for name, password in keys.items()]
        write(path, server_port=port, method=METHOD_2022, password=psk, users=users, **timeouts)

    say()
    command = [sys.executable, "-m", "ssgui", "server", "-c", str(path), *flags]
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        server = stack.enter_context(running(command, port=port))
        proxies = {
            name: stack.enter_context(
                ssgui_local([sys.executable, "-m", "ssgui"], (HOST, port), method=METHOD_2022, password=f"{psk}:{own}")
            ).address
            for name, own in keys.items()
        }
        hundred = [open_through(stack, proxies["ann"], origin) for _ in range(100)]
        ten = [open_through(stack, proxies["bob"], origin) for _ in range(10)]
        keys["bob"] = key()
        say()
        assert "ports: 0 as before, 1 changed, 0 opened, 0 closed" in reload(server)
        assert [lives(sock) for sock in hundred] == [True] * 100
        assert [lives(sock) for sock in ten] == [False] * 10
        new = stack.enter_context(
            ssgui_local(
                [sys.executable, "-m", "ssgui"], (HOST, port), method=METHOD_2022, password=f"{psk}:{keys['bob']}"
            )
        )
        assert lives(open_through(stack, new.address, origin))
        say(timeout=250)
        reload(server)
        assert [lives(sock) for sock in hundred] == [True] * 100
        assert "Traceback" not in server.stderr()
        server.send_signal(signal.SIGTERM)
        assert server.wait() == 0


@pytest.mark.long
@pytest.mark.parametrize("flags", [[], ["--workers", "2"]], ids=["one", "workers"])
def test_ports_come_and_go_and_what_is_wrong_changes_nothing(tmp_path: Path, flags: Sequence[str]) -> None:
    path, ports = tmp_path / "ss.json", [free_port() for _ in range(3)]

    def say(*some: int, **tree: Any) -> None:
        write(path, port_password={str(port): f"password {port}" for port in some}, **tree)

    def client(stack: ExitStack, port: int) -> tuple[str, int]:
        program = ssgui_local([sys.executable, "-m", "ssgui"], (HOST, port), password=f"password {port}")
        return stack.enter_context(program).address

    say(ports[0], ports[1])
    command = [sys.executable, "-m", "ssgui", "server", "-c", str(path), *flags]
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        server = stack.enter_context(running(command, port=ports[1]))
        stays = [open_through(stack, client(stack, ports[0]), origin) for _ in range(3)]
        goes = open_through(stack, client(stack, ports[1]), origin)
        say(ports[0], ports[2])
        assert "ports: 1 as before, 0 changed, 1 opened, 1 closed" in reload(server)
        assert not lives(goes)
        assert not is_listening(ports[1])
        new = open_through(stack, client(stack, ports[2]), origin)
        for wrong, said in (
            ('{"server": ', "line 1, column"),
            ('{"port_password": {"0": "x"}}', "is no port"),
            ('{"method": "no-such-method"}', "no-such-method"),
        ):
            path.write_text(wrong)
            assert said in reload(server, REFUSED)
        say(ports[0], ports[1], origin.port)
        assert f"{HOST}:{origin.port}: Address already in use" in reload(server, REFUSED)
        assert not is_listening(ports[1])
        assert [lives(sock) for sock in (*stays, new)] == [True] * 4
        path.unlink()
        assert "No such file" in reload(server, REFUSED)
        say(ports[0], ports[2], timeout=200)
        assert "ports: 0 as before, 2 changed" in reload(server)
        assert [lives(sock) for sock in (*stays, new)] == [True] * 4
        assert "Traceback" not in server.stderr()


def test_a_client(tmp_path: Path) -> None:
    path, port = tmp_path / "ss.json", free_port()
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        command = [sys.executable, "-m", "ssgui"]
        servers = [stack.enter_context(ssgui_server(command, password="pass phrase")) for _ in range(2)]

        def say(number: int, **tree: Any) -> None:
            address = servers[number].address[1]
            write(path, server_port=address, password="${SSGUI_TEST_PASSWORD}", local_port=port, **tree)

        say(0)
        environment = {"SSGUI_TEST_PASSWORD": "pass phrase"}
        local = stack.enter_context(running([*command, "local", "-c", str(path)], env=environment, port=port))
        first = open_through(stack, (HOST, port), origin)
        say(1)
        reload(local)
        second = open_through(stack, (HOST, port), origin)
        servers[1].events.wait_stage("STREAM")
        say(1, bypass_lan=True, timeout=200)
        reload(local)
        third = open_through(stack, (HOST, port), origin)
        assert len(servers[1].events.connections()) == 1, "the loopback is of the local network"
        write(path, server_port=1, local_port=port)
        assert "no password" in reload(local, REFUSED)
        assert [lives(sock) for sock in (first, second, third)] == [True] * 3
        local.send_signal(signal.SIGQUIT)
        wait_until(lambda: not is_listening(port), "the client no longer listens")
        local.send_signal(signal.SIGHUP)
        wait_until(lambda: "are not read again" in local.stderr(), "a reload is refused")
        for sock in (first, second, third):
            assert lives(sock)
            sock.close()
        assert local.wait() == 0
        assert "Traceback" not in local.stderr()


def test_a_terminal_that_goes_takes_the_program_with_it() -> None:
    port, (ours, theirs) = free_port(), pty.openpty()
    command = [sys.executable, "-m", "ssgui", "server", "-s", HOST, "-p", str(port), "-k", "pass phrase", "-q"]
    with subprocess.Popen(
        [require("setsid"), "--ctty", *command], stdin=theirs, stdout=theirs, stderr=theirs
    ) as program:
        os.close(theirs)
        try:
            wait_until(lambda: is_listening(port), "the server listens")
            os.close(ours)
            assert program.wait(10) == 0
        finally:
            program.kill()
    assert not is_listening(port)


def test_without_a_file_nothing_changes() -> None:
    with ssgui_server([sys.executable, "-m", "ssgui"], password="pass phrase") as server:
        assert "ports: 1 as before, 0 changed, 0 opened, 0 closed" in reload(server.process)
