"""Start at login, ss:// links and store apps in the window: only where the system has them, and as it says they are."""

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from ssgui.gui.presenter import Presenter
from ssgui.gui.texts import Translator
from ssgui.gui.tray_menu import TrayMenu
from ssgui.gui.window import MainWindow
from ssgui.system.integration.setting import Feature, IntegrationError, Settings
from tests.support.flows import Flow, click, until
from tests.support.screens import StillContext
from tests.support.still_setting import StillSetting

Open = Callable[[Settings], Presenter]


@pytest.fixture
def opened(context: StillContext, qtbot: QtBot) -> Open:
    def make(settings: Settings) -> Presenter:
        window = MainWindow()
        qtbot.addWidget(window)
        presenter = Presenter(context, window, lambda: None, settings)
        presenter._timer.stop()
        window.open_page("settings")
        window.show()
        return presenter

    return make


def test_the_switches_follow_the_system_and_lead_it(opened: Open, flow: Flow) -> None:
    login, links = StillSetting(on=True), StillSetting()
    presenter = opened({Feature.LOGIN: login, Feature.LINKS: links})
    rows = presenter.settings.rows

    async def steps() -> None:
        presenter.integrating.begin()
        await until(lambda: rows["login"].control.isChecked())  # type: ignore[attr-defined]
        assert not rows["links"].control.isChecked()  # type: ignore[attr-defined]
        assert not rows["store-apps"].isVisible()
        click(rows["links"].control)  # type: ignore[arg-type]
        await until(lambda: links.turned == [True])
        click(rows["login"].control)  # type: ignore[arg-type]
        await until(lambda: login.turned == [False])
        login.on = True  # somebody turned it on in the desktop's own settings
        presenter.window.open_page("logs")
        presenter.window.open_page("settings")
        await until(lambda: rows["login"].control.isChecked())  # type: ignore[attr-defined]
        presenter.integrating.end()
        await presenter.integrating.integration.settled()

    flow(steps)


def test_a_failure_turns_the_switch_back_and_is_said(opened: Open, flow: Flow, application: QApplication) -> None:
    login = StillSetting(fails="/config/autostart/ssgui.desktop cannot be written: No space left on device")
    presenter = opened({Feature.LOGIN: login})
    control = presenter.settings.rows["login"].control
    translator = Translator("zh_CN")

    async def steps() -> None:
        presenter.integrating.begin()
        await presenter.integrating.integration.settled()
        application.installTranslator(translator)
        click(control)  # type: ignore[arg-type]
        assert control.isChecked()  # type: ignore[attr-defined]
        await until(lambda: not control.isChecked())  # type: ignore[attr-defined]
        assert presenter.window.banners.keys() == ["integration login"]
        words = [label.text() for label in presenter.window.banners.findChildren(QLabel)]
        assert "登录时启动的设置没有更改。" in words
        assert "无法写入 /config/autostart/ssgui.desktop：磁盘空间不足" in words  # noqa: RUF001
        login.fails = ""
        click(control)  # type: ignore[arg-type]
        await until(lambda: control.isChecked() and not presenter.window.banners.keys())  # type: ignore[attr-defined]
        await presenter.integrating.integration.settled()

    try:
        flow(steps)
    finally:
        application.removeTranslator(translator)


def test_the_tray_has_it_where_the_system_does(opened: Open, flow: Flow) -> None:
    login = StillSetting()
    presenter = opened({Feature.LOGIN: login})
    menu = TrayMenu(presenter)
    assert menu.login.isVisible()
    assert menu.login.text() == "Start at login"

    async def steps() -> None:
        menu.login.trigger()
        await until(lambda: login.turned == [True])
        await presenter.integrating.integration.settled()
        menu.refresh()
        assert menu.login.isChecked()
        login.fails = "denied"
        menu.login.trigger()
        await until(lambda: presenter.integrating.integration.errors)
        menu.refresh()
        assert menu.login.isChecked()  # as it is, not as it was wanted

    flow(steps)
    menu.deleteLater()


def test_a_system_without_any_of_it_shows_none_of_it(opened: Open, flow: Flow) -> None:
    presenter = opened({})
    menu = TrayMenu(presenter)

    async def steps() -> None:
        presenter.integrating.begin()
        assert not [key for key in ("login", "links", "store-apps") if presenter.settings.rows[key].isVisible()]
        assert not menu.login.isVisible()
        presenter.integrating.end()

    flow(steps)
    menu.deleteLater()


def test_what_cannot_be_asked_is_off_and_not_complained_of(opened: Open, flow: Flow) -> None:
    class Deaf(StillSetting):
        def is_on(self) -> bool:
            raise IntegrationError("denied")

    presenter = opened({Feature.STORE_APPS: Deaf()})

    async def steps() -> None:
        presenter.integrating.begin()
        await presenter.integrating.integration.settled()
        assert presenter.settings.rows["store-apps"].isVisible()
        assert not presenter.window.banners.keys()
        presenter.integrating.end()

    flow(steps)
