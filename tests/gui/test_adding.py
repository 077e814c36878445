"""Ways to add servers, through the widgets that a person uses: each ends in the dialog that shows what it found."""

import asyncio
import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QFileDialog

from ssgui.app.adding import Candidate, Found, look_through
from ssgui.app.other_apps import find_documents
from ssgui.config.app_config import Server
from ssgui.config.secret import Secret
from ssgui.gui.adding import ways
from ssgui.gui.adding.confirm import ConfirmDialog
from ssgui.gui.adding.model import NAME, NOTE, CandidatesModel
from ssgui.gui.adding.pictures import draw_code, read_codes
from ssgui.gui.frame.notices import Notice
from ssgui.gui.presenter import Presenter
from ssgui.protocol.links import encode_link
from tests.support.flows import Flow, click, until
from tests.support.screens import StillContext

KEY = "a long password"


def link(number: int, **more: Any) -> str:
    return encode_link(f"s{number}.example.com", 8388, "aes-256-gcm", KEY, remarks=f"New {number}", **more)


async def dialog_of(presenter: Presenter) -> ConfirmDialog:
    """The dialog, once it is there."""
    await until(lambda: presenter.window.findChildren(ConfirmDialog))
    return presenter.window.findChildren(ConfirmDialog)[-1]


def press_paste(presenter: Presenter) -> None:
    QTest.keyClick(presenter.window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)


def drop(presenter: Presenter, data: QMimeData) -> None:
    action, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(300, 300), action, data, button, keys)
    QGuiApplication.sendEvent(presenter.window, enter)
    assert enter.isAccepted()
    QGuiApplication.sendEvent(presenter.window, QDropEvent(QPointF(300, 300), action, data, button, keys))


def notes(dialog: ConfirmDialog) -> list[str]:
    return [str(dialog.model.data(dialog.model.index(row, NOTE))) for row in range(dialog.model.rowCount())]


def test_pasted_links_are_confirmed_added_and_taken_back(
    presenter: Presenter, context: StillContext, flow: Flow
) -> None:  # fmt: skip
    before = context.config
    known = before.servers[1]
    there = encode_link(known.host, known.port, known.method, KEY)
    insecure = encode_link("old.example.com", 443, "aes-256-cfb", KEY)
    plugin = link(2, plugin="v2ray-plugin;tls")

    async def steps() -> None:
        QGuiApplication.clipboard().setText("\n".join([link(1), plugin, there, insecure, "ss://nonsense"]))
        press_paste(presenter)
        dialog = await dialog_of(presenter)
        assert context.config == before
        assert dialog.windowTitle() == "Add 3 servers"
        assert notes(dialog)[:4] == [
            "", "Asks before its plugin starts", "In your list already", "Insecure method"
        ]  # fmt: skip
        assert "UTF-8" in notes(dialog)[4]
        index = dialog.model.index(3, NAME)
        assert dialog.model.setData(index, Qt.CheckState.Unchecked.value, Qt.ItemDataRole.CheckStateRole)
        assert dialog.windowTitle() == "Add 2 servers"
        place = dialog.table.visualRect(dialog.model.index(1, NAME)).center()
        for count in (1, 2):
            QTest.mouseClick(dialog.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
            assert len(dialog.model.chosen()) == count
        dialog.group.box.setEditText("Holiday")
        click(dialog.add)
        assert [one.host for one in context.config.servers[-2:]] == ["s1.example.com", "s2.example.com"]
        assert {one.group for one in context.config.servers[-2:]} == {"Holiday"}
        assert context.config.current == before.current
        assert presenter.window.toast.accessibleName() == "2 servers added"
        presenter.window.toast.undo()
        assert context.config == before

    flow(steps)


def test_add_and_use_the_first(presenter: Presenter, context: StillContext, flow: Flow) -> None:
    async def steps() -> None:
        presenter.offer_links(link(1))
        dialog = await dialog_of(presenter)
        assert dialog.windowTitle() == "Add one server"
        assert not dialog.every.isVisible()
        click(dialog.add_and_use)
        assert context.server is not None
        assert context.server.remarks == "New 1"
        assert presenter.window.toast.accessibleName() == "New 1 added"

    flow(steps)


def test_cancel_adds_nothing(presenter: Presenter, context: StillContext, flow: Flow) -> None:
    before = context.config

    async def steps() -> None:
        presenter.offer_links(f"{link(1)} {link(2)}")
        dialog = await dialog_of(presenter)
        click(dialog.every)
        assert not dialog.add.isEnabled()
        click(dialog.cancel)
        await until(lambda: not presenter.window.findChildren(ConfirmDialog))
        assert context.config == before

    flow(steps)


CLASH = "proxies:\n  - {name: a, type: ss, server: c.example.com, port: 443, cipher: aes-256-gcm, password: pw12345}\n"
SIP008 = {
    "version": 1,
    "servers": [{"server": "j.example.com", "server_port": 1, "method": "aes-256-gcm", "password": "pw12345"}],
}


@pytest.mark.parametrize(
    ("text", "host"),
    [
        (CLASH, "c.example.com"),
        (json.dumps(SIP008), "j.example.com"),
        (base64.b64encode(link(7).encode()).decode(), "s7.example.com"),
    ],
)
def test_every_kind_of_document_can_be_pasted(presenter: Presenter, flow: Flow, text: str, host: str) -> None:
    async def steps() -> None:
        QGuiApplication.clipboard().setText(text)
        presenter.servers.menu.actions()[0].trigger()
        dialog = await dialog_of(presenter)
        assert [one.host for one in dialog.model.chosen()] == [host]

    flow(steps)


@pytest.mark.parametrize(("text", "word"), [("", "clipboard"), ("hello", "No server"), ("{", "No server")])
def test_what_is_no_server_is_said(presenter: Presenter, flow: Flow, text: str, word: str) -> None:
    async def steps() -> None:
        QGuiApplication.clipboard().setText(text)
        press_paste(presenter)
        await until(lambda: "adding" in presenter.window.banners._notices)
        assert word in presenter.window.banners._notices["adding"].fact
        assert not presenter.window.findChildren(ConfirmDialog)

    flow(steps)


def test_pasting_into_a_field_pastes_into_the_field(presenter: Presenter) -> None:
    QGuiApplication.clipboard().setText("tokyo")
    presenter.servers.search.setFocus()
    QTest.keyClick(presenter.servers.search, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert presenter.servers.search.text() == "tokyo"
    assert not presenter.window.banners.keys()


def test_a_picture_on_the_clipboard_and_two_dropped(presenter: Presenter, flow: Flow, tmp_path: Path) -> None:
    draw_code(link(1), 3).save(str(tmp_path / "1.png"))
    draw_code(link(2), 5).save(str(tmp_path / "2.png"))

    async def steps() -> None:
        QGuiApplication.clipboard().setImage(draw_code(link(3), 4))
        press_paste(presenter)
        dialog = await dialog_of(presenter)
        assert [one.remarks for one in dialog.model.chosen()] == ["New 3"]
        dialog.reject()
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(tmp_path / f"{number}.png")) for number in (1, 2)])
        drop(presenter, data)
        await until(lambda: dialog_count(presenter) == 1 and shown(presenter) != dialog)
        assert [one.remarks for one in shown(presenter).model.chosen()] == ["New 1", "New 2"]

    flow(steps)


def dialog_count(presenter: Presenter) -> int:
    return sum(one.isVisible() for one in presenter.window.findChildren(ConfirmDialog))


def shown(presenter: Presenter) -> ConfirmDialog:
    return next(one for one in presenter.window.findChildren(ConfirmDialog) if one.isVisible())


def test_text_dropped(presenter: Presenter, flow: Flow) -> None:
    async def steps() -> None:
        data = QMimeData()
        data.setText(link(5))
        drop(presenter, data)
        assert [one.remarks for one in (await dialog_of(presenter)).model.chosen()] == ["New 5"]

    flow(steps)


def test_files_are_chosen_in_a_dialog(presenter: Presenter, flow: Flow, tmp_path: Path) -> None:
    file = tmp_path / "servers.json"
    file.write_text(json.dumps(SIP008))
    blank = tmp_path / "blank.png"
    white = QImage(64, 64, QImage.Format.Format_RGB32)
    white.fill(Qt.GlobalColor.white)
    white.save(str(blank))

    async def steps() -> None:
        presenter.servers.menu.actions()[2].trigger()
        chooser = presenter.window.findChild(QFileDialog)
        assert chooser is not None
        chooser.filesSelected.emit([str(file)])
        dialog = await dialog_of(presenter)
        assert [one.host for one in dialog.model.chosen()] == ["j.example.com"]
        dialog.reject()
        chooser.filesSelected.emit([str(blank)])
        await until(lambda: "adding" in presenter.window.banners._notices)
        assert presenter.window.banners._notices["adding"].fact == "No QR code in this picture."
        chooser.filesSelected.emit([str(tmp_path / "gone.json")])
        await until(lambda: "gone.json" in presenter.window.banners._notices.get("adding", NOTHING).fact)
        chooser.close()

    flow(steps)


NOTHING = Notice("", "warn", "")


def test_codes_on_the_screen(presenter: Presenter, flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = [QImage(400, 300, QImage.Format.Format_RGB32)]
    pictures[0].fill(Qt.GlobalColor.darkCyan)

    async def grab() -> list[QImage]:
        return pictures

    monkeypatch.setattr(ways, "grab_screens", grab)

    async def steps() -> None:
        presenter.servers.menu.actions()[1].trigger()
        await until(lambda: "adding" in presenter.window.banners._notices)
        assert presenter.window.banners._notices["adding"].fact == "No QR code on any screen."
        pictures.append(draw_code(link(1), 4))
        pictures.append(draw_code(link(2), 2))
        keys = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        QTest.keyClick(presenter.window, Qt.Key.Key_Q, keys)
        dialog = await dialog_of(presenter)
        assert "adding" not in presenter.window.banners._notices
        assert [one.remarks for one in dialog.model.chosen()] == ["New 1", "New 2"]

    flow(steps)


def test_servers_of_other_apps(
    presenter: Presenter, flow: Flow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:  # fmt: skip
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert not find_documents(tmp_path)
    (tmp_path / "Shadowsocks").mkdir()
    (tmp_path / "Shadowsocks/gui-config.json").write_text(json.dumps({"configs": SIP008["servers"]}))
    (tmp_path / ".config/mihomo").mkdir(parents=True)
    (tmp_path / ".config/mihomo/a.yaml").write_text(CLASH)
    found = find_documents(tmp_path)
    assert len(found) == 2
    monkeypatch.setattr(ways, "find_documents", lambda: found)

    async def steps() -> None:
        presenter.servers.menu.actions()[3].trigger()
        dialog = await dialog_of(presenter)
        assert [one.host for one in dialog.model.chosen()] == ["j.example.com", "c.example.com"]
        dialog.reject()
        monkeypatch.setattr(ways, "find_documents", list)
        presenter.window.activateWindow()
        await until(presenter.window.isActiveWindow)
        QTest.keyClick(presenter.window, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: presenter.window.findChild(QFileDialog))
        presenter.window.findChildren(QFileDialog)[0].close()

    flow(steps)


def test_ten_thousand_links_freeze_nothing(presenter: Presenter, context: StillContext, flow: Flow) -> None:
    text = "\n".join(link(number) for number in range(10_000))
    QGuiApplication.clipboard().setText(text)
    worst = 0.0

    async def steps() -> None:
        nonlocal worst
        last = time.perf_counter()
        press_paste(presenter)
        while dialog_count(presenter) == 0:
            await asyncio.sleep(0.005)
            now = time.perf_counter()
            worst, last = max(worst, now - last), now
        assert len(shown(presenter).model.chosen()) == 10_000

    flow(steps)
    assert worst < 0.5, worst  # of a machine that runs other things besides; by itself it is below 0.1


@pytest.mark.parametrize("module", range(1, 9))
def test_codes_come_back_at_every_size(module: int) -> None:
    text = link(1) + " 东京"
    picture = draw_code(text, module)
    assert read_codes([picture]) == [text]
    picture.invertPixels()
    assert read_codes([picture, picture]) == [text]


def test_a_text_too_long_for_a_code() -> None:
    with pytest.raises(ValueError, match="too long"):
        draw_code("x" * 3000, 1)


def test_groups_of_a_document_are_kept_unless_another_is_chosen() -> None:
    one = {"server": "a", "server_port": 1, "method": "aes-256-gcm", "password": "pw12345", "group": "Nebula"}
    found = look_through([("", json.dumps({"servers": [one]}).encode())], ())
    assert [server.group for server in found.servers] == ["Nebula"]


def test_the_model_keeps_qts_rules() -> None:
    server = Server(id="1", host="<b>a", port=1, method="rc4", password=Secret("x"), remarks="a\u202eb")
    model = CandidatesModel((Candidate(server), Candidate(where="line 2", problem="it is no link")))
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    assert model.data(model.index(0, NAME)) == "a\N{REPLACEMENT CHARACTER}b"
    assert "&lt;b>" in model.data(model.index(0, 1), Qt.ItemDataRole.ToolTipRole)
    model.choose_all(False)
    assert not model.chosen()
    checked = Qt.CheckState.Checked.value
    assert not model.setData(model.index(1, NAME), checked, Qt.ItemDataRole.CheckStateRole)
    assert Found("", model.candidates).servers == (server,)
    del tester
