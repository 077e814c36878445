"""Every dialog, menu, banner and empty page of the window, for the pictures and for the test of the layout."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QPoint
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QMenu, QScrollArea, QWidget

from ssgui.app.adding import Found, assess, look_through
from ssgui.app.leak_check import Check, Kind, Result
from ssgui.config.app_config import AppConfig, Subscription
from ssgui.config.secret import Secret
from ssgui.gui.about import show_about
from ssgui.gui.adding.confirm import ConfirmDialog
from ssgui.gui.adding.subscription import LineDialog
from ssgui.gui.diagnosing import DiagnosisDialog
from ssgui.gui.leaks import LeaksDialog
from ssgui.gui.tray_menu import TrayMenu
from ssgui.protocol.links import encode_link
from ssgui.services.connections.leaks import Habits
from ssgui.services.diagnosis.evidence import Verdict
from ssgui.system.keyring_key import Trouble
from tests.config.documents import samples
from tests.support import sample
from tests.support.lives_screens import lives

if TYPE_CHECKING:
    from tests.support.screens import Screens

Shown = Iterator[tuple[str, QWidget]]
LINKS = "\n".join((
    encode_link("sg3.example.net", 8388, "2022-blake3-aes-256-gcm", "A" * 43 + "=", remarks="Singapore 3"),
    encode_link("hk02.example.org", 443, "aes-256-cfb", "a long password", remarks="香港 02 旧"),
    encode_link("a-very-long-name-of-a-host.cdn.provider.example.com", 30443, "aes-256-gcm", "a long password",
                remarks="Los Angeles · streaming · for mobile networks only",
                plugin="v2ray-plugin;tls;host=cdn.example.com"),
    encode_link("tokyo-1.example.net", 8388, "chacha20-ietf-poly1305", "a long password", remarks="Tokyo 1 again"),
    "ss://bm9uc2Vuc2U",
))  # fmt: skip


def settle() -> None:
    """Let Qt lay out and paint."""
    for _ in range(3):
        QApplication.processEvents()


def dialogs(screens: "Screens") -> Shown:
    """Dialogs, one after the other, on the page of servers."""
    presenter, window, context = screens.presenter, screens.window, screens.context
    window.show()
    window.open_page("servers")
    there = context.config.servers
    yield from _opened("add", ConfirmDialog(look_through([("", LINKS.encode())], there), ("Nebula",), window))
    documents = [("gui-config.json", samples.GUI_CONFIG), ("notes.txt", b"nothing of use"),
                 ("config.json", samples.CLASSIC_SERVERS)]  # fmt: skip
    yield from _opened("import", ConfirmDialog(look_through(documents, there), ("Nebula",), window))
    found = assess([sample.server(90 + number, group="Nebula") for number in range(3)], there)
    yield from _opened("subscription-preview", ConfirmDialog(Found("Nebula", found), (), window, whole=True))
    presenter.subscriptions.add("http://nebula.example/x")
    dialog = _last(window, LineDialog)
    assert isinstance(dialog, LineDialog)
    dialog.field.validate()
    yield from _opened("subscription", dialog)
    presenter.subscriptions.rename("Nebula")
    yield from _opened("rename", _last(window, LineDialog))
    presenter.rules.page.lists.show_problems(context.rules.lists[4])
    yield from _opened("list-problems", _last(window, QDialog))
    presenter.sharing.share("3")
    yield from _opened("share", _last(window, QDialog))
    yield from _opened("about", show_about(window))
    yield from _opened("diagnosis", DiagnosisDialog(window))
    yield from _opened("leaks", leaks(window))


def leaks(window: QWidget) -> LeaksDialog:
    """The leak check with every kind of result."""
    dialog = LeaksDialog(window)
    dialog.model.show_habits([
        Habits("firefox", 1204, 0, 12, 9, 0, 0), Habits("zoom", 86, 61, 40, 0, 2, 0),
        Habits("a-very-long-name-of-a-program-that\u202e-turns", 41, 3, 0, 0, 0, 3), Habits("", 7, 1, 0, 0, 1, 0),
    ])  # fmt: skip
    dialog.show_checks([
        Check(Kind.PORT, Result.BAD, "open"), Check(Kind.SYSTEM, Result.GOOD, "pac"),
        Check(Kind.NAMES, Result.GOOD, "server"), Check(Kind.HABITS, Result.WARN, "addresses", 65, 1338, ("zoom",)),
        Check(Kind.UDP, Result.GOOD, "passes", 0.087), Check(Kind.IPV6, Result.UNKNOWN, "nobody tells"),
    ])  # fmt: skip
    return dialog


def foreign_dialogs(screens: "Screens") -> Shown:
    """Dialogs that are Qt's own."""
    screens.presenter.sharing.export()
    yield from _opened("export", _last(screens.window, QFileDialog))


def _last(window: QWidget, kind: type[QDialog]) -> QDialog:
    return window.findChildren(kind)[-1]


def _opened(name: str, dialog: QDialog) -> Shown:
    dialog.open()
    settle()
    yield name, dialog
    dialog.close()
    dialog.setParent(None)
    settle()


def menus(screens: "Screens") -> Shown:
    """The tray's menu with its parts, and those of the page of servers."""
    presenter = screens.presenter
    tray = TrayMenu(presenter)
    tray.refresh()
    yield from _popped("tray", tray)
    for menu in tray.findChildren(QMenu):
        if not menu.isEmpty() and menu.title():
            yield from _popped(f"tray-{_slug(menu, tray)}", menu)
    tray.deleteLater()
    yield from _popped("add-menu", presenter.servers.menu)
    yield from _popped("row-menu", presenter.servers.row_menu("2", QPoint(20, 20)))
    yield from _popped("list-menu", presenter.rules.page.lists.menu("company", QPoint(20, 20)))
    yield from _popped("group-menu", presenter.subscriptions.menu("Nebula", QPoint(20, 20)))


def connection_menus(screens: "Screens") -> Shown:
    """Those of the page of connections: of a row, of columns, of files, and of what has no room."""
    window, page = screens.window, screens.presenter.connections
    window.open_page("connections")
    page.look()
    settle()
    here = window.mapToGlobal(QPoint(300, 200))
    yield from _popped("connection-menu", page.row_menu(next(one for one in page.model.rows if one.id == 35), here))
    page.offer_files()
    before, buttons = window.size(), page.toolbar
    for name, button in (("columns", buttons.columns), ("export", buttons.export), ("more", buttons.more)):
        if name == "more":
            window.resize(1000, before.height())
            settle()
        button.click()
        settle()
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        yield f"{name}-menu", menu
        menu.hide()
        settle()
    window.resize(before)
    settle()


def _slug(menu: QMenu, tray: TrayMenu) -> str:
    return str([one for one in tray.findChildren(QMenu) if one.title()].index(menu))


def _popped(name: str, menu: QMenu) -> Shown:
    menu.popup(QPoint(20, 20))
    settle()
    yield name, menu
    menu.hide()
    settle()


@contextmanager
def changed(screens: "Screens", config: AppConfig) -> Iterator[None]:
    """With another configuration for a while."""
    before = screens.context.config
    screens.context.change(config)
    settle()
    yield
    screens.context.change(before)
    settle()


def with_subscription(config: AppConfig) -> AppConfig:
    """`config` whose group Nebula is an online list."""
    nebula = Subscription(id="n", url=Secret("https://nebula.example/x"), name="Nebula", bytes_remaining=128 * 10**9,
                          updated=time.time() - 2 * 3600)  # fmt: skip
    servers = tuple(
        msgspec.structs.replace(one, subscription="n") if one.group == "Nebula" else one for one in config.servers
    )
    return msgspec.structs.replace(config, servers=servers, subscriptions=(nebula,))


def states(screens: "Screens") -> Shown:
    """The header in every state."""
    from tests.support.screens import verdicts

    screens.window.show()
    for verdict in verdicts():
        screens.show(verdict)
        settle()
        yield f"header-{verdict.kind}", screens.window.header
    screens.show(next(verdicts()))


def banners(screens: "Screens") -> Shown:
    """What is said above the pages."""
    from tests.support.screens import verdicts

    window, presenter = screens.window, screens.presenter
    window.open_page("servers")
    with changed(screens, msgspec.structs.replace(screens.context.config, current="3")):
        screens.context.shown = None
        screens.show(screens.context.verdict())
        settle()
        yield "plugin-consent", window
    screens.show(next(verdicts()))
    presenter.protecting.protection.trouble = Trouble.NO_KEYRING
    presenter.protecting._show()
    presenter.updating.tell("https://example.com", "9.0")
    window.open_page("settings")
    settle()
    yield "settings-banners", window
    bar = presenter.settings.findChildren(QScrollArea)[0].verticalScrollBar()
    bar.setValue(bar.maximum())
    settle()
    yield "settings-end", window
    bar.setValue(0)
    for key in ("keyring", "update"):
        window.banners.withdraw(key)
    settle()


def empties(screens: "Screens") -> Shown:
    """Pages with nothing on them, and the first run with a server on the clipboard."""
    from tests.support.screens import verdicts

    window, presenter = screens.window, screens.presenter
    presenter.connections.filter.setText("host:nothing-like-this")
    window.open_page("connections")
    presenter.connections.look()
    settle()
    yield "connections-filtered", window
    presenter.connections.filter.setText("")
    live, ended = dict(screens.context.connections.live), dict(screens.context.connections.ended)
    screens.context.connections.live.clear()
    screens.context.connections.ended.clear()
    screens.context.connections.version += 1
    presenter.connections.look()
    settle()
    yield "connections-empty", window
    screens.context.connections.live.update(live)
    screens.context.connections.ended.update(ended)
    presenter.logs.filter.setText("nothing like this")
    window.open_page("logs")
    settle()
    yield "logs-empty", window
    presenter.logs.filter.setText("")
    QGuiApplication.clipboard().setText(LINKS.splitlines()[0])
    with changed(screens, AppConfig()):
        window.open_page("servers")
        screens.show(Verdict("none"))
        window.header.show_rates([0.0] * 60, [0.0] * 60)
        window.sidebar.show_count("connections", 0)
        settle()
        yield "first-run-clipboard", window
    window.header.show_rates(screens.context.meter.down, screens.context.meter.up)
    QGuiApplication.clipboard().clear()
    screens.show(next(verdicts()))


ALL: tuple[Callable[["Screens"], Shown], ...] = (
    dialogs, menus, connection_menus, states, banners, empties, lives,
)  # fmt: skip
