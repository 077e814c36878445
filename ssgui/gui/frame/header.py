"""The header of every page: what is known about the connection and on what evidence, the mode, the rates."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleEvent, QFont, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from ssgui.gui import icons, theme
from ssgui.gui.frame.hints import plain_hint
from ssgui.gui.frame.mode_switch import ModeSwitch
from ssgui.gui.frame.painting import draw_text, panel
from ssgui.gui.frame.sparkline import Sparkline
from ssgui.gui.texts import tr
from ssgui.gui.units import rate

HEIGHT = 64
NO_SPARKLINE_BELOW = 1100
NO_UP_RATE_BELOW = 900
_ARC_STEP_MS = 60

# kind of state: icon, colour of the icon, colour of the disc
_GLYPHS = {
    "on": ("check", "ok", "ok_tint"),
    "ready": ("ring", "accent_text", "tint"),
    "connecting": ("spinner", "accent_text", "tint"),
    "failing": ("error", "err", "err_tint"),
    "suspicious": ("warning", "warn", "warn_tint"),
    "offline": ("network-off", "warn", "warn_tint"),
    "paused": ("pause", "warn", "warn_tint"),
    "blocked": ("warning", "warn", "warn_tint"),
    "off": ("power", "text2", "sunken"),
    "none": ("server", "text2", "sunken"),
}


def glyph(kind: str) -> tuple[str, str]:
    """The icon of a kind of state, and the token of its colour."""
    name, color, _disc = _GLYPHS[kind]
    return name, color


@dataclass(frozen=True, slots=True)
class HeaderState:
    """One of the truthful states, in words. `kind` is a key of the glyphs."""

    kind: str
    title: str
    subtitle: str


class _Glyph(QWidget):
    """A disc of 36 pixels; the arc of "connecting" turns while it is visible."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFixedSize(QSize(36, 36))
        self._kind, self._angle = "off", 0
        self._turning = QTimer(self)
        self._turning.setInterval(_ARC_STEP_MS)
        self._turning.timeout.connect(self._turn)

    def show_kind(self, kind: str) -> None:
        if kind != self._kind:
            self._kind, self._angle = kind, 0
            self._run()
            self.update()

    def _run(self) -> None:
        if self._kind == "connecting" and self.isVisible():
            self._turning.start()
        else:
            self._turning.stop()

    def _turn(self) -> None:
        self._angle = (self._angle + 24) % 360
        self.update()

    def showEvent(self, event: QShowEvent) -> None:
        self._run()

    def hideEvent(self, event: QEvent) -> None:
        self._turning.stop()

    def paintEvent(self, event: QPaintEvent) -> None:
        name, color, disc = _GLYPHS[self._kind]
        tokens = theme.current()
        with QPainter(self) as painter:
            painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
            panel(painter, QRectF(self.rect()), getattr(tokens, disc), 18)
            painter.translate(18, 18)
            painter.rotate(self._angle)
            icons.draw(painter, name, getattr(tokens, color), QRectF(-10, -10, 20, 20))


class _Words(QWidget):
    """Title and subtitle. A long server name loses its middle, never its end."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._title = self._subtitle = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(200, 40)

    def show_words(self, title: str, subtitle: str) -> None:
        if (title, subtitle) != (self._title, self._subtitle):
            self._title, self._subtitle = title, subtitle
            self.setToolTip(plain_hint(title, subtitle))
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        with QPainter(self) as painter:
            title = QRectF(0, 0, self.width(), 21)
            draw_text(painter, title, self._title, tokens.text, theme.font(15, theme.SEMIBOLD), middle=True)
            below = QRectF(0, 21, self.width(), 18)
            draw_text(painter, below, self._subtitle, tokens.text2, theme.font(12), middle=True)


class _Rates(QWidget):
    """Down over up, digits right-aligned with their unit in a slot of its own."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._down = self._up = 0.0
        self.with_up = True
        self.setFixedSize(QSize(96, 40))

    def show_rates(self, down: float, up: float) -> None:
        if (down, up) != (self._down, self._up):
            self._down, self._up = down, up
            words = [" ".join(rate(value)) for value in (down, up)]
            self.setAccessibleName(tr("Down {down}, up {up}", down=words[0], up=words[1]))
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        with QPainter(self) as painter:
            top = 0 if self.with_up else 10
            self._line(painter, top, "arrow-down", tokens.s_stream, self._down, theme.SEMIBOLD)
            if self.with_up:
                self._line(painter, 20, "arrow-up", tokens.text2, self._up, theme.MEDIUM)

    def _line(self, painter: QPainter, top: int, arrow: str, color: str, value: float, weight: QFont.Weight) -> None:
        tokens = theme.current()
        digits, unit = rate(value)
        icons.draw(painter, arrow, color, QRectF(0, top + 3, 14, 14))
        font = theme.font(13, weight)
        draw_text(painter, QRectF(14, top, 48, 20), digits, tokens.text, font, Qt.AlignmentFlag.AlignRight)
        draw_text(painter, QRectF(66, top, 30, 20), unit, tokens.text3, theme.font(11))


class Header(QWidget):
    """64 pixels on top of every page."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(HEIGHT)
        self._kind = ""
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 0)
        row.setSpacing(12)
        self._glyph, self._words, self._rates = _Glyph(self), _Words(self), _Rates(self)
        self.modes, self._sparkline = ModeSwitch(self), Sparkline(self)
        self.modes.setAccessibleName(tr("Proxy mode"))
        for widget in (self._glyph, self._words, self.modes, self._rates, self._sparkline):
            row.addWidget(widget)

    def show_state(self, state: HeaderState) -> None:
        """Show it; who listens to the screen is told when the kind changes, not when an age does."""
        self._glyph.show_kind(state.kind)
        self._words.show_words(state.title, state.subtitle)
        self.setAccessibleName(f"{state.title}. {state.subtitle}")
        if state.kind != self._kind:
            self._kind = state.kind
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def show_rates(self, down: Sequence[float], up: Sequence[float]) -> None:
        """Bytes per second of the last 60 seconds, oldest first."""
        self._rates.show_rates(down[-1] if down else 0.0, up[-1] if up else 0.0)
        self._sparkline.show_rates(down, up)

    def resizeEvent(self, event: QResizeEvent) -> None:
        window = self.window().width()
        self._sparkline.setVisible(window >= NO_SPARKLINE_BELOW)
        self._rates.with_up = window >= NO_UP_RATE_BELOW
        super().resizeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), theme.color(theme.current().bg))
            painter.fillRect(QRectF(0, HEIGHT - 1, self.width(), 1), theme.color(theme.current().line))
