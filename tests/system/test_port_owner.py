"""Who listens on a port: asked of the real /proc, and of made-up ones."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ssgui.system.port_owner import owner_of_port

needs_proc = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux tells")
LISTENER = """
import socket, sys
sock = socket.create_server((sys.argv[1], 0), family=socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
print(sock.getsockname()[1], flush=True)
sys.stdin.read()
"""


@needs_proc
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_names_the_process(host: str, tmp_path: Path) -> None:
    script = tmp_path / "my-proxy.py"
    script.write_text(LISTENER)
    command = [sys.executable, str(script), host, "s3cret"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        owner = owner_of_port(int(process.stdout.readline()))
        process.communicate()
        assert owner == f"my-proxy.py, PID {process.pid}"


@needs_proc
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_names_the_process_that_has_a_udp_port(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.bind((host, 0))
        port = sock.getsockname()[1]
        assert f"PID {os.getpid()}" in str(owner_of_port(port, udp=True))
    assert owner_of_port(port, udp=True) is None


@needs_proc
def test_a_connection_is_no_listener() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert owner_of_port(client.getsockname()[1]) is None
        assert f"PID {os.getpid()}" in str(owner_of_port(server.getsockname()[1]))


def _proc(root: Path, port: int, user: int) -> Path:
    (root / "net").mkdir()
    line = f"   0: 0100007F:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000  {user}  0 4711 1 0\n"
    (root / "net" / "tcp").write_text("  sl  local_address\n" + line)
    return root


def test_only_the_user_can_be_seen(tmp_path: Path) -> None:
    proc = _proc(tmp_path, 1080, 54321)
    (proc / "77").mkdir()
    assert owner_of_port(1080, proc) == "a process of user 54321"
    assert owner_of_port(1081, proc) is None


def test_finds_the_descriptor(tmp_path: Path) -> None:
    proc = _proc(tmp_path, 1080, 0)
    descriptors = proc / "77" / "fd"
    descriptors.mkdir(parents=True)
    (descriptors / "0").symlink_to("/dev/null")
    (descriptors / "5").symlink_to("socket:[4711]")
    (descriptors / "6").write_text("no link")
    assert owner_of_port(1080, proc) == "a process, PID 77"
    (proc / "77" / "comm").write_text("python3\n")
    (proc / "77" / "cmdline").write_bytes(b"python3\0-m\0ssgui\0-k\0s3cret\0")
    assert owner_of_port(1080, proc) == "ssgui, PID 77"


def test_no_proc_at_all(tmp_path: Path) -> None:
    assert owner_of_port(1080, tmp_path / "nothing") is None
