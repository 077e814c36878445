"""Going direct for a while: new connections pass the server by, and the journal says why."""

import asyncio
from pathlib import Path

import pytest

from ssgui.app.context import AppContext
from ssgui.app.log_buffer import LogBuffer
from ssgui.app.pause import Pause
from ssgui.config.app_config import AppConfig, Mode, Server, Settings
from ssgui.config.secret import Secret
from ssgui.config.store import Store
from tests.support.ports import free_port


async def test_it_ends_by_the_clock_by_a_person_and_only_once() -> None:
    heard: list[bool] = []
    ended = asyncio.Event()

    def turned(on: bool) -> None:
        heard.append(on)
        if not on:
            ended.set()

    pause = Pause(turned)
    pause.end()
    assert heard == []
    pause.begin(60)
    assert 59 < pause.left() <= 60
    pause.begin(0.01)
    await asyncio.wait_for(ended.wait(), 5)
    assert heard == [True, True, False]
    assert pause.left() == 0
    pause.begin(60)
    pause.end()
    pause.end()
    assert heard[3:] == [True, False]


async def _fetch(address: tuple[str, int], port: int) -> bytes:
    """Through the SOCKS proxy at `address` from 127.0.0.1:`port`; b"" when the proxy refuses or gives up."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01" + port.to_bytes(2, "big"))
        head = await reader.readexactly(2 + 10)
        return await reader.read() if head[3] == 0 else b""
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
    finally:
        writer.close()


async def test_new_connections_go_direct_and_the_journal_says_so(tmp_path: Path) -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    site = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = site.sockets[0].getsockname()[1]
    nowhere = Server(
        id="1", host="127.0.0.1", port=free_port(), method="aes-256-gcm", password=Secret("pw"), remarks="Nowhere"
    )
    context = AppContext(Store(tmp_path), LogBuffer())
    context.change(
        AppConfig(servers=(nowhere,), current="1", settings=Settings(mode=Mode.GLOBAL, local_port=free_port()))
    )
    try:
        await context.settled()
        assert context.proxy.relay is not None
        assert await _fetch(context.proxy.relay.address, port) == b""
        context.pause.begin()
        assert context.verdict().kind == "paused"
        assert await _fetch(context.proxy.relay.address, port) == b"hello"
        context.change_settings(local_port=free_port())  # the new port is paused too
        await context.settled()
        assert await _fetch(context.proxy.relay.address, port) == b"hello"
        own = context.proxy.relay.address
        assert await _fetch(own, own[1]) == b"", "the guards stay"
        context.pause.end()
        assert context.verdict().kind != "paused"
        assert await _fetch(context.proxy.relay.address, port) == b""
        context.connections.pull()
        found = [(one.route, one.rule) for one in context.connections.ended.values()]
        assert found.count(("direct", "paused")) == 2
        assert found.count(("proxy", "")) == 2
    finally:
        await context.stop()
        site.close()
        await site.wait_closed()
    assert context.pause.left() == 0


@pytest.mark.parametrize("minutes", [1, 15])
async def test_a_context_that_stops_ends_it(tmp_path: Path, minutes: int) -> None:
    context = AppContext(Store(tmp_path), LogBuffer())
    context.pause.begin(minutes * 60)
    await context.stop()
    assert context.pause.left() == 0
