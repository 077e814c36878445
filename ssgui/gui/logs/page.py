"""Logs: live, by level, filtered, followed, copied and saved."""

import logging
from datetime import datetime
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QPainter, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QPushButton,
    QStackedLayout,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from ssgui.app.log_buffer import MOST_LINES, LogBuffer, LogLine
from ssgui.gui import icons, theme
from ssgui.gui.frame.empty import Empty
from ssgui.gui.frame.hints import plain_hint
from ssgui.gui.frame.mode_switch import ModeSwitch
from ssgui.gui.frame.painting import draw_text
from ssgui.gui.frame.switch import Switch
from ssgui.gui.texts import tr

ROW_HEIGHT = 24
_NEW_LINE = " \N{DOWNWARDS ARROW WITH CORNER LEFTWARDS} "
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_NO_PARENT = QModelIndex()
Index = QModelIndex | QPersistentModelIndex


class LogModel(QAbstractListModel):
    """The lines of a buffer that are severe enough and contain every word of the filter."""

    def __init__(self, buffer: LogBuffer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._buffer = buffer
        self._last = 0
        self._level, self._words = logging.INFO, tuple[str, ...]()
        self.lines: list[LogLine] = []

    def look(self) -> int:
        """Take in what is new; how many lines came that are shown."""
        fresh = self._buffer.since(self._last)
        if not fresh:
            return 0
        self._last = fresh[-1].number
        shown = [line for line in fresh if self._wanted(line)]
        if shown:
            at = len(self.lines)
            self.beginInsertRows(_NO_PARENT, at, at + len(shown) - 1)
            self.lines += shown
            self.endInsertRows()
        if (over := len(self.lines) - MOST_LINES) > 0:
            self.beginRemoveRows(_NO_PARENT, 0, over - 1)
            del self.lines[:over]
            self.endRemoveRows()
        return len(shown)

    def choose(self, level: int, text: str) -> None:
        """Show these only."""
        self._level, self._words = level, tuple(text.casefold().split())
        self.beginResetModel()
        self.lines[:] = [line for line in self._buffer.lines if self._wanted(line)]
        self._last = self._buffer.lines[-1].number if self._buffer.lines else 0
        self.endResetModel()

    def _wanted(self, line: LogLine) -> bool:
        text = line.text.casefold()
        return line.level >= self._level and all(word in text for word in self._words)

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.lines)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or not 0 <= index.row() < len(self.lines):
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return line_text(self.lines[index.row()])
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_hint(*self.lines[index.row()].text.splitlines())
        return None


def line_text(line: LogLine) -> str:
    """A line as it is copied and saved."""
    stamp = datetime.fromtimestamp(line.time).strftime("%Y-%m-%d %H:%M:%S")
    return f"{stamp} {logging.getLevelName(line.level)} {line.text}"


class _Delegate(QStyledItemDelegate):
    """Time, level in its colour, text: one line a record."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        if not isinstance(model, LogModel):
            return
        tokens, line, rect = theme.current(), model.lines[index.row()], QRectF(option.rect)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme.color(tokens.tint))
        font = theme.font(12, monospace=True)
        left = rect.left() + 16
        stamp = datetime.fromtimestamp(line.time).strftime("%H:%M:%S")
        draw_text(painter, QRectF(left, rect.top(), 68, rect.height()), stamp, tokens.text3, font)
        color = tokens.err if line.level >= logging.ERROR else tokens.warn if line.level >= logging.WARNING else None
        level = QRectF(left + 72, rect.top(), 72, rect.height())
        draw_text(painter, level, logging.getLevelName(line.level), color or tokens.text2, font)
        text = QRectF(left + 148, rect.top(), rect.right() - left - 156, rect.height())
        draw_text(painter, text, line.text.replace("\n", _NEW_LINE), tokens.text, font)
        painter.restore()


class LogsPage(QWidget):
    """`saving` carries the text that a person wants to keep in a file."""

    saving = Signal(str)

    def __init__(self, buffer: LogBuffer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = LogModel(buffer, self)
        self.level, self.filter = ModeSwitch(self), QLineEdit(self)
        self.follow, self._follow_words = Switch(self), QLabel(tr("Follow"), self)
        self.follow.setAccessibleName(tr("Follow"))
        self.copy = QPushButton(icons.icon("copy", "text"), " " + tr("Copy"), self)
        self.save = QPushButton(icons.icon("export", "text"), " " + tr("Save…"), self)
        self.list, self._empty = QListView(self), Empty("logs", self)
        self._lay_out()
        self._connect()
        self._choose()

    def _lay_out(self) -> None:
        names = {"debug": tr("All"), "info": tr("Info"), "warning": tr("Warnings"), "error": tr("Errors")}
        self.level.set_modes([(key, text, "") for key, text in names.items()])
        self.level.set_mode("info")
        self.filter.setPlaceholderText(tr("Filter"))
        self.filter.setAccessibleName(tr("Filter"))
        self.filter.setClearButtonEnabled(True)
        self.filter.addAction(icons.icon("filter", "text3"), QLineEdit.ActionPosition.LeadingPosition)
        self.follow.setChecked(True)
        tools = QHBoxLayout()
        tools.setContentsMargins(16, 12, 16, 12)
        tools.setSpacing(8)
        tools.addWidget(self.level)
        tools.addWidget(self.filter, 1)
        for widget in (self._follow_words, self.follow, self.copy, self.save):
            tools.addWidget(widget)
        self.list.setModel(self.model)
        self.list.setItemDelegate(_Delegate(self.list))
        self.list.setAccessibleName(tr("Log lines"))
        self.list.setUniformItemSizes(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setFrameShape(QListView.Shape.NoFrame)
        self._body = QStackedLayout()
        self._body.addWidget(self.list)
        self._body.addWidget(self._empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(tools)
        column.addLayout(self._body, 1)

    def _connect(self) -> None:
        self.level.chosen.connect(lambda _key: self._choose())
        self.filter.textChanged.connect(lambda _text: self._choose())
        self.follow.toggled.connect(self._follow)
        self.copy.clicked.connect(lambda: QApplication.clipboard().setText(self.text()))
        self.save.clicked.connect(lambda: self.saving.emit(self.text()))
        self.list.verticalScrollBar().actionTriggered.connect(lambda _action: self.follow.setChecked(False))
        QShortcut(QKeySequence.StandardKey.Find, self).activated.connect(self.filter.setFocus)
        copy = QShortcut(QKeySequence.StandardKey.Copy, self.list)
        copy.setContext(Qt.ShortcutContext.WidgetShortcut)
        copy.activated.connect(self.copy.click)

    def _choose(self) -> None:
        self.model.choose(_LEVELS[self.level.mode()], self.filter.text())
        self._show()

    def _follow(self, on: bool) -> None:
        if on:
            self.list.scrollToBottom()

    def look(self) -> None:
        """Show what is new."""
        if self.model.look():
            self._show()

    def _show(self) -> None:
        if self.model.lines:
            self._body.setCurrentWidget(self.list)
            if self.follow.isChecked():
                self.list.scrollToBottom()
            return
        if self.filter.text():
            self._empty.say(tr("Nothing matches this filter."), "", tr("Clear filter"), self.filter.clear)
        else:
            self._empty.say(tr("Nothing at this level."), "", tr("Show all levels"), self._show_all)
        self._body.setCurrentWidget(self._empty)

    def _show_all(self) -> None:
        self.filter.clear()
        self.level.set_mode("debug")
        self._choose()

    def text(self) -> str:
        """The selected lines, or all that are shown."""
        rows = sorted(index.row() for index in self.list.selectionModel().selectedRows())
        lines = [self.model.lines[row] for row in rows] or self.model.lines
        return "".join(line_text(line) + "\n" for line in lines)
