"""Stopping, and what is told while it runs, with an engine that does as it is told."""

import asyncio
import contextlib
import io
import json
import logging
import signal
import socket
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from ssgui.app.headless import run as headless
from ssgui.app.headless import stopping as stopping_module
from ssgui.app.headless.job import Job
from ssgui.app.headless.run import run_headless
from ssgui.config.models import LocalSettings, ServerProfile, ServerSettings, UpstreamProxy
from ssgui.config.secret import Secret
from ssgui.config.values import ConfigError
from ssgui.engine.errors import BindError
from ssgui.protocol.address import Address

QUIT = getattr(signal, "SIGQUIT", None)
needs_quit = pytest.mark.skipif(QUIT is None, reason="no SIGQUIT on this system")
PASSWORD = Secret("known to the test")
METHOD = "aes-256-gcm"


class FakeEngine:
    """Remembers what it is asked for. It is drained, or done stopping, when the test says so."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.no_connections, self.stopped = asyncio.Event(), asyncio.Event()

    def close_listeners(self) -> None:
        self.calls.append("close")

    async def drained(self) -> None:
        self.calls.append("drained")
        await self.no_connections.wait()

    async def stop(self, grace: float) -> None:
        self.calls.append(f"stop {grace:g}")
        if grace:
            await self.stopped.wait()


class FakeReloading:
    """Remembers what it is asked for."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def begin(self) -> None:
        self.calls.append("begin")

    async def end(self) -> None:
        self.calls.append("end")


class Stopping:
    """`until_stopped` at work on a fake engine."""

    def __init__(self) -> None:
        self.engine, self.signals, self.reloading = FakeEngine(), asyncio.Queue[int](), FakeReloading()
        self.task = asyncio.ensure_future(stopping_module.until_stopped(self.engine, self.signals, self.reloading))

    async def send(self, number: int) -> None:
        """Send a signal and let everything that follows from it happen."""
        self.signals.put_nowait(number)
        await self.settle()

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)


@pytest.mark.asyncio
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_gives_connections_two_seconds(number: int) -> None:
    stopping = Stopping()
    await stopping.settle()
    assert not stopping.task.done()
    await stopping.send(number)
    assert stopping.engine.calls == ["stop 2"]
    assert not stopping.task.done()
    stopping.engine.stopped.set()
    assert await stopping.task == 0


@pytest.mark.asyncio
async def test_a_second_signal_ends_it_now() -> None:
    stopping = Stopping()
    await stopping.send(signal.SIGTERM)
    await stopping.send(signal.SIGINT)
    assert await stopping.task == 128 + signal.SIGINT
    assert stopping.engine.calls == ["stop 2", "stop 0"]


@needs_quit
@pytest.mark.asyncio
async def test_quit_waits_for_the_last_connection() -> None:
    assert QUIT is not None
    stopping = Stopping()
    await stopping.send(QUIT)
    await stopping.send(QUIT)
    assert stopping.engine.calls[0] == "close"
    assert not stopping.task.done()
    stopping.engine.no_connections.set()
    assert await stopping.task == 0
    assert stopping.engine.calls[-1] == "stop 0"
    assert "stop 2" not in stopping.engine.calls


@needs_quit
@pytest.mark.asyncio
async def test_quit_can_be_overtaken() -> None:
    assert QUIT is not None
    stopping = Stopping()
    await stopping.send(QUIT)
    await stopping.send(signal.SIGTERM)
    assert stopping.engine.calls == ["close", "drained", "stop 2"]
    stopping.engine.stopped.set()
    assert await stopping.task == 0


@needs_quit
@pytest.mark.asyncio
async def test_settings_are_read_again_until_it_is_to_end() -> None:
    again = signal.SIGHUP
    stopping = Stopping()
    for _ in range(2):
        await stopping.send(again)
    assert stopping.reloading.calls == ["begin", "begin"]
    assert QUIT is not None
    for number in (QUIT, again, signal.SIGTERM, again):
        await stopping.send(number)
    assert stopping.reloading.calls == ["begin", "begin", "end"]
    assert stopping.engine.calls == ["close", "drained", "stop 2"]
    assert not stopping.task.done()
    stopping.engine.stopped.set()
    assert await stopping.task == 0


@needs_quit
@pytest.mark.asyncio
async def test_a_terminal_that_goes_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    there = [True, False]
    monkeypatch.setattr(stopping_module, "has_terminal", lambda: there.pop(0))
    stopping = Stopping()
    await stopping.send(signal.SIGHUP)
    assert stopping.engine.calls == ["stop 2"]
    stopping.engine.stopped.set()
    assert await stopping.task == 0
    assert stopping.reloading.calls == ["end"]


# ---- a real engine, with a queue for signals


@pytest.fixture
def stopped_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signal is there before anybody waits for it."""

    @contextlib.contextmanager
    def signals() -> Iterator[asyncio.Queue[int]]:
        queue: asyncio.Queue[int] = asyncio.Queue()
        queue.put_nowait(signal.SIGTERM)
        yield queue

    monkeypatch.setattr(headless, "signals", signals)


def local(port: int = 0, servers: int = 1) -> LocalSettings:
    profile = ServerProfile("::1", 9, METHOD, PASSWORD)
    return LocalSettings((profile,) * servers, "127.0.0.1", port)


def server(password: Secret = PASSWORD, port: int = 0) -> ServerSettings:
    return ServerSettings("127.0.0.1", port, METHOD, password)


@pytest.mark.usefixtures("stopped_at_once")
def test_says_where_it_listens_and_where_it_goes(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "ssgui"):
        assert run_headless(Job(local=local())) == 0
        assert run_headless(Job(local=local(servers=3))) == 0
        assert run_headless(Job(servers=(server(), server()))) == 0
        proxy = UpstreamProxy("http", "h", 1, "u", PASSWORD)
        assert run_headless(Job(local=replace(local(), tunnel=Address("t", 53), upstream_proxy=proxy))) == 0
        assert run_headless(Job(servers=(replace(server(), udp=True),))) == 0
    told = [message for message in caplog.messages if message.startswith("listening")]
    assert told[0].endswith(f"(SOCKS and HTTP), going through [::1]:9 ({METHOD})")
    assert told[1].endswith("one of 3 servers, chosen at random for each connection")
    assert "(a tunnel to t:53), going through [::1]:9" in told[4]
    assert told[4].endswith("reached through the http proxy h:1")
    assert told[5].endswith(f"(Shadowsocks, {METHOD}, UDP too)")
    assert len(told) == 6
    assert PASSWORD.reveal() not in caplog.text


@pytest.mark.usefixtures("stopped_at_once")
def test_events_begin_with_who_writes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for job, role in ((Job(local=local()), "local"), (Job(servers=(server(),)), "server")):
        out = io.StringIO()
        assert run_headless(Job(local=job.local, servers=job.servers, events=out)) == 0
        first = json.loads(out.getvalue().splitlines()[0])
        assert (first["event"], first["role"]) == ("start", role)


@pytest.mark.usefixtures("stopped_at_once")
def test_only_a_made_password_is_shown() -> None:
    made, out = Secret("made just now"), io.StringIO()
    assert run_headless(Job(servers=(server(), server(made)), made=made, links=out)) == 0
    assert [line.startswith("ss://") for line in out.getvalue().splitlines()].count(True) == 1
    quiet = io.StringIO()
    assert run_headless(Job(servers=(server(),), made=made, links=quiet)) == 0
    assert quiet.getvalue() == ""


@pytest.mark.usefixtures("stopped_at_once")
def test_a_port_in_use_is_an_error_and_nothing_stays_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(BindError) as caught:
        run_headless(Job(servers=(server(), server(port=taken.getsockname()[1]))))
    assert caught.value.in_use


def test_uvloop_if_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "uvloop", None)
    with pytest.raises(ConfigError, match="--uvloop: uvloop is not installed"):
        run_headless(Job(local=local(), uvloop=True))


@pytest.mark.usefixtures("stopped_at_once")
def test_runs_on_uvloop() -> None:
    pytest.importorskip("uvloop")
    assert run_headless(Job(local=local(), uvloop=True)) == 0
