"""Where the app keeps its files, and which ones are its."""

import sys
from pathlib import Path

import pytest

from ssgui.app.folders import PORTABLE, data_folder, is_own
from ssgui.services.history import file as history_file
from tests.support.app import app
from tests.support.processes import wait_until


def test_the_order_of_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSGUI_HOME", str(tmp_path / "home"))
    assert data_folder(str(tmp_path / "given")) == tmp_path / "given"
    assert data_folder(None) == tmp_path / "home"
    monkeypatch.delenv("SSGUI_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    if sys.platform.startswith("linux"):
        assert data_folder(None) == tmp_path / "data/ssgui"


@pytest.mark.parametrize("inside", ["ssgui", "ssgui.app/Contents/MacOS/ssgui"])
def test_a_portable_program_keeps_everything_beside_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    program = tmp_path / inside
    program.parent.mkdir(parents=True, exist_ok=True)
    program.touch()
    monkeypatch.delenv("SSGUI_HOME", raising=False)
    monkeypatch.setattr(sys, "executable", str(program))
    assert data_folder(None) != tmp_path / "data"
    (tmp_path / PORTABLE).touch()
    assert data_folder(None) != tmp_path / "data"  # not frozen: the mark of somebody else
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert data_folder(None) == tmp_path / "data"


def test_everything_that_the_app_writes_is_known_to_be_its(tmp_path: Path) -> None:
    """Or `ssgui uninstall --purge` would leave it."""
    with app(tmp_path) as one:
        one.ask({"do": "rules"})
        wait_until((tmp_path / "config.json").exists, "the settings")
        during = set(tmp_path.rglob("*"))
    after = set(tmp_path.rglob("*"))
    names = {path.relative_to(tmp_path).parts for path in during | after if path.name != "desktop"}
    assert ("lock",) in names
    assert not {parts for parts in names if not is_own(parts)}


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("config.json", True), ("config.damaged-20261125-101010.json", True), ("backups/config-1.json", True),
        ("lists/x.list", True), ("logs/ssgui.log", True), ("history.sqlite-wal", True),
        (history_file.NAME, True), (history_file.KEY_NAME, True), (history_file._CLEARED, True),
        (f"{history_file._DAMAGED}20261125-101010.sqlite-wal", True), (".config.json.abc.new", True),
        ("0123456789abcdef.sock", True), ("0123456789abcdef.lock", True),
        ("lock", True), ("thesis.odt", False), ("config.json.mine", False),
        ("photos/lists/x", False), (".bashrc", False), ("lists.txt", False),
    ],
)  # fmt: skip
def test_names(name: str, own: bool) -> None:
    assert is_own(tuple(name.split("/"))) is own
