"""Whether anything of what a person does shows to others: checks with their evidence, and the habits of programs."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt, QTimer
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from ssgui.app.context import AppContext
from ssgui.app.leak_check import Check, Kind, Result, check_leaks
from ssgui.engine.tasks import spawn
from ssgui.gui import icons, theme
from ssgui.gui.frame.painting import harmless
from ssgui.gui.texts import tr
from ssgui.gui.units import said, span
from ssgui.gui.window import MainWindow
from ssgui.services.connections.leaks import Habits

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()
_MARKS = {Result.GOOD: ("ok", "ok"), Result.WARN: ("warning", "warn"), Result.BAD: ("error", "err"),
          Result.UNKNOWN: ("info", "text3")}  # fmt: skip
_LOOK_MS = 1000
_ROWS_SEEN = 6
_ROW = 28
_WIDTH, _NAMES, _INSET = 680, 120, 24
_PAD = 5  # with Qt's own, as far in as the heads are


def name_of(kind: Kind) -> str:
    """What is checked."""
    names = {
        Kind.PORT: tr("The port"), Kind.SYSTEM: tr("Other programs"), Kind.NAMES: tr("Names"),
        Kind.HABITS: tr("Addresses"), Kind.UDP: tr("UDP"), Kind.IPV6: tr("IPv6"),
    }  # fmt: skip
    return names[kind]


def sentence(check: Check) -> str:
    """How it stands, with the evidence."""
    match check.kind, check.why:
        case _, "closed":
            return tr("The proxy does not listen.")
        case Kind.HABITS, "addresses":
            count, names = int(check.number), ", ".join(harmless(name) for name in check.names)
            if names:
                return tr("{count} of {all} requests came with one, most of all of {programs}: the program had asked"
                          " this network for it.", count=count, all=check.of, programs=names)  # fmt: skip
            return tr("{count} of {all} requests came with one: the program had asked this network for it.",
                      count=count, all=check.of)  # fmt: skip
        case Kind.HABITS, "names":
            return tr("All {all} requests came with a name, which only the server sees.", all=check.of)
        case Kind.UDP, "passes":
            return tr("An answer came back through the server in {time}.", time=said(span(check.number)))
    return _SENTENCES[check.kind, check.why]()


_SENTENCES: dict[tuple[Kind, str], Callable[[], str]] = {
    (Kind.PORT, "here"): lambda: tr("Only programs on this computer reach it."),
    (Kind.PORT, "guarded"): lambda: tr("Other devices reach it with the name and the password."),
    (Kind.PORT, "open"): lambda: tr("Everybody on this network can use it. Set a name and a password in the settings."),
    (Kind.SYSTEM, "off"): lambda: tr("The mode is Off: they go past the server."),
    (Kind.SYSTEM, "none"): lambda: tr("This desktop has no setting for a proxy: each program must be told."),
    (Kind.SYSTEM, "others"): lambda: tr("Another program has changed the system's proxy."),
    (Kind.SYSTEM, "not set"): lambda: tr("The system's proxy is not set: they go past the server."),
    (Kind.SYSTEM, "pac"): lambda: tr("Browsers ask the rules. What knows no PAC goes past the server."),
    (Kind.SYSTEM, "all"): lambda: tr("What follows the system's proxy comes here."),
    (Kind.NAMES, "server"): lambda: tr("A name went to the server as it was. Nobody was asked for it here."),
    (Kind.NAMES, "rules"): lambda: tr("Names that no rule sends to the server are looked up here, and go directly."),
    (Kind.NAMES, "paused"): lambda: tr("Everything goes directly for now."),
    (Kind.NAMES, "not seen"): lambda: tr("The request for a name did not arrive."),
    (Kind.HABITS, "nothing yet"): lambda: tr("There was no request yet. Use a browser for a while."),
    (Kind.UDP, "off"): lambda: tr("It is off in the settings: calls and QUIC fail, or go past the server."),
    (Kind.UDP, "direct"): lambda: tr("Your rules send it directly."),
    (Kind.UDP, "silent"): lambda: tr("No answer came back: calls and QUIC may go past the server."),
    (Kind.IPV6, "has"): lambda: tr("This computer has an address of its own there: what ignores the proxy shows it."),
    (Kind.IPV6, "has not"): lambda: tr("This computer has no address there that others could see."),
    (Kind.IPV6, "nobody tells"): lambda: tr("This system does not tell."),
}


class HabitsModel(QAbstractTableModel):
    """Programs, and how many of their requests were what."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[Habits] = []
        self._heads = (tr("Program"), tr("Requests"), tr("By address"), "UDP", "QUIC", "DNS", tr("IPv6 directly"))

    def show_habits(self, habits: Sequence[Habits]) -> None:
        """Show these instead."""
        if list(habits) == self.rows:
            return
        self.beginResetModel()
        self.rows = list(habits)
        self.endResetModel()

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._heads)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self._heads):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._heads[section]
        return _aligned(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        one = self.rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(one, index.column())
            case Qt.ItemDataRole.TextAlignmentRole:
                return _aligned(index.column())
            case Qt.ItemDataRole.ForegroundRole:
                worrying = index.column() in (2, 6) and self._text(one, index.column()) != "0"
                return theme.color(theme.current().warn) if worrying else None
        return None

    @staticmethod
    def _text(one: Habits, column: int) -> str:
        if column == 0:
            return harmless(one.program) or tr("Unknown")
        share = f" · {one.share:.0%}" if one.by_address else ""
        figures = (
            f"{one.requests:,}", f"{one.by_address:,}{share}", f"{one.datagrams:,}", f"{one.quic:,}", f"{one.dns:,}",
            f"{one.direct_ipv6:,}",
        )  # fmt: skip
        return figures[column - 1]


def _aligned(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter


class _Padded(QStyledItemDelegate):
    """Text keeps its distance from the edges of its cell."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        option.rect = option.rect.adjusted(_PAD, 0, -_PAD, 0)
        super().paint(painter, option, index)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return super().sizeHint(option, index) + QSize(2 * _PAD, 0)


class LeaksDialog(QDialog):
    """Checks on top, programs below."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("leaks")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Leak check"))
        self.setFixedWidth(_WIDTH)
        heading = QLabel(tr("Leak check"), self)
        heading.setFont(theme.font(15, theme.SEMIBOLD))
        self.checks = QGridLayout()
        self.checks.setHorizontalSpacing(12)
        self.checks.setVerticalSpacing(8)
        self.checks.setColumnStretch(2, 1)
        self._lines: dict[Kind, tuple[QLabel, QLabel]] = {}
        for kind in Kind:
            self._add_line(kind)
        programs = QLabel(tr("What programs did since the start"), self)
        programs.setFont(theme.font(13, theme.SEMIBOLD))
        self.model = HabitsModel(self)
        self.again, self.close_button = QPushButton(tr("Check again"), self), QPushButton(tr("Close"), self)
        self.close_button.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.again)
        buttons.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(_INSET, 20, _INSET, 20)
        column.setSpacing(12)
        column.addWidget(heading)
        column.addLayout(self.checks)
        column.addSpacing(4)
        column.addWidget(programs)
        column.addWidget(self._make_table())
        column.addLayout(buttons)

    def _add_line(self, kind: Kind) -> None:
        row = len(self._lines)
        mark, words = QLabel(self), QLabel(self)
        mark.setFixedSize(18, 18)
        name = QLabel(name_of(kind), self)
        name.setFont(theme.font(13, theme.MEDIUM))
        name.setMinimumWidth(_NAMES)
        words.setWordWrap(True)
        words.setFixedWidth(_WIDTH - 2 * _INSET - 18 - _NAMES - 2 * self.checks.horizontalSpacing())
        words.setAccessibleName(name_of(kind))
        for at, widget in enumerate((mark, name, words)):
            self.checks.addWidget(widget, row, at, Qt.AlignmentFlag.AlignTop)
        self._lines[kind] = mark, words

    def _make_table(self) -> QTableView:
        table = self.table = QTableView(self)
        table.setModel(self.model)
        table.setAccessibleName(tr("What programs did since the start"))
        table.setShowGrid(False)
        table.setFrameShape(QFrame.Shape.NoFrame)
        table.setSelectionMode(QTableView.SelectionMode.NoSelection)
        table.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        table.setItemDelegate(_Padded(table))
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(_ROW)
        head = table.horizontalHeader()
        head.setFont(theme.font(12, theme.MEDIUM))
        head.setHighlightSections(False)
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        table.setFixedHeight(_ROWS_SEEN * _ROW + 32)
        return table

    def begin(self) -> None:
        """The checks are being made."""
        self.again.setEnabled(False)
        for mark, words in self._lines.values():
            mark.setPixmap(icons.icon("clock", "text3").pixmap(18, 18))
            if not words.text():  # what was known stays until it is known anew
                words.setText(tr("Checking…"))

    def show_checks(self, checks: Sequence[Check]) -> None:
        """How they ended."""
        self.again.setEnabled(True)
        for check in checks:
            mark, words = self._lines[check.kind]
            mark.setPixmap(icons.icon(*_MARKS[check.result]).pixmap(18, 18))
            mark.setAccessibleName(_result_word(check.result))
            words.setText(sentence(check))
            words.setMinimumHeight(words.heightForWidth(words.width()))
        self.adjustSize()


def _result_word(result: Result) -> str:
    words = {Result.GOOD: tr("Good"), Result.WARN: tr("May leak"), Result.BAD: tr("Leaks"),
             Result.UNKNOWN: tr("Unknown")}  # fmt: skip
    return words[result]


class LeakCheck(QObject):
    """Opens the dialog, and keeps it true while it is open."""

    def __init__(self, context: AppContext, window: MainWindow) -> None:
        super().__init__(window)
        self._context, self._window = context, window
        self.dialog: LeaksDialog | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._look)

    def ask(self) -> None:
        """Open the dialog, and check."""
        if self.dialog is None:
            dialog = self.dialog = LeaksDialog(self._window)
            dialog.again.clicked.connect(self._check)
            dialog.finished.connect(self._closed)
            self._timer.start()
            self._look()
            self._check()
            dialog.open()
        self.dialog.raise_()

    def _check(self) -> None:
        assert self.dialog is not None
        self.dialog.begin()
        spawn(self._run(self.dialog), name="check for leaks")

    async def _run(self, dialog: LeaksDialog) -> None:
        checks = await check_leaks(self._context)
        if self.dialog is dialog:
            dialog.show_checks(checks)

    def _look(self) -> None:
        if self.dialog is not None:
            live = self._context.connections.live.values()
            self.dialog.model.show_habits(self._context.leaks.report(live, time.monotonic()))

    def _closed(self) -> None:
        self._timer.stop()
        self.dialog = None
