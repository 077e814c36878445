"""A connection's life as a bar: where its time went, and how much flowed when.

The handshake is thin, resolving and connecting are solid, waiting is hatched, the stream is the stronger the more
flows and has a foot of full colour, UDP is ticks. Before the program has sent anything there is a hairline: nothing
is waited for. A failure ends in a red cap with its reason, what lives in an arrow head.
"""

import math
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QPolygonF

from ssgui.gui import theme, words
from ssgui.gui.connections.bars import Piece, lay_out, worth_showing
from ssgui.gui.connections.timescale import TimeScale
from ssgui.gui.frame.painting import draw_text, width_of
from ssgui.gui.texts import tr
from ssgui.gui.units import age, said, span
from ssgui.services.connections.course import Course
from ssgui.services.connections.health import is_failure
from ssgui.services.connections.records import Connection
from ssgui.services.connections.segments import Segment, SegmentKind, segments

HEIGHT, THIN, FOOT = 10.0, 4.0, 2.0
_LEFT, _RIGHT = 8.0, 12.0  # around the bar; an arrow head or a cap is in the right one
_CAP, _ARROW = 3.0, 4.0
_HATCH, _TICKS = 20, 12  # pixels of a texture's side: whole device pixels at every scale in use, and whole periods
_LEVELS = 8  # of strength
_LITTLE, _MUCH = 1e3, 1e7  # bytes per second that are as weak and as strong as it gets
_FAINT = 0.30
_K = SegmentKind
COLORS = {
    _K.HANDSHAKE: "s_init", _K.DNS: "s_dns", _K.CONNECTING: "s_conn", _K.IDLE: "s_init", _K.WAIT: "s_wait",
    _K.STREAM: "s_stream", _K.UDP: "s_udp",
}  # fmt: skip


def inner(left: float, width: float) -> tuple[float, float]:
    """Where bars may be in a cell from `left`, `width` wide: from, to."""
    return left + _LEFT, left + max(_LEFT, width - _RIGHT)


def paint(painter: QPainter, rect: QRectF, one: Connection, scale: TimeScale, now: float) -> None:
    """The bar of `one` in a table's cell, with the lines of the scale behind it."""
    left, right = inner(rect.left(), rect.width())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    grid = theme.color(theme.current().line)
    for tick in scale.ticks(now, right - left):
        painter.fillRect(QRectF(left + tick.at * (right - left), rect.top(), 1, rect.height()), grid)
    pieces = lay_out(parts_in(one, scale, now), scale, left, right)
    middle = rect.center().y()
    if pieces:
        bar(painter, pieces, one, scale, middle)
        _end(painter, rect, pieces, one, scale, now)
    else:
        _elsewhere(painter, QRectF(left, rect.top(), right - left, rect.height()), one, scale)


def parts_in(one: Connection, scale: TimeScale, now: float) -> list[Segment]:
    """The parts of its life in the times of the scale."""
    parts = segments(one, now)
    if not scale.aligned:
        return parts
    zero = one.opened
    return [Segment(kind, start - zero, end - zero) for kind, start, end in parts]


def bar(painter: QPainter, pieces: list[Piece], one: Connection, scale: TimeScale, middle: float) -> None:
    """The pieces alone, centred at `middle`; without antialiasing, which the caller has turned off."""
    tokens = theme.current()
    top = middle - HEIGHT / 2
    for piece in pieces:
        kind, x0, x1, _, _ = piece
        color = getattr(tokens, COLORS[kind])
        if kind is _K.HANDSHAKE:
            painter.fillRect(QRectF(x0, middle - THIN / 2, x1 - x0, THIN), theme.color(color))
        elif kind is _K.IDLE:
            painter.fillRect(QRectF(x0, middle, x1 - x0, 1), theme.color(color))
        elif kind is _K.STREAM:
            _stream(painter, piece, one.course, one.opened if scale.aligned else 0.0, top)
        elif kind is _K.WAIT or kind is _K.UDP:
            ratio = _ratio(painter)
            tile = _hatching(color, ratio) if kind is _K.WAIT else _ticks(color, ratio)
            painter.drawTiledPixmap(QRectF(x0, top, x1 - x0, HEIGHT), tile, QPointF(0, 0))
        else:
            painter.fillRect(QRectF(x0, top, x1 - x0, HEIGHT), theme.color(color))


def _ratio(painter: QPainter) -> float:
    device = painter.device()
    return device.devicePixelRatioF() if device is not None else 1.0


# ---- the stream


def strength(rate: float) -> int:
    """How strong bytes per second are shown: 0 to 7, by their logarithm."""
    if rate <= _LITTLE:
        return 0
    share = math.log(rate / _LITTLE) / math.log(_MUCH / _LITTLE)
    return min(_LEVELS - 1, round(share * (_LEVELS - 1)))


@lru_cache(maxsize=64)
def _shades(color: str) -> list[QColor]:
    return [theme.color(color, _FAINT + (1 - _FAINT) * level / (_LEVELS - 1)) for level in range(_LEVELS)]


def _stream(painter: QPainter, piece: Piece, course: Course, zero: float, top: float) -> None:
    """As strong as it flowed, and a foot of full colour, so that its ends are seen however little flowed."""
    color = theme.current().s_stream
    shades = _shades(color)
    for x0, x1, level in runs(piece, course, zero):
        painter.fillRect(QRectF(x0, top, x1 - x0, HEIGHT), shades[level])
    painter.fillRect(QRectF(piece.x0, top + HEIGHT - FOOT, piece.x1 - piece.x0, FOOT), theme.color(color))


def runs(piece: Piece, course: Course, zero: float = 0.0) -> list[tuple[float, float, int]]:
    """A stream cut into (from x, to x, strength), without a gap; neighbours of one strength are one.

    `zero` is what the piece's times are counted from. Where nothing came it is as weak as it gets.
    """
    begin, finish = piece.start + zero, piece.end + zero
    per_second = (piece.x1 - piece.x0) / max(1e-9, finish - begin)
    made: list[tuple[float, float, int]] = []
    x = piece.x0

    def go_on(to: float, level: int) -> None:
        nonlocal x
        to = min(piece.x1, round(to))  # whole pixels: what is shorter is lost in its neighbour
        if to <= x:
            return
        if made and made[-1][2] == level:
            made[-1] = (made[-1][0], to, level)
        else:
            made.append((x, to, level))
        x = to

    for (start, end), (up, down) in zip(course.spans, course.amounts, strict=True):
        if end <= begin or start >= finish:
            continue
        if start > begin:
            go_on(piece.x0 + (start - begin) * per_second, 0)
        go_on(piece.x0 + (end - begin) * per_second, strength((up + down) / max(1e-3, end - start)))
    if made and piece.x1 - x < 1:
        made[-1] = (made[-1][0], piece.x1, made[-1][2])
    else:
        made.append((x, piece.x1, 0))
    return made


# ---- its end


def _end(
    painter: QPainter, rect: QRectF, pieces: list[Piece], one: Connection, scale: TimeScale, now: float
) -> None:  # fmt: skip
    """An arrow head while it lives and now is in the picture, a cap if it ended in it otherwise than well."""
    tokens, last, middle = theme.current(), pieces[-1], rect.center().y()
    end = one.ended if one.ended is not None else now
    if (end - one.opened if scale.aligned else end) > scale.end + 1e-6:
        return  # it goes on beyond the picture
    if one.live:
        half = (THIN if last.kind in (_K.HANDSHAKE, _K.IDLE) else HEIGHT) / 2
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(getattr(tokens, COLORS[last.kind])))
        tip = [QPointF(last.x1, middle - half), QPointF(last.x1 + _ARROW, middle), QPointF(last.x1, middle + half)]
        painter.drawPolygon(QPolygonF(tip))
    elif is_failure(one.reason):
        painter.fillRect(QRectF(last.x1, middle - HEIGHT / 2 - 2, _CAP, HEIGHT + 4), theme.color(tokens.s_cap))
        _say_reason(painter, rect, pieces[0].x0, last.x1 + _CAP, one)


def _say_reason(painter: QPainter, rect: QRectF, begin: float, end: float, one: Connection) -> None:
    """The reason beside its cap, where there is room; the stage's column has it too."""
    text, font = words.reason_word(one.reason), theme.font(11)
    width = width_of(text, font) + 2
    color = theme.current().err
    if end + 6 + width <= rect.right() - 4:
        draw_text(painter, QRectF(end + 6, rect.top(), width, rect.height()), text, color, font)
    elif begin - 6 - width >= rect.left() + _LEFT:
        draw_text(painter, QRectF(begin - 6 - width, rect.top(), width, rect.height()), text, color, font)


def _elsewhere(painter: QPainter, rect: QRectF, one: Connection, scale: TimeScale) -> None:
    """Its whole life was before the picture, or comes after it: how far away."""
    font, color = theme.font(11), theme.current().text3
    if one.ended is not None and one.ended < scale.start:
        text = tr("ended {age} before", age=said(age(scale.start - one.ended)))
        draw_text(painter, rect, f"\N{LEFTWARDS ARROW} {text}", color, font)
    elif one.opened > scale.end:
        text = tr("begins {age} later", age=said(age(one.opened - scale.end)))
        right = Qt.AlignmentFlag.AlignRight
        draw_text(painter, rect, f"{text} \N{RIGHTWARDS ARROW}", color, font, right)


# ---- textures


def _tile(side: int, ratio: float) -> QPixmap:
    made = QPixmap(round(side * ratio), round(side * ratio))
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    return made


@lru_cache(maxsize=16)
def _hatching(color: str, ratio: float) -> QPixmap:
    """Lines of 45 degrees, five pixels apart, on a quarter of their colour."""
    made = _tile(_HATCH, ratio)
    with QPainter(made) as painter:
        painter.fillRect(QRectF(0, 0, _HATCH, _HATCH), theme.color(color, 0.25))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color(color), 1.4))
        for at in range(-_HATCH, 2 * _HATCH + 1, 5):
            painter.drawLine(QPointF(at, _HATCH), QPointF(at + _HATCH, 0))
    return made


@lru_cache(maxsize=16)
def _ticks(color: str, ratio: float) -> QPixmap:
    """Four pixels on, two off."""
    made = _tile(_TICKS, ratio)
    with QPainter(made) as painter:
        for at in range(0, _TICKS, 6):
            painter.fillRect(QRectF(at, 0, 4, _TICKS), theme.color(color))
    return made


# ---- in words


def sentence(one: Connection, now: float) -> str:
    """Where the time went, for who listens to the screen."""
    told = [
        f"{words.segment_word(kind)} {' '.join(span(end - start))}"
        for kind, start, end in worth_showing(segments(one, now))
    ]  # fmt: skip
    text = ", ".join([told[0], *map(words.uncapitalised, told[1:])])
    return text if one.live else f"{text}. {words.reason_word(one.reason)}"
