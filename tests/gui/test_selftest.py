"""The self-test's part with Qt finds what is broken: an icon, a translation, a PAC, a page."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from ssgui.app.selftest.command import SelftestError
from ssgui.app.selftest.pac import Sample
from ssgui.gui import icons, selftest
from ssgui.gui.event_loop import new_merged_loop
from ssgui.gui.window import MainWindow
from tests.support.processes import ROOT

PAC = b"function FindProxyForURL(url, host) { return host == 'a.test' ? 'PROXY x' : 'DIRECT'; }"
Assets = Callable[[str], Path]


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, application: QApplication) -> Path:
    """The resources as an installation has them, to be damaged."""
    shutil.copytree(ROOT / "resources", tmp_path / "resources")
    for module in ("ssgui.gui.selftest", "ssgui.gui.icons", "ssgui.gui.texts", "ssgui.gui.tray_icons"):
        monkeypatch.setattr(f"{module}.asset", lambda name: tmp_path / name)
    _forget()
    return tmp_path / "resources"


@pytest.fixture(autouse=True)
def nothing_stays() -> Any:
    yield
    _forget()


def _forget() -> None:
    from ssgui.gui import texts, tray_icons

    icons.clear_caches()
    texts.translations.cache_clear()
    for name in ("tray_icon", "_drawing"):
        getattr(getattr(tray_icons, name), "cache_clear", lambda: None)()


def pac(text: bytes, *wanted: tuple[str, str]) -> Sample:
    return Sample(text, "", [(f"https://{host}/", host, answer) for host, answer in wanted])


def test_a_pac_is_run(application: QApplication) -> None:
    assert "2 names" in selftest._evaluate(pac(PAC, ("a.test", "PROXY x"), ("b.test", "DIRECT")))
    with pytest.raises(SelftestError, match=r"b\.test: it says 'DIRECT', and the rules 'PROXY x'"):
        selftest._evaluate(pac(PAC, ("a.test", "PROXY x"), ("b.test", "PROXY x")))
    with pytest.raises(SelftestError, match=r"it is no script: .*SyntaxError"):
        selftest._evaluate(pac(b"function (", ("a.test", "DIRECT")))
    with pytest.raises(SelftestError, match=r"a\.test: it says"):
        selftest._evaluate(pac(b"var x = 1", ("a.test", "DIRECT")))


def test_whole_resources_are_good(assets: Path) -> None:
    assert "drawings" in selftest._load_icons()
    assert "texts" in selftest._load_translations()


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("icons/server.svg", b"no drawing", r"server\.svg cannot be drawn"),
        ("icons/server.svg", b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"/>', r"server\.svg is empty"),
        ("menu/check-dark.svg", b"", r"check-dark\.svg cannot be drawn"),
        ("tray/pac.svg", b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"/>', r"the tray's pac is empty"),
        ("icons/app/ssgui-48.png", b"no picture", r"ssgui-48\.png is no picture"),
        ("icons/app/ssgui.ico", b"", r"ssgui\.ico is no picture"),
    ],
)
def test_a_damaged_icon_is_named(assets: Path, name: str, content: bytes, why: str) -> None:
    (assets / name).write_bytes(content)
    with pytest.raises(SelftestError, match=why):
        selftest._load_icons()


def test_missing_resources_are_named(assets: Path) -> None:
    (assets / "tray/error.svg").unlink()
    with pytest.raises(FileNotFoundError, match=r"error\.svg"):
        selftest._load_icons()
    shutil.rmtree(assets / "icons/app")
    (assets / "icons/app").mkdir()
    with pytest.raises(SelftestError, match=r"there is no \.png in resources/icons/app"):
        selftest._all("icons/app", ".png")
    (assets / "translations/zh_CN.ts").write_text("<TS/>")
    with pytest.raises(SelftestError, match="zh_CN: it does not translate anything"):
        selftest._load_translations()
    (assets / "translations/zh_CN.ts").unlink()
    _forget()
    with pytest.raises(FileNotFoundError):
        selftest._load_translations()


def test_qts_own_translations_are_missed(assets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PySide6.QtCore import QLibraryInfo

    monkeypatch.setattr(QLibraryInfo, "path", lambda _: str(assets))
    with pytest.raises(SelftestError, match="zh_CN: Qt's own translations are missing"):
        selftest._load_translations()


class _Stand:
    """Something that begins like the app, or does not."""

    def __init__(self, begins: bool) -> None:
        self.begun, self._begins = False, begins

    async def run(self) -> None:
        self.begun = self._begins
        await asyncio.sleep(60)


def test_a_window_that_does_not_come_up_is_told(application: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "_SECONDS", 0.1)
    with asyncio.Runner(loop_factory=lambda: new_merged_loop(application)) as runner, pytest.raises(SelftestError):
        runner.run(selftest._visit(_Stand(False)))  # type: ignore[arg-type]


def test_an_app_that_fails_at_its_start_is_told(application: QApplication, tmp_path: Path) -> None:
    class Fails(_Stand):
        async def run(self) -> None:
            raise RuntimeError("no icons")

    with (
        asyncio.Runner(loop_factory=lambda: new_merged_loop(application)) as runner,
        pytest.raises(RuntimeError, match="no icons"),
    ):
        runner.run(selftest._visit(Fails(True)))  # type: ignore[arg-type]


def test_an_empty_page_is_told(application: QApplication) -> None:
    window = MainWindow()
    selftest._require_contents(window.grab(), "servers")
    picture = window.grab()
    picture.fill("#ffffff")
    with pytest.raises(SelftestError, match="the page servers is empty"):
        selftest._require_contents(picture, "servers")
    window.deleteLater()
