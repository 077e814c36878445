"""What is shown of connections, as a file; and one of them as a command."""

import csv
import json
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QFileDialog

from ssgui.gui.presenter import Presenter
from tests.support.flows import Flow, until
from tests.support.screens import StillContext


@pytest.mark.parametrize("form", ["csv", "json", "har"])
def test_what_is_shown_is_exported(
    presenter: Presenter, context: StillContext, flow: Flow, tmp_path: Path, form: str
) -> None:  # fmt: skip
    async def steps() -> None:
        page, path = presenter.connections, tmp_path / f"out.{form}"
        presenter.window.open_page("connections")
        page.filter.setText("host:example.com")
        await until(lambda: 0 < len(page.model.rows) < 5)
        page.toolbar.export_asked.emit(form)
        await until(lambda: presenter.window.findChildren(QFileDialog))
        dialog = presenter.window.findChildren(QFileDialog)[-1]
        dialog.fileSelected.emit(str(path))
        dialog.reject()
        await until(path.exists)
        text, wanted = path.read_text("utf-8"), [one.target for one in page.model.rows]
        if form == "csv":
            targets = [line["target"] for line in csv.DictReader(text.splitlines())]
        elif form == "json":
            targets = [one["target"] for one in json.loads(text)]
        else:
            targets = [one["_ssgui"]["target"] for one in json.loads(text)["log"]["entries"]]
        assert targets == [one.replace("\u202e", "\ufffd") for one in wanted]
        assert any("\u202e" in one for one in wanted)  # a stranger that would turn text around is among them

    flow(steps)


def test_one_is_copied_as_a_command(presenter: Presenter, context: StillContext) -> None:
    context.listens = "127.0.0.1:1080"
    one = next(one for one in context.connections.live.values() if "openai" in one.target)
    presenter.connections.curl.emit(one)
    assert QApplication.clipboard().text() == "curl -v -x socks5h://127.0.0.1:1080 https://api.openai.com/"
