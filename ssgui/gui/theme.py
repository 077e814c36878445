"""Colours, type and style of the window. No other file names a colour.

Two sets of tokens, light and dark; their contrast was computed (WCAG 2.1: text 4.5, graphics 3.0) and a test
computes it again. Colours of stages are data: each stage has a mark and a texture of its own as well.
"""

from dataclasses import dataclass, fields
from functools import cache, lru_cache
from typing import ClassVar

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from ssgui.assets import asset


@dataclass(frozen=True, slots=True)
class Tokens:
    """One theme: name of use to colour."""

    name: str
    bg: str
    side: str
    raised: str
    thumb: str
    sunken: str
    hover: str
    tint: str
    line: str
    line2: str
    ctl: str
    text: str
    text2: str
    text3: str
    disabled: str
    accent: str
    accent_hover: str
    on_accent: str
    accent_text: str
    focus: str
    ok: str
    ok_tint: str
    warn: str
    warn_tint: str
    err: str
    err_tint: str
    inverse: str
    on_inverse: str
    inverse_link: str
    s_init: str
    s_dns: str
    s_conn: str
    s_wait: str
    s_stream: str
    s_udp: str
    s_cap: str


LIGHT = Tokens(
    name="light", bg="#FFFFFF", side="#F5F6F8", raised="#FFFFFF", thumb="#FFFFFF", sunken="#EEF0F4",
    hover="#F1F3F6", tint="#E8EEFD", line="#E4E7EC", line2="#CDD3DC", ctl="#7D8594",
    text="#14171F", text2="#4F5766", text3="#646C7B", disabled="#9AA1AD",
    accent="#2B5BE0", accent_hover="#2450CB", on_accent="#FFFFFF", accent_text="#2450CB", focus="#2B5BE0",
    ok="#14734A", ok_tint="#E2F3EA", warn="#875500", warn_tint="#FCF0D6", err="#BC2A2A", err_tint="#FBE8E7",
    inverse="#1F232C", on_inverse="#F3F5F8", inverse_link="#A9C4FF",
    s_init="#7E8796", s_dns="#0B857B", s_conn="#CB6600", s_wait="#3F8F3A", s_stream="#2F6BE6", s_udp="#8A45C6",
    s_cap="#CF3030",
)  # fmt: skip
DARK = Tokens(
    name="dark", bg="#16181D", side="#1C1F25", raised="#22262D", thumb="#343A45", sunken="#101216",
    hover="#22262D", tint="#223052", line="#2A2E36", line2="#3B414C", ctl="#737B8A",
    text="#ECEEF2", text2="#ABB2BF", text3="#939BA9", disabled="#616978",
    accent="#3867E8", accent_hover="#2F5CD9", on_accent="#FFFFFF", accent_text="#8DB2FF", focus="#8DB2FF",
    ok="#5CCB94", ok_tint="#17332A", warn="#E5B552", warn_tint="#372C15", err="#FF817A", err_tint="#3D2224",
    inverse="#ECEEF2", on_inverse="#16181D", inverse_link="#2450CB",
    s_init="#7F8898", s_dns="#2FB5A8", s_conn="#EE8A2D", s_wait="#66B44D", s_stream="#5C94FF", s_udp="#B780EC",
    s_cap="#FF6B66",
)  # fmt: skip

REGULAR, MEDIUM, SEMIBOLD = QFont.Weight.Normal, QFont.Weight.Medium, QFont.Weight.DemiBold
_BASE_PIXELS = 13


class _Current:
    """A table asks for every cell: what is looked up through Qt takes as long as the cell's text."""

    tokens = LIGHT
    fonts: ClassVar[dict[int, str]] = {}  # by id: `font` keeps what it has made


class Theme(QObject):
    """The theme in use. It follows the system unless told otherwise; `changed` after every switch."""

    changed = Signal()

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self._application = application
        self._wanted: str | None = None
        self.tokens = LIGHT
        hints = QGuiApplication.styleHints()
        hints.colorSchemeChanged.connect(self._apply)
        application.setStyle("Fusion")
        self._apply()

    def choose(self, name: str | None) -> None:
        """ "light", "dark", or None for the system's."""
        self._wanted = name
        self._apply()

    def _apply(self) -> None:
        scheme = QGuiApplication.styleHints().colorScheme()
        system = "dark" if scheme == Qt.ColorScheme.Dark else "light"
        tokens = DARK if (self._wanted or system) == "dark" else LIGHT
        self.tokens = _Current.tokens = tokens
        clear_caches()
        self._application.setFont(font(_BASE_PIXELS))
        self._application.setPalette(palette(tokens))
        self._application.setStyleSheet(style_sheet(tokens))
        self.changed.emit()


def current() -> Tokens:
    """The tokens of the running application."""
    return _Current.tokens


@lru_cache(maxsize=256)
def color(text: str, alpha: float = 1.0) -> QColor:
    """A token as a colour, `alpha` 0 to 1."""
    found = QColor(text)
    found.setAlphaF(alpha)
    return found


@cache
def font(pixels: int, weight: QFont.Weight = REGULAR, *, monospace: bool = False) -> QFont:
    """The system's family at `pixels` (of 96 dpi, times the system's own size over 13), figures all of one width."""
    found = QFont() if not monospace else _monospace()
    found.setPixelSize(max(1, round(pixels * _scale())))
    found.setWeight(weight)
    found.setFeature(QFont.Tag("tnum"), 1)
    _Current.fonts[id(found)] = found.toString()
    return found


def font_key(one: QFont) -> str:
    """What tells this font from others."""
    return _Current.fonts.get(id(one)) or one.toString()


def struck(one: QFont) -> QFont:
    """The same, struck through."""
    found = QFont(one)
    found.setStrikeOut(True)
    return found


def _monospace() -> QFont:
    found = QFont()
    found.setFamilies(["ui-monospace", "SF Mono", "Cascadia Mono", "Consolas", "DejaVu Sans Mono", "monospace"])
    found.setStyleHint(QFont.StyleHint.Monospace)
    return found


@lru_cache(maxsize=1)
def _scale() -> float:
    size = QGuiApplication.font().pixelSize()
    if size <= 0:
        size = round(QGuiApplication.font().pointSizeF() * 96 / 72)
    return min(2.0, max(0.8, size / _BASE_PIXELS)) if size > 0 else 1.0


def clear_caches() -> None:
    """After a switch of theme: fonts and colours are made anew. The scale of the system's font stays."""
    _scale()  # before the application's own font is replaced by ours
    font.cache_clear()
    _Current.fonts.clear()
    color.cache_clear()


def palette(tokens: Tokens) -> QPalette:
    """What Fusion draws with."""
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    made = QPalette()
    pairs = {
        role.Window: tokens.bg, role.Base: tokens.bg, role.AlternateBase: tokens.side, role.Button: tokens.raised,
        role.WindowText: tokens.text, role.Text: tokens.text, role.ButtonText: tokens.text,
        role.BrightText: tokens.err, role.Highlight: tokens.accent, role.HighlightedText: tokens.on_accent,
        role.Link: tokens.accent_text, role.LinkVisited: tokens.accent_text, role.PlaceholderText: tokens.text3,
        role.ToolTipBase: tokens.inverse, role.ToolTipText: tokens.on_inverse, role.Mid: tokens.line2,
        role.Midlight: tokens.line, role.Dark: tokens.ctl, role.Light: tokens.raised, role.Shadow: tokens.ctl,
        role.Accent: tokens.accent,
    }  # fmt: skip
    for one, value in pairs.items():
        made.setColor(one, color(value))
    for one in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(group.Disabled, one, color(tokens.disabled))
    return made


def style_sheet(tokens: Tokens) -> str:
    """The style of real widgets; what is painted is painted from the tokens, and items have delegates."""
    values = {field.name: getattr(tokens, field.name) for field in fields(tokens)}
    values["check"] = asset(f"resources/menu/check-{tokens.name}.svg").as_posix()
    values["chevron"] = asset(f"resources/menu/chevron-{tokens.name}.svg").as_posix()
    values["chevron_accent"] = asset("resources/menu/chevron-accent.svg").as_posix()
    return _STYLE.format_map(values)


_STYLE = """
* {{ outline: none; }}
QToolTip {{ background: {inverse}; color: {on_inverse}; border: 0; padding: 4px 8px; }}
QLineEdit, QComboBox, QPlainTextEdit {{
    background: {bg}; color: {text}; border: 1px solid {ctl}; border-radius: 6px; padding: 0 11px;
    min-height: 30px; selection-background-color: {accent}; selection-color: {on_accent}; }}
QPlainTextEdit {{ padding: 8px 11px; }}
QLineEdit:focus, QComboBox:focus, QPlainTextEdit:focus {{
    border: 2px solid {focus}; padding: 0 10px; }}
QPlainTextEdit:focus {{ padding: 7px 10px; }}
QPlainTextEdit[kind="bare"], QPlainTextEdit[kind="bare"]:focus {{
    background: transparent; border: 0; border-radius: 0; padding: 0; }}
QLineEdit[wrong="true"], QPlainTextEdit[wrong="true"] {{ border-color: {err}; }}
QLineEdit:disabled, QComboBox:disabled {{
    background: {sunken}; color: {disabled}; border-color: {line2}; }}
QComboBox::drop-down {{ border: 0; width: 28px; }}
QComboBox QAbstractItemView {{
    background: {raised}; color: {text}; border: 1px solid {line2}; padding: 4px; selection-background-color: {tint};
    selection-color: {text}; }}
QPushButton {{
    background: {raised}; color: {text}; border: 1px solid {line2}; border-radius: 6px; padding: 0 15px;
    min-height: 30px; font-weight: 500; }}
QPushButton:hover {{ background: {hover}; }}
QPushButton:pressed {{ background: {line2}; }}
QPushButton:focus {{ border: 2px solid {focus}; padding: 0 14px; }}
QPushButton:disabled {{ background: {sunken}; color: {disabled}; border-color: {line}; }}
QPushButton[kind="primary"] {{ background: {accent}; color: {on_accent}; border-color: {accent}; }}
QPushButton[kind="primary"]:hover, QPushButton[kind="primary"]:pressed {{ background: {accent_hover}; }}
QPushButton[kind="primary"]:focus {{ border: 2px solid {text}; }}
QPushButton[kind="primary"]:disabled {{ background: {sunken}; color: {disabled}; border-color: {line}; }}
QPushButton[kind="link"] {{
    background: transparent; border: 2px solid transparent; color: {accent_text}; padding: 0 6px; min-height: 24px; }}
QPushButton[kind="link"]:hover {{ text-decoration: underline; }}
QPushButton[kind="link"]:focus {{ border: 2px solid {focus}; }}
QPushButton[kind="quiet"] {{ background: transparent; border-color: transparent; color: {text2}; padding: 0 8px; }}
QPushButton[kind="quiet"]:hover {{ background: {hover}; }}
QPushButton[kind="quiet"]:focus {{ border: 2px solid {focus}; padding: 0 7px; }}
QPushButton[kind="quiet"]:disabled {{ background: transparent; color: {disabled}; border-color: transparent; }}
QToolButton[kind="icon"] {{
    background: transparent; border: 2px solid transparent; border-radius: 6px; min-width: 26px; min-height: 26px; }}
QToolButton[kind="icon"]:hover {{ background: {hover}; }}
QToolButton[kind="icon"]:pressed, QToolButton[kind="icon"]:checked {{ background: {tint}; }}
QToolButton[kind="icon"]:focus {{ border: 2px solid {focus}; }}
QPushButton::menu-indicator {{
    image: url("{chevron}"); width: 14px; height: 14px;
    subcontrol-origin: padding; subcontrol-position: center right; right: 8px; }}
QPushButton[kind="primary"]::menu-indicator {{ image: url("{chevron_accent}"); }}
QMenu {{ background: {raised}; color: {text}; border: 1px solid {line2}; border-radius: 8px; padding: 4px; }}
QMenu::item {{ padding: 6px 28px 6px 12px; border-radius: 4px; }}
QMenu::item:selected {{ background: {tint}; }}
QMenu::indicator {{ width: 16px; height: 16px; left: 6px; }}
QMenu::indicator:checked {{ image: url("{check}"); }}
QMenu::item:disabled {{ color: {text3}; }}
QMenu::separator {{ height: 1px; background: {line}; margin: 4px 8px; }}
QHeaderView::section {{
    background: {bg}; color: {text2}; border: 0; border-bottom: 1px solid {line}; padding: 0 8px; font-weight: 500; }}
QHeaderView::section:first {{ padding-left: 16px; }}
QTableView, QTreeView, QListView {{ background: {bg}; border: 0; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar::handle:vertical {{ background: {line2}; border-radius: 3px; min-height: 32px; margin: 2px; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle:horizontal {{ background: {line2}; border-radius: 3px; min-width: 32px; margin: 2px; }}
QScrollBar::handle:hover {{ background: {ctl}; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
    background: none; border: 0; width: 0; height: 0; }}
QAbstractScrollArea::corner {{ background: transparent; border: 0; }}
QSplitter::handle {{ background: {line}; }}
QScrollArea {{ border: 0; background: transparent; }}
"""
