"""The app keeps what its connections did: through a real server, up to the last one, and not that of the demo."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest

from ssgui.app.context import AppContext
from ssgui.app.log_buffer import LogBuffer
from ssgui.config.app_config import AppConfig, HistoryHosts, Mode, Server, Settings
from ssgui.config.models import LocalSettings, ServerProfile
from ssgui.config.secret import Secret
from ssgui.config.store import Store
from ssgui.services.history.queries import Past, Query, View
from tests.engine.world import METHOD, PASSWORD, World, until
from tests.support.ports import free_port

TODAY = date.today().toordinal()


@asynccontextmanager
async def app(
    folder: Path, *, passing: bool = False, run: LocalSettings | None = None, payloads: tuple[bytes, ...] = (b"first",)
) -> AsyncIterator[AppContext]:  # fmt: skip
    """An app that went through a server of the world to an echo, once for each payload; only the first is over."""
    async with World("transports") as world:
        server = await world.server()
        context = AppContext(Store(folder), LogBuffer(), run)
        context.load()
        await context.start()
        one = Server(id="1", host="127.0.0.1", port=server.address[1], method=METHOD, password=Secret(PASSWORD),
                     remarks="Tokyo 1")  # fmt: skip
        if passing:
            context.passing.add("1")
        settings = Settings(local_port=free_port(), mode=Mode.GLOBAL, leave_system_proxy=True,
                            history_hosts=HistoryHosts.CLEAR)  # fmt: skip
        context.change(AppConfig(servers=(one,), current="1", settings=settings))
        await context.settled()
        echo = await world.echo()
        try:
            for payload in payloads:
                relay = context.proxy.relay
                assert relay is not None
                reader, writer = await world.connect(relay, *echo, payload=payload)
                assert await reader.readexactly(len(payload)) == payload
                if payload == b"first":
                    writer.close()
                    await until(lambda: not context.engine.handlers)
            context.look()
            yield context
        finally:
            await context.stop()


def left(folder: Path) -> bytes:
    """What is on the disk of the history."""
    return b"".join(path.read_bytes() for path in folder.glob("history*"))


async def kept(folder: Path) -> list[Past]:
    context = AppContext(Store(folder), LogBuffer())
    context.load()
    await context.start()
    try:
        found = await context.history.look(Query(View.CONNECTIONS, TODAY - 1, TODAY + 1))
        if found.rows:
            traffic = context.meter.servers["Tokyo 1"]
            await until(lambda: (traffic.up, traffic.down) == (11, 11))  # those of today go on after a restart
    finally:
        await context.stop()
    return [one for one in found.rows if isinstance(one, Past)]


async def test_what_connections_did_is_there_after_a_restart(tmp_path: Path) -> None:
    async with app(tmp_path, payloads=(b"first", b"second")) as context:
        assert context.quality.of("Tokyo 1", asyncio.get_running_loop().time()).connections == 1
    rows = await kept(tmp_path)
    assert [(one.host, one.server, one.reason) for one in rows] == [
        ("127.0.0.1", "Tokyo 1", "shutdown"), ("127.0.0.1", "Tokyo 1", "finished")
    ]  # fmt: skip
    assert all(one.connect is not None and one.wait is not None for one in rows)
    assert [(one.up, one.down) for one in rows] == [(6, 6), (5, 5)]


async def test_what_is_only_there_for_a_while_leaves_nothing(tmp_path: Path) -> None:
    async with app(tmp_path, passing=True) as context:
        assert context.connections.ended
    assert await kept(tmp_path) == []
    assert not left(tmp_path)


async def test_a_run_of_the_command_line_leaves_nothing(tmp_path: Path) -> None:
    profile = ServerProfile(host="127.0.0.1", port=9, method=METHOD, password=Secret(PASSWORD))
    async with app(tmp_path, run=LocalSettings((profile,), "127.0.0.1", free_port())) as context:
        assert context.connections.ended
    assert not left(tmp_path)


@pytest.mark.parametrize("hosts", [HistoryHosts.NONE, HistoryHosts.HASHED])
async def test_no_host_is_on_the_disk_unless_it_is_wanted(tmp_path: Path, hosts: HistoryHosts) -> None:
    """The setting as it is in a file, followed at the start."""
    async with app(tmp_path) as context:
        context.change_settings(history_hosts=hosts)
        await context.settled()
        await context.history.settled()
        assert b"Tokyo 1" in left(tmp_path)
        assert b"127.0.0.1" not in left(tmp_path)
    assert b"127.0.0.1" not in left(tmp_path)
