"""What a manager says to Debian's ss-manager, said to it and to ours: the answers are the same."""

import json
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.origin import Origin
from tests.support.ports import free_port, is_listening
from tests.support.processes import HOST, METHOD, Process, running, ssgui_local, wait_until
from tests.support.programs import require
from tests.support.socks_client import receive_all, receive_exactly, socks_connect

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="unix sockets, and workers")
SSGUI = [sys.executable, "-m", "ssgui"]
OURS = [*SSGUI, "--headless", "server", "--forbidden-ip", ""]
FLAGS = ["-s", HOST, "-m", METHOD, "-u"]


@contextmanager
def manager(kind: str, folder: Path) -> Iterator[tuple[Process, "Client"]]:
    """A manager that serves nothing yet, and a client of it."""
    path = folder / "manager.sock"
    if kind == "debian":
        command = [require("ss-manager"), "--executable", require("ss-server"), "-D", str(folder), *FLAGS]
    else:
        command = [*OURS, *FLAGS, *(["--workers", "2"] if kind == "workers" else [])]
    with (
        running([*command, "--manager-address", str(path)], env={"SSGUI_PASSWORD": ""}) as process,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock,
    ):
        wait_until(path.exists, f"the socket of the manager: {process.stderr()}")
        sock.bind(str(folder / "client.sock"))
        sock.settimeout(10)
        yield process, Client(sock, str(path))


class Client:
    """Says one thing and reads one answer, as panels do."""

    def __init__(self, sock: socket.socket, path: str) -> None:
        self._sock, self._path = sock, path

    def ask(self, text: str) -> str:
        self._sock.sendto(text.encode(), self._path)
        return self._sock.recv(1 << 16).decode()

    def has_no_answer(self, text: str) -> bool:
        """Whether the next question is answered first."""
        self._sock.sendto(text.encode(), self._path)
        return self.ask('remove: {"server_port": 1}') == "ok"

    def add(self, **tree: object) -> str:
        return self.ask(f"add: {json.dumps(tree)}")

    def used(self) -> dict[str, int]:
        word, _, rest = self.ask("ping").partition(": ")
        assert word == "stat"
        used: dict[str, int] = json.loads(rest)
        return used


@pytest.mark.parametrize(
    "kind", [pytest.param("debian", marks=pytest.mark.long), "ours", pytest.param("workers", marks=pytest.mark.long)]
)
def test_a_managers_day(kind: str, tmp_path: Path) -> None:
    ports = [free_port() for _ in range(3)]
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        process, client = stack.enter_context(manager(kind, tmp_path))
        assert client.used() == {}
        assert json.loads(client.ask("list")) == []

        assert client.add(server_port=ports[0], password="first") == "ok"
        assert client.add(server_port=str(ports[1]), password="second", method="chacha20-ietf-poly1305") == "ok"
        assert sorted(json.loads(client.ask("list")), key=lambda entry: entry["password"]) == [
            {"server_port": str(ports[0]), "password": "first", "method": METHOD},
            {"server_port": str(ports[1]), "password": "second", "method": "chacha20-ietf-poly1305"},
        ]
        assert client.used() == {str(ports[0]): 0, str(ports[1]): 0}
        wait_until(lambda: all(map(is_listening, ports[:2])), "both ports are open")

        first = stack.enter_context(ssgui_local(SSGUI, (HOST, ports[0]), password="first"))
        second = stack.enter_context(
            ssgui_local(SSGUI, (HOST, ports[1]), password="second", method="chacha20-ietf-poly1305")
        )
        for local in (first, second):
            with socks_connect(local.address, origin.address) as sock:
                sock.sendall(b"DOWN 20000\n")
                assert len(receive_all(sock)) == 20000
        wait_until(lambda: min(client.used().values()) >= 20000, "traffic is told")

        with socks_connect(first.address, origin.address) as sock:
            sock.sendall(b"ECHO\nx")
            assert receive_exactly(sock, 1) == b"x"
            for _ in range(2):
                assert client.ask(f'remove: {{"server_port": {ports[0]}}}') == "ok"
            wait_until(lambda: not is_listening(ports[0]), "the port is closed")
            try:
                assert sock.recv(1) == b"", "what came to the port ends with it"
            except ConnectionResetError:
                pass
        assert list(client.used()) == [str(ports[1])]
        assert [entry["server_port"] for entry in json.loads(client.ask("list"))] == [str(ports[1])]

        assert client.add(server_port=ports[2]) == "err"
        assert client.ask("add: {}") == "err"
        assert client.ask("add: nonsense") == "err"
        assert client.ask("remove: {}") == "err"
        assert client.has_no_answer("nonsense")
        assert client.has_no_answer('stat: {"9": 1}')
        assert client.add(server_port=origin.port, password="x") == "port is not available"

        def replaced() -> bool:
            return client.add(server_port=ports[1], password="another") == "ok"

        # Debian's has ended the server that was there, which may not have heard of it yet.
        assert replaced() or (kind == "debian" and wait_until(replaced, "it is replaced"))
        wait_until(lambda: is_listening(ports[1]), "the port is open again")
        assert client.used() == {str(ports[1]): 0}
        third = stack.enter_context(ssgui_local(SSGUI, (HOST, ports[1]), password="another"))
        with socks_connect(third.address, origin.address) as sock:
            sock.sendall(b"DOWN 10\n")
            assert len(receive_all(sock)) == 10
        process.require_running()


@pytest.mark.long
@pytest.mark.parametrize("kind", ["ours", "workers"])
def test_what_a_manager_did_outlives_a_reload(kind: str, tmp_path: Path) -> None:
    path, ports = tmp_path / "ss.json", [free_port() for _ in range(3)]
    table = {str(port): "pass phrase" for port in ports[:2]}
    path.write_text(json.dumps({"server": HOST, "method": METHOD, "port_password": table, "workers": 1}))
    flags = ["-c", str(path), "--manager-address", str(tmp_path / "m.sock"), *(["--workers=2"] * (kind == "workers"))]
    with (
        running([*OURS, *flags], port=ports[1]) as process,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock,
    ):
        sock.bind(str(tmp_path / "client.sock"))
        sock.settimeout(10)
        wait_until((tmp_path / "m.sock").exists, "the socket of the manager")
        client = Client(sock, str(tmp_path / "m.sock"))
        assert sorted(client.used()) == sorted(map(str, ports[:2]))
        assert client.ask(f'remove: {{"server_port": {ports[0]}}}') == "ok"
        assert client.add(server_port=ports[2], password="added") == "ok"
        path.write_text(json.dumps({"server": HOST, "method": METHOD, "port_password": table, "timeout": 200}))
        process.send_signal(1)
        wait_until(lambda: "the settings were taken" in process.stderr(), "it was read again")
        assert sorted(client.used()) == sorted(map(str, ports[1:]))
        assert [is_listening(port) for port in ports] == [False, True, True]
