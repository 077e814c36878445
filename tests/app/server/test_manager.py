"""The manager's socket: who may open it, who is answered, and who is told without asking again."""

import asyncio
import contextlib
import logging
import os
import socket
import stat
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ssgui.app.headless.reload import Settings
from ssgui.app.server.manager import Manager
from ssgui.app.server.plan import ServerPlan
from ssgui.config.models import ManagerAddress, ServerSettings
from ssgui.config.options import Options
from ssgui.config.values import ConfigError
from ssgui.engine.changes import Difference
from ssgui.engine.errors import BindError
from ssgui.engine.tally import PortSample, Sample
from tests.engine.world import until
from tests.support.ports import free_port

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="unix sockets")
SOON = 0.05
HOST = "127.0.0.1"
ADD = b'add: {"server_port": 8001, "password":"p"}'


class FakeServing:
    """Serves nothing; remembers what was wanted, and says what it is told to say."""

    def __init__(self) -> None:
        self.wanted: list[int] = []
        self.carried: dict[int, int] = {}
        self.error: Exception | None = None

    async def change(self, wanted: Sequence[ServerSettings]) -> Difference:
        if self.error is not None:
            raise self.error
        self.wanted = [one.bind_port for one in wanted]
        return Difference(0, 0, 0, 0)

    async def sample(self) -> Sample:
        ports = {f"{HOST}:{port}": PortSample(users={"": (count, 0)}) for port, count in self.carried.items()}
        return Sample(ports)


class Client:
    """A manager with a socket of its own."""

    def __init__(self, folder: Path, name: str, path: Path) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.bind(str(folder / name))
        self.sock.connect(str(path))

    async def ask(self, data: bytes) -> bytes:
        await asyncio.get_running_loop().sock_sendall(self.sock, data)
        return await self.heard()

    async def heard(self, seconds: float = 10) -> bytes:
        async with asyncio.timeout(seconds):
            return await asyncio.get_running_loop().sock_recv(self.sock, 1 << 16)

    async def silence(self) -> None:
        with pytest.raises(TimeoutError):
            await self.heard(4 * SOON)


class Stage:
    """A manager on a unix socket, in front of nothing."""

    def __init__(self, folder: Path, tell_seconds: float = 600) -> None:
        self.folder, self.path, self.serving = folder, folder / "manager.sock", FakeServing()
        options = Options(hosts=(HOST,), method="aes-256-gcm")
        self.plan = ServerPlan(self.serving, Settings(options=options))
        self.manager = Manager(ManagerAddress(str(self.path)), self.plan, tell_seconds)
        self.clients: list[Client] = []

    def client(self, name: str = "client") -> Client:
        self.clients.append(Client(self.folder, name, self.path))
        return self.clients[-1]


@asynccontextmanager
async def stage(folder: Path, tell_seconds: float = 600) -> AsyncIterator[Stage]:
    found = Stage(folder, tell_seconds)
    await found.manager.start()
    try:
        yield found
    finally:
        await found.manager.stop()
        for client in found.clients:
            client.sock.close()


# ---- orders


async def test_orders_are_carried_out(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        client = on.client()
        assert await client.ask(b"ping") == b"stat: {}"
        assert await client.ask(ADD) == b"ok"
        assert await client.ask(b'add: {"server_port": 8002, "password":"q", "method":"aes-128-gcm"}') == b"ok"
        assert on.serving.wanted == [8001, 8002]
        assert b'{"server_port":"8002","password":"q","method":"aes-128-gcm"}' in await client.ask(b"list")
        on.serving.carried = {8001: 70, 8002: 30}
        assert await client.ask(b"ping") == b'stat: {"8001":70,"8002":30}'
        assert await client.ask(ADD) == b"ok"
        assert await client.ask(b"ping") == b'stat: {"8001":0,"8002":30}', "a port that is added anew begins with 0"
        for _ in range(2):
            assert await client.ask(b'remove: {"server_port": 8001}') == b"ok"
        assert on.serving.wanted == [8002]


async def test_orders_that_cannot_be_carried_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with stage(tmp_path) as on:
        client = on.client()
        assert await client.ask(b"add: {}") == b"err"
        no_key = b'add: {"server_port": 8001, "password":"no-key", "method":"2022-blake3-aes-128-gcm"}'
        assert await client.ask(no_key) == b"err"
        on.serving.error = BindError(HOST, 8001, OSError(98, "Address already in use"))
        assert await client.ask(ADD) == b"port is not available"
        on.serving.error = RuntimeError("a mistake of ours")
        assert await client.ask(ADD) == b"err"
        on.serving.error = None
        assert await client.ask(ADD) == b"ok"
        await on.plan.close()
        assert await client.ask(b'remove: {"server_port": 8001}') == b"err"
        assert on.serving.wanted == [8001]
    assert "a mistake of ours" in caplog.text
    assert "no-key" not in caplog.text


async def test_what_has_no_answer_gets_none(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        client = on.client()
        for data in (b"nonsense", b"", b'stat: {"1":2}', b"\xff" * 100):
            client.sock.send(data)
        assert await client.ask(b"list") == b"[\n]"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as nameless:
            nameless.sendto(ADD, str(on.path))
            nameless.sendto(b"ping", str(on.path))
        await until(lambda: on.serving.wanted == [8001])
        assert await client.ask(b"ping") == b'stat: {"8001":0}'


async def test_a_flood_is_dropped_and_the_next_is_heard(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        flood, client = on.client("flood"), on.client()
        for _ in range(2000):
            try:
                flood.sock.send(b"list")
            except BlockingIOError:
                await asyncio.sleep(0)
        await asyncio.sleep(4 * SOON)  # nobody tells when the last of it was dropped
        with contextlib.suppress(BlockingIOError):
            while True:  # what was answered, as far as there was room for it
                assert flood.sock.recv(100) == b"[\n]"
        assert await client.ask(b"list") == b"[\n]"


# ---- who may


async def test_only_its_owner_can_open_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        mode = os.stat(on.path).st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
    assert not on.path.exists()


async def test_a_name_that_was_left_behind_is_taken_over_and_another_is_not(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as left:
        left.bind(str(tmp_path / "manager.sock"))
        with pytest.raises(BindError, match=r"cannot listen on .*manager\.sock: Address already in use"):
            await Stage(tmp_path).manager.start()
    async with stage(tmp_path) as on:
        assert await on.client().ask(b"ping") == b"stat: {}"
        os.unlink(on.path)
        on.path.write_text("somebody else's")
    assert on.path.read_text() == "somebody else's"
    with pytest.raises(BindError, match="Address already in use"):
        await Stage(tmp_path).manager.start()
    on.path.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.bind(str(on.path))
        other.listen()
        with pytest.raises(BindError, match="Address already in use"):
            await Stage(tmp_path).manager.start()


async def test_on_the_loopback() -> None:
    plan = ServerPlan(FakeServing(), Settings(options=Options(hosts=(HOST,))))
    port = free_port()
    manager = Manager(ManagerAddress("", HOST, port), plan, SOON)
    await manager.start()
    try:
        with pytest.raises(BindError, match=f"cannot listen on UDP {HOST}:{port}"):
            await Manager(ManagerAddress("", HOST, port), plan).start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.setblocking(False)
            client.connect((HOST, port))
            client.send(ADD)
            async with asyncio.timeout(10):
                assert await asyncio.get_running_loop().sock_recv(client, 100) == b"ok"
    finally:
        await manager.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="names of sockets outside of the file system")
async def test_a_socket_whose_name_is_no_file_is_answered(tmp_path: Path) -> None:
    """It needs no folder that both sides can write to: a manager may be another user than the server."""
    async with stage(tmp_path) as on:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.setblocking(False)
            client.bind("")
            client.sendto(ADD, str(on.path))
            async with asyncio.timeout(10):
                assert await asyncio.get_running_loop().sock_recv(client, 100) == b"ok"


async def test_where_there_are_no_unix_sockets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    on = Stage(tmp_path)
    monkeypatch.delattr(socket, "AF_UNIX")
    with pytest.raises(ConfigError, match=r"no unix sockets: give a port of 127\.0\.0\.1"):
        await on.manager.start()


# ---- news


async def test_who_pinged_once_is_told_what_changes(tmp_path: Path) -> None:
    async with stage(tmp_path, SOON) as on:
        client = on.client()
        await client.ask(ADD)
        assert await client.ask(b"ping") == b'stat: {"8001":0}'
        await client.silence()
        for count in (5, 9):
            on.serving.carried = {8001: count}
            assert await client.heard() == f'stat: {{"8001":{count}}}'.encode()
            await client.silence()
        other = on.client("other")
        await other.ask(b"ping")
        on.serving.carried = {8001: 10}
        assert await other.heard() == b'stat: {"8001":10}'
        await client.silence()


async def test_who_keeps_asking_is_told_nothing_else(tmp_path: Path) -> None:
    """He reads one answer for each question; what he did not ask for would stand between them for ever."""
    async with stage(tmp_path, SOON) as on:
        client = on.client()
        await client.ask(ADD)
        await client.ask(b"ping")
        on.serving.carried = {8001: 5}
        assert await client.heard() == b'stat: {"8001":5}'
        for count in (6, 7, 8):
            assert await client.ask(b"ping") == f'stat: {{"8001":{count - 1}}}'.encode()
            on.serving.carried = {8001: count}
            await client.silence()


async def test_who_has_gone_is_told_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "ssgui")
    async with stage(tmp_path, SOON) as on:
        client = on.client()
        await client.ask(ADD)
        await client.ask(b"ping")
        client.sock.close()
        on.serving.carried = {8001: 5}
        await until(lambda: "a manager has gone" in caplog.text)
        other = on.client("other")
        assert await other.ask(b"ping") == b'stat: {"8001":5}'
