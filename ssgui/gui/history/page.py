"""History: what went where, by day, site, program and server, and the connections themselves."""

from collections.abc import Callable
from datetime import date

from PySide6.QtCore import QItemSelectionModel, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QStackedLayout,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from ssgui.config.app_config import HistoryHosts, Settings
from ssgui.gui import icons, theme
from ssgui.gui.frame.buttons import icon_button
from ssgui.gui.frame.empty import Empty
from ssgui.gui.frame.fields import ComboBox
from ssgui.gui.frame.menus import rounded
from ssgui.gui.frame.mode_switch import ModeSwitch
from ssgui.gui.frame.painting import harmless
from ssgui.gui.history.columns import code, key_of
from ssgui.gui.history.day_chart import DayChart
from ssgui.gui.history.delegate import ROW_HEIGHT, HistoryDelegate
from ssgui.gui.history.model import HistoryModel
from ssgui.gui.texts import tr
from ssgui.gui.units import amount
from ssgui.services.history.queries import MOST_ROWS, Answer, AnyRow, DayTotal, Past, Query, View

MOST_DAYS = 366
_SLOW_MS = 300  # after which it is said that something is being looked for
_TYPING_MS = 150
_NARROW_BELOW = 1000


class HistoryPage(QWidget):
    """`asked` carries a question whose answer comes by `show_answer`; `left` goes back to the connections.

    `exporting` carries a format, `clearing` asks to forget everything, `settings` for the page of settings, `keeping`
    turns the history on.
    """

    asked = Signal(Query)
    left = Signal()
    exporting = Signal(str)
    clearing = Signal()
    settings = Signal()
    keeping = Signal()

    def __init__(
        self, settings: Callable[[], Settings], size: Callable[[], int], parent: QWidget | None = None,
        today: Callable[[], int] = lambda: date.today().toordinal(),
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._settings, self._size, self._today = settings, size, today
        self.model = HistoryModel(self)
        self.answer = Answer()
        self._make_tools()
        self.chart, self.table = DayChart(self), self._make_table()
        self._empty = Empty("clock", self)
        self._line, self._foot, self._kept = QWidget(self), QLabel(self), QLabel(self)
        self._lay_out()
        self._connect()
        self.set_view(View.HOSTS)

    # ---- making

    def _make_tools(self) -> None:
        self.back = icon_button("chevron-left", tr("Back to the connections"), self)
        self.views = ModeSwitch(self)
        texts = {View.HOSTS: tr("Sites"), View.PROGRAMS: tr("Programs"), View.SERVERS: tr("Servers"),
                 View.DAYS: tr("Days"), View.CONNECTIONS: tr("Connections")}  # fmt: skip
        self.views.set_modes([(str(view), text, "") for view, text in texts.items()])
        self.search = QLineEdit(self)
        self.search.setPlaceholderText(tr("Search the history"))
        self.search.setAccessibleName(tr("Search the history"))
        self.search.setClearButtonEnabled(True)
        self.search.addAction(icons.icon("search", "text3"), QLineEdit.ActionPosition.LeadingPosition)
        self.range = ComboBox(self)
        self.range.setAccessibleName(tr("How far back"))
        for days, text in ((7, tr("Last 7 days")), (30, tr("Last 30 days")), (0, tr("Everything"))):
            self.range.addItem(text, days)
        self.range.setCurrentIndex(1)
        self.export = icon_button("export", tr("Export what is shown"), self)
        self.clear = icon_button("trash", tr("Clear history"), self)

    def _make_table(self) -> QTableView:
        table = QTableView(self)
        table.setModel(self.model)
        table.setItemDelegate(HistoryDelegate(table))
        table.setAccessibleName(tr("History"))
        table.setShowGrid(False)
        table.setMouseTracking(True)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        rows, head = table.verticalHeader(), table.horizontalHeader()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(ROW_HEIGHT)
        rows.hide()
        head.setFixedHeight(29)
        head.setFont(theme.font(12, theme.MEDIUM))
        head.setHighlightSections(False)
        head.setSectionsClickable(True)
        head.setMinimumSectionSize(60)
        head.setTextElideMode(Qt.TextElideMode.ElideRight)
        return table

    def _lay_out(self) -> None:
        tools = QHBoxLayout()
        tools.setContentsMargins(12, 12, 16, 12)
        tools.setSpacing(8)
        tools.addWidget(self.back)
        tools.addWidget(self.views)
        tools.addWidget(self.search, 1)
        for widget in (self.range, self.export, self.clear):
            tools.addWidget(widget)
        self._line.setFixedHeight(3)
        self._line.setAutoFillBackground(True)
        self._body = QStackedLayout()
        self._body.addWidget(self.table)
        self._body.addWidget(self._empty)
        foot = QHBoxLayout()
        foot.setContentsMargins(16, 6, 16, 8)
        foot.setSpacing(16)
        for label in (self._foot, self._kept):
            label.setFont(theme.font(12))
            label.setTextFormat(Qt.TextFormat.PlainText)
        foot.addWidget(self._foot)
        foot.addStretch(1)
        foot.addWidget(self._kept)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(tools)
        column.addWidget(self.chart)
        column.addWidget(self._line)
        column.addLayout(self._body, 1)
        column.addLayout(foot)

    def _connect(self) -> None:
        self._typing, self._slow = QTimer(self), QTimer(self)
        for timer, milliseconds in ((self._typing, _TYPING_MS), (self._slow, _SLOW_MS)):
            timer.setSingleShot(True)
            timer.setInterval(milliseconds)
        self._typing.timeout.connect(self.ask)
        self._slow.timeout.connect(lambda: self._show_line(True))
        self.back.clicked.connect(self.left)
        self.views.chosen.connect(lambda key: self.set_view(View(key)))
        self.search.textChanged.connect(lambda _text: self._typing.start())
        self.range.activated.connect(lambda _index: self.ask())
        self.export.clicked.connect(lambda: self.export_menu(self.export.mapToGlobal(QPoint(0, self.export.height()))))
        self.clear.clicked.connect(self.clearing)
        self.chart.chosen.connect(lambda _day: self.ask())
        self.model.ordered.connect(self.ask)
        self.table.activated.connect(lambda index: self.go_into(self.model.rows[index.row()]))
        self.table.customContextMenuRequested.connect(self._ask_menu)
        head = self.table.horizontalHeader()
        head.sectionClicked.connect(self._sort)
        for keys, act in (
            (QKeySequence(QKeySequence.StandardKey.Find), self.search.setFocus),
            (QKeySequence("Esc"), self._step_back),
            (QKeySequence(QKeySequence.StandardKey.Copy), self._copy),
        ):
            shortcut = QShortcut(keys, self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(act)

    def panes(self) -> list[QWidget]:
        """What F6 goes to, one after the other."""
        return [self.views, self.chart, self.table if self.model.rows else self._empty]

    # ---- asking

    def query(self, limit: int = MOST_ROWS) -> Query:
        """What is to be seen."""
        last, days = self._today(), int(self.range.currentData())
        first = last - (days or MOST_DAYS) + 1
        text = self.search.text().strip().lstrip("#")
        return Query(self.model.view, first, last, text, self.chart.day, self.model.order, self.model.descending, limit)

    def ask(self) -> None:
        """Ask for it. What is there stays until the answer comes."""
        self._typing.stop()
        if not self._slow.isActive():
            self._slow.start()
        self.asked.emit(self.query())

    def set_view(self, view: View) -> None:
        """Show another table."""
        self.views.set_mode(str(view))
        self.model.set_view(view)
        head = self.table.horizontalHeader()
        for number, column in enumerate(self.model.columns):
            stretched = not column.width
            mode = QHeaderView.ResizeMode.Stretch if stretched else QHeaderView.ResizeMode.Interactive
            head.setSectionResizeMode(number, mode)
            if not stretched:
                head.resizeSection(number, column.width)
        self._hide_extra()
        if self.isVisible():
            self.ask()

    def _hide_extra(self) -> None:
        for number, column in enumerate(self.model.columns):
            self.table.setColumnHidden(number, column.extra and self.width() < _NARROW_BELOW)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._hide_extra()

    def _sort(self, section: int) -> None:
        """First click: numbers from the most, words from A; a second turns it around."""
        column = self.model.columns[section]
        down = not self.model.descending if column.key == self.model.order else column.right or column.key == "ended"
        self.model.sort(section, Qt.SortOrder.DescendingOrder if down else Qt.SortOrder.AscendingOrder)

    # ---- showing

    def show_answer(self, query: Query, answer: Answer) -> None:
        """What was asked for, unless something else is wanted by now."""
        if query != self.query():
            return
        self._slow.stop()
        self._show_line(False)
        self.answer = answer
        chosen = [key_of(self.model.rows[at.row()]) for at in self.table.selectionModel().selectedRows()]
        place = self.table.verticalScrollBar().value()
        self.model.show(answer.rows)
        self._select(chosen)
        self.table.verticalScrollBar().setValue(place)
        self._show_days(query)
        self.refresh()

    def _show_days(self, query: Query) -> None:
        first = query.first
        if not int(self.range.currentData()):  # from the first that there is; a week at the least
            first = min([one.day for one in self.answer.days[:1]] + [query.last - 6])
        self.chart.show_days(self.answer.days, first, query.last)

    def _select(self, keys: list[object]) -> None:
        flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        model, selection = self.model, self.table.selectionModel()
        for key in keys:
            if (row := model.row_of(key)) >= 0 and not selection.isRowSelected(row):
                selection.setCurrentIndex(model.index(row, 0), flags)

    def _show_line(self, on: bool) -> None:
        color = theme.current().accent if on else theme.current().bg
        self._line.setStyleSheet(f"background: {color}")

    def refresh(self) -> None:
        """The settings changed, or the theme, or there is something else to see."""
        settings, tokens = self._settings(), theme.current()
        shown, total = len(self.model.rows), self.answer.total
        more = tr("The first {count} of {total}", count=f"{shown:,}", total=f"{total:,}")
        self._foot.setText(more if total > shown else tr("{count} rows", count=f"{shown:,}") if shown else "")
        self._kept.setText(_kept_words(settings, self._size()))
        for label in (self._foot, self._kept):
            label.setStyleSheet(f"color: {tokens.text3}")
            label.setVisible(bool(label.text()))
        self._show_line(False)
        anything = bool(self.answer.days) or self.chart.day != 0
        self.chart.setVisible(anything)
        self.export.setEnabled(bool(self.model.rows))
        self.clear.setEnabled(anything or self._size() > 0)
        self._show_emptiness(settings)

    def _show_emptiness(self, settings: Settings) -> None:
        nameless = self.model.view is View.HOSTS and all(not getattr(one, "name", "") for one in self.model.rows)
        searched = bool(self.search.text().strip())
        if self.model.rows and not (nameless and settings.history_hosts is HistoryHosts.NONE and not searched):
            self._body.setCurrentWidget(self.table)
            return
        self._body.setCurrentWidget(self._empty)
        if not self.answer.days and not settings.keep_history:
            self._empty.say(tr("No history is kept."), tr("Nothing about connections is written to the disk."),
                            tr("Keep a history"), self.keeping.emit)  # fmt: skip
        elif searched or self.chart.day:
            self._empty.say(tr("Nothing matches."), "", tr("Show all"), self.show_all)
        elif self.model.rows or (nameless and self.answer.days):
            sentence = tr("Where connections went is not written down unless you want it.")
            self._empty.say(tr("Sites are left out."), sentence, tr("Settings"), self.settings.emit)
        else:
            self._empty.say(tr("Nothing has ended yet."), tr("Connections come here when they are over."))

    def show_all(self) -> None:
        """Without search, of all days."""
        self.search.clear()
        self.chart.choose(0)
        self.ask()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)
        self.ask()

    # ---- doing

    def _step_back(self) -> None:
        """Esc clears, then leaves."""
        if self.search.text():
            self.search.clear()
        elif self.chart.day:
            self.chart.choose(0)
        else:
            self.left.emit()

    def go_into(self, row: AnyRow) -> None:
        """The connections that a total is of."""
        if isinstance(row, Past):
            return
        if isinstance(row, DayTotal):
            self.chart.choose(row.day)
            self.search.clear()
        else:
            self.search.setText(code(row.name)[1:] if getattr(row, "hashed", False) else row.name)
        self.set_view(View.CONNECTIONS)

    def _ask_menu(self, at: QPoint) -> None:
        index = self.table.indexAt(at)
        index = index if index.isValid() else self.table.currentIndex()
        if index.isValid() and index.row() < len(self.model.rows):
            self.row_menu(self.model.rows[index.row()], self.table.viewport().mapToGlobal(at))

    def row_menu(self, row: AnyRow, at: QPoint) -> QMenu:
        """What can be done with a row."""
        menu = rounded(QMenu(self))
        if not isinstance(row, Past):
            into = menu.addAction(icons.icon("connections"), tr("Show its connections"))
            into.triggered.connect(lambda: self.go_into(row))
        menu.addAction(icons.icon("copy"), tr("Copy")).triggered.connect(self._copy)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at)
        return menu

    def export_menu(self, at: QPoint) -> QMenu:
        """In which format."""
        menu = rounded(QMenu(self))
        for form, text in (("csv", tr("CSV, for a spreadsheet…")), ("json", tr("JSON…"))):
            menu.addAction(text).triggered.connect(lambda _=False, form=form: self.exporting.emit(form))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(QPoint(at.x() - menu.sizeHint().width() + self.export.width(), at.y()))
        return menu

    def _copy(self) -> None:
        """The selected rows, a line each: names come from strangers."""
        rows = sorted(at.row() for at in self.table.selectionModel().selectedRows())
        lines = ["  ".join(_words(self.model, row)) for row in rows]
        if lines:
            QGuiApplication.clipboard().setText("\n".join(lines))


def _words(model: HistoryModel, row: int) -> list[str]:
    cells = [column.cell(model.rows[row]) for column in model.columns]
    return [harmless(f"{cell.text} {cell.unit}".strip()) for cell in cells]


def _kept_words(settings: Settings, size: int) -> str:
    """What is kept, and how much that is."""
    parts = [
        tr("Kept for {count} days", count=settings.history_days) if settings.keep_history else tr("Nothing is kept")
    ]
    if size:
        parts.append(" ".join(amount(size)))
    if settings.keep_history:
        hosts = {HistoryHosts.NONE: tr("sites left out"), HistoryHosts.HASHED: tr("sites as codes"),
                 HistoryHosts.CLEAR: tr("sites by name")}  # fmt: skip
        parts.append(hosts[settings.history_hosts])
    return " · ".join(parts)
