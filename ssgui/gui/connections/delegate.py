"""Paints the rows of the connections' table straight from the records: one delegate, no data() per cell."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import NamedTuple

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ssgui.gui import theme
from ssgui.gui.connections import waterfall
from ssgui.gui.connections.cells import (
    NOTHING,
    figure,
    inbound_text,
    is_blocked,
    rule_text,
    stage_text,
    started_text,
)
from ssgui.gui.connections.columns import NUMBERS, Column
from ssgui.gui.connections.flags import draw_flags
from ssgui.gui.connections.marks import SIDE, mark_of
from ssgui.gui.connections.model import ConnectionsModel
from ssgui.gui.connections.timescale import TimeScale
from ssgui.gui.frame.painting import draw_text, elided, harmless, width_of
from ssgui.gui.words import reason_word
from ssgui.services.connections.health import is_failure
from ssgui.services.connections.records import Connection

ROW_HEIGHT = 28
_PAD = 8
_UNIT, _SHORT_UNIT = 30, 20  # pixels: MB/s, and min
_TIMES = (Column.AGE, Column.WAIT)
_COLUMNS = tuple(Column)
_SELECTED, _HOVERED = QStyle.StateFlag.State_Selected.value, QStyle.StateFlag.State_MouseOver.value
Index = QModelIndex | QPersistentModelIndex
Cell = Callable[[QPainter, QRectF, Connection, ConnectionsModel], None]


class Place(NamedTuple):
    """Where a column is in the picture."""

    column: Column
    left: float
    width: float


class ConnectionDelegate(QStyledItemDelegate):
    """The model's rows are `Connection` records; `scale` is that of the bars.

    A table that calls `paint_row` saves what an item of Qt costs for every cell of every frame: a third of the frame.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.scale = TimeScale(0.0, 1.0)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(80, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        if not isinstance(model, ConnectionsModel):
            return
        state, rect = option.state.value, QRectF(option.rect)
        place = Place(_COLUMNS[index.column()], rect.left(), rect.width())
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        selected, hovered = bool(state & _SELECTED), bool(state & _HOVERED)
        self.paint_row(painter, rect.top(), model.rows[index.row()], model, [place], selected=selected, hovered=hovered)
        painter.restore()

    def paint_row(
        self, painter: QPainter, top: float, one: Connection, model: ConnectionsModel, places: Sequence[Place], *,
        selected: bool = False, hovered: bool = False,
    ) -> None:  # fmt: skip
        """The cells of one row, with a painter that smooths edges."""
        tokens = theme.current()
        if selected or hovered:
            color = theme.color(tokens.tint if selected else tokens.hover)
            for _, left, width in places:
                painter.fillRect(QRectF(left, top, width, ROW_HEIGHT), color)
        cells = self._cells
        for column, left, width in places:
            cells[column](painter, QRectF(left + _PAD, top, width - 2 * _PAD, ROW_HEIGHT), one, model)
            if selected and column is Column.STAGE:
                painter.fillRect(QRectF(left, top, 3, ROW_HEIGHT), theme.color(tokens.accent))

    @cached_property
    def _cells(self) -> dict[Column, Cell]:
        texts = {column: partial(_text, column=column) for column in Column}
        figures = {column: partial(_number, column=column) for column in NUMBERS}
        return {
            **texts, **figures, Column.STAGE: _stage, Column.UP_FLAGS: _up_flags, Column.DOWN_FLAGS: _down_flags,
            Column.TARGET: _target, Column.STARTED: _started, Column.WATERFALL: self._waterfall,
        }  # fmt: skip

    def _waterfall(self, painter: QPainter, rect: QRectF, one: Connection, model: ConnectionsModel) -> None:
        waterfall.paint(painter, rect.adjusted(-_PAD, 0, _PAD, 0), one, self.scale, model.now)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)


def _text(painter: QPainter, rect: QRectF, one: Connection, model: ConnectionsModel, column: Column) -> None:
    middle = column is Column.SERVER
    draw_text(painter, rect, _words(one, column), theme.current().text2, theme.font(12), middle=middle)


def _number(painter: QPainter, rect: QRectF, one: Connection, model: ConnectionsModel, column: Column) -> None:
    tokens, slot = theme.current(), _SHORT_UNIT if column in _TIMES else _UNIT
    digits, unit = figure(one, column, model.now)
    if digits:
        _figure(painter, rect, digits, unit, tokens.text if one.live else tokens.text2, slot)


def _started(painter: QPainter, rect: QRectF, one: Connection, model: ConnectionsModel) -> None:
    right = Qt.AlignmentFlag.AlignRight
    draw_text(painter, rect, started_text(one, model.wall), theme.current().text2, theme.font(12), right)


def _up_flags(painter: QPainter, rect: QRectF, one: Connection, model: ConnectionsModel) -> None:
    stuck = is_blocked(one.up_blocked, model.now)
    draw_flags(painter, rect.left() - 4, rect.center().y(), one.up_status, stuck=stuck)


def _down_flags(painter: QPainter, rect: QRectF, one: Connection, model: ConnectionsModel) -> None:
    stuck = is_blocked(one.down_blocked, model.now)
    draw_flags(painter, rect.left() - 4, rect.center().y(), one.down_status, stuck=stuck)


def _words(one: Connection, column: Column) -> str:
    match column:
        case Column.RULE:
            return rule_text(one)
        case Column.SERVER:
            return one.server
        case Column.INBOUND:
            return inbound_text(one)
        case Column.PROGRAM:
            return one.program
        case Column.USER:
            return one.user
    return "" if one.live else reason_word(one.reason)


def _stage(painter: QPainter, rect: QRectF, one: Connection, model: ConnectionsModel) -> None:
    tokens = theme.current()
    mark_of(painter, QRectF(rect.left() + 8, rect.center().y() - SIDE / 2, SIDE, SIDE), one)
    failed = not one.live and is_failure(one.reason)
    color = tokens.err if failed else tokens.text if one.live else tokens.text2
    weight = theme.MEDIUM if one.live else theme.REGULAR
    draw_text(painter, rect.adjusted(26, 0, 0, 0), stage_text(one), color, theme.font(13, weight))


def _target(painter: QPainter, rect: QRectF, one: Connection, model: ConnectionsModel) -> None:
    """The host loses its middle, the port stays."""
    tokens, font, target = theme.current(), theme.font(13), one.target
    color = tokens.text if one.live else tokens.text2
    if not target:
        draw_text(painter, rect, NOTHING, tokens.text3, font)
        return
    host, colon, port = harmless(target).rpartition(":")
    tail = f"{colon}{port}"
    shown = elided(host, theme.font_key(font), int(rect.width() - width_of(tail, font)), middle=True)
    width = width_of(shown, font)
    draw_text(painter, QRectF(rect.left(), rect.top(), width + 2, rect.height()), shown, color, font)
    draw_text(painter, QRectF(rect.left() + width, rect.top(), 80, rect.height()), tail, tokens.text3, font)


def _figure(painter: QPainter, rect: QRectF, digits: str, unit: str, color: str, slot: int) -> None:
    """Digits end where the unit's slot begins, so that they line up whatever the unit."""
    tokens = theme.current()
    number = QRectF(rect.left(), rect.top(), rect.width() - slot - 3, rect.height())
    right = Qt.AlignmentFlag.AlignRight
    draw_text(painter, number, digits, color if digits != "0" else tokens.text3, theme.font(13), right)
    place = QRectF(rect.right() - slot, rect.top(), slot, rect.height())
    draw_text(painter, place, unit, tokens.text3, theme.font(11))
