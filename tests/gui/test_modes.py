"""The mode is switched from the header, by keys and from the tray; what the system makes of it is said."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from ssgui.app.system_proxy import Wanted, wanted_setting
from ssgui.config.app_config import AppConfig, Mode
from ssgui.gui import words
from ssgui.gui.frame.mode_switch import _Segment
from ssgui.gui.presenter import Presenter
from ssgui.services.diagnosis.evidence import Verdict
from tests.support.screens import StillContext
from tests.support.stepping_proxy import SteppingProxy

GLOBAL = wanted_setting(Mode.GLOBAL, ("127.0.0.1", 1080), "")


def segments(presenter: Presenter) -> dict[str, _Segment]:
    found = presenter.window.header.modes.findChildren(_Segment)
    return {one.text(): one for one in found if not one.isHidden()}


def newest(presenter: Presenter) -> QWidget:
    item = presenter.window.banners._column.itemAt(0)
    assert item is not None
    widget = item.widget()
    assert widget is not None
    return widget


def banner(presenter: Presenter, part: str) -> str:
    (label,) = newest(presenter).findChildren(QLabel, part)
    return label.text()


def click(presenter: Presenter, text: str) -> None:
    (button,) = [one for one in newest(presenter).findChildren(QPushButton) if one.text() == text]
    button.click()


def test_the_four_modes(presenter: Presenter, qtbot: QtBot) -> None:
    made = segments(presenter)
    assert list(made) == ["Off", "PAC", "Rules", "Global"]
    assert made["Rules"].toolTip() == "All programs; each request follows the rules"
    for text, mode in (("PAC", Mode.PAC), ("Rules", Mode.RULES), ("Global", Mode.GLOBAL), ("Off", Mode.OFF)):
        qtbot.mouseClick(made[text], Qt.MouseButton.LeftButton)
        assert presenter.context.config.settings.mode is mode
        assert presenter.window.header.modes.mode() == mode
        assert segments(presenter)[text] is made[text]  # it keeps the focus of the keyboard
    made["Off"].setFocus()
    qtbot.keyClick(made["Off"], Qt.Key.Key_Right)
    assert presenter.context.config.settings.mode is Mode.PAC
    assert made["PAC"].hasFocus() or not presenter.window.isActiveWindow()


def test_the_keys(presenter: Presenter, qtbot: QtBot) -> None:
    with qtbot.waitExposed(presenter.window):
        presenter.window.activateWindow()
    keys = (Qt.Key.Key_2, Qt.Key.Key_3, Qt.Key.Key_4, Qt.Key.Key_1)
    for key, mode in zip(keys, (Mode.PAC, Mode.RULES, Mode.GLOBAL, Mode.OFF), strict=True):
        qtbot.keyClick(presenter.window, key, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
        assert presenter.context.config.settings.mode is mode


def test_without_a_server_there_is_only_off(presenter: Presenter) -> None:
    presenter.context.change(AppConfig())
    assert [text for text, one in segments(presenter).items() if one.isEnabled()] == ["Off"]
    presenter.modes.choose(Mode.PAC)
    assert presenter.context.config.settings.mode is Mode.OFF


def test_while_the_system_is_changing_and_when_it_is_as_before() -> None:
    on, off = Verdict("on", "Tokyo", 0.3), Verdict("off", "Tokyo")
    assert words.header_state(on, "a:1", changing=True).subtitle == "Setting the system proxy…"
    assert words.header_state(on, "a:1", put_back=True).subtitle == "Tokyo · Bytes came back 0.3 s ago"
    assert words.header_state(off, "a:1").subtitle == "a:1 still listens"
    assert (
        words.header_state(off, "a:1", put_back=True).subtitle
        == "System proxy is back to what it was · a:1 still listens"
    )


def test_what_could_not_be_done_is_said_with_the_way_on(
    presenter: Presenter, context: StillContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Mode] = []
    monkeypatch.setattr(context, "choose_mode", asked.append)
    proxy = context.system_proxy
    monkeypatch.setattr(proxy, "glance", lambda seen: None)
    proxy.backend = SteppingProxy(context.store.folder)
    proxy.error, proxy._failed = "gsettings: no such key\x1b[0m", GLOBAL
    proxy._tell()
    assert banner(presenter, "fact") == "The system proxy could not be set."
    assert banner(presenter, "detail").startswith("gsettings: no such key")
    assert "\x1b" not in banner(presenter, "detail")
    click(presenter, "Try again")
    assert asked == [Mode.GLOBAL]
    proxy.restoring_failed, proxy.held = True, GLOBAL
    proxy._tell()
    assert banner(presenter, "fact") == "The system proxy could not be put back."
    click(presenter, "Try again")
    assert asked[1:] == [Mode.OFF]
    proxy.error = ""
    proxy._tell()
    assert not presenter.window.banners.keys()


def test_another_program_and_a_dead_proxy_of_before(
    presenter: Presenter, context: StillContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = context.system_proxy
    proxy.backend = SteppingProxy(context.store.folder)
    taken: list[Wanted | None] = []
    monkeypatch.setattr(proxy, "follow", lambda asked: taken.append(proxy.held))
    proxy.others = "127.0.0.1:8888"
    proxy._tell()
    assert banner(presenter, "fact") == "System proxy changed by another program."
    assert banner(presenter, "detail") == "Now 127.0.0.1:8888."
    proxy.others = ""
    proxy._tell()
    assert banner(presenter, "detail") == "Now it is off."
    presenter.window.banners.withdraw("proxy-others")  # as its x does
    proxy._tell()
    assert not presenter.window.banners.keys()
    proxy.others = "127.0.0.1:8889"
    proxy._tell()
    click(presenter, "Take back")
    assert taken == [None]
    proxy.dead = (8118,)
    proxy._tell()
    assert "8118" in banner(presenter, "detail")


def test_a_desktop_without_a_system_proxy_offers_commands(presenter: Presenter, context: StillContext) -> None:
    context.change_settings(mode=Mode.OFF)
    assert not presenter.window.banners.keys()
    context.change_settings(mode=Mode.PAC)
    assert banner(presenter, "fact") == "This desktop has no system proxy."
    click(presenter, "Copy proxy command")
    menu = next(one for one in presenter.window.findChildren(QMenu) if one.isVisible())
    assert [action.text() for action in menu.actions()] == ["bash, zsh", "fish", "PowerShell", "cmd"]
    menu.actions()[1].trigger()
    assert QGuiApplication.clipboard().text().startswith("set -gx http_proxy")
    menu.close()
    context.change_settings(leave_system_proxy=True)
    assert not presenter.window.banners.keys()


def test_the_settings(presenter: Presenter, context: StillContext, qtbot: QtBot) -> None:
    row = presenter.settings.rows["leave_system_proxy"]
    presenter.show_page("settings")
    qtbot.mouseClick(row.control, Qt.MouseButton.LeftButton)
    assert context.config.settings.leave_system_proxy
    button = presenter.settings.rows["proxy_command"].control
    assert isinstance(button, QPushButton)
    assert not button.isEnabled()  # nothing listens
    assert button.menu() is not None
