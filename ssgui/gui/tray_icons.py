"""The tray's icons: the state by silhouette, in one colour that the panel behind it allows.

Each size is a render of its own. Rectangles of the drawings (bars, the mark of an error) are first moved to
whole pixels of that size: half a pixel of grey is all that such a small thing would be.
"""

import math
import re
import sys
from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QImage, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from ssgui.assets import asset
from ssgui.gui import theme

SHAPES = ("off", "pac", "rules", "global", "error")
SIZES = (16, 20, 22, 24, 32, 48)
GRID = 16
CONNECTING = 0.55  # opacity, while nothing has come back yet
_RECT = re.compile(r'<rect x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"')


def render(shape: str, color: str, size: int, opacity: float = 1.0) -> QImage:
    """The icon at exactly `size` pixels."""
    image = _blank(size)
    with QPainter(image) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        QSvgRenderer(QByteArray(_drawing(shape, color, size).encode())).render(painter, QRectF(0, 0, size, size))
    if opacity == 1.0:
        return image
    faint = _blank(size)  # the whole at once: strokes that overlap fillings would show through each other
    with QPainter(faint) as painter:
        painter.setOpacity(opacity)
        painter.drawImage(0, 0, image)
    return faint


def _blank(size: int) -> QImage:
    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    return image


def _drawing(shape: str, color: str, size: int) -> str:
    scale = size / GRID

    def snapped(match: re.Match[str]) -> str:
        x, y, width, height = map(int, match.groups())
        wide, high = (max(2, math.ceil(length * scale - 0.5)) for length in (width, height))
        left, bottom = math.floor(x * scale + 0.5), math.floor((y + height) * scale + 0.5)
        numbers = (left / scale, (bottom - high) / scale, wide / scale, high / scale)
        return '<rect x="{:.6f}" y="{:.6f}" width="{:.6f}" height="{:.6f}"'.format(*numbers)

    text = asset(f"resources/tray/{shape}.svg").read_text("utf-8").replace("currentColor", color)
    return _RECT.sub(snapped, text)


@lru_cache(maxsize=32)
def tray_icon(shape: str, color: str, opacity: float = 1.0) -> QIcon:
    """All sizes of one icon. On macOS it is a template, which the menu bar colours itself."""
    made = QIcon()
    for size in SIZES:
        made.addPixmap(QPixmap.fromImage(render(shape, color, size, opacity)))
    made.setIsMask(sys.platform == "darwin")
    return made


def panel_color(*, dark: bool) -> str:
    """What can be seen on a panel that is dark, or light."""
    return theme.DARK.text if dark else theme.LIGHT.text


def shape_of(mode: str, verdict: str) -> tuple[str, float]:
    """The silhouette for a mode (`Mode`'s values) and the kind of a verdict, and its opacity."""
    if verdict in ("failing", "suspicious", "offline", "blocked"):
        return "error", 1.0
    if verdict in ("off", "none", "paused") or mode not in SHAPES:
        return "off", 1.0
    return mode, CONNECTING if verdict == "connecting" else 1.0
