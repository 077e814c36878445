"""The first run: ways to add a server stand where the list will be, and the demo shows real traffic."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ssgui.app.context import AppContext
from ssgui.app.demo.inner import IDENTITY
from ssgui.app.log_buffer import LogBuffer
from ssgui.config.app_config import AppConfig
from ssgui.config.store import Store
from ssgui.gui.adding.confirm import ConfirmDialog
from ssgui.gui.presenter import Presenter
from ssgui.gui.window import MainWindow
from ssgui.protocol.links import encode_link
from tests.support.flows import Flow, click, until
from tests.support.screens import StillContext

LINK = encode_link("hk02.example.org", 443, "aes-256-gcm", "a long password", remarks="香港 02")


@pytest.fixture
def empty(context: StillContext, qtbot: QtBot) -> Iterator[Presenter]:
    QGuiApplication.clipboard().clear()
    context.config = AppConfig()
    window = MainWindow()
    qtbot.addWidget(window)
    made = Presenter(context, window, lambda: None)
    window.show()
    yield made
    context.changed.clear()


def shows_first_run(presenter: Presenter) -> bool:
    return presenter.first_run is not None and presenter.first_run.isVisible()


def test_it_stands_where_the_list_will_be(empty: Presenter, context: StillContext) -> None:
    assert not empty.servers.isVisible()
    assert shows_first_run(empty)
    empty.servers.begin("hand")
    assert not shows_first_run(empty)
    assert empty.servers.isVisible()
    assert len(context.config.servers) == 1
    empty.servers.delete_server(context.config.servers[0].id)
    assert shows_first_run(empty)
    empty.window.toast.undo()
    assert empty.servers.isVisible()


def test_a_server_on_the_clipboard_is_named_added_and_used(
    empty: Presenter, context: StillContext, flow: Flow
) -> None:  # fmt: skip
    async def steps() -> None:
        assert empty.first_run is not None
        assert not empty.first_run.clipboard.isVisible()
        QGuiApplication.clipboard().setText(LINK)
        await until(lambda: empty.first_run is not None and empty.first_run.clipboard.isVisible())
        assert "hk02.example.org:443" in empty.first_run.clipboard.accessibleName()
        click(empty.first_run.clipboard.add)
        await until(lambda: context.server)
        assert context.server is not None
        assert context.server.remarks == "香港 02"
        assert not empty.window.findChildren(ConfirmDialog)

    flow(steps)


def test_more_than_one_on_the_clipboard_are_confirmed(empty: Presenter, context: StillContext, flow: Flow) -> None:
    async def steps() -> None:
        assert empty.first_run is not None
        QGuiApplication.clipboard().setText(f"{LINK}\n{LINK.replace(':443', ':444')}")
        click(empty.first_run.clipboard.add)
        await until(lambda: empty.window.findChildren(ConfirmDialog))
        assert not context.config.servers
        click(empty.window.findChildren(ConfirmDialog)[0].add_and_use)
        assert len(context.config.servers) == 2

    flow(steps)


def test_rows_of_the_card_lead_where_they_say(empty: Presenter, flow: Flow) -> None:
    async def steps() -> None:
        assert empty.first_run is not None
        click(empty.first_run.ways["paste"])
        assert empty.window.banners._notices["adding"].fact == "Nothing on the clipboard."
        asked: list[str] = []
        empty.adding.online.connect(asked.append)
        QTest.keyClick(empty.first_run.ways["subscription"], Qt.Key.Key_Space)
        assert asked == [""]

    flow(steps)


@pytest.mark.skipif(sys.platform == "win32" and "CI" not in os.environ, reason="asks the firewall")
def test_the_demo_shows_traffic_and_leaves_nothing(
    application: QApplication, qtbot: QtBot, flow: Flow, tmp_path: Path
) -> None:  # fmt: skip
    async def steps() -> None:
        context = AppContext(Store(tmp_path), LogBuffer())
        context.load()
        context.change_settings(local_port=0)
        await context.settled()
        window = MainWindow()
        qtbot.addWidget(window)
        presenter = Presenter(context, window, lambda: None)
        presenter.begin()
        window.show()
        assert presenter.first_run is not None
        click(presenter.first_run.try_demo)
        await until(lambda: window.current_page() == "connections")
        assert context.config.current == IDENTITY
        await until(lambda: any(one.down > 1000 for one in presenter.connections.model.rows))
        assert "demo" in window.banners._notices
        await context.settled()
        assert not Store(tmp_path).load().config.servers
        notice = window.banners._notices["demo"]
        assert notice.act is not None
        notice.act()
        await until(lambda: not presenter.demo.demo.running and presenter.first_run is not None)
        assert not context.config.servers
        assert not window.banners._notices
        presenter.end()
        await context.stop()
        assert not Store(tmp_path).load().config.servers

    flow(steps)
