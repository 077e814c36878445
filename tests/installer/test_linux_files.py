"""What the packages of Linux are made of: entries, metadata, scripts; install.sh and uninstall.sh are really run."""

import configparser
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ssgui import __version__
from ssgui.gui.tray_icons import SHAPES
from ssgui.system.integration.desktop_entry import read_entry
from ssgui.system.integration.windows import RUN, SCHEME
from tests.support.programs import require

ROOT = Path(__file__).parents[2]
LINUX, INSTALLER = ROOT / "resources/linux", ROOT / "resources/installer"
SCRIPTS = sorted([*(INSTALLER / "tarball").glob("*.sh"), *(INSTALLER / "deb").glob("p*")])
SHARE = {
    "applications/ssgui.desktop", "metainfo/ssgui.metainfo.xml",
    *(f"icons/hicolor/{size}x{size}/apps/ssgui.png" for size in (16, 24, 32, 48, 64, 128, 256, 512)),
    *(f"icons/hicolor/symbolic/apps/ssgui-{shape}-symbolic.svg" for shape in SHAPES),
}  # fmt: skip
# Stands in for the frozen program: it says what it was asked, and is a program that /proc can show.
PROGRAM = """#!/bin/sh
echo "$@" >>"{told}"
"""


def test_the_desktop_entry_is_valid_and_takes_links() -> None:
    path = LINUX / "ssgui.desktop"
    done = subprocess.run([require("desktop-file-validate"), str(path)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    entry = read_entry(path.read_text("utf-8"))
    assert entry["Exec"] == "ssgui %u"
    assert "x-scheme-handler/ss" in entry["MimeType"].split(";")
    assert entry["Icon"] == "ssgui"
    assert {"Comment[zh_CN]", "GenericName[zh_CN]"} <= set(entry)


def test_the_appstream_metadata_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "ssgui.metainfo.xml"
    text = (LINUX / "ssgui.metainfo.xml").read_text("utf-8")
    path.write_text(text.replace("@VERSION@", __version__).replace("@DATE@", "2026-11-25"))
    done = subprocess.run([require("appstreamcli"), "validate", "--no-net", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_of_a_shell_that_every_system_has(script: Path) -> None:
    lines = script.read_text("utf-8").splitlines()
    assert lines[0] == "#!/bin/sh"
    assert lines[1].startswith("# ")
    assert any(line in ("set -e", "set -eu") for line in lines)
    assert os.stat(script).st_mode & stat.S_IXUSR
    subprocess.run(["/bin/sh", "-n", str(script)], check=True)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", str(script)], check=True)


def test_the_package_is_laid_out(tmp_path: Path) -> None:
    """tools/package-linux, with a stand-in for what PyInstaller makes."""
    root = package(tmp_path)
    share = {str(path.relative_to(root / "share")) for path in (root / "share").rglob("*") if path.is_file()}
    assert share >= SHARE
    others = share - SHARE
    assert {name.partition("/")[0] for name in others} <= {"man", "bash-completion", "zsh", "fish"}
    metadata = (root / "share/metainfo/ssgui.metainfo.xml").read_text("utf-8")
    assert f'version="{__version__}"' in metadata
    assert "@" not in metadata
    assert (root / "app/ssgui").exists()
    assert {"LICENSE", "install.sh", "uninstall.sh"} <= {path.name for path in root.iterdir()}


def package(tmp_path: Path) -> Path:
    """The unpacked tarball of a checkout whose program is a stand-in."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in ("resources", "tools", "LICENSE", "README.md", "CHANGELOG.md"):
        (checkout / name).symlink_to(ROOT / name)
    (checkout / "ssgui").mkdir()
    (checkout / "ssgui/__init__.py").symlink_to(ROOT / "ssgui/__init__.py")
    frozen = checkout / "build/frozen/ssgui"
    (frozen / "_internal").mkdir(parents=True)
    program = frozen / "ssgui"
    program.write_text(PROGRAM.format(told=tmp_path / "told"))
    program.chmod(0o755)
    copied = checkout / "tools-copy"
    copied.mkdir()
    script = copied / "package-linux"
    shutil.copy(ROOT / "tools/package-linux", script)
    subprocess.run([str(script), "tarball"], check=True, stdout=subprocess.DEVNULL, timeout=60)
    (archive,) = (checkout / "dist").glob("*.tar.gz")
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    subprocess.run(["tar", "xzf", str(archive), "-C", str(unpacked)], check=True, timeout=60)
    return next(unpacked.iterdir())


def run(script: Path, home: Path, *arguments: str, code: int = 0) -> str:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C"}
    command = ["/bin/sh", str(script), *arguments]
    if os.getuid() == 0:  # as a person who is not root: root installs for everybody
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
        os.chown(home, 65534, 65534)
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that people who are not root may enter, unlike pytest's."""
    with tempfile.TemporaryDirectory(prefix="ssgui-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.fixture
def unpacked(place: Path) -> Path:
    told = place / "told"
    told.touch()
    told.chmod(0o666)
    return package(place)


def test_a_person_installs_upgrades_and_removes_it(unpacked: Path, place: Path) -> None:
    home = place / "home of ann"
    (home / ".local/share/applications").mkdir(parents=True)
    (home / ".local/share/applications/other.desktop").write_text("[Desktop Entry]\n")
    if os.getuid() == 0:
        subprocess.run(["chown", "-R", "65534:65534", str(home)], check=True)
    before = {str(path.relative_to(home)) for path in home.rglob("*")}
    said = run(unpacked / "install.sh", home)
    app = home / ".local/opt/ssgui"
    assert f"ssgui is installed in {app}" in said
    assert f"{home}/.local/bin is not in your PATH" in said
    assert os.readlink(home / ".local/bin/ssgui") == str(app / "ssgui")
    share = home / ".local/share"
    assert {name for name in SHARE if not (share / name).exists()} == set()
    entry = configparser.RawConfigParser(strict=False)
    entry.read(share / "applications/ssgui.desktop", "utf-8")
    assert entry["Desktop Entry"]["Exec"] == f'"{app}/ssgui" %u'  # a session's PATH may not have it
    assert entry["Desktop Entry"]["TryExec"] == f"{app}/ssgui"
    run(unpacked / "install.sh", home)
    assert (place / "told").read_text() == ""  # an upgrade takes nothing back
    said = run(app / "uninstall.sh", home, "--purge")
    assert (place / "told").read_text() == "uninstall --purge\n"
    assert "ssgui is removed" in said
    after = {str(path.relative_to(home)) for path in home.rglob("*")}
    assert after - {".local/share/applications/mimeinfo.cache"} == before


def test_a_folder_of_somebody_else_is_not_touched(unpacked: Path, place: Path) -> None:
    home = place / "home"
    theirs = home / ".local/opt/ssgui"
    theirs.mkdir(parents=True)
    (theirs / "thesis.odt").touch()
    assert "was not made by this script" in run(unpacked / "install.sh", home, code=2)
    assert "has one of" in run(unpacked / "install.sh", home, str(home / "a$b"), code=2)
    assert [path.name for path in theirs.iterdir()] == ["thesis.odt"]
    assert "was not installed by install.sh" in run(unpacked / "uninstall.sh", home, code=2)


def test_the_windows_installer_compiles_and_says_what_the_app_says() -> None:
    require("makensis")
    subprocess.run([str(ROOT / "tools/package-windows"), "--check"], check=True, timeout=60)
    script = (INSTALLER / "windows/ssgui.nsi").read_text("utf-8")
    defined = dict(
        line.split(" ", 2)[1:] for line in script.splitlines() if line.startswith("!define ") and '"' in line
    )
    assert defined["RUN"].strip('"') == RUN
    assert defined["SCHEME"].strip('"') == SCHEME
    assert "Section /o $(LOGIN)" in script  # off unless it is wanted
    assert """'"$INSTDIR\\ssgui.exe" -- "%1"'""" in script
    assert "RequestExecutionLevel user" in script
    assert "restore-proxy" in script
    texts = [line.split()[1:3] for line in script.splitlines() if line.startswith("LangString")]
    english = {name for name, language in texts if language == "${LANG_ENGLISH}"}
    assert english == {name for name, language in texts if language == "${LANG_SIMPCHINESE}"}
