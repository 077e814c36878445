"""The tray: its drawings, its menu and its clicks, without a panel."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QPushButton, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from ssgui import __version__
from ssgui.config.app_config import AppConfig, Mode
from ssgui.engine.stages import Reason
from ssgui.gui import theme, tray_icons
from ssgui.gui.about import AboutDialog
from ssgui.gui.diagnosing import DiagnosisDialog
from ssgui.gui.frame.notices import Notice
from ssgui.gui.presenter import Presenter
from ssgui.gui.tray import Tray
from ssgui.gui.tray_menu import MOST_SERVERS, literal
from ssgui.gui.window import MainWindow
from ssgui.services.diagnosis.evidence import Failure
from ssgui.system.panel import panel_is_dark
from tests.support import sample
from tests.support.screens import StillContext

TRIGGER, MIDDLE = QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.MiddleClick


class Desk(QObject):
    """A window, its presenter and a tray that the test may take away."""

    def __init__(self, context: StillContext, qtbot: QtBot) -> None:
        super().__init__()
        self.left = 0
        self.context, self.window = context, MainWindow()
        qtbot.addWidget(self.window)
        self.presenter = Presenter(context, self.window, self._leave)
        self.tray = Tray(self.presenter)
        self.tray._watch.stop()
        self.menu = self.tray.menu

    def _leave(self) -> None:
        self.left += 1

    def choose(self, text: str, menu: QMenu | None = None) -> None:
        """Click the item."""
        self.menu.refresh()
        found = [action for action in (menu or self.menu).actions() if action.text().startswith(text)]
        assert len(found) == 1, [action.text() for action in (menu or self.menu).actions()]
        assert found[0].isEnabled()
        found[0].trigger()

    def sub(self, text: str) -> QMenu:
        found = [one for one in self.menu.findChildren(QMenu) if one.title() == text]
        assert len(found) == 1
        return found[0]


@pytest.fixture
def desk(context: StillContext, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: True))
    made = Desk(context, qtbot)
    yield made
    made.tray.end()


# ---- drawings


def coverage(image: QImage, x: int, y: int) -> int:
    return image.pixelColor(x, y).alpha()


@pytest.mark.parametrize("size", tray_icons.SIZES)
@pytest.mark.parametrize("shape", tray_icons.SHAPES)
def test_a_drawing_fits_and_its_rectangles_are_whole_pixels(application: QApplication, shape: str, size: int) -> None:
    image = tray_icons.render(shape, theme.LIGHT.text, size)
    assert (image.width(), image.height()) == (size, size)
    pixels = [(x, y) for x in range(size) for y in range(size)]
    assert sum(coverage(image, x, y) for x, y in pixels) > 0.15 * 255 * size * size
    if shape in ("rules", "error"):
        rows = {coverage(image, round(3 * size / 16 if shape == "rules" else 12 * size / 16), y)
                for y in range(round(10 * size / 16), size)}  # fmt: skip
        assert all(row < 3 or row > 252 for row in rows), "a grey edge"


def test_every_state_has_another_silhouette(application: QApplication) -> None:
    for size in tray_icons.SIZES:
        images = [tray_icons.render(shape, theme.LIGHT.text, size) for shape in tray_icons.SHAPES]
        for one in images:
            different = [sum(abs(coverage(one, x, y) - coverage(other, x, y)) for x in range(size) for y in range(size))
                         for other in images if other is not one]  # fmt: skip
            assert min(different) > 0.04 * 255 * size * size


def test_connecting_is_the_same_shape_but_faint(application: QApplication) -> None:
    full, faint = (tray_icons.render("pac", theme.DARK.text, 32, opacity) for opacity in (1.0, tray_icons.CONNECTING))
    tallest = max(coverage(faint, x, y) for x in range(32) for y in range(32))
    assert tallest == pytest.approx(255 * tray_icons.CONNECTING, abs=2)
    assert all((coverage(full, x, y) > 8) >= (coverage(faint, x, y) > 8) for x in range(32) for y in range(32))


def test_the_colour_suits_the_panel(application: QApplication) -> None:
    icon = tray_icons.tray_icon("global", tray_icons.panel_color(dark=True))
    assert {(size.width(), size.height()) for size in icon.availableSizes()} == {(n, n) for n in tray_icons.SIZES}
    assert icon.pixmap(22, 22).toImage().pixelColor(3, 11) == QColor(theme.DARK.text)


@pytest.mark.parametrize(
    ("desktop", "dark_windows", "dark"),
    [
        ("ubuntu:GNOME", False, True),
        ("XFCE", False, True),
        ("KDE", False, False),
        ("KDE", True, True),
        ("", False, False),
    ],
)
def test_which_panels_are_dark(monkeypatch: pytest.MonkeyPatch, desktop: str, dark_windows: bool, dark: bool) -> None:
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", desktop)
    assert panel_is_dark(dark_windows) is dark


@pytest.mark.parametrize(
    ("mode", "kind", "shape"),
    [
        ("global", "on", ("global", 1.0)), ("global", "ready", ("global", 1.0)),
        ("rules", "connecting", ("rules", tray_icons.CONNECTING)), ("pac", "failing", ("error", 1.0)),
        ("pac", "suspicious", ("error", 1.0)), ("off", "off", ("off", 1.0)), ("global", "none", ("off", 1.0)),
        ("global", "paused", ("off", 1.0)), ("global", "offline", ("error", 1.0)),
    ],
)  # fmt: skip
def test_the_silhouette_of_a_state(mode: str, kind: str, shape: tuple[str, float]) -> None:
    assert tray_icons.shape_of(mode, kind) == shape


# ---- the menu


def test_the_first_line_and_the_tooltip_say_what_is_known(desk: Desk) -> None:
    assert desk.menu.state.text() == f"Ready · {sample.TOKYO}"
    assert not desk.menu.state.isEnabled()
    desk.presenter.states.tested("1", 0.038)
    desk.menu.refresh()
    assert desk.menu.state.text() == f"Ready · {sample.TOKYO} · 38 ms"
    evidence = desk.context.evidence.of(sample.TOKYO)
    evidence.attempts = 2
    evidence.failures.extend([Failure(1.0, Reason.CONNECT_REFUSED)] * 2)
    desk.tray.look()
    assert desk.menu.state.text() == f"{sample.TOKYO} does not answer"
    assert desk.tray.icon is not None
    assert desk.tray.icon.toolTip() == f"ssgui · {sample.TOKYO} does not answer"
    assert desk.tray._look[0] == "error"


def test_modes_are_radios(desk: Desk) -> None:
    assert desk.menu.modes[Mode.GLOBAL].isChecked()
    desk.choose("Off")
    assert desk.context.config.settings.mode is Mode.OFF
    assert not desk.menu.modes[Mode.GLOBAL].isChecked()
    desk.context.change(AppConfig())
    desk.menu.refresh()
    assert not desk.menu.modes[Mode.GLOBAL].isEnabled()


def test_a_server_is_used_and_its_latency_shown(desk: Desk) -> None:
    desk.presenter.states.tested("2", 0.0123)
    desk.menu.refresh()
    servers = desk.menu.servers
    assert [action.text() for action in servers.actions() if "香港" in action.text()] == ["香港 02 专线 · 12 ms"]
    desk.choose("香港", servers)
    assert desk.context.config.current == "2"
    desk.choose("Automatic: lowest latency", servers)
    assert desk.context.config.settings.choice == "fastest"
    assert [action.text() for action in servers.actions() if action.isChecked()] == ["Automatic: lowest latency"]
    desk.choose("Los Angeles", servers)
    assert desk.context.config.settings.choice == "one"
    assert desk.context.config.current == "6"


def test_the_menu_does_not_grow_with_the_list(desk: Desk) -> None:
    many = tuple(sample.server(number) for number in range(1000))
    desk.context.change(AppConfig(servers=many, current="0"))
    desk.menu.refresh()
    rows = [action for action in desk.menu.servers.actions() if not action.isSeparator()]
    assert len(rows) == MOST_SERVERS + 4


def test_a_stranger_s_name_stays_a_name(desk: Desk) -> None:
    odd = sample.server(1, remarks="a&b\t\u202ec\nd" + "x" * 100)
    desk.context.change(AppConfig(servers=(odd,), current="1"))
    desk.menu.refresh()
    text = next(action.text() for action in desk.menu.servers.actions() if action.text().startswith("a&&b"))
    assert "\t" not in text
    assert "\u202e" not in text
    assert len(text) < 60


@pytest.mark.parametrize(
    ("text", "drawn", "told"),
    [("a_b", "a_b", "a__b"), ("R&D", "R&&D", "R&&D"), ("a & b & _c", "a && b && _c", "a && b & __c")],
)
def test_no_letter_is_underlined(text: str, drawn: str, told: str) -> None:
    assert literal(text, by_bus=False) == drawn
    assert literal(text, by_bus=True) == told


@pytest.mark.parametrize(("item", "page"), [("Connections…", "connections"), ("Settings…", "settings")])
def test_an_item_opens_its_page(desk: Desk, item: str, page: str) -> None:
    desk.choose(item)
    assert desk.window.isVisible()
    assert desk.window.current_page() == page


def test_help_and_edit_and_add(desk: Desk, qtbot: QtBot) -> None:
    desk.choose("Logs", desk.sub("Help"))
    assert desk.window.current_page() == "logs"
    desk.choose("Edit servers…", desk.menu.servers)
    assert desk.window.current_page() == "servers"
    desk.presenter.servers.adding.disconnect()  # what it leads to needs a loop
    with qtbot.waitSignal(desk.presenter.servers.adding) as asked:
        desk.choose("Scan a QR code", desk.sub("Add server"))
    assert asked.args == ["screen"]
    desk.choose("Diagnose…", desk.sub("Help"))
    dialog = desk.window.findChild(DiagnosisDialog)
    assert dialog is not None
    dialog.close()


def test_about_can_be_closed_and_opened_again(desk: Desk, qtbot: QtBot) -> None:
    desk.choose("About", desk.sub("Help"))
    dialog = desk.window.findChild(AboutDialog)
    assert dialog is not None
    assert f"ssgui {__version__}" in dialog.versions.text()
    with qtbot.waitSignal(dialog.destroyed):
        dialog.close()
    desk.choose("About", desk.sub("Help"))
    again = desk.window.findChild(AboutDialog)
    assert again is not None
    assert again.isVisible()


def test_share_is_a_switch(desk: Desk) -> None:
    desk.choose("Share with local network")
    assert desk.context.config.settings.share
    desk.choose("Share with local network")
    assert not desk.context.config.settings.share


def test_a_command_is_copied(desk: Desk) -> None:
    assert not desk.menu.commands.isEnabled()
    desk.context.proxy.relay = SimpleNamespace(address=("0.0.0.0", 1081))  # type: ignore[assignment]
    desk.choose("fish", desk.sub("Copy proxy command"))
    assert "set -gx https_proxy http://127.0.0.1:1081" in QGuiApplication.clipboard().text()


def test_quit(desk: Desk) -> None:
    desk.choose("Quit")
    assert desk.left == 1


def test_ctrl_q(desk: Desk, qtbot: QtBot) -> None:
    desk.presenter.show_window()
    qtbot.waitUntil(desk.window.isActiveWindow)
    qtbot.keyClick(desk.window, Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)
    assert desk.left == 1


def test_the_icon_follows_the_panel(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.tray.look()
    before = desk.tray._look
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "GNOME")
    QGuiApplication.styleHints().colorSchemeChanged.emit(QGuiApplication.styleHints().colorScheme())
    assert desk.tray._look[:2] == before[:2]
    assert desk.tray._look != before


def test_the_banner_of_a_pause_leads_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk.context.pause, "left", lambda: 14.2 * 60)
    desk.presenter.look()
    assert "pause" in desk.window.banners.keys()  # noqa: SIM118
    desk.presenter.show_window()
    assert desk.context.pause.left()
    texts = [label.text() for label in desk.window.banners.findChildren(QLabel)]
    assert "Direct for 15 min" in texts
    monkeypatch.undo()
    monkeypatch.setattr(desk.context.pause, "_until", 1e12)
    (resume,) = [one for one in desk.window.banners.findChildren(QPushButton) if one.text() == "Resume"]
    resume.click()
    assert not desk.context.pause.left()
    desk.presenter.look()
    assert "pause" not in desk.window.banners.keys()  # noqa: SIM118


def test_started_for_the_tray_and_minimised_until_there_is_one(desk: Desk) -> None:
    desk.tray._vanish()
    desk.window.showMinimized()
    desk.tray.wanted_hidden = True
    desk.tray.find()
    assert not desk.window.isVisible()


# ---- clicks


def test_left_click_toggles_and_a_double_click_is_one(desk: Desk) -> None:
    assert desk.tray.icon is not None
    desk.tray.icon.activated.emit(TRIGGER)
    assert desk.window.isVisible()
    desk.tray.icon.activated.emit(TRIGGER)  # the second half of a double click
    assert desk.window.isVisible()
    desk.tray._toggled_at, desk.tray._left_at = 0.0, float("inf")
    desk.tray.icon.activated.emit(TRIGGER)
    assert not desk.window.isVisible()


def test_middle_click_opens_the_logs(desk: Desk) -> None:
    desk.tray.clicked(MIDDLE)
    assert desk.window.current_page() == "logs"


def test_closing_hides_where_there_is_a_tray(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(QSystemTrayIcon, "supportsMessages", staticmethod(lambda: True))
    monkeypatch.setattr(QSystemTrayIcon, "showMessage", lambda self, title, *_: said.append(title))
    for _ in range(2):
        desk.presenter.show_window()
        desk.window.close()
        assert not desk.window.isVisible()
    assert desk.left == 0
    assert said == ["ssgui is still running"]


def test_closing_leaves_where_there_is_no_tray(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: False))
    desk.tray.find()
    assert desk.window.isVisible(), "nothing else could bring it back"
    assert desk.tray.icon is None
    desk.window.close()
    assert desk.left == 1
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: True))
    desk.tray.find()
    assert desk.tray.icon is not None


def test_what_a_hidden_window_says_the_desktop_shows_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(QSystemTrayIcon, "supportsMessages", lambda: True)
    monkeypatch.setattr(QSystemTrayIcon, "showMessage", lambda _icon, title, text, *_: told.append((title, text)))
    assert desk.tray.icon is not None
    say = desk.window.banners.show_notice
    desk.window.show()
    say(Notice("a", "warn", "Seen in the window."))
    assert not told
    desk.window.hide()
    say(Notice("b", "err", "It failed.", "<b>nginx</b> & others"))
    say(Notice("b", "err", "It failed again.", ""))
    say(Notice("c", "warn", "You asked for it.", quiet=True))
    assert told == [("It failed.", "‹b>nginx‹/b> ＆ others")]  # noqa: RUF001
    desk.window.show()
    desk.window.hide()
    say(Notice("b", "err", "It failed anew.", ""))
    assert told[1:] == [("It failed anew.", "")]
    monkeypatch.setattr(QSystemTrayIcon, "supportsMessages", lambda: False)
    say(Notice("d", "err", "Nobody shows it.", ""))
    assert len(told) == 2
