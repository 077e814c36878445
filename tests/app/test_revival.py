"""After sleep and on other networks the header's word is true, and servers are tried again by themselves."""

import asyncio
import errno
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ssgui.app import revival
from ssgui.app.context import AppContext
from ssgui.app.log_buffer import LogBuffer
from ssgui.config.app_config import AppConfig, Mode, Server, Settings
from ssgui.config.secret import Secret
from ssgui.config.store import Store
from ssgui.engine.handler import TCPRelayHandler
from ssgui.engine.lost import Probing
from ssgui.engine.stages import Reason
from ssgui.services import awake
from ssgui.services.diagnosis.evidence import Evidence, judge
from ssgui.system.network import NetworkState
from tests.engine.world import METHOD, PASSWORD, World, until
from tests.support.ports import free_port

HERE, NOTHING = NetworkState(frozenset({"127.0.0.1"})), NetworkState()


class Life:
    """An app with its server and an origin that its trials ask."""

    def __init__(self, context: AppContext, world: World, port: int) -> None:
        self.context, self.world, self.port = context, world, port
        self.state = HERE
        context.awake.look_at = lambda _: self.state

    def kind(self) -> str:
        self.context.connections.pull()
        return self.context.verdict().kind

    async def becomes(self, kind: str) -> None:
        await until(lambda: self.kind() == kind)


async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
    await reader.read()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awake, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(awake, "SETTLE_SECONDS", 0.01)
    monkeypatch.setattr(revival, "LONGEST_PAUSE", 0.05)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent")


@asynccontextmanager
async def life(folder: Path, mode: Mode = Mode.GLOBAL) -> AsyncIterator[Life]:
    async with World("transports") as world:
        context = AppContext(Store(folder), LogBuffer())
        one = Life(context, world, free_port())
        host, port = await world.origin(page)
        server = Server(id="1", host="127.0.0.1", port=one.port, method=METHOD, password=Secret(PASSWORD))
        settings = Settings(
            local_port=free_port(), mode=mode, probe_url=f"http://{host}:{port}/", leave_system_proxy=True
        )
        context.revival = revival.Revival(context._to_revive, context.evidence, 0.01)
        await context.start()
        context.change(AppConfig(servers=(server,), current="1", settings=settings))
        await context.settled()
        try:
            yield one
        finally:
            await context.stop()


async def test_the_word_is_true_without_a_network_and_with_another(tmp_path: Path) -> None:
    async with life(tmp_path) as one:
        await one.world.server(bind_port=one.port)
        assert one.kind() == "ready"
        one.state = NOTHING
        await one.becomes("offline")
        one.state = HERE
        await one.becomes("on")  # tried by itself: bytes came back
        one.context.awake.woke()
        one.state = NOTHING
        await one.becomes("offline")  # what was seen before proves nothing


async def test_a_dead_server_is_tried_until_it_is_back(tmp_path: Path) -> None:
    async with life(tmp_path) as one:
        one.context.awake.woke()
        await one.becomes("failing")
        assert one.context.verdict().reason is Reason.CONNECT_REFUSED
        await one.world.server(bind_port=one.port)
        await one.becomes("on")


async def test_what_is_off_is_not_tried(tmp_path: Path) -> None:
    async with life(tmp_path, Mode.OFF) as one:
        told: list[int] = []
        one.context.changed.append(lambda: told.append(1))
        one.context.awake.woke()
        await until(lambda: told)
        task = one.context.revival._task
        assert task is not None
        await task
        assert one.context.evidence.of("127.0.0.1").attempts == 0
        assert one.kind() == "off"


@pytest.mark.skipif(sys.platform != "linux", reason="names of Linux's socket options")
async def test_connections_whose_network_is_gone_are_ended(tmp_path: Path) -> None:
    async with life(tmp_path) as one:
        context = one.context
        await one.world.server(bind_port=one.port)
        assert context.proxy.relay is not None
        echo = await one.world.echo()
        reader, _ = await one.world.connect(context.proxy.relay, *echo, payload=b"a")
        assert await reader.readexactly(1) == b"a"
        (handler,) = context.engine.handlers.values()
        assert isinstance(handler, TCPRelayHandler)
        remote = handler.remote
        assert remote is not None
        idle = remote.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
        probing = Probing([handler])
        assert remote.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 1 != idle
        probing.end()
        assert remote.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == idle
        handler.lost(remote, OSError(errno.ETIMEDOUT, "no answer"))
        context.connections.pull()
        (ended,) = context.connections.ended.values()
        assert ended.reason is Reason.NETWORK_LOST
        assert ended.detail == "Connection timed out"


def test_bytes_that_come_back_prove_more_than_a_system_that_says_offline() -> None:
    assert judge("a", Evidence(last_byte=99.0), 100.0, online=False).kind == "on"
    assert judge("a", Evidence(), 100.0, online=False).kind == "offline"
