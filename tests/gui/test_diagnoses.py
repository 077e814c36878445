"""The banner for the whole: shown, kept where it stands, put away; and what its button does."""

import asyncio
import sys
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import msgspec
import pytest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from ssgui.app.consent import agree
from ssgui.app.context import AppContext
from ssgui.app.log_buffer import LogBuffer
from ssgui.config.app_config import AppConfig, Mode, Server, Settings
from ssgui.config.secret import Secret
from ssgui.config.store import Store
from ssgui.engine.plugins.plugin import Plugin, PluginState
from ssgui.engine.stages import Reason
from ssgui.gui.presenter import Presenter
from ssgui.gui.window import MainWindow
from ssgui.protocol.address import split_host_port
from ssgui.rules.acl import Route
from ssgui.services.diagnosis.clock import Clock
from ssgui.services.diagnosis.evidence import Failure, Verdict
from ssgui.services.diagnosis.finding import FindingKind
from ssgui.services.diagnosis.outcomes import How
from tests.engine.test_plugin import CARRIER
from tests.support import sample
from tests.support.flows import Flow, click, until
from tests.support.ports import free_port
from tests.support.screens import StillContext

K = FindingKind
METHOD = "2022-blake3-aes-128-gcm"
KEY = Secret("AAAAAAAAAAAAAAAAAAAAAA==")


def banner(presenter: Presenter, key: str = "finding") -> list[str]:
    """What the banner says: fact, numbers, button."""
    shown = [one for one in presenter.window.banners._banners if one.notice.key == key]
    if not shown:
        return []
    labels = [one.text() for one in shown[0].findChildren(QLabel)]
    return [*labels, *(one.text() for one in shown[0].findChildren(QPushButton))]


def button(presenter: Presenter) -> QPushButton:
    (shown,) = [one for one in presenter.window.banners._banners if one.notice.key == "finding"]
    return shown.findChildren(QPushButton)[0]


def fail(context: StillContext, reason: Reason, count: int = 2) -> None:
    """The server in use cannot be reached."""
    evidence = context.evidence.of(sample.TOKYO)
    evidence.failures.extend([Failure(1.0, reason, 10.0)] * count)
    evidence.attempts += count
    context.config = msgspec.structs.replace(context.config, current="1")


def suspect(context: StillContext) -> None:
    evidence = context.evidence.of(sample.TOKYO)
    evidence.failures.clear()
    evidence.unanswered.extend([(time.monotonic(), How.SILENT)] * 4)
    evidence.attempts = 4


# ---- the banner


def test_it_comes_and_goes_with_what_is_known(presenter: Presenter, context: StillContext) -> None:
    presenter.look()
    assert not banner(presenter)
    fail(context, Reason.CONNECT_TIMEOUT)
    presenter.look()
    fact, numbers, label = banner(presenter)
    assert fact == f"Connections to {sample.TOKYO} time out."
    assert "2 of 2" in numbers
    assert label == "Test server"
    assert presenter.window.header._kind == "failing"
    suspect(context)
    presenter.look()
    assert banner(presenter)[0] == "Wrong password or method?"
    assert presenter.window.header._kind == "suspicious"
    context.evidence.forget(sample.TOKYO)
    presenter.look()
    assert not banner(presenter)


def test_figures_change_under_the_hand(presenter: Presenter, context: StillContext) -> None:
    fail(context, Reason.CONNECT_REFUSED)
    presenter.look()
    first = button(presenter)
    first.setFocus()
    for count in range(3, 8):
        fail(context, Reason.CONNECT_REFUSED, 1)
        presenter.look()
        assert f"{count} of {count}" in banner(presenter)[1]
        assert button(presenter) is first  # who is about to press it need not look for it again
    presenter.window.banners.withdraw("finding")
    QApplication.processEvents()


def test_what_was_put_away_stays_away_until_something_else_is_wrong(
    presenter: Presenter, context: StillContext
) -> None:  # fmt: skip
    def put_away() -> None:
        (shown,) = presenter.window.banners._banners
        click(shown.findChildren(QToolButton)[0])

    fail(context, Reason.CONNECT_REFUSED)
    presenter.look()
    put_away()
    for _ in range(3):
        presenter.look()
        assert not banner(presenter)
    suspect(context)
    presenter.look()
    assert banner(presenter)
    context.evidence.forget(sample.TOKYO)
    presenter.look()
    fail(context, Reason.CONNECT_REFUSED)
    presenter.look()
    assert banner(presenter)  # it was good in between


@pytest.mark.parametrize("kind", ["off", "none", "paused", "blocked"])
def test_where_nothing_goes_through_a_server_nothing_is_wrong_with_it(
    presenter: Presenter, context: StillContext, kind: str
) -> None:  # fmt: skip
    fail(context, Reason.CONNECT_REFUSED)
    context.shown = Verdict(kind, sample.TOKYO, why="password")
    presenter.look()
    assert not banner(presenter)


# ---- what the buttons do


def test_a_server_is_tested_where_its_result_is_seen(presenter: Presenter, context: StillContext) -> None:
    fail(context, Reason.CONNECT_TIMEOUT)
    tested: list[str] = []
    presenter.tests.start = lambda ids: tested.extend(ids)  # type: ignore[method-assign,assignment]
    presenter.look()
    click(button(presenter))
    assert tested == ["1"]
    assert presenter.window.current_page() == "servers"
    assert presenter.servers.list.selected() == "1"


@pytest.mark.parametrize("narrow", [False, True])
def test_the_password_is_where_the_keyboard_is(presenter: Presenter, context: StillContext, narrow: bool) -> None:
    presenter.window.resize(900 if narrow else 1280, 700)
    presenter.servers.list.select("3")
    presenter.servers.search.setText("nothing is called so")
    suspect(context)
    presenter.look()
    presenter.window.activateWindow()
    click(button(presenter))
    assert presenter.window.current_page() == "servers"
    editor = presenter.servers.editor
    assert editor.isVisible()
    assert presenter.window.focusWidget() is editor.password.edit
    assert editor.draft() == context.config.server("1")


def test_a_program_and_a_target(presenter: Presenter, context: StillContext, monkeypatch: pytest.MonkeyPatch) -> None:
    page = presenter.connections
    page.model._clock = lambda: sample.NOW
    stalled = context.connections.live[35]
    stalled.program, stalled.down_blocked, stalled.held_down = "curl", sample.NOW - 5.0, 4096
    presenter.window.resize(1360, 860)
    presenter.window.open_page("connections")
    page.look()
    page.inspector.open(stalled)
    banner = page.inspector.detail.banner
    assert banner.text() == "curl is not reading.  4.10 KB wait for it, for 5.0 s now. The server is fine."
    click(banner.action)
    assert presenter.window.current_page() == "connections"
    assert page.filter.text() == 'program:"curl"'
    page.filter.clear()
    stalled.program = ""
    closed: list[int] = []
    context.close_connections = closed.extend  # type: ignore[method-assign,assignment]
    presenter.diagnoses.of(stalled)
    presenter.diagnoses.act("close", 35)
    presenter.diagnoses.act("always-direct", 35)  # which is not what it says now
    presenter.diagnoses.act("close", 4711)
    assert closed == [35]
    rules: list[tuple[str, Route]] = []
    monkeypatch.setattr(presenter.rules.page, "always", lambda host, route: rules.append((host, route)))
    one = context.connections.ended[16]
    one.reason, one.detail = Reason.CONNECT_REFUSED, ""
    presenter.diagnoses.of(one)
    presenter.diagnoses.act("always-proxy", 16)
    assert rules == [(split_host_port(one.target)[0], Route.PROXY)]


def test_the_way_to_the_servers_is_a_setting(presenter: Presenter, context: StillContext) -> None:
    evidence = context.evidence.of(sample.TOKYO)
    evidence.failures.extend([Failure(1.0, Reason.CONNECT_REFUSED, 1.0, way=True)] * 2)
    presenter.look()
    assert banner(presenter)[0] == "The proxy on the way to the servers does not work."
    click(button(presenter))
    assert presenter.window.current_page() == "settings"


# ---- the clock, and a plugin, of an app that runs


class Page(BaseHTTPRequestHandler):
    """The page for tests, of a server whose clock is `ahead`."""

    ahead = 0.0
    date = ""
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response_only(204)
        self.send_header("Date", self.date or formatdate(time.time() + self.ahead, usegmt=True))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Not to stderr."""


@pytest.fixture
def page() -> Iterator[type[Page]]:
    class Mine(Page):
        port = 0

    with ThreadingHTTPServer(("127.0.0.1", 0), Mine) as server:
        Mine.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield Mine
        server.shutdown()
        thread.join()


async def running(folder: Path, qtbot: QtBot, url: str, server: Server) -> tuple[AppContext, Presenter]:
    context = AppContext(Store(folder), LogBuffer())
    chosen = Settings(mode=Mode.GLOBAL, local_port=free_port(), probe_url=url, leave_system_proxy=True)
    config = AppConfig(servers=(server,), current=server.id, settings=chosen)
    context.change(agree(config, server))
    await context.settled()
    window = MainWindow()
    qtbot.addWidget(window)
    presenter = Presenter(context, window, lambda: None)
    window.show()
    return context, presenter


@pytest.mark.parametrize(
    ("ahead", "says", "kind", "clock"),
    [
        (480.0, "This computer's clock is 8 min behind.", K.CLOCK_OFF, Clock.OFF),
        (0.0, "This computer's clock is right.", K.KEY_OR_CLOCK, Clock.RIGHT),
    ],
)
def test_the_time_is_asked_for_when_a_person_asks(
    qtbot: QtBot, flow: Flow, tmp_path: Path, page: type[Page], monkeypatch: pytest.MonkeyPatch,
    ahead: float, says: str, kind: FindingKind, clock: Clock,
) -> None:  # fmt: skip
    monkeypatch.setattr("ssgui.engine.upstream.latency.MEASURE_SECONDS", 0.2)
    page.ahead = ahead

    async def steps() -> None:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(-1)
            writer.close()

        far = await asyncio.start_server(silent, "127.0.0.1", 0)
        server = Server(id="1", host="127.0.0.1", port=far.sockets[0].getsockname()[1], method=METHOD, password=KEY)
        url = f"http://127.0.0.1:{page.port}/"  # type: ignore[attr-defined]
        context, presenter = await running(tmp_path, qtbot, url, server)
        evidence = context.evidence.of(context.name_of(server))
        evidence.unanswered.extend([(time.monotonic(), How.SILENT)] * 3)
        evidence.tested = True
        presenter.look()
        assert banner(presenter)[0] == "Wrong key, or a clock that is off?"
        assert page.asked == 0  # nobody was asked by itself
        click(button(presenter))
        await until(lambda: page.asked)
        await until(lambda: presenter.window.toast.accessibleName() == says)
        assert context.clock.state().clock is clock
        await until(lambda: evidence.confirmed)  # and the server is tried again
        presenter.look()
        found = context.findings.overall(time.monotonic())
        assert found is not None
        assert found.kind is kind
        assert page.asked == 1
        presenter.end()
        await context.stop()
        far.close()

    flow(steps)


@pytest.mark.parametrize("date", ["nonsense", ""])
def test_a_clock_that_nobody_tells(
    qtbot: QtBot, flow: Flow, tmp_path: Path, page: type[Page], date: str
) -> None:  # fmt: skip
    page.date = date

    async def steps() -> None:
        server = Server(id="1", host="127.0.0.1", port=9, method=METHOD, password=KEY)
        port = page.port if date else free_port()  # type: ignore[attr-defined]
        context, presenter = await running(tmp_path, qtbot, f"http://127.0.0.1:{port}/", server)
        evidence = context.evidence.of(context.name_of(server))
        evidence.unanswered.extend([(time.monotonic(), How.SILENT)] * 3)
        evidence.tested = True
        presenter.look()
        click(button(presenter))
        await until(lambda: presenter.window.toast.accessibleName().startswith("The clock could not be checked"))
        assert context.clock.state().clock is Clock.UNKNOWN
        presenter.end()
        await context.stop()

    flow(steps)


def test_a_plugin_is_started_again_at_once(
    qtbot: QtBot, flow: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    rest = Plugin._rest
    monkeypatch.setattr(Plugin, "_rest", lambda self, _: rest(self, 600.0))
    path = tmp_path / "carrier"
    path.write_text(CARRIER.format(python=sys.executable))
    path.chmod(0o755)

    async def steps() -> None:
        server = Server(id="1", host="127.0.0.1", port=9, method="aes-256-gcm", password=Secret("pw"), plugin=str(path))
        context, presenter = await running(tmp_path, qtbot, "http://127.0.0.1:9/", server)
        assert context.proxy.relay is not None
        plugin = context.proxy.relay.pool.upstreams[0].plugin
        assert plugin is not None
        assert plugin._process is not None
        plugin._process.signal_group(9)
        await until(lambda: plugin.state is PluginState.FAILED)
        for _ in range(2):
            reader, writer = await asyncio.open_connection(*context.proxy.relay.address)
            writer.write(b"\x05\x01\x00\x05\x01\x00\x01\x01\x02\x03\x04\x00\x50")
            assert (await reader.readexactly(12))[3] != 0
            writer.close()
            await writer.wait_closed()
        presenter.look()
        assert banner(presenter)[0] == f"The plugin {path} does not run."
        click(button(presenter))
        await until(lambda: plugin.ready)
        presenter.end()
        await context.stop()

    flow(steps)
