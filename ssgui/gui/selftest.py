"""The part of the self-test that wants Qt: icons, translations, the PAC in a script engine, and the window itself."""

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtSvg import QSvgRenderer

from ssgui.app.desktop_job import DesktopJob
from ssgui.app.selftest.command import Check, SelftestError
from ssgui.app.selftest.pac import Sample
from ssgui.assets import asset
from ssgui.engine.tasks import spawn
from ssgui.gui import icons, theme
from ssgui.gui.desktop import Desktop, new_application
from ssgui.gui.event_loop import new_merged_loop
from ssgui.gui.texts import LANGUAGES, Translator, translations
from ssgui.gui.theme import Theme
from ssgui.gui.tray_icons import SHAPES, tray_icon
from ssgui.system.display import has_display

_SECONDS: Final = 20.0
_POLL: Final = 0.02
_PAGES: Final = ("servers", "connections", "rules", "logs", "settings")
_QT_TEXT: Final = ("QPlatformTheme", "Cancel")  # one that Qt's own translations have


def window_checks(folder: Path, served: Callable[[], Sample]) -> Sequence[Check]:
    """What is to be tried, on the screen that there is or without one; `folder` is the window's data directory."""
    if not has_display():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    application = new_application()
    Theme(application).choose("light")
    return (
        Check("evaluate the PAC", lambda: _evaluate(served())),
        Check("load the icons", _load_icons),
        Check("load the translations", _load_translations),
        Check("open and close the window", lambda: _open_window(folder)),
    )


def _evaluate(sample: Sample) -> str:
    """It says of every name what the engine would do."""
    try:
        from PySide6.QtQml import QJSEngine
    except ImportError:
        raise SelftestError("there is no script engine in this installation") from None
    engine = QJSEngine()
    made: Any = engine.evaluate(sample.pac.decode("ascii"))
    if made.isError():
        raise SelftestError(f"it is no script: {made.toString()}")
    find = engine.globalObject().property("FindProxyForURL")
    for url, host, wanted in sample.wanted:
        said = find.call([engine.toScriptValue(url), engine.toScriptValue(host)]).toString()
        if said != wanted:
            raise SelftestError(f"{host}: it says {said[:80]!r}, and the rules {wanted!r}")
    return f"it says of {len(sample.wanted)} names what the rules say"


def _load_icons() -> str:
    """Every drawing can be drawn, and every picture be read."""
    ink = theme.current().text
    drawings = [path for folder in ("icons", "menu", "tray") for path in sorted(_all(folder, ".svg"))]
    for path in drawings:
        renderer = QSvgRenderer(QByteArray(path.read_bytes()))
        if not renderer.isValid():
            raise SelftestError(f"{path.name} cannot be drawn")
    for path in _all("icons", ".svg"):
        _require_ink(icons.pixmap(path.stem, ink, 24, 1.0), path.name)
    for shape in SHAPES:
        _require_ink(tray_icon(shape, ink, 1.0).pixmap(22, 22), f"the tray's {shape}")
    pictures = [*_all("icons/app", ".png"), *_all("icons/app", ".ico")]
    for path in pictures:
        _require_ink(QIcon(str(path)).pixmap(16, 16), path.name)
    return f"{len(drawings)} drawings and {len(pictures)} pictures"


def _all(folder: str, suffix: str) -> list[Path]:
    found = [path for path in asset(f"resources/{folder}").iterdir() if path.suffix == suffix]
    if not found:
        raise SelftestError(f"there is no {suffix} in resources/{folder}")
    return found


def _require_ink(picture: QPixmap, name: str) -> None:
    if picture.isNull():
        raise SelftestError(f"{name} is no picture")
    image = picture.toImage().convertToFormat(QImage.Format.Format_ARGB32)
    seen = bytes(image.constBits())[3::4]
    if not any(seen):
        raise SelftestError(f"{name} is empty")


def _load_translations() -> str:
    """Each says something of its own, and Qt's own words are there too."""
    count = 0
    for language in LANGUAGES:
        if language == "en":
            continue
        translator, texts = Translator(language), translations(language)
        wrong = [text for text, other in texts.items() if translator.translate("ssgui", text) != other]
        if wrong or not texts:
            raise SelftestError(f"{language}: it does not translate {wrong[:1] or 'anything'}")
        if not translator.translate(*_QT_TEXT):
            raise SelftestError(f"{language}: Qt's own translations are missing")
        count += len(texts)
    return f"{count} texts in {len(LANGUAGES) - 1} language beside English"


def _open_window(folder: Path) -> str:
    application = new_application()
    with asyncio.Runner(loop_factory=lambda: new_merged_loop(application)) as runner:
        return runner.run(_visit(Desktop(application, DesktopJob(folder))))


async def _visit(desktop: Desktop) -> str:
    """Start the app, see every page, and leave it as a person would."""
    running = spawn(desktop.run(), name="the app that is tested")
    try:
        async with asyncio.timeout(_SECONDS):
            await _until(lambda: desktop.begun or running.done())
            if running.done():
                await running
            window = desktop.window
            for page in _PAGES:
                desktop.presenter.show_page(page)
                await _until(lambda: window.isVisible())
                _require_contents(window.grab(), page)
            if said := [key for key in window.banners.keys() if key == "failure" or key.startswith("problem")]:  # noqa: SIM118
                raise SelftestError(f"the window complains: {', '.join(said)}")
            desktop.guard.leave()
            await running
    except TimeoutError:
        raise SelftestError("it does not come up, or does not end") from None
    finally:
        running.cancel()
    return f"{len(_PAGES)} pages on {application_platform()}"


async def _until(condition: Callable[[], object]) -> None:
    for _ in range(round(_SECONDS / _POLL)):
        if condition():
            return
        await asyncio.sleep(_POLL)
    raise SelftestError("it does not come up")


def _require_contents(picture: QPixmap, page: str) -> None:
    """More than one colour: something is painted."""
    small = picture.scaled(64, 64, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
    image = small.toImage()
    colours = {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}
    if len(colours) < 8:
        raise SelftestError(f"the page {page} is empty")


def application_platform() -> str:
    """What Qt calls the screen."""
    from PySide6.QtGui import QGuiApplication

    return QGuiApplication.platformName()
