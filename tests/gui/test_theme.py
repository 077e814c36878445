"""Colours are named in one place, can be told apart from what is behind them, and every icon is there."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from ssgui.assets import asset
from ssgui.gui import icons, theme
from ssgui.gui.texts import LANGUAGES, Translator, tr
from ssgui.gui.theme import DARK, LIGHT, Tokens

ROOT = Path(__file__).parents[2]
TEXT = ("text", "text2", "text3", "accent_text", "ok", "warn", "err")
GRAPHICS = ("ctl", "focus", "s_init", "s_dns", "s_conn", "s_wait", "s_stream", "s_udp", "s_cap")


def luminance(color: str) -> float:
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=lambda tokens: tokens.name)
def test_contrast(tokens: Tokens) -> None:
    for behind in (tokens.bg, tokens.tint):
        for name in TEXT:
            assert contrast(getattr(tokens, name), behind) >= 4.5, (name, behind)
        for name in GRAPHICS:
            assert contrast(getattr(tokens, name), behind) >= 3.0, (name, behind)
    for name in ("ok", "warn", "err"):
        assert contrast(getattr(tokens, name), getattr(tokens, f"{name}_tint")) >= 4.5, name
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5
    assert contrast(tokens.on_inverse, tokens.inverse) >= 4.5
    assert contrast(tokens.inverse_link, tokens.inverse) >= 4.5


def test_no_colour_is_named_elsewhere() -> None:
    wrong = re.compile(r"#[0-9A-Fa-f]{6}\b|\bQColor\(\d|Qt\.GlobalColor\.(?!transparent)")
    for path in (ROOT / "ssgui" / "gui").rglob("*.py"):
        if path.name != "theme.py":
            assert not wrong.findall(path.read_text("utf-8")), path


def test_every_icon_that_the_code_names_is_there_and_draws(application: QApplication) -> None:
    shipped = {path.stem for path in (ROOT / "resources" / "icons").glob("*.svg")}
    for name in shipped:
        assert QSvgRenderer(str(ROOT / "resources" / "icons" / f"{name}.svg")).isValid(), name
        assert not icons.pixmap(name, LIGHT.text, 18, 1.5).isNull()
    named = set()
    for path in (ROOT / "ssgui" / "gui").rglob("*.py"):
        named |= set(re.findall(r'icons\.icon\(\s*"([a-z-]+)"', path.read_text("utf-8")))
    assert named <= shipped


def test_a_switch_of_theme_reaches_everything(application: QApplication) -> None:
    one = theme.Theme(application)
    try:
        seen: list[str] = []
        one.changed.connect(lambda: seen.append(one.tokens.name))
        one.choose("dark")
        assert theme.current() is DARK
        assert application.palette().window().color().name().upper() == DARK.bg
        assert DARK.ctl in application.styleSheet()
        one.choose("light")
        assert seen == ["dark", "light"]
        assert len({getattr(LIGHT, field.name) for field in fields(LIGHT)}) > 20
    finally:
        one.choose(None)
        one.setParent(None)


def test_without_a_translator_texts_are_english(application: QApplication) -> None:
    assert tr("Down {down}, up {up}", down="{a}", up="2") == "Down {a}, up 2"
    assert "en" in LANGUAGES
    assert Translator("en").isEmpty()


@pytest.mark.parametrize("tokens", [theme.LIGHT, theme.DARK], ids=lambda tokens: tokens.name)
def test_the_mark_of_menus_has_the_colour_of_its_theme(tokens: theme.Tokens) -> None:
    """Style sheets take pictures from files only."""
    drawing = asset(f"resources/menu/check-{tokens.name}.svg").read_text("utf-8")
    assert drawing == asset("resources/icons/check.svg").read_text("utf-8").replace("currentColor", tokens.text)
