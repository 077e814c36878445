"""`ssgui uninstall`: the app ends, the system knows nothing of ssgui any more, and files go only if that is wanted."""

import subprocess
import sys
from pathlib import Path

import keyring
import pytest

from ssgui.app.commands import uninstall as uninstall_command
from ssgui.cli import main
from ssgui.services.control.channel import InstanceLock
from ssgui.system.integration.choose import system_settings
from ssgui.system.integration.setting import Feature
from ssgui.system.keyring_key import KeyringError, Trouble, forget_key, read_key, read_or_make_key
from tests.support.app import OFFSCREEN, app
from tests.support.file_keyring import FileKeyring
from tests.support.still_setting import StillSetting


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory, and a desktop of its own."""
    for name in ("CONFIG", "DATA", "RUNTIME"):
        place = tmp_path / name.lower()
        place.mkdir()
        monkeypatch.setenv(f"XDG_{name}_{'DIR' if name == 'RUNTIME' else 'HOME'}", str(place))
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path / "usr"))
    monkeypatch.setattr(keyring.core, "_keyring_backend", FileKeyring(tmp_path / "ring.json"))
    folder = tmp_path / "home"
    monkeypatch.setenv("SSGUI_HOME", str(folder))
    return folder


def fill(folder: Path) -> None:
    for name in ("config.json", "user-rules.txt", "lists/a.list", "backups/config-20261125-101010.json", "lock"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")


def test_the_running_app_ends_and_everything_goes(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = system_settings()
    settings[Feature.LOGIN].turn(True)
    settings[Feature.LINKS].turn(True)
    before = {path for path in (tmp_path / "config").rglob("*") if path.is_file()}
    assert len(before) == 2
    runtime = {"XDG_RUNTIME_DIR": str(tmp_path / "runtime")}
    with app(home, env={**OFFSCREEN, **runtime}) as one:
        assert main(["uninstall", "--purge"]) == 0
        one.require_good_end()
    said = capsys.readouterr().out
    assert "does not start at login any more" in said
    assert "does not open ss:// links any more" in said
    assert f"{home} stays" not in said
    assert not [path for path in (tmp_path / "config").rglob("*") if path.is_file()]
    assert not list((tmp_path / "data").rglob("*.desktop"))
    assert not list((tmp_path / "runtime").iterdir())


def test_files_stay_unless_they_are_not_wanted(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(home)
    assert main(["uninstall"]) == 0  # nobody can be asked
    assert f"servers, rules and settings stay in {home}" in capsys.readouterr().out
    assert main(["uninstall", "--keep-data"]) == 0
    assert (home / "config.json").exists()
    assert main(["uninstall", "--purge"]) == 0
    assert f"{home} is removed" in capsys.readouterr().out
    assert not home.exists()
    assert main(["uninstall", "--purge"]) == 0


def test_what_is_not_ours_stays(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(home)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "thesis.odt").touch()
    (home / "lists/linked").symlink_to(outside)
    (home / "thesis.odt").touch()
    (home / "photos").mkdir()
    assert main(["uninstall", "--purge"]) == 0
    assert "these stay, which are not ssgui's: photos, thesis.odt" in capsys.readouterr().out
    assert sorted(path.name for path in home.iterdir()) == ["photos", "thesis.odt"]
    assert (outside / "thesis.odt").exists()


def test_a_person_is_asked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    answers = [True, False]

    def wanted(question: str) -> bool:
        asked.append(question)
        return answers.pop()

    monkeypatch.setattr(uninstall_command, "_wanted", wanted)
    fill(home)
    assert main(["uninstall"]) == 0
    assert home.exists()
    assert main(["uninstall"]) == 0
    assert not home.exists()
    assert len(asked) == 2
    assert str(home) in asked[0]


def test_an_app_that_does_not_end_keeps_its_files(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(home)
    monkeypatch.setattr(uninstall_command, "_SECONDS", 0.2)
    lock = InstanceLock(home)
    assert lock.take()
    try:
        assert main(["uninstall", "--purge"]) == 1
    finally:
        lock.release()
    assert "ssgui is running and does not end" in capsys.readouterr().err
    assert (home / "config.json").exists()


def test_what_cannot_be_taken_back_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(home)
    locked = StillSetting(on=True, fails="the registry is locked")
    settings = {Feature.LOGIN: locked, Feature.LINKS: StillSetting(on=True)}
    monkeypatch.setattr("ssgui.app.integration.own_settings", lambda folder: settings)
    assert main(["uninstall", "--purge"]) == 1
    output = capsys.readouterr()
    assert "ssgui: the registry is locked" in output.err
    assert "does not open ss:// links any more" in output.out
    assert not home.exists()  # the rest was done all the same


def test_an_upgrade_only_ends_the_app(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(home)
    settings = system_settings()
    settings[Feature.LOGIN].turn(True)
    assert main(["uninstall", "--upgrade"]) == 0
    assert settings[Feature.LOGIN].is_on()
    assert (home / "config.json").exists()


def test_the_key_in_the_keyring_goes_with_the_data(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_or_make_key()
    fill(home)
    assert main(["uninstall", "--purge"]) == 0
    with pytest.raises(KeyringError) as error:
        read_key()
    assert error.value.trouble is Trouble.LOST
    forget_key()

    def refuse(*_: object) -> str:
        raise keyring.errors.KeyringLocked

    monkeypatch.setattr(FileKeyring, "get_password", refuse)
    fill(home)
    assert main(["uninstall", "--purge"]) == 1
    assert not home.exists()


def test_it_loads_no_window(home: Path) -> None:
    code = "import sys; from ssgui.cli import main; main(['uninstall']); sys.exit('PySide6' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
