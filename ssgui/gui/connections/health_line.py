"""How all connections are doing, in one line: how many are at what, how many of them for long, and what failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

from ssgui.engine.stages import Reason
from ssgui.gui import icons, theme, words
from ssgui.gui.connections.marks import SIDE, mark
from ssgui.gui.frame.painting import draw_text, focus_ring, panel, width_of
from ssgui.gui.texts import tr
from ssgui.services.connections.health import SLOW, Standing
from ssgui.services.connections.segments import SegmentKind

HEIGHT = 36
_BUTTON, _PAD, _SIDE, _GAP = 26, 6, 10, 4
_HUG = 4  # pixels that a chip is nearer to its stage
_K = SegmentKind
FILTERS = {
    _K.HANDSHAKE: "stage:handshake", _K.DNS: "stage:resolving", _K.CONNECTING: "stage:connecting",
    _K.WAIT: "stage:waiting", _K.STREAM: "stage:streaming", _K.UDP: "stage:udp",
}  # fmt: skip
FAILED = "reason:failed"
_SLOW = {_K.DNS: f"age>{SLOW:g}s", _K.CONNECTING: f"age>{SLOW:g}s", _K.WAIT: f"wait>{SLOW:g}s"}


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that is said: a number, what of, and the filter that shows them.

    `look`: stage, chip, errors or reason.
    """

    filter: str
    number: str
    words: str
    look: str = "stage"
    kind: SegmentKind | None = None

    @property
    def text(self) -> str:
        """All of it."""
        return f"{self.number} {self.words}"


class _Button(QAbstractButton):
    """A part. What it shows changes; it stays, and so does the focus."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.part = Part("", "", "")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_part(self, part: Part, *, chosen: bool) -> None:
        if part == self.part and chosen == self.isChecked():
            return
        self.part = part
        self.setCheckable(True)
        self.setChecked(chosen)
        self.setText(part.text)
        self.setAccessibleName(part.text)
        self.setToolTip(tr("Show these: {filter}", filter=part.filter))
        self.update()

    def nextCheckState(self) -> None:
        """The filter says whether it is chosen, not the click."""

    def sizeHint(self) -> QSize:
        return QSize(round(2 * _PAD + sum(width for width, _ in self._runs()) + self._mark_width()), _BUTTON)

    def _mark_width(self) -> float:
        return {"stage": SIDE + 8, "errors": 16 + 6}.get(self.part.look, 0.0)

    def _runs(self) -> list[tuple[float, tuple[str, str, QFont]]]:
        """Width of each piece of text, and the text, its colour, its font."""
        tokens, part = theme.current(), self.part
        match part.look:
            case "stage":
                some = part.number != "0"
                bold = theme.font(13, theme.SEMIBOLD if some else theme.REGULAR)
                pieces = [(f"{part.number} ", tokens.text if some else tokens.text3, bold),
                          (part.words, tokens.text2 if some else tokens.text3, theme.font(12))]  # fmt: skip
            case "chip":
                pieces = [(part.text, tokens.warn, theme.font(11, theme.SEMIBOLD))]
            case "errors":
                pieces = [(part.text, tokens.err, theme.font(12, theme.SEMIBOLD))]
            case _:
                pieces = [(part.text, tokens.text2, theme.font(12))]
        return [(width_of(text, font) + 1, (text, color, font)) for text, color, font in pieces]

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, rect, part = theme.current(), QRectF(self.rect()), self.part
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self.isChecked() or self.isDown():
                panel(painter, rect, tokens.tint, 6)
            elif self.underMouse():
                panel(painter, rect, tokens.hover, 6)
            middle, left = rect.center().y(), float(_PAD)
            if part.look == "chip":
                panel(painter, QRectF(0, middle - 10, rect.width(), 20), tokens.warn_tint, 10)
            elif part.look == "stage" and part.kind is not None:
                mark(painter, QRectF(left, middle - SIDE / 2, SIDE, SIDE), part.kind)
            elif part.look == "errors":
                icons.draw(painter, "error", tokens.err, QRectF(left, middle - 8, 16, 16))
            left += self._mark_width()
            for width, (text, color, font) in self._runs():
                draw_text(painter, QRectF(left, 0, width + 1, rect.height()), text, color, font)
                left += width
            if self.hasFocus():
                focus_ring(painter, rect, 6)


class HealthLine(QWidget):
    """Every part is a button: `asked` carries the filter that shows what it counts."""

    asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName(tr("Health"))
        self._left: list[Part] = []
        self._right: list[Part] = []
        self._buttons: dict[tuple[str, str], _Button] = {}
        self._filter = ""

    def show_health(self, standing: Standing, failures: Sequence[tuple[Reason, int]]) -> None:
        """Show how things stand, and the reasons of the last ten minutes."""
        left, right = _stages(standing), _errors(failures)
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self._arrange()

    def show_filter(self, text: str) -> None:
        """Show as chosen what the filter is about."""
        if text.strip() != self._filter:
            self._filter = text.strip()
            self._arrange()

    def parts(self) -> list[str]:
        """What is said, from the left."""
        shown = [one for one in self._buttons.values() if not one.isHidden()]
        return [one.text() for one in sorted(shown, key=lambda one: one.x())]

    def button(self, filter_text: str) -> QAbstractButton:
        """The button that asks for this filter."""
        return next(one for one in self._buttons.values() if one.part.filter == filter_text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    # ---- where each is

    def _arrange(self) -> None:
        """Stages from the left; from the right the errors and as many reasons as fit. Without room, stages that
        nothing is at go first.
        """
        room = self.width() - 2 * _SIDE
        left, right = [self._made(part) for part in self._left], [self._made(part) for part in self._right]
        while len(right) > 1 and _span(left) + _span(right) + 2 * _GAP > room:
            right.pop()
        if _span(left) + _span(right) > room:
            left = [button for button in left if button.part.number != "0"]
        while right and _span(left) + _span(right) > room:
            right.pop()
        while len(left) > 1 and _span(left) > room:
            left.pop()
        x = _SIDE
        for button in left:
            chip = button.part.look == "chip"
            self._put(button, x - _HUG if chip else x)
            x += button.width() + (0 if chip else _GAP)
        x = self.width() - _SIDE - _span(right)
        for button in right:
            self._put(button, x)
            x += button.width() + _GAP
        shown = {*left, *right}
        for button in self._buttons.values():
            if button not in shown:
                button.hide()
        self._order([*left, *right])

    def _made(self, part: Part) -> _Button:
        key = (part.look, part.filter)
        button = self._buttons.get(key)
        if button is None:
            button = self._buttons[key] = _Button(self)
            button.clicked.connect(lambda _=False, text=part.filter: self.asked.emit(text))
        button.show_part(part, chosen=part.filter == self._filter)
        button.resize(button.sizeHint())
        return button

    def _put(self, button: _Button, x: int) -> None:
        button.move(x, (HEIGHT - _BUTTON) // 2)
        button.show()

    def _order(self, buttons: list[_Button]) -> None:
        """The tab key goes from left to right."""
        for before, after in pairwise(buttons):
            if before.nextInFocusChain() is not after:
                self.setTabOrder(before, after)


def _span(buttons: Sequence[_Button]) -> int:
    return sum(one.width() + _GAP for one in buttons) - _GAP if buttons else 0


def _stages(standing: Standing) -> list[Part]:
    made = []
    for kind, number in standing.counts.items():
        made.append(Part(FILTERS[kind], f"{number:,}", words.segment_word(kind), "stage", kind))
        if slow := standing.slow.get(kind, 0):
            over = tr("over {seconds} s", seconds=f"{SLOW:g}")
            made.append(Part(f"{FILTERS[kind]} {_SLOW[kind]}", f"{slow:,}", over, "chip", kind))
    return made


def _errors(failures: Sequence[tuple[Reason, int]]) -> list[Part]:
    total = sum(number for _, number in failures)
    if not total:
        return []
    text = tr("1 error in 10 min") if total == 1 else tr("{count} errors in 10 min", count=f"{total:,}")
    number, _, rest = text.partition(" ")
    reasons = [
        Part(f"reason:{reason}", f"{count:,}", words.uncapitalised(words.reason_word(reason)), "reason")
        for reason, count in failures
    ]
    return [Part(FAILED, number, rest, "errors"), *reasons]
