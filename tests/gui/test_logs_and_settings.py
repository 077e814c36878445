"""Logs and settings, through the widgets that a person uses."""

import logging

from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from ssgui.app.log_buffer import LogBuffer
from ssgui.config.app_config import Choice, HistoryHosts
from ssgui.gui.frame.fields import ComboBox
from ssgui.gui.logs.page import LogsPage
from ssgui.gui.settings.page import SettingsPage
from ssgui.gui.texts import tr
from tests.support.screens import StillContext


def logger_to(buffer: LogBuffer) -> logging.Logger:
    logger = logging.Logger("ssgui")
    logger.addHandler(buffer)
    return logger


def test_lines_by_level_and_filter(qtbot: QtBot) -> None:
    buffer = LogBuffer()
    logger = logger_to(buffer)
    page = LogsPage(buffer)
    qtbot.addWidget(page)
    tester = QAbstractItemModelTester(page.model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    page.show()
    assert not page.list.isVisible()
    logger.debug("a detail")
    logger.info("listening on a port")
    logger.warning("cannot reach the server")
    page.look()
    assert [line.text for line in page.model.lines] == ["listening on a port", "cannot reach the server"]
    page.level.chosen.emit("warning")
    page.level.set_mode("warning")
    page._choose()
    assert [line.text for line in page.model.lines] == ["cannot reach the server"]
    qtbot.keyClicks(page.filter, "no such")
    assert not page.list.isVisible()
    page._show_all()
    assert len(page.model.lines) == 3
    logger.error("bad\nin two lines")
    page.look()
    page.list.setCurrentIndex(page.model.index(3))
    qtbot.mouseClick(page.copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text().endswith("ERROR bad\nin two lines\n")
    saved: list[str] = []
    page.saving.connect(saved.append)
    page.list.clearSelection()
    qtbot.mouseClick(page.save, Qt.MouseButton.LeftButton)
    assert len(saved[0].splitlines()) == 5
    del tester


def test_following_ends_when_a_person_scrolls(qtbot: QtBot) -> None:
    buffer = LogBuffer()
    logger = logger_to(buffer)
    page = LogsPage(buffer)
    qtbot.addWidget(page)
    page.resize(600, 300)
    page.show()
    for number in range(200):
        logger.info("line %d", number)
    page.look()
    bar = page.list.verticalScrollBar()
    assert bar.value() == bar.maximum()
    bar.triggerAction(bar.SliderAction.SliderPageStepSub)
    assert not page.follow.isChecked()
    before = bar.value()
    logger.info("one more")
    page.look()
    assert bar.value() == before
    page.follow.click()
    assert bar.value() == bar.maximum()


def test_settings_are_applied_at_once(context: StillContext, qtbot: QtBot) -> None:
    page = SettingsPage(context)
    qtbot.addWidget(page)
    context.changed.append(page.refresh)
    page.resize(800, 700)
    page.show()
    port = page.rows["local_port"].control
    assert isinstance(port, QLineEdit)
    assert port.text() == "1080"
    port.selectAll()
    qtbot.keyClicks(port, "1090")
    port.editingFinished.emit()
    assert context.config.settings.local_port == 1090
    udp = page.rows["udp"].control
    qtbot.mouseClick(udp, Qt.MouseButton.LeftButton)
    assert context.config.settings.udp is False
    choice = page.rows["choice"].control
    assert isinstance(choice, ComboBox)
    choice.setCurrentIndex(2)
    choice.activated.emit(2)
    assert context.config.settings.choice is Choice.FASTEST
    context.changed.clear()


def test_the_mode_to_begin_with_is_chosen(context: StillContext, qtbot: QtBot) -> None:
    page = SettingsPage(context)
    qtbot.addWidget(page)
    choice = page.rows["start_mode"].control
    assert isinstance(choice, ComboBox)
    assert choice.currentText() == "As it was left"
    choice.setCurrentIndex(4)
    choice.activated.emit(4)
    assert context.config.settings.start_mode == "global"


def test_sharing_warns_until_there_is_a_password(context: StillContext, qtbot: QtBot) -> None:
    page = SettingsPage(context)
    qtbot.addWidget(page)
    context.changed.append(page.refresh)
    page.show()
    assert not page.rows["user"].isVisible()
    qtbot.mouseClick(page.rows["share"].control, Qt.MouseButton.LeftButton)
    assert page.rows["user"].isVisible()
    assert "Everybody" in page.rows["share"]._note.text()
    for key, text in (("user", "me"), ("user_password", "secret")):
        edit = page.rows[key].control
        assert isinstance(edit, QLineEdit)
        edit.setText(text)
        edit.editingFinished.emit()
    assert context.config.settings.user_password.reveal() == "secret"
    assert "Everybody" not in page.rows["share"]._note.text()
    context.changed.clear()


def test_a_wrong_page_for_tests_is_said_and_not_kept(context: StillContext, qtbot: QtBot) -> None:
    page = SettingsPage(context)
    qtbot.addWidget(page)
    edit = page.rows["probe_url"].control
    assert isinstance(edit, QLineEdit)
    before = context.config.settings.probe_url
    edit.setText("ftp://x")
    edit.editingFinished.emit()
    assert context.config.settings.probe_url == before
    assert page.rows["probe_url"]._note.text() == tr("It must be like http://example.com/path.")


def test_what_the_history_keeps(context: StillContext, qtbot: QtBot) -> None:
    page = SettingsPage(context)
    qtbot.addWidget(page)
    context.changed.append(page.refresh)
    page.show()
    assert context.config.settings.history_hosts is HistoryHosts.NONE  # where one goes is nobody's business
    box = page.rows["history_hosts"].control
    assert isinstance(box, ComboBox)
    notes = set()
    for index, hosts in enumerate(HistoryHosts):
        box.setCurrentIndex(index)
        box.activated.emit(index)
        assert context.config.settings.history_hosts is hosts
        notes.add(page.rows["history_hosts"]._note.text())
    assert len(notes) == 3
    qtbot.mouseClick(page.rows["keep_history"].control, Qt.MouseButton.LeftButton)
    assert not context.config.settings.keep_history
    for key, text, kept in (("history_days", "7", 7), ("history_megabytes", "20", 20), ("history_days", "0", 7)):
        edit = page.rows[key].control
        assert isinstance(edit, QLineEdit)
        edit.selectAll()
        qtbot.keyClicks(edit, text)
        if edit.hasAcceptableInput():
            edit.editingFinished.emit()
        assert getattr(context.config.settings, key) == kept
    button = page.rows["clear_history"].control
    assert isinstance(button, QAbstractButton)
    with qtbot.waitSignal(page.clearing, timeout=1000):
        button.click()
    context.changed.clear()


def test_old_methods_and_a_proxy_on_the_way(context: StillContext, qtbot: QtBot) -> None:
    page = SettingsPage(context)
    qtbot.addWidget(page)
    context.changed.append(page.refresh)
    page.show()
    old = page.rows["old_methods"]
    assert isinstance(old.control, QAbstractButton)
    old.control.click()
    assert "rc4-md5" in context.config.settings.legacy_methods
    assert "unnoticed" in old._note.text()
    old.control.click()
    assert context.config.settings.legacy_methods == ()
    edit = page.rows["upstream_proxy"].control
    assert isinstance(edit, QLineEdit)
    for text, kept in (("tor", ""), (" socks5://127.0.0.1:9050 ", "socks5://127.0.0.1:9050"), ("", "")):
        edit.setText(text)
        edit.editingFinished.emit()
        assert context.config.settings.upstream_proxy.reveal() == kept
        assert ("must be" in page.rows["upstream_proxy"]._note.text()) is (text == "tor")
    context.changed.clear()
