"""Plugins: started, waited for, started again, stopped with all that they have started."""

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ssgui.config.models import LocalSettings, PluginSettings, ServerProfile, ServerSettings
from ssgui.config.secret import Secret
from ssgui.engine.errors import PluginError
from ssgui.engine.plugins import plugin as plugin_module
from ssgui.engine.plugins.job_object import JobObject
from ssgui.engine.plugins.plugin import Plugin, PluginState, find_program
from ssgui.engine.relay import LocalRelay
from ssgui.engine.stages import Reason, Role
from tests.engine.world import METHOD, PASSWORD, World, until
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
Play = Callable[..., None]
# A plugin that carries bytes as they are, in either role; options tell what is wrong with it.
CARRIER = """#!{python} -S
import os, signal, socket, subprocess, sys, threading, time
options = dict(one.partition("=")[::2] for one in os.environ.get("SS_PLUGIN_OPTIONS", "").split(";") if one)
assert "SSGUI_PASSWORD" not in os.environ
print("hello\\x1b[31m", options, sys.argv[1:], flush=True)
local = os.environ["SS_LOCAL_HOST"], int(os.environ["SS_LOCAL_PORT"])
remote = os.environ["SS_REMOTE_HOST"], int(os.environ["SS_REMOTE_PORT"])
listen, to = (remote, local) if options.get("role") == "server" else (local, remote)
if "deaf" in options:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "child" in options:
    subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)", options["child"]])
if "die" in options:
    sys.exit("cannot go on")
if "flood" in options:
    for number in range(5000):
        print("line", number, "x" * 3000)
time.sleep(float(options.get("late", 0)))
if "count" in options:
    with open(options["count"], "a") as file:
        file.write("run\\n")
listener = socket.create_server(listen)
if "dumb" in options:
    listener.close()
    time.sleep(600)
if "short" in options:
    threading.Timer(float(options["short"]), os._exit, (3,)).start()

def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass

def serve(one):
    try:
        other = socket.create_connection(to)
    except OSError:
        one.close()
        return
    threading.Thread(target=pump, args=(one, other), daemon=True).start()
    pump(other, one)

while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


@pytest.fixture
def carrier(tmp_path: Path) -> str:
    path = tmp_path / "carrier"
    path.write_text(CARRIER.format(python=sys.executable))
    path.chmod(0o755)
    return str(path)


def alive(mark: str) -> list[int]:
    """The processes that have `mark` on their command line or in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if mark.encode() in text and state != "Z":
                found.append(int(entry.name))
    return found


async def client(world: World, server: tuple[str, int], settings: PluginSettings) -> LocalRelay:
    profile = ServerProfile(server[0], server[1], METHOD, Secret(PASSWORD), plugin=settings)
    return await world.engine().start_local(LocalSettings((profile,), "127.0.0.1", 0))


def test_bytes_go_through_and_nothing_stays(play: Play, carrier: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSGUI_PASSWORD", "not for plugins")

    async def scenario(world: World) -> None:
        server = await world.server()
        local = await client(world, server.address, PluginSettings(carrier, f"id={carrier}", ("--flag",)))
        reader, writer = await world.connect(local, *await world.echo(), b"through the plugin")
        assert await reader.readexactly(18) == b"through the plugin"
        writer.close()
        upstream = local.pool.upstreams[0]
        assert upstream.plugin is not None
        assert upstream.plugin.ready
        assert (upstream.host, upstream.port) == upstream.plugin.local != server.address
        assert alive(carrier)
        await local.engine.stop(0)
        await until(lambda: not alive(carrier))

    play(scenario)


def test_both_ends(play: Play, carrier: str) -> None:
    async def scenario(world: World) -> None:
        port = free_port()
        settings = ServerSettings("127.0.0.1", port, METHOD, Secret(PASSWORD), forbidden=(),
                                  plugin=PluginSettings(carrier, "role=server"))  # fmt: skip
        server = await world.engine().start_server(settings)
        assert server.address == ("127.0.0.1", port)
        local = await client(world, server.address, PluginSettings(carrier))
        reader, writer = await world.connect(local, *await world.echo(), b"twice")
        assert await reader.readexactly(5) == b"twice"
        writer.close()

    play(scenario)


def plugin(carrier: str, options: str = "") -> Plugin:
    return Plugin(PluginSettings(carrier, options), Role.LOCAL, ("127.0.0.1", 9))


async def test_one_that_comes_up_late_is_waited_for(carrier: str) -> None:
    one = plugin(carrier, "late=0.5")
    await one.start()
    assert one.ready
    await one.stop()
    assert one.view().state is PluginState.STOPPED


async def test_one_that_dies_at_once_says_why(carrier: str) -> None:
    with pytest.raises(PluginError, match=r"ended with 1: cannot go on") as caught:
        await plugin(carrier, "die").start()
    assert not caught.value.missing
    await until(lambda: not alive(carrier))


async def test_one_that_never_listens(carrier: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_module, "READY_SECONDS", 0.6)
    with pytest.raises(PluginError, match="does not listen"):
        await plugin(carrier, "dumb").start()
    await until(lambda: not alive(carrier))


def test_a_missing_program() -> None:
    with pytest.raises(PluginError, match="no such program") as caught:
        find_program("no-such-plugin", Role.LOCAL)
    assert caught.value.missing


def test_names_that_configurations_use(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"ss-v2ray-plugin", "obfs-local", "obfs-server"}
    monkeypatch.setattr(
        "ssgui.engine.plugins.plugin.shutil.which", lambda name: f"/bin/{name}" if name in there else None
    )
    assert find_program("v2ray-plugin", Role.LOCAL) == "/bin/ss-v2ray-plugin"
    assert find_program("simple-obfs", Role.LOCAL) == "/bin/obfs-local"
    assert find_program("obfs", Role.SERVER) == "/bin/obfs-server"
    assert find_program("obfs-local", Role.LOCAL) == "/bin/obfs-local"


async def test_one_that_dies_later_is_started_again(
    carrier: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    pauses = list[float]()

    async def rest(_: Plugin, seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0.02)

    count = tmp_path / "count"
    one = plugin(carrier, f"short=0.2;count={count}")
    ports = list[int]()
    one._moved = lambda address: ports.append(address[1])
    monkeypatch.setattr(Plugin, "_rest", rest)
    await one.start()
    await until(lambda: count.exists() and count.read_text().count("run") >= 4)
    monkeypatch.undo()
    await one.stop()
    assert pauses[:3] == [1, 2, 4]
    assert len(set(ports)) > 1
    await until(lambda: not alive(carrier))


async def test_somebody_in_a_hurry(carrier: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count, rest = tmp_path / "count", Plugin._rest
    monkeypatch.setattr(Plugin, "_rest", lambda self, _: rest(self, 600.0))
    one = plugin(carrier, f"short=0.3;count={count}")
    await one.start()
    await until(lambda: one.state is PluginState.FAILED)

    def runs_again() -> bool:
        one.hurry()
        return one.ready

    await until(runs_again)
    await one.stop()
    assert count.read_text().count("run") == 2


async def test_one_that_does_not_hear_sigterm_and_its_child(carrier: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_module, "STOP_SECONDS", 0.3)
    mark = f"child-{os.getpid()}-{time.monotonic_ns()}"
    one = plugin(carrier, f"deaf;child={mark}")
    await one.start()
    await until(lambda: len(alive(mark)) >= 2)
    await one.stop()
    await until(lambda: not alive(mark))


async def test_a_flood_of_lines_is_cut(carrier: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "ssgui.plugin")
    one = plugin(carrier, "flood")
    await one.start()
    await one.stop()
    lines = [record.getMessage() for record in caplog.records]
    assert "hello\\x1b[31m" in lines[0]
    assert len(lines) < 300
    assert max(map(len, lines)) < 1200


def test_while_it_is_down_connections_fail_for_that_reason(play: Play, carrier: str) -> None:
    async def scenario(world: World) -> None:
        server = await world.server()
        local = await client(world, server.address, PluginSettings(carrier, "short=0.3"))
        one = local.pool.upstreams[0].plugin
        assert one is not None
        await until(lambda: one.state is PluginState.FAILED)
        with pytest.raises(ConnectionError) as caught:
            await world.connect(local, *await world.echo())
        assert caught.value.args == (1,)
        assert (await world.closed(local))[0].reason is Reason.PLUGIN_FAILED

    play(scenario)


def test_a_taken_port_of_ours_stops_the_plugin_too(play: Play, carrier: str) -> None:
    async def scenario(world: World) -> None:
        taken = await world.echo()
        profile = ServerProfile("127.0.0.1", 9, METHOD, Secret(PASSWORD), plugin=PluginSettings(carrier))
        with pytest.raises(Exception, match="cannot listen"):
            await world.engine().start_local(LocalSettings((profile,), *taken))
        await until(lambda: not alive(carrier))

    play(scenario)


@pytest.mark.parametrize("wrapped", [False, True], ids=["program", "wrapper script"])
def test_no_orphan_after_kill_9(carrier: str, tmp_path: Path, wrapped: bool) -> None:
    program = carrier
    if wrapped:
        script = tmp_path / "wrapper"
        script.write_text(f'#!/bin/sh\n"{carrier}" &\nwait\n')
        script.chmod(0o755)
        program = str(script)
    mark = f"orphan-{os.getpid()}-{time.monotonic_ns()}"
    command = [
        sys.executable, "-m", "ssgui", "--headless", "local", "-s", "127.0.0.1", "-p", "9", "-k", "pw", "-m", METHOD,
        "-l", "0", "--plugin", program, "--plugin-opts", f"id={mark}",
    ]  # fmt: skip
    with (tmp_path / "err").open("wb") as err:
        running = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=err, cwd=ROOT)
    try:
        deadline = time.monotonic() + 15
        while "listening" not in (tmp_path / "err").read_text():
            assert time.monotonic() < deadline, (tmp_path / "err").read_text()
            assert running.poll() is None, (tmp_path / "err").read_text()
            time.sleep(0.02)
        assert len(alive(mark)) >= (3 if wrapped else 2)  # ours, and the plugin's
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
    deadline = time.monotonic() + 10
    while left := alive(mark):
        assert time.monotonic() < deadline, left
        time.sleep(0.02)


def test_windows_calls() -> None:
    calls: list[tuple[str, Any]] = []

    class Kernel:
        def __getattr__(self, name: str) -> Callable[..., int]:
            def call(*arguments: Any) -> int:
                calls.append((name, arguments))
                return 77

            return call

    job = JobObject(SimpleNamespace(_handle=5), Kernel())  # type: ignore[arg-type]
    job.close()
    job.close()
    names = [name for name, _ in calls]
    assert names == ["CreateJobObjectW", "SetInformationJobObject", "AssignProcessToJobObject", "CloseHandle"]
    _, (handle, kind, _pointer, size) = calls[1]
    assert (handle, kind, size) == (77, 9, 144 if ctypes.sizeof(ctypes.c_void_p) == 8 else 112)
    assert calls[2][1] == (77, 5)

    class Refusing:
        def __getattr__(self, name: str) -> Callable[..., int]:
            return lambda *_: 0

    with pytest.raises(OSError, match="CreateJobObjectW"):
        JobObject(SimpleNamespace(_handle=5), Refusing())  # type: ignore[arg-type]
