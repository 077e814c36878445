"""Icons: one-colour SVG drawings, coloured by the theme and drawn at the screen's own resolution."""

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QImage, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from ssgui.assets import asset
from ssgui.gui import theme

_SMALL_LOGO = 32  # pixels, up to which the plane needs all of the room


@lru_cache(maxsize=512)
def pixmap(name: str, color: str, size: int, ratio: float) -> QPixmap:
    """The icon `name` in `color`, `size` logical pixels wide, for a screen of `ratio` device pixels each."""
    made = QPixmap(round(size * ratio), round(size * ratio))
    made.fill(Qt.GlobalColor.transparent)
    with QPainter(made) as painter:
        _renderer(name, color).render(painter, QRectF(0, 0, made.width(), made.height()))
    made.setDevicePixelRatio(ratio)
    return made


@lru_cache(maxsize=512)
def _renderer(name: str, color: str) -> QSvgRenderer:
    text = asset(f"resources/icons/{name}.svg").read_text("utf-8").replace("currentColor", color)
    return QSvgRenderer(QByteArray(text.encode()))


def draw(painter: QPainter, name: str, color: str, rect: QRectF) -> None:
    """Draw into `rect`."""
    size = round(rect.width())
    device = painter.device()
    ratio = device.devicePixelRatioF() if device is not None else 1.0
    painter.drawPixmap(rect.topLeft(), pixmap(name, color, size, ratio))


class _Engine(QIconEngine):
    """Draws at whatever size and resolution is asked for, in the colour that the state of the widget wants."""

    def __init__(self, name: str, token: str) -> None:
        super().__init__()
        self._name, self._token = name, token

    def _color(self, mode: QIcon.Mode) -> str:
        tokens = theme.current()
        found: str = tokens.disabled if mode is QIcon.Mode.Disabled else getattr(tokens, self._token)
        return found

    def paint(self, painter: QPainter, rect: object, mode: QIcon.Mode, state: QIcon.State) -> None:
        draw(painter, self._name, self._color(mode), QRectF(rect))  # type: ignore[call-overload]

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        return pixmap(self._name, self._color(mode), size.width(), scale)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return pixmap(self._name, self._color(mode), size.width(), 1.0)

    def clone(self) -> QIconEngine:
        return _Engine(self._name, self._token)


def icon(name: str, token: str = "text2") -> QIcon:
    """A QIcon in the colour of a theme's token; it follows the theme."""
    return QIcon(_Engine(name, token))


def clear_caches() -> None:
    """After a switch of theme."""
    pixmap.cache_clear()
    _renderer.cache_clear()


def draw_logo(painter: QPainter, rect: QRectF, tokens: theme.Tokens) -> None:
    """The program's mark: the white plane on the accent colour."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color(tokens.accent))
    side = rect.width()
    painter.drawRoundedRect(rect, side * 0.22, side * 0.22)
    air = side * (0.18 if side > _SMALL_LOGO else 0.1)
    inner = rect.adjusted(air, air, -air, -air)
    _renderer("plane", tokens.on_accent).render(painter, inner)


def logo(size: int, ratio: float) -> QPixmap:
    """The program's mark as a picture."""
    image = QImage(round(size * ratio), round(size * ratio), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    with QPainter(image) as painter:
        draw_logo(painter, QRectF(image.rect()), theme.current())
    image.setDevicePixelRatio(ratio)
    return QPixmap.fromImage(image)


def app_icon() -> QIcon:
    """The window's icon."""
    made = QIcon()
    for size in (16, 24, 32, 48, 64, 128, 256):
        made.addPixmap(logo(size, 1.0))
    return made


def install(application: QApplication) -> None:
    """Give the application its icon."""
    application.setWindowIcon(app_icon())
