"""What a person asks for beside the pages: the log in a file, a bundle for who helps, one request to see it work."""

import zipfile
from pathlib import Path

import pytest
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QFileDialog, QPushButton
from pytestqt.qtbot import QtBot

from ssgui.app.context import AppContext
from ssgui.app.demo.site import Site
from ssgui.app.log_buffer import LogBuffer
from ssgui.config.app_config import AppConfig, Mode, Server, Settings
from ssgui.config.models import ServerSettings
from ssgui.config.secret import Secret
from ssgui.config.store import Store
from ssgui.engine.engine import Engine
from ssgui.engine.journal import Journal
from ssgui.gui.diagnosing import DiagnosisDialog
from ssgui.gui.presenter import Presenter
from ssgui.gui.window import MainWindow
from tests.gui.test_logs_and_settings import logger_to
from tests.support.app import app
from tests.support.flows import Flow, click, until
from tests.support.screens import StillContext


def chooser_of(presenter: Presenter) -> QFileDialog:
    found = presenter.window.findChild(QFileDialog)
    assert found is not None
    return found


def unpacked(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        return "".join(archive.read(name).decode() for name in archive.namelist())


def test_the_log_in_a_file(presenter: Presenter, context: StillContext, flow: Flow, tmp_path: Path) -> None:
    logger_to(context.logs).info("a line to keep")
    path = tmp_path / "log.txt"

    async def steps() -> None:
        presenter.window.open_page("logs")
        presenter.logs.look()
        click(presenter.logs.save)
        chooser = chooser_of(presenter)
        assert Path(chooser.selectedFiles()[0]).name == "ssgui-log.txt"
        chooser.fileSelected.emit(str(path))
        await until(path.exists)
        chooser.close()

    flow(steps)
    assert path.read_text().endswith("INFO a line to keep\n")


def test_a_log_that_cannot_be_written_is_told(presenter: Presenter, flow: Flow, tmp_path: Path) -> None:
    async def steps() -> None:
        presenter.window.open_page("logs")
        click(presenter.logs.save)
        chooser_of(presenter).fileSelected.emit(str(tmp_path / "no such folder" / "x"))
        await until(lambda: "saving" in presenter.window.banners.keys())  # noqa: SIM118
        chooser_of(presenter).close()

    flow(steps)


def test_a_diagnosis_in_a_file(presenter: Presenter, context: StillContext, flow: Flow, tmp_path: Path) -> None:
    async def save(path: Path, *, with_names: bool) -> str:
        presenter.window.open_page("settings")
        button = presenter.settings.rows["diagnose"].control
        assert isinstance(button, QPushButton)
        button.click()  # it may be below what is shown
        dialog = presenter.window.findChild(DiagnosisDialog)
        assert dialog is not None
        if with_names:
            click(dialog.hide_hosts)
        click(dialog.save)
        chooser = chooser_of(presenter)
        chooser.fileSelected.emit(str(path))
        await until(path.exists)
        chooser.close()
        await until(lambda: presenter.window.findChild(QDialog) is None)
        return unpacked(path)

    async def steps() -> None:
        hidden = await save(tmp_path / "a.zip", with_names=False)
        shown = await save(tmp_path / "b.zip", with_names=True)
        assert "tokyo-1.example.net" not in hidden
        assert "tokyo-1.example.net" in shown
        assert "a long password" not in hidden + shown
        assert "offscreen" in hidden

    flow(steps)


def test_without_a_port_the_test_request_says_so(presenter: Presenter, context: StillContext, flow: Flow) -> None:
    async def steps() -> None:
        presenter.connections.test.emit()
        await until(lambda: "trying" in presenter.window.banners.keys())  # noqa: SIM118

    flow(steps)


def test_a_test_request_is_a_row_of_the_table(qtbot: QtBot, flow: Flow, tmp_path: Path) -> None:
    async def steps() -> None:
        context, password = AppContext(Store(tmp_path), LogBuffer()), Secret("pw")
        engine = Engine(Journal())
        far = await engine.start_server(ServerSettings("127.0.0.1", 0, "aes-256-gcm", password, forbidden=()))
        window = MainWindow()
        qtbot.addWidget(window)
        presenter = Presenter(context, window, lambda: None)
        presenter.begin()
        window.show()
        with Site() as site:
            host, port = far.address
            settings = Settings(mode=Mode.GLOBAL, local_port=0, probe_url=f"{site.url}/")
            server = Server(id="1", host=host, port=port, method="aes-256-gcm", password=password)
            context.change(AppConfig(servers=(server,), current="1", settings=settings))
            await context.settled()
            window.open_page("connections")
            presenter.look()
            button = presenter.connections._empty.findChild(QPushButton)
            assert button is not None
            click(button)
            await until(lambda: "200" in window.toast.accessibleName())
            rows = context.connections
            await until(lambda: any(one.down for one in (*rows.live.values(), *rows.ended.values())))
            (row,) = [*rows.live.values(), *rows.ended.values()]
            assert row.target in site.url
        presenter.end()
        await context.stop()
        await engine.stop(0)

    flow(steps)


def test_a_newer_version_is_told_with_a_link(presenter: Presenter, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    presenter.updating.tell("https://example.com/download", "9.0")
    button = next(one for one in presenter.window.banners.findChildren(QPushButton) if one.text() == "Show it")
    click(button)
    assert opened == ["https://example.com/download"]


def test_the_command_asks_the_app_that_runs(tmp_path: Path) -> None:
    path = tmp_path / "out.zip"
    with app(tmp_path / "home") as one:
        done = one.second("diagnose", str(path))
        assert done.returncode == 0, done.stderr
        assert "written by the app that runs" in done.stderr
        assert '"platform": "offscreen"' in unpacked(path)
        assert one.second("diagnose", str(tmp_path / "no such folder" / "x.zip")).returncode == 2
        one.ask({"do": "quit"})
        one.require_good_end()
