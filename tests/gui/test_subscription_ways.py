"""Subscriptions, through the widgets that a person uses."""

import asyncio
import time
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from ssgui.config.app_config import Subscription
from ssgui.config.secret import Secret
from ssgui.gui.adding.confirm import ConfirmDialog
from ssgui.gui.adding.subscription import LineDialog, state_of
from ssgui.gui.presenter import Presenter
from ssgui.services.fetching import Answer, FetchError, Quota, Unreachable
from tests.support.flows import Flow, click, until
from tests.support.screens import StillContext

DAY = 86400.0
LIST = b"""{"version": 1, "servers": [
  {"id": "1", "server": "a.example", "server_port": 1, "method": "aes-256-gcm", "password": "pw12345"},
  {"id": "2", "server": "b.example", "server_port": 1, "method": "aes-256-gcm", "password": "pw12345",
   "plugin": "v2ray-plugin", "plugin_opts": "tls"}]}"""


class Provider:
    def __init__(self, presenter: Presenter) -> None:
        self.failure, self.blocked = "", False
        self.asked: list[dict[str, Any]] = []
        self.quota = Quota(1, 128_000_000_000, time.time() + 400 * DAY)
        self.held = asyncio.Event()
        self.held.set()
        presenter.subscriptions.service._get = self._get

    async def _get(self, url: Secret, **more: Any) -> Answer:
        await self.held.wait()
        self.asked.append(more)
        if self.blocked and not more["directly"]:
            raise Unreachable("nebula.example cannot be reached: it does not answer")
        if self.failure:
            raise FetchError(self.failure)
        return Answer(LIST, "", self.quota)


def dialog_of(presenter: Presenter, name: str) -> LineDialog:
    found = presenter.window.findChild(LineDialog, name)
    assert found is not None
    return found


def choose(presenter: Presenter, group: str, text: str) -> None:
    menu: QMenu = presenter.subscriptions.menu(group, QPoint(0, 0))
    [action] = [one for one in menu.actions() if one.text() == text]
    action.trigger()
    menu.close()


def note(presenter: Presenter, group: str) -> str:
    return next(row.note for row in presenter.servers.model.rows if row.server is None and row.group == group)


async def added(presenter: Presenter) -> None:
    """Add one by its address."""
    presenter.adding.start("subscription")
    dialog = dialog_of(presenter, "subscription")
    QTest.keyClicks(dialog.field.edit, "https://nebula.example/secret")
    click(dialog.go)
    await until(lambda: presenter.window.findChild(ConfirmDialog))
    confirm = presenter.window.findChild(ConfirmDialog)
    assert confirm is not None
    assert confirm.windowTitle() == "Add 2 servers"
    assert not confirm.group.isVisible()
    click(confirm.add)


def test_added_refreshed_renamed_removed(presenter: Presenter, context: StillContext, flow: Flow) -> None:
    before = context.config

    async def steps() -> None:
        provider = Provider(presenter)
        await added(presenter)
        group = "nebula.example"
        assert [one.group for one in context.config.servers[-2:]] == [group, group]
        assert note(presenter, group).startswith("updated 1 min ago · 128 GB left · until ")
        provider.held.clear()
        choose(presenter, group, "Refresh")
        assert note(presenter, group) == "Updating…"
        provider.failure = "nebula.example answers 404"
        provider.held.set()
        await until(lambda: not presenter.subscriptions.service.busy)
        assert note(presenter, group) == "not updated: nebula.example answers 404 · list of 1 min ago"
        choose(presenter, group, "Rename…")
        rename = dialog_of(presenter, "rename-group")
        rename.field.edit.clear()
        click(rename.go)
        assert rename.field.edit.accessibleDescription() == "The name is missing."
        QTest.keyClicks(rename.field.edit, "Stars")
        click(rename.go)
        assert context.config.subscriptions[0].name == "Stars"
        kept = context.config
        choose(presenter, "Stars", "Remove subscription")
        assert context.config == before
        presenter.window.toast.undo()
        assert context.config == kept

    flow(steps)


def test_what_is_wrong_is_said_in_the_dialog(presenter: Presenter, context: StillContext, flow: Flow) -> None:
    before = context.config

    async def steps() -> None:
        provider = Provider(presenter)
        provider.failure = "nebula.example answers 404"
        presenter.adding.offer_text("http://nebula.example/x")
        dialog = dialog_of(presenter, "subscription")
        click(dialog.go)
        assert "not encrypted" in dialog.field.edit.accessibleDescription()
        dialog.field.edit.setText("https://nebula.example/x")
        click(dialog.go)
        await until(dialog.go.isEnabled)
        assert dialog.field.edit.accessibleDescription() == "nebula.example answers 404"
        click(dialog.cancel)
        assert context.config == before

    flow(steps)


def test_its_plugin_asks_before_it_starts(presenter: Presenter, context: StillContext, flow: Flow) -> None:
    async def steps() -> None:
        Provider(presenter)
        context.changed.append(presenter._changed) if presenter._changed not in context.changed else None
        await added(presenter)
        context.use(context.config.servers[-1].id)
        notice = presenter.window.banners._notices["plugin"]
        assert notice.fact == "This server wants to start v2ray-plugin."
        assert notice.detail == "With the options tls"
        assert notice.act is not None
        notice.act()
        assert "plugin" not in presenter.window.banners._notices
        assert len(context.config.agreed_plugins) == 1

    flow(steps)


def test_a_click_on_the_head_opens_its_menu(presenter: Presenter, context: StillContext, flow: Flow) -> None:
    async def steps() -> None:
        Provider(presenter)
        await added(presenter)
        asked: list[str] = []
        presenter.servers.list.head_asked.disconnect()
        presenter.servers.list.head_asked.connect(lambda group, _at: asked.append(group))
        model = presenter.servers.model
        index = model.index(model.row_of("group nebula.example"))
        presenter.servers.list.scrollTo(index)
        head = presenter.servers.list.visualRect(index)
        viewport = presenter.servers.list.viewport()
        place = QPoint(head.right() - 20, head.center().y())
        QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=place)
        assert asked == ["nebula.example"]

    flow(steps)


def test_a_row_has_a_menu_that_leads_to_its_group(presenter: Presenter, context: StillContext) -> None:
    asked: list[str] = []
    presenter.servers.list.head_asked.disconnect()
    presenter.servers.list.head_asked.connect(lambda group, _at: asked.append(group))
    presenter.servers.list.asked.emit("6", QPoint(0, 0))
    menu = presenter.servers.findChildren(QMenu)[-1]
    texts = {action.text(): action for action in menu.actions() if action.text()}
    assert list(texts) == ["Use this server", "Share", "Duplicate", "Delete", "Group…"]
    texts["Use this server"].trigger()
    texts["Group…"].trigger()
    assert (context.config.current, asked) == ("6", ["Nebula"])
    texts["Delete"].trigger()
    assert context.config.server("6") is None
    menu.close()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "updated 2 h ago"),
        ({"bytes_remaining": 128_000_000_000}, "updated 2 h ago · 128 GB left"),
        ({"expires": 86400.0}, "updated 2 h ago · ended 2 Jan 1970"),
        ({"updated": 0.0}, "updated 115 days ago"),
        ({"error": "it does not answer"}, "not updated: it does not answer · list of 2 h ago"),
    ],
)
def test_the_words_beside_a_group(more: dict[str, object], words: str) -> None:
    now = 10_000_000.0
    one = Subscription(id="n", url=Secret("https://n.example"), updated=now - 7200)
    assert state_of(msgspec.structs.replace(one, **more), False, now) == words


def test_around_the_proxy_only_when_a_person_says_so(
    presenter: Presenter, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr("ssgui.app.subscriptions.own_proxy", lambda _context: "socks5://127.0.0.1:1080")

    async def steps() -> None:
        provider = Provider(presenter)
        provider.blocked = True
        presenter.adding.start("subscription")
        dialog = dialog_of(presenter, "subscription")
        QTest.keyClicks(dialog.field.edit, "https://nebula.example/secret")
        click(dialog.go)
        await until(lambda: dialog.go.text() == "Try without the proxy")
        assert [one["directly"] for one in provider.asked] == [False]
        QTest.keyClicks(dialog.field.edit, "x")
        assert dialog.go.text() == "Go on"
        click(dialog.go)
        await until(lambda: dialog.go.text() == "Try without the proxy")
        click(dialog.go)
        await until(lambda: presenter.window.findChild(ConfirmDialog))
        confirm = presenter.window.findChild(ConfirmDialog)
        assert confirm is not None
        click(confirm.add)
        assert [one["directly"] for one in provider.asked] == [False, False, True]
        group = "nebula.example"
        choose(presenter, group, "Refresh")
        await until(lambda: "not updated" in note(presenter, group))
        choose(presenter, group, "Refresh without the proxy")
        await until(lambda: note(presenter, group).startswith("updated"))
        assert [one["directly"] for one in provider.asked][3:] == [False, True]

    flow(steps)
