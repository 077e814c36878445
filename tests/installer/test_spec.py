"""`build_installer.spec` evaluated as PyInstaller would on each system, with recorded stand-ins for its classes.

Only Linux' branch was ever built (tests/installer/test_drill.py); those of Windows and macOS are held to what
PyInstaller's documentation says here.
"""

import ast
import re
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from ssgui import __version__
from ssgui.assets import asset
from tests.test_architecture import imports

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "build_installer.spec"
Entry = tuple[str, str, str]

QT = "PySide6/Qt"
LINUX_BINARIES = [
    f"{QT}/lib/libQt6Core.so.6", f"{QT}/lib/libQt6Qml.so.6", f"{QT}/lib/libQt6Network.so.6", "libQt6Gui.so.6",
    f"{QT}/lib/libQt6Quick.so.6", f"{QT}/lib/libQt6QmlModels.so.6", f"{QT}/lib/libQt6EglFsKmsSupport.so.6",
    f"{QT}/lib/libQt6Test.so.6", "libQt6Quick.so.6", f"{QT}/lib/libQt6LabsPlatform.so.6", f"{QT}/lib/libicudata.so.73",
    f"{QT}/plugins/platforms/libqxcb.so", f"{QT}/plugins/platforms/libqwayland.so",
    f"{QT}/plugins/platforms/libqoffscreen.so", f"{QT}/plugins/platforms/libqeglfs.so",
    f"{QT}/plugins/platforms/libqvnc.so", f"{QT}/plugins/platforms/libqminimal.so",
    f"{QT}/plugins/platformthemes/libqgtk3.so", f"{QT}/plugins/platformthemes/libqxdgdesktopportal.so",
    f"{QT}/plugins/iconengines/libqsvgicon.so", f"{QT}/plugins/imageformats/libqsvg.so",
    f"{QT}/plugins/imageformats/libqpdf.so", f"{QT}/plugins/imageformats/libqwebp.so",
    f"{QT}/plugins/imageformats/libqjpeg.so", f"{QT}/plugins/tls/libqopensslbackend.so",
    f"{QT}/plugins/networkinformation/libqnetworkmanager.so", f"{QT}/plugins/sqldrivers/libqsqlite.so",
    f"{QT}/plugins/platforminputcontexts/libibusplatforminputcontextplugin.so",
    f"{QT}/plugins/platforminputcontexts/libqtvirtualkeyboardplugin.so",
    f"{QT}/plugins/wayland-shell-integration/libxdg-shell.so",
    f"{QT}/plugins/wayland-shell-integration/libivi-shell.so",
    f"{QT}/qml/QtQuick/Controls/libqtquickcontrols2plugin.so", "PySide6/QtQml.abi3.so", "PySide6/QtQuick.abi3.so",
    "libgtk-3.so.0", "libssl.so.3", "libcrypto.so.3", "libstdc++.so.6", "libglib-2.0.so.0", "libX11-xcb.so.1",
    "libxcb.so.1", "libxcb-render.so.0", "libxcb-cursor.so.0", "libxcb-icccm.so.4", "libxcb-render-util.so.0",
    "libxkbcommon.so.0", "libxkbcommon-x11.so.0", "libpython3.11.so.1.0", "libwayland-client.so.0", "libz.so.1",
    "python3.11/lib-dynload/_ssl.cpython-311-x86_64-linux-gnu.so", "cryptography/hazmat/bindings/_rust.abi3.so",
]  # fmt: skip
LINUX_LEFT = {
    "libQt6Core.so.6", "libQt6Qml.so.6", "libQt6Network.so.6", "libQt6Gui.so.6", "libicudata.so.73", "libqxcb.so",
    "libqwayland.so", "libqoffscreen.so", "libqxdgdesktopportal.so", "libqsvgicon.so", "libqsvg.so", "libqjpeg.so",
    "libibusplatforminputcontextplugin.so", "libxdg-shell.so", "QtQml.abi3.so", "libxcb-cursor.so.0",
    "libxcb-icccm.so.4", "libxcb-render-util.so.0", "libxkbcommon-x11.so.0", "libpython3.11.so.1.0",
    "_ssl.cpython-311-x86_64-linux-gnu.so", "_rust.abi3.so",
}  # fmt: skip
WINDOWS_BINARIES = [
    "PySide6\\Qt6Core.dll", "PySide6\\Qt6Quick.dll", "PySide6\\Qt6Qml.dll", "PySide6\\Qt6QmlModels.dll",
    "PySide6\\opengl32sw.dll", "PySide6\\plugins\\platforms\\qwindows.dll",
    "PySide6\\plugins\\platforms\\qoffscreen.dll", "PySide6\\plugins\\platforms\\qdirect2d.dll",
    "PySide6\\plugins\\styles\\qmodernwindowsstyle.dll",
    "PySide6\\plugins\\tls\\qschannelbackend.dll", "PySide6\\plugins\\networkinformation\\qnetworklistmanager.dll",
    "python312.dll", "libssl-3.dll", "libcrypto-3.dll", "VCRUNTIME140.dll", "libffi-8.dll",
]  # fmt: skip
WINDOWS_GONE = {"Qt6Quick.dll", "Qt6QmlModels.dll", "opengl32sw.dll", "qdirect2d.dll", "qschannelbackend.dll"}
MAC_BINARIES = [
    f"{QT}/lib/QtCore.framework/Versions/A/QtCore", f"{QT}/lib/QtQuick.framework/Versions/A/QtQuick",
    f"{QT}/lib/QtQml.framework/Versions/A/QtQml", f"{QT}/lib/QtQmlModels.framework/Versions/A/QtQmlModels",
    f"{QT}/plugins/platforms/libqcocoa.dylib", f"{QT}/plugins/platforms/libqminimal.dylib",
    f"{QT}/plugins/networkinformation/libqscnetworkreachability.dylib", "libssl.3.dylib", "libcrypto.3.dylib",
    f"{QT}/plugins/styles/libqmacstyle.dylib", f"{QT}/plugins/imageformats/libqmacheif.dylib",
]  # fmt: skip
MAC_GONE = {"QtQuick", "QtQmlModels", "libqminimal.dylib", "libqmacheif.dylib"}


@dataclass
class Made:
    """One call of a class of PyInstaller."""

    kind: str
    given: tuple[Any, ...]
    named: dict[str, Any]


@dataclass
class Freezer:
    """PyInstaller's classes, as a spec finds them in its globals."""

    binaries: list[Entry]
    datas: list[Entry]
    made: list[Made] = field(default_factory=list)

    def run(self, platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Evaluate the spec as on `platform`."""
        monkeypatch.setattr(sys, "platform", platform)
        hooks = types.ModuleType("PyInstaller.utils.hooks")
        hooks.collect_submodules = lambda name: [name, f"{name}.SecretService"]  # type: ignore[attr-defined]
        hooks.copy_metadata = lambda name: [(f"/site/{name}.dist-info", f"{name}.dist-info")]  # type: ignore[attr-defined]
        info = types.ModuleType("PyInstaller.utils.win32.versioninfo")
        for name in ("VSVersionInfo", "FixedFileInfo", "StringFileInfo", "StringTable", "StringStruct", "VarFileInfo",
                     "VarStruct"):  # fmt: skip
            setattr(info, name, self._record(name))
        win32 = types.ModuleType("PyInstaller.utils.win32")
        win32.versioninfo = info  # type: ignore[attr-defined]
        for module in (types.ModuleType("PyInstaller"), types.ModuleType("PyInstaller.utils"), hooks, win32, info):
            if platform == "win32" or "win32" not in module.__name__:
                monkeypatch.setitem(sys.modules, module.__name__, module)
            else:
                monkeypatch.setitem(sys.modules, module.__name__, None)  # there is none: to import it fails
        names = {name: self._record(name) for name in ("PYZ", "EXE", "COLLECT", "BUNDLE")}
        scope = {"SPECPATH": str(ROOT), "Analysis": self._analyse, **names}
        exec(compile(SPEC.read_text("utf-8"), str(SPEC), "exec"), scope)  # noqa: S102  it is a program of ours

    def _record(self, kind: str) -> Any:
        def make(*given: Any, **named: Any) -> Made:
            self.made.append(Made(kind, given, named))
            return self.made[-1]

        return make

    def _analyse(self, *given: Any, **named: Any) -> Any:
        self.made.append(Made("Analysis", given, named))
        return types.SimpleNamespace(pure=["pure"], scripts=["scripts"], binaries=self.binaries, datas=self.datas)

    def all(self, kind: str) -> list[Made]:
        return [one for one in self.made if one.kind == kind]

    def one(self, kind: str) -> Made:
        (found,) = self.all(kind)
        return found

    def taken(self) -> set[str]:
        """File names in the folder that is collected."""
        lists = [given for given in self.one("COLLECT").given if isinstance(given, list)]
        return {re.split(r"[/\\]", name)[-1] for entries in lists for name, _, _ in entries}


def freezer(binaries: list[str]) -> Freezer:
    texts = [f"{QT}/translations/{name}.qm" for name in ("qtbase_zh_CN", "qtbase_de", "qt_help_zh_CN")]
    return Freezer(
        [(name, f"/site/{name}", "BINARY") for name in binaries], [(name, f"/site/{name}", "DATA") for name in texts]
    )  # fmt: skip


def test_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    made = freezer(LINUX_BINARIES)
    made.run("linux", monkeypatch)
    assert made.taken() == {*LINUX_LEFT, "qtbase_zh_CN.qm"}
    program = made.one("EXE")
    assert program.named["name"] == "ssgui"
    assert program.named["strip"] is True
    assert program.named["version"] is None
    assert program.given[2] == [("O", None, "OPTION")]
    assert not made.all("BUNDLE")


def test_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    made = freezer(WINDOWS_BINARIES)
    made.run("win32", monkeypatch)
    names = {name.rpartition("\\")[2] for name in WINDOWS_BINARIES}
    assert made.taken() == {*(names - WINDOWS_GONE), "qtbase_zh_CN.qm"}
    screen, console = made.all("EXE")
    assert (screen.named["name"], screen.named["console"]) == ("ssgui", False)
    assert (console.named["name"], console.named["console"]) == ("ssgui-console", True)
    assert screen.given[0] is console.given[0]  # one analysis, one archive
    assert len(made.all("PYZ")) == len(made.all("Analysis")) == 1
    for program in (screen, console):
        assert program.named["strip"] is False  # stripped programs do not start there
        assert program.named["icon"].endswith("ssgui.ico")
        assert program.named["exclude_binaries"] is True
    numbers = (*Version(__version__).release, 0)
    assert made.all("FixedFileInfo")[0].named == {"filevers": numbers, "prodvers": numbers}
    texts = dict(one.given for one in made.all("StringStruct"))
    assert texts["ProductVersion"] == texts["FileVersion"] == __version__
    assert made.one("COLLECT").given[:2] == (screen, console)
    assert not made.all("BUNDLE")


def test_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    made = freezer(MAC_BINARIES)
    made.run("darwin", monkeypatch)
    assert made.taken() == {*({name.rpartition("/")[2] for name in MAC_BINARIES} - MAC_GONE), "qtbase_zh_CN.qm"}
    bundle = made.one("BUNDLE")
    assert bundle.given == (made.one("COLLECT"),)
    assert bundle.named["name"] == "ssgui.app"
    assert bundle.named["version"] == __version__
    assert bundle.named["icon"].endswith("ssgui.icns")
    plist = bundle.named["info_plist"]
    assert plist["LSUIElement"] is True
    assert [scheme for kind in plist["CFBundleURLTypes"] for scheme in kind["CFBundleURLSchemes"]] == ["ss"]
    assert plist["NSHighResolutionCapable"] is True
    assert all(program.named["argv_emulation"] is False for program in made.all("EXE"))
    assert made.all("EXE")[0].named["strip"] is False  # its signature would not hold


def test_what_is_taken_in_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    made = freezer([])
    made.run("linux", monkeypatch)
    analysis = made.one("Analysis")
    assert analysis.given[0] == [str(ROOT / "ssgui/__main__.py")]
    datas = {place: source for source, place in analysis.named["datas"]}
    for name in ("resources/icons", "resources/menu", "resources/tray", "resources/translations", "pac"):
        assert Path(datas[f"ssgui/_assets/{name}"]) == asset(name)
    assert {"ssgui.dist-info", "keyring.dist-info", "licences/ssgui", "licences/cryptography"} <= set(datas)
    assert "licences/Qt and Qt for Python" in datas
    assert "keyring.backends.SecretService" in analysis.named["hiddenimports"]
    left_out = set(analysis.named["excludes"])
    assert {"tkinter", "uvloop", "numpy"} <= left_out
    assert analysis.named["optimize"] == 1
    wanted = {name for path in (ROOT / "ssgui").rglob("*.py") for name in imported(path)}
    assert not (wanted & left_out) - {"uvloop"}  # of which --uvloop says that it is not there


def imported(path: Path) -> set[str]:
    """The top packages that a module imports, anywhere in it."""
    found = imports(ast.parse(path.read_text("utf-8")))
    return {name.split(".")[0] for name, _, _ in found}


def test_everything_that_the_program_loads_at_run_time_is_taken_in() -> None:
    """Names of assets in the code, against what the spec and the wheel take."""
    named = {
        match[1]
        for path in (ROOT / "ssgui").rglob("*.py")
        for match in re.finditer(r'asset\(f?"([a-z]+/[a-z]+)', path.read_text("utf-8"))
    }
    assert named >= {"pac/template", "resources/icons", "resources/menu", "resources/translations", "resources/tray"}
    spec, project = SPEC.read_text("utf-8"), (ROOT / "pyproject.toml").read_text("utf-8")
    for name in named:
        folder = name if name.startswith("resources/") else name.partition("/")[0]
        assert f'"{folder}"' in spec, folder
        assert f'ssgui/_assets/{folder}"' in project, folder
