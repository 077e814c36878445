"""UDP of the real programs: what `--events` tells, how they stop, and a port that somebody else has."""

import os
import signal
import socket
import subprocess
from collections.abc import Sequence

import pytest

from tests.support.datagrams import UdpEcho, UdpProgram
from tests.support.ports import free_port
from tests.support.processes import HOST, METHOD, PASSWORD, ssgui_local, ssgui_program, ssgui_server


def test_events_and_a_clean_stop(ssgui_command: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDEVMODE", "1")
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    flags = ["-u"]
    with (
        UdpEcho() as origin,
        ssgui_server(ssgui_command, flags=flags) as server,
        ssgui_local(ssgui_command, server.address, flags=flags) as client,
        UdpProgram(client.address) as program,
    ):
        program.send(b"by name", ("localhost", origin.address[1]))
        assert program.receive() == b"by name"
        program.send(b"ping", origin.address)
        assert program.receive() == b"ping"
        for one in (client, server):
            one.process.send_signal(signal.SIGTERM)
            assert one.process.wait() == 0
            assert "Warning" not in one.process.stderr()
        (seen,) = client.events.connections()
        assert seen.names == ["INIT", "ADDR", "UDP_ASSOC", "DESTROYED"]
        assert seen.opened["inbound"] == "socks5"
        assert seen.closed is not None
        assert (seen.closed["up"], seen.closed["down"], seen.closed["detail"]) == (11, 11, "2 targets")
        (seen,) = server.events.connections()
        assert seen.names == ["INIT", "UDP_ASSOC", "DESTROYED"]
        assert seen.target == f"127.0.0.1:{origin.address[1]}"
        assert seen.opened["inbound"] == "shadowsocks-udp"
        assert seen.closed is not None
        assert (seen.closed["up"], seen.closed["down"], seen.reason) == (11, 11, "shutdown")


def test_a_port_that_is_taken_for_udp_names_its_owner(ssgui_program: Sequence[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free, socket.socket(type=socket.SOCK_DGRAM) as taken:
        address = free.getsockname()
        taken.bind(address)
        free.close()
        command = [*ssgui_program, "--headless", "server", "-s", address[0], "-p", str(address[1]), "-u"]
        env = {**os.environ, "SSGUI_PASSWORD": PASSWORD}
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=30)
    assert done.returncode == 1
    assert f"cannot listen on UDP 127.0.0.1:{address[1]}" in done.stderr
    assert f"PID {os.getpid()}" in done.stderr or not os.path.exists("/proc/net/udp")


def test_a_tunnel(ssgui_command: Sequence[str]) -> None:
    """`-L` with `-u`: what is sent to the local port comes out at the target, and the answer comes back."""
    port = free_port()
    with UdpEcho() as origin, ssgui_server(ssgui_command, flags=["-u"]) as server:
        flags = ["-s", HOST, "-p", str(server.address[1]), "-m", METHOD, "-l", str(port), "-u"]
        target = f"{origin.address[0]}:{origin.address[1]}"
        with (
            ssgui_program(ssgui_command, "tunnel", port, [*flags, "-L", target]) as client,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as program,
        ):
            program.settimeout(10)
            program.connect(client.address)
            for data in (b"one", b"x" * 1200):
                program.send(data)
                assert program.recv(2000) == data
            (seen,) = client.events.wait_stage("UDP_ASSOC")
            assert (seen.opened["inbound"], seen.target) == ("tunnel-udp", target)
