"""Servers leave the app: as a link, as a QR code, as a file."""

import json
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog

from ssgui.app.adding import look_through
from ssgui.gui.adding.pictures import read_codes
from ssgui.gui.adding.share import QrCode, ShareDialog
from ssgui.gui.presenter import Presenter
from ssgui.gui.theme import Theme
from ssgui.protocol.links import decode_link
from tests.support import sample
from tests.support.flows import Flow, click, until
from tests.support.screens import StillContext


def dialog_of(presenter: Presenter) -> ShareDialog:
    found = presenter.window.findChild(ShareDialog)
    assert found is not None
    return found


def test_a_server_as_link_and_code(presenter: Presenter, flow: Flow, tmp_path: Path) -> None:
    async def steps() -> None:
        presenter.servers.list.select("3")
        click(presenter.servers.share)
        dialog = dialog_of(presenter)
        assert decode_link(dialog.link).plugin_opts == "tls;host=a"
        click(dialog.copy)
        assert QGuiApplication.clipboard().text() == dialog.link == dialog.field.text()
        assert dialog.copy.text() == " Copied"
        assert read_codes([dialog.grab().toImage()]) == [dialog.link]
        click(dialog.save)
        chooser = dialog.findChild(QFileDialog)
        assert chooser is not None
        assert Path(chooser.selectedFiles()[0]).name == "Frankfurt · v2ray-plugin.png"
        path = tmp_path / "code.png"
        chooser.fileSelected.emit(str(path))
        await until(path.exists)
        assert read_codes([QImage(str(path))]) == [dialog.link]
        chooser.close()
        click(dialog.close_button)

    flow(steps)


def test_a_server_without_an_address_is_not_shared(presenter: Presenter, context: StillContext) -> None:
    presenter.servers.begin("hand")
    presenter.sharing.share(context.config.servers[-1].id)
    assert presenter.window.findChild(ShareDialog) is None
    assert "sharing" in presenter.window.banners._notices


@pytest.mark.parametrize(
    ("at", "name"), [(0, "servers.txt"), (1, "servers.json"), (2, "gui-config.json")]
)  # fmt: skip
def test_all_servers_into_a_file(presenter: Presenter, flow: Flow, tmp_path: Path, at: int, name: str) -> None:
    path = tmp_path / name

    async def steps() -> None:
        presenter.servers.export.trigger()
        chooser = presenter.window.findChild(QFileDialog)
        assert chooser is not None
        chooser.selectNameFilter(chooser.nameFilters()[at])
        chooser.filterSelected.emit(chooser.nameFilters()[at])
        assert Path(chooser.selectedFiles()[0]).name == name
        chooser.fileSelected.emit(str(path))
        await until(lambda: "written" in presenter.window.toast.accessibleName())
        chooser.close()

    flow(steps)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(look_through([("", path.read_bytes())], ()).candidates) == 9
    if at:
        assert json.loads(path.read_text())


def test_a_file_that_cannot_be_written(presenter: Presenter, flow: Flow, tmp_path: Path) -> None:
    async def steps() -> None:
        presenter.servers.export.trigger()
        chooser = presenter.window.findChild(QFileDialog)
        assert chooser is not None
        chooser.fileSelected.emit(str(tmp_path / "no such folder" / "a.txt"))
        await until(lambda: "saving" in presenter.window.banners._notices)
        chooser.close()

    flow(steps)


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0])
def test_the_code_is_dark_on_white_and_sharp_at_every_scale(presenter: Presenter, ratio: float) -> None:
    theme = Theme(QGuiApplication.instance())  # type: ignore[arg-type]
    theme.choose("dark")
    try:
        code = QrCode("ss://" + sample.TOKYO)
        code.devicePixelRatioF = lambda: ratio  # type: ignore[method-assign]
        picture = QImage(int(320 * ratio), int(320 * ratio), QImage.Format.Format_RGB32)
        picture.setDevicePixelRatio(ratio)
        code.render(picture)
        colours = {QColor(picture.pixel(x, x)).name() for x in range(picture.width())}
        colours |= {QColor(picture.pixel(x, picture.height() // 2)).name() for x in range(picture.width())}
        assert colours == {"#000000", "#ffffff"}
    finally:
        theme.choose("light")
        theme.setParent(None)
