"""The app without a window: changes are applied, kept and told; the port moves out of the way."""

import asyncio
import logging
import socket
import sys
from pathlib import Path

import msgspec
import pytest

from ssgui.app.context import AppContext
from ssgui.app.local_proxy import local_settings, unique_names, why_blocked
from ssgui.app.log_buffer import MOST_LINES, LogBuffer
from ssgui.config.app_config import AppConfig, Choice, Mode, Server, Settings
from ssgui.config.models import ServerChoice
from ssgui.config.secret import Secret
from ssgui.config.store import Store
from ssgui.engine.relay import LocalRelay
from ssgui.services.diagnosis.evidence import Verdict
from tests.support.ports import free_port


def server(number: int, **values: object) -> Server:
    fields = {"host": "127.0.0.1", "port": 9, "method": "aes-256-gcm", "password": Secret("pw"), "remarks": "same"}
    return Server(id=f"id-{number}", **{**fields, **values})  # type: ignore[arg-type]


def config(*servers: Server, **settings: object) -> AppConfig:
    chosen = Settings(**{"local_port": free_port(), **settings})  # type: ignore[arg-type]
    return AppConfig(servers=servers, current=servers[0].id if servers else "", settings=chosen)


def listening(context: AppContext) -> LocalRelay | None:
    return context.proxy.relay


async def test_a_change_is_applied_kept_and_told(tmp_path: Path) -> None:
    context = AppContext(Store(tmp_path), LogBuffer())
    told: list[int] = []
    context.changed.append(lambda: told.append(len(context.config.servers)))
    context.load()
    await context.start()
    try:
        assert not listening(context)
        assert context.verdict().kind == "none"
        context.change(config(server(1), server(2)))
        assert told == [2]
        assert context.verdict().kind == "off"
        context.change_settings(mode=Mode.GLOBAL)
        await context.settled()
        assert context.verdict().kind == "ready"
        first = listening(context)
        assert first is not None
        reader, writer = await asyncio.open_connection(*first.address)
        writer.write(b"\x05\x01\x00")
        assert await reader.readexactly(2) == b"\x05\x00"
        context.use("id-2")
        await context.settled()
        second = listening(context)
        assert second is first  # the port was never closed
        assert second.pool.upstreams[0].name == "same (2)"
        writer.write(b"\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x09")  # the old connection goes on
        assert (await reader.readexactly(10))[1] == 5
        writer.close()
        await writer.wait_closed()
    finally:
        await context.stop()
    again = Store(tmp_path).load()
    assert not again.problems
    assert again.config.current == "id-2"


async def test_a_taken_port_is_left_for_this_run(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        context = AppContext(Store(tmp_path), LogBuffer())
        context.change(config(server(1), local_port=port))
        try:
            await context.settled()
            conflict = context.proxy.conflict
            assert conflict is not None
            assert conflict.wanted == port
            assert conflict.used > port
            assert context.proxy.relay is not None
            assert context.proxy.relay.address[1] == conflict.used
            assert context.config.settings.local_port == port
        finally:
            await context.stop()
    assert Store(tmp_path).load().config.settings.local_port == port


async def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    context = AppContext(Store(tmp_path / "file" / "below"), LogBuffer())
    context.change(config(server(1)))
    try:
        await context.settled()
        assert "cannot be saved" in context.save_failed
        assert context.proxy.relay is not None
    finally:
        await context.stop()


def test_which_servers_the_engine_gets() -> None:
    three = config(server(1, method="rc4-md5"), server(2), server(3, password=Secret("")), server(4))
    assert local_settings(three) is None  # the chosen one cannot be used, and no other was allowed
    for choice, wanted in ((Choice.FAILOVER, ServerChoice.FIXED), (Choice.FASTEST, ServerChoice.AUTO)):
        settings = msgspec.structs.replace(three.settings, choice=choice)
        made = local_settings(msgspec.structs.replace(three, settings=settings, current="id-4"))
        assert made is not None
        assert made.choice is wanted
        assert [profile.remarks for profile in made.servers] == ["same (4)", "same (2)"]
    assert local_settings(AppConfig()) is None
    shared = local_settings(config(server(1), share=True, user="u", user_password=Secret("p")))
    assert shared is not None
    assert shared.users == (("u", Secret("p")),)


def test_names_are_unique() -> None:
    names = unique_names((server(1), server(2), server(3, remarks="same (2)"), server(4, remarks="")))
    assert list(names.values()) == ["same", "same (2)", "same (2) (2)", "127.0.0.1:9"]


def test_the_log_is_bounded_and_can_be_followed() -> None:
    buffer = LogBuffer()
    logger = logging.Logger("ssgui.test")
    logger.addHandler(buffer)
    assert buffer.since(0) == []
    for number in range(MOST_LINES + 5):
        logger.warning("line %d", number)
    assert len(buffer.lines) == MOST_LINES
    last = buffer.lines[-1].number
    assert [line.text for line in buffer.since(last - 2)] == [f"line {MOST_LINES + 3}", f"line {MOST_LINES + 4}"]
    assert buffer.since(last) == []
    assert len(buffer.since(0)) == MOST_LINES


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


def test_a_server_that_cannot_be_used_is_not_called_ready(tmp_path: Path) -> None:
    def why(one: Server, **settings: object) -> str:
        return why_blocked(config(one, server(2, password=Secret("")), **settings))

    assert why(server(1)) == ""
    assert why(server(1, plugin="v2ray-plugin")) == "plugin"
    assert why(server(1, password=Secret(""))) == "password"
    assert why(server(1, password=Secret(""), sealed="v1:x")) == "sealed"
    assert why(server(1, method="rc4-md5")) == "method"
    tor = Secret("socks5://127.0.0.1:9050")
    assert why(server(1), upstream_proxy=tor) == ""
    assert why(server(1, plugin="v2ray-plugin"), upstream_proxy=tor) == "way"
    assert why(server(1), upstream_proxy=Secret("nonsense")) == "way"
    assert local_settings(config(server(1), upstream_proxy=Secret("nonsense"))) is None
    through = local_settings(config(server(1), upstream_proxy=tor))
    assert through is not None
    assert through.upstream_proxy is not None
    assert why(server(1, method="rc4-md5"), legacy_methods=("rc4-md5",)) == ""
    both = config(server(1, plugin="x"), server(2), choice=Choice.FAILOVER)
    assert why_blocked(both) == ""


async def test_the_demo_is_not_called_off(tmp_path: Path) -> None:
    context = AppContext(Store(tmp_path), LogBuffer())
    context.config = config(server(1))
    assert context.verdict().kind == "off"
    context.passing.add("id-1")
    assert context.verdict().kind == "ready"
    context.config = config(server(1, plugin="x"), mode=Mode.GLOBAL)
    assert context.verdict() == Verdict("blocked", "same", why="plugin")


@pytest.mark.parametrize(("wanted", "begins"), [("", Mode.GLOBAL), ("off", Mode.OFF), ("nonsense", Mode.GLOBAL)])
async def test_the_mode_to_begin_with(tmp_path: Path, wanted: str, begins: Mode) -> None:
    Store(tmp_path).save(config(server(1), mode=Mode.GLOBAL, start_mode=wanted))
    context = AppContext(Store(tmp_path), LogBuffer())
    context.load()
    assert context.config.settings.mode is begins


PROGRAM = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as sock:
    sock.sendall(b"\\x05\\x01\\x00")
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel of Linux")
async def test_a_connection_says_whose_it_is(tmp_path: Path) -> None:
    script = tmp_path / "my-browser.py"
    script.write_text(PROGRAM)
    context = AppContext(Store(tmp_path / "data"), LogBuffer())
    context.change(config(server(1)))
    try:
        await context.settled()
        port = str(context.address.rpartition(":")[2])
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(sys.executable, str(script), port, stdin=pipe)
        async with asyncio.timeout(10):
            while not any(one.program for one in context.connections.live.values()):
                context.look()
                await asyncio.sleep(0.01)
        (one,) = context.connections.live.values()
        assert (one.program, one.pid) == ("my-browser.py", process.pid)
        await process.communicate(b"")
    finally:
        await context.stop()
